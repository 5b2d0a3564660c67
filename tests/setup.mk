# The pure parts of provisionctl setup, without the rest of provisionctl.

setup_objects = $(call objects,$(patsubst %,provisiond/ctl/setup/%.c,$(1)))

$(BUILD)/tests/unit/test_setup_answers: $(call setup_objects,company)
$(BUILD)/tests/unit/test_configuration_text: $(call setup_objects,company configuration_text)
