# test_manage asks a name service of its own.

$(BUILD)/tests/unit/test_manage.o: CPPFLAGS_tests_unit += -DSOURCES_TEST='"$(abspath $(BUILD)/tests/sources)"'
$(BUILD)/tests/unit/test_manage: | $(BUILD)/tests/sources/libnss_first.so.2
