# The tests' own rules: each tests/*.mk says what one test needs beyond the Makefile's pattern.
include $(filter-out tests/tests.mk,$(wildcard tests/*.mk))
