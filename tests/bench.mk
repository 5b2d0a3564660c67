# Our figures beside those of what people would use instead, taken in the same run. ROWS= names rows, QUICK=1 is the short variant.

BENCH_PROGRAMS := $(patsubst %,$(BUILD)/tests/bench/%,code_on_screen account_phase accounts name_lookup sign_in mapped org_day)

$(BENCH_PROGRAMS): $(BUILD)/tests/bench/%: $(call objects,tests/bench/%.c tests/bench/stopwatch.c) $(UNIT_ARCHIVES)
	@mkdir -p $(@D)
	@echo '  LINK $@'
	$(Q)$(CC) -pie $(LDFLAGS) -o $@ $(filter %.o,$^) $(UNIT_ARCHIVES) -lpam -ldl -lm \
		$(call PKG,--libs,libcurl cjose jansson libssl libcrypto libqrencode ini_config)

tests-build: $(BENCH_PROGRAMS)

bench-build: all $(BENCH_PROGRAMS) $(BUILD)/tests/issuer/issuer

# Another make builds, because what it builds with may only just have come.
bench:
	@tests/deps bench
	@+$(MAKE) --no-print-directory bench-build
	@tests/bench/run --build $(BUILD) $(if $(QUICK),--quick) $(if $(ROWS),'$(ROWS)')

.PHONY: bench bench-build
