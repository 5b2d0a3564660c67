# test_documents holds the example configuration against the table of keys.

$(BUILD)/tests/unit/test_documents.o: CPPFLAGS_tests_unit += -DEXAMPLE='"$(abspath etc/pam_oidc.conf.example)"'

comma := ,

# test_events holds the events in provisiond(8) against the program. It stands in the place of the journal and of auditd.

$(BUILD)/tests/unit/test_events.o: CPPFLAGS_tests_unit += -DMANUAL='"$(abspath provisiond/provisiond.8)"'
UNIT_EXTRA_test_events := $(patsubst %,-Wl$(comma)--wrap=%,log_event audit_open audit_close audit_log_user_message wire_now_ms)

# tests/documents/check asks this what the program knows.

$(BUILD)/tests/documents/facts: $(call objects,tests/documents/facts.c pam_oidc/module/arguments.c) $(call common,$(COMMON_DAEMON))
	@mkdir -p $(@D)
	@echo '  LINK $@'
	$(Q)$(CC) -pie $(LDFLAGS) -o $@ $^ $(call PKG,--libs,ini_config)

tests-build: $(BUILD)/tests/documents/facts
