# test_module loads a copy of pam_oidc.so whose daemons and process title are in the test's own folder, and whose malloc()
# is the test's.
# test_module_library looks at the real one. The others link the module's pure parts.

MODULE_UNDER_TEST := $(BUILD)/tests/module/pam_oidc.so
MODULE_TEST_OBJECTS := $(patsubst pam_oidc/module/%.c,$(BUILD)/tests/module/%.o,$(MODULE_SOURCES))

$(BUILD)/tests/module/%.o: pam_oidc/module/%.c
	@mkdir -p $(@D)
	@echo '  CC   $@'
	$(Q)$(CC) $(ALL_CFLAGS) -DPROVISIOND_SOCKET='"provisiond.socket"' -DPAM_OIDC_SOCKET='"pam_oidcd.socket"' \
		-DOWN_TITLE='"title"' -MMD -MP -c $< -o $@

$(MODULE_UNDER_TEST): $(MODULE_TEST_OBJECTS) $(call common,$(COMMON_MODULE)) pam_oidc/module/pam_oidc.map tests/module.mk
	@echo '  LINK $@'
	$(Q)$(CC) $(SOFLAGS) $(LDFLAGS) -Wl,--version-script=pam_oidc/module/pam_oidc.map -Wl,--wrap=malloc,-z,undefs -o $@ \
		$(filter %.o,$^) -lpam

$(BUILD)/tests/unit/test_module.o: CPPFLAGS_tests_unit += -DMODULE='"$(abspath $(MODULE_UNDER_TEST))"'
$(BUILD)/tests/unit/test_module: | $(MODULE_UNDER_TEST)
UNIT_EXTRA_test_module := -lpam $(patsubst %,-Wl$(comma)--export-dynamic-symbol=%,__wrap_malloc pam_set_item pam_putenv)

$(BUILD)/tests/unit/test_module_library.o: CPPFLAGS_tests_unit += -DMODULE='"$(abspath $(BUILD)/pam_oidc.so)"'
$(BUILD)/tests/unit/test_module_library: | $(BUILD)/pam_oidc.so

$(BUILD)/tests/unit/test_module_arguments: $(call objects,pam_oidc/module/arguments.c)
$(BUILD)/tests/unit/test_module_screen: $(call objects,$(patsubst %,pam_oidc/module/%.c,screen printable text))
$(BUILD)/tests/unit/test_module_printable: $(call objects,pam_oidc/module/printable.c)
$(BUILD)/tests/unit/test_module_room_list: $(call objects,$(patsubst %,pam_oidc/module/%.c,room_list printable text))
$(BUILD)/tests/unit/test_module_sshd_process: $(call objects,pam_oidc/module/sshd_process.c)
$(BUILD)/tests/unit/test_module_result: $(call objects,pam_oidc/module/result.c)
