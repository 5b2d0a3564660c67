# test_documents holds the example configuration and the README against the table of keys.

$(BUILD)/tests/unit/test_documents.o: CPPFLAGS_tests_unit += -DEXAMPLE='"$(abspath etc/pam_oidc.conf.example)"' -DREADME='"$(abspath README.md)"'
