# test_documents holds the example configuration and the README against the table of keys, and the options of provisiond(8)
# against the program.

$(BUILD)/tests/unit/test_documents.o: CPPFLAGS_tests_unit += -DEXAMPLE='"$(abspath etc/pam_oidc.conf.example)"' -DREADME='"$(abspath README.md)"' \
	-DMANUAL='"$(abspath provisiond/provisiond.8)"' -DPROVISIOND='"$(abspath $(BUILD)/provisiond)"'
$(BUILD)/tests/unit/test_documents: | $(BUILD)/provisiond

comma := ,

# test_events holds the events in provisiond(8) against the program. It stands in the place of the journal and of auditd.

$(BUILD)/tests/unit/test_events.o: CPPFLAGS_tests_unit += -DMANUAL='"$(abspath provisiond/provisiond.8)"'
UNIT_EXTRA_test_events := $(patsubst %,-Wl$(comma)--wrap=%,log_event audit_open audit_close audit_log_user_message wire_now_ms)
