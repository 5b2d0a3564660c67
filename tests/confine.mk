# The program that runs a daemon under its unit's limits without systemd, for tests/e2e/test_privilege.py.

CONFINE_OBJECTS := $(call objects,$(wildcard tests/confine/*.c))

$(BUILD)/tests/confine/confine: $(CONFINE_OBJECTS)
	@mkdir -p $(@D)
	@echo '  LINK $@'
	$(Q)$(CC) -pie $(LDFLAGS) -o $@ $^ $(call PKG,--libs,libseccomp)

tests-build: $(BUILD)/tests/confine/confine
