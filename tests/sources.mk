# test_sources loads name services of its own: the same source twice, one that is installed late, one that cannot be loaded and one
# without functions.

SOURCES_TEST := $(BUILD)/tests/sources

$(SOURCES_TEST)/libnss_%.so.2: tests/unit/sources/nss_source.c
	@mkdir -p $(@D)
	@echo '  LINK $@'
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE $(WARNINGS) -fPIC -shared -DSOURCE=$* -o $@ $<

$(SOURCES_TEST)/libnss_broken.so.2:
	@mkdir -p $(@D)
	$(Q)echo 'no library' >$@

$(SOURCES_TEST)/libnss_hollow.so.2:
	@mkdir -p $(@D)
	@echo '  LINK $@'
	$(Q)$(CC) -shared -o $@ -x c /dev/null

$(SOURCES_TEST)/late.so: tests/unit/sources/nss_source.c
	@mkdir -p $(@D)
	@echo '  LINK $@'
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE $(WARNINGS) -fPIC -shared -DSOURCE=late -o $@ $<

$(BUILD)/tests/unit/test_sources.o: CPPFLAGS_tests_unit += -DSOURCES_TEST='"$(abspath $(SOURCES_TEST))"'
$(BUILD)/tests/unit/test_sources: | $(addprefix $(SOURCES_TEST)/,libnss_first.so.2 libnss_second.so.2 libnss_broken.so.2 \
	libnss_hollow.so.2 late.so)
