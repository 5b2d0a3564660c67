# The health report's pure parts: PAM stacks, name services, sshd's settings, account files; and what runs programs.

HEALTH_PARTS = $(call objects,$(patsubst %,provisiond/ctl/health/%.c,$(1)))

$(BUILD)/tests/unit/test_pam_stack: $(call HEALTH_PARTS,pam_stack pam_follow pam_verdict pam_arguments) \
	$(call objects,pam_oidc/module/arguments.c)
$(BUILD)/tests/unit/test_health_parts: $(call HEALTH_PARTS,nss_order sshd_settings account_lines timed_program findings) \
	$(call objects,$(patsubst %,provisiond/ctl/%.c,json terminal utf8))
