# What plans, applies and takes back the changes of setup, for tests/e2e; and the pure parts of it for unit tests.

SETUP_OBJECTS := $(filter-out %_main.o,$(call objects,$(PROVISIONCTL_SOURCES))) $(call common,$(COMMON_CTL))

$(BUILD)/tests/e2e/changes: $(call objects,tests/e2e/changes.c) $(SETUP_OBJECTS)
	@mkdir -p $(@D)
	@echo '  LINK $@'
	$(Q)$(CC) -pie $(LDFLAGS) -o $@ $^ $(PROVISIONCTL_LIBS)

tests-build: $(BUILD)/tests/e2e/changes

SETUP_PURE := change_parts change_take_back line_diff nsswitch_lines pam_lines sshd_lines
$(BUILD)/tests/unit/test_setup_lines: $(call objects,$(patsubst %,provisiond/ctl/setup/%.c,$(SETUP_PURE)))

setup_objects = $(call objects,$(patsubst %,provisiond/ctl/setup/%.c,$(1)))
$(BUILD)/tests/unit/test_setup_answers: $(call setup_objects,company)
$(BUILD)/tests/unit/test_configuration_text: $(call setup_objects,company configuration_text printed)
