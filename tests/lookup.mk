# test_lookup asks a name service of its own.

$(BUILD)/tests/unit/test_lookup.o: CPPFLAGS_tests_unit += -DSOURCES_TEST='"$(abspath $(BUILD)/tests/sources)"'
$(BUILD)/tests/unit/test_lookup: | $(BUILD)/tests/sources/libnss_first.so.2
