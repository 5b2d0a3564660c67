# The tests named test_failing_* send the calls of the product's objects through tests/failing/failing.c, which makes
# them fail.

comma := ,
FAILING_TESTS := $(filter test_failing_%,$(patsubst tests/unit/%.c,%,$(UNIT_SOURCES)))
FAILING_OBJECT := $(BUILD)/tests/failing/failing.o
FAILING_CALLS := malloc calloc realloc reallocarray strdup strndup open_memstream fdopendir asprintf __asprintf_chk fstat stat \
	lstat fstatat statx getsockopt getpeername poll __poll_chk gethostname read recv recvmsg readlinkat getrandom flistxattr fgetxattr \
	opendir readdir mkdir mkdirat unlink unlinkat linkat symlinkat renameat renameat2 fchown fchownat chown fchmod chmod \
	fsetxattr fsync sync_together socket socketpair bind listen connect accept4 epoll_create1 epoll_ctl signalfd sigprocmask dup2 \
	close_range setgroups setresgid setresuid write send sendmsg sendto fork mmap close open openat fcntl

$(patsubst %,$(BUILD)/tests/unit/%,$(FAILING_TESTS)): $(FAILING_OBJECT)
$(foreach test,$(FAILING_TESTS),$(eval UNIT_EXTRA_$(test) := $(patsubst %,-Wl$(comma)--wrap=%,$(FAILING_CALLS))))

$(BUILD)/tests/unit/test_failing_sources.o: CPPFLAGS_tests_unit += -DSOURCES_TEST='"$(abspath $(SOURCES_TEST))"'
$(BUILD)/tests/unit/test_failing_sources: | $(addprefix $(BUILD)/tests/sources/,libnss_first.so.2 libnss_broken.so.2 libnss_hollow.so.2)

FAILING_STAGED := test_failing_signin
$(patsubst %,$(BUILD)/tests/unit/%,$(FAILING_STAGED)): $(BUILD)/tests/daemon/stage.o $(BUILD)/tests/daemon/question.o | $(BUILD)/tests/issuer/issuer
$(foreach test,$(FAILING_STAGED),$(eval UNIT_EXTRA_$(test) += -Wl,--wrap=clock_gettime))

# The module with the daemons in the test's own folder (tests/module.mk), and with PAM's functions failing.
$(BUILD)/tests/unit/test_failing_module: $(patsubst pam_oidc/module/%.c,$(BUILD)/tests/module/%.o,$(MODULE_SOURCES))
UNIT_EXTRA_test_failing_module += $(patsubst %,-Wl$(comma)--wrap=%,pam_get_item pam_set_item pam_get_user pam_putenv \
	pam_modutil_getpwnam) -lpam
