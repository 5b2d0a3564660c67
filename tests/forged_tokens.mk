# Forged tokens in front of the product's own judges. What is the edge of a sign-in there is played by the program itself,
# clock included.

FORGED_TOKENS := $(BUILD)/tests/forged_tokens/forged_tokens

$(FORGED_TOKENS): $(call objects,$(wildcard tests/forged_tokens/*.c)) $(UNIT_ARCHIVES)
	@mkdir -p $(@D)
	@echo '  LINK $@'
	$(Q)$(CC) -pie $(LDFLAGS) -Wl,--wrap=clock_gettime -Wl,--wrap=time -o $@ $(filter %.o,$^) $(UNIT_ARCHIVES) \
		$(call PKG,--libs,libcurl cjose jansson libssl libcrypto libmd ini_config)

tests-build: $(FORGED_TOKENS)
