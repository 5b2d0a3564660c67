# The clock that tests/e2e sets back, and calls of the module's that fail (LD_PRELOAD).
$(BUILD)/tests/e2e/clock.so $(BUILD)/tests/e2e/failing_module.so: $(BUILD)/tests/e2e/%.so: $(BUILD)/objects/tests/e2e/%.o
	@mkdir -p $(@D)
	@echo '  LINK $@'
	$(Q)$(CC) $(SOFLAGS) -o $@ $<

tests-build: $(BUILD)/tests/e2e/clock.so $(BUILD)/tests/e2e/failing_module.so $(BUILD)/tests/sources/libnss_first.so.2
