# The fuzz targets, tests/fuzz/fuzz_*.c: each with libFuzzer, AddressSanitizer and UBSan, linked with what it uses of
# the product; and once more without the sanitizers, to see which lines its inputs run through. Clang only, whatever CC
# is.
#
#   make fuzz TIME=600      every target for so many seconds, on all processors
#   make fuzz-targets       only builds them, into BUILD/fuzz

FUZZ_CC ?= clang
TIME ?= 600
FUZZ := $(BUILD)/fuzz
FUZZ_TARGETS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

FUZZ_CFLAGS := -std=c17 -D_GNU_SOURCE -I. $(WARNINGS) -U_FORTIFY_SOURCE -O1 -gline-tables-only -fno-omit-frame-pointer
FUZZ_FLAGS_checked := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
FUZZ_LINK_checked := -fsanitize=fuzzer,address,undefined
FUZZ_FLAGS_covered := -fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping
FUZZ_LINK_covered := -fsanitize=fuzzer -fprofile-instr-generate
FUZZ_PROGRAMS_checked := $(patsubst %,$(FUZZ)/%,$(FUZZ_TARGETS))
FUZZ_PROGRAMS_covered := $(patsubst %,$(FUZZ)/covered/%,$(FUZZ_TARGETS))

# Allocations that fail, see tests/fuzz/fuzz.h; what one target wraps besides is FUZZ_WRAP_(target).
FUZZ_WRAP := malloc calloc realloc reallocarray strdup strndup asprintf
FUZZ_WRAP_provisionctl := wire_connect wire_send wire_receive
FUZZ_WRAP_module := socket connect send recvmsg poll close fcntl setsockopt getsockopt getpeername clock_gettime \
	time open read getppid free

# What a target consists of besides its own file.
FUZZ_EXTRA_module := module_world

# Daemons, module and tool have files of the same names, so each is an archive; a target links those that it lists.
FUZZ_ARCHIVES_module := module common
FUZZ_ARCHIVES_screen := module pam_oidcd common
FUZZ_ARCHIVES_provisionctl := provisionctl common
FUZZ_ARCHIVES_default := pam_oidcd provisiond common

fuzz_without_main = $(filter-out %_main.c,$(1))
FUZZ_SOURCES_module := $(MODULE_SOURCES)
FUZZ_SOURCES_pam_oidcd := $(call fuzz_without_main,$(PAM_OIDCD_SOURCES))
FUZZ_SOURCES_provisiond := $(call fuzz_without_main,$(PROVISIOND_SOURCES))
FUZZ_SOURCES_provisionctl := $(call fuzz_without_main,$(PROVISIONCTL_SOURCES))
FUZZ_SOURCES_common := $(patsubst %,common/%.c,$(COMMON_DAEMON))

FUZZ_LIBRARIES = $(call PKG,--libs,libcurl cjose jansson libssl libcrypto libqrencode sqlite3 libmd ini_config audit)

# $(1): checked or covered; $(2): the folder of its objects and archives
define fuzz_variant
$(2)/%.o: %.c
	@mkdir -p $$(@D)
	@echo '  CC   $$< ($(1))'
	$(Q)$$(FUZZ_CC) $$(FUZZ_CFLAGS) $$(FUZZ_FLAGS_$(1)) $$(CPPFLAGS_$$(subst /,_,$$(<D))) -MMD -MP -c $$< -o $$@

$(foreach archive,module pam_oidcd provisiond provisionctl common,
$(2)/lib$(archive).a: $(patsubst %.c,$(2)/%.o,$(FUZZ_SOURCES_$(archive)))
	@rm -f $$@
	$(Q)ar rcs $$@ $$^
)

$(foreach target,$(FUZZ_TARGETS),
$(3)/$(target): $(patsubst %,$(2)/tests/fuzz/%.o,fuzz_$(target) fuzz $(FUZZ_EXTRA_$(target))) \
		$(foreach archive,$(or $(FUZZ_ARCHIVES_$(target)),$(FUZZ_ARCHIVES_default)),$(2)/lib$(archive).a) tests/fuzz.mk
	@mkdir -p $$(@D)
	@echo '  LINK $$@'
	$(Q)$$(FUZZ_CC) $$(FUZZ_LINK_$(1)) -Wl,--as-needed \
		$(patsubst %,-Wl$(comma)--wrap=%,$(FUZZ_WRAP) $(FUZZ_WRAP_$(target))) -o $$@ $$(filter %.o %.a,$$^) $$(FUZZ_LIBRARIES)
)
endef

comma := ,
$(eval $(call fuzz_variant,checked,$(FUZZ)/objects,$(FUZZ)))
$(eval $(call fuzz_variant,covered,$(FUZZ)/covered/objects,$(FUZZ)/covered))

fuzz-targets: $(FUZZ_PROGRAMS_checked)

fuzz: $(FUZZ_PROGRAMS_checked) $(FUZZ_PROGRAMS_covered)
	tests/fuzz/campaign --build $(FUZZ) --time $(TIME)

-include $(shell find $(FUZZ) -type f -name '*.d' 2>/dev/null)

.PHONY: fuzz fuzz-targets
