# test_nss loads a copy of libnss_oidc.so.2 that talks to a socket in the test's own folder.

NSS_TEST_MODULE := $(BUILD)/tests/nss/libnss_oidc.so.2
NSS_TEST_OBJECTS := $(patsubst provisiond/nss/%.c,$(BUILD)/objects/tests/nss/%.o,$(NSS_SOURCES))

$(BUILD)/objects/tests/nss/%.o: provisiond/nss/%.c
	@mkdir -p $(@D)
	@echo '  CC   $< (for tests)'
	$(Q)$(CC) $(ALL_CFLAGS) -DPROVISIOND_SOCKET='"provisiond.socket"' -MMD -MP -c $< -o $@

$(NSS_TEST_MODULE): $(NSS_TEST_OBJECTS) $(call common,$(COMMON_LIBC)) provisiond/nss/libnss_oidc.map
	@mkdir -p $(@D)
	@echo '  LINK $@'
	$(Q)$(CC) $(SOFLAGS) $(LDFLAGS) -Wl,-soname,libnss_oidc.so.2 -Wl,--version-script=provisiond/nss/libnss_oidc.map -o $@ $(filter %.o,$^)

$(BUILD)/tests/unit/test_nss.o: CPPFLAGS_tests_unit += -DNSS_MODULE='"$(abspath $(NSS_TEST_MODULE))"'
$(BUILD)/tests/unit/test_nss: $(call objects,$(patsubst %,provisiond/nss/%.c,entry gate groups)) | $(NSS_TEST_MODULE)

# test_nss_library looks at the real one.
$(BUILD)/tests/unit/test_nss_library.o: CPPFLAGS_tests_unit += -DNSS_LIBRARY='"$(abspath $(BUILD)/libnss_oidc.so.2)"'
$(BUILD)/tests/unit/test_nss_library: | $(BUILD)/libnss_oidc.so.2
