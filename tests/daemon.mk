# The tests of the sign-in server run it in their own process, against the built test issuer and a provisiond of their own
# in the test's folder. Their clock can be put forward, so that no test waits.

STAGED_TESTS := test_signin_server test_signin test_http test_document test_question test_realm test_approval
STAGE_OBJECTS := $(BUILD)/tests/daemon/stage.o $(BUILD)/tests/daemon/question.o
STAGED := $(patsubst %,$(BUILD)/tests/unit/%,$(STAGED_TESTS))

$(BUILD)/tests/daemon/question.o: pam_oidc/question.c
	@mkdir -p $(@D)
	@echo '  CC   $< (for tests)'
	$(Q)$(CC) $(ALL_CFLAGS) -DPROVISIOND_SOCKET='"provisiond.socket"' -MMD -MP -c $< -o $@

$(BUILD)/tests/daemon/stage.o: CPPFLAGS_tests_daemon += -DISSUER='"$(abspath $(BUILD)/tests/issuer/issuer)"'

$(STAGED): $(STAGE_OBJECTS) | $(BUILD)/tests/issuer/issuer
$(foreach test,$(STAGED_TESTS),$(eval UNIT_EXTRA_$(test) := -Wl,--wrap=clock_gettime))

UNIT_EXTRA_test_secret := -Wl,--wrap=free
