# test_ctl drives a copy of provisionctl whose daemons are in the test's own folder.

CTL_TEST_PROGRAM := $(BUILD)/tests/ctl/provisionctl
CTL_OBJECTS := $(call objects,$(PROVISIONCTL_SOURCES))

$(BUILD)/objects/tests/ctl/conversation.o: provisiond/ctl/conversation.c
	@mkdir -p $(@D)
	@echo '  CC   $< (for tests)'
	$(Q)$(CC) $(ALL_CFLAGS) -DPROVISIOND_SOCKET='"provisiond.socket"' -DPAM_OIDC_SOCKET='"pam_oidcd.socket"' -MMD -MP -c $< -o $@

$(CTL_TEST_PROGRAM): $(filter-out %/conversation.o,$(CTL_OBJECTS)) $(BUILD)/objects/tests/ctl/conversation.o $(call common,$(COMMON_CTL))
	@mkdir -p $(@D)
	@echo '  LINK $@'
	$(Q)$(CC) -pie $(LDFLAGS) -o $@ $^ $(PROVISIONCTL_LIBS)

$(BUILD)/tests/unit/test_ctl.o: CPPFLAGS_tests_unit += -DPROVISIONCTL='"$(abspath $(CTL_TEST_PROGRAM))"'
$(BUILD)/tests/unit/test_ctl: $(filter-out %_main.o,$(CTL_OBJECTS)) | $(CTL_TEST_PROGRAM)
