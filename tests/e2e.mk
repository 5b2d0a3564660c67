# The clock that tests/e2e sets back (LD_PRELOAD).
$(BUILD)/tests/e2e/clock.so: $(BUILD)/objects/tests/e2e/clock.o
	@mkdir -p $(@D)
	@echo '  LINK $@'
	$(Q)$(CC) $(SOFLAGS) -o $@ $<

tests-build: $(BUILD)/tests/e2e/clock.so
