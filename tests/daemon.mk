# The tests of the sign-in server run it in their own process, against the built test issuer and a provisiond of their own
# in the test's folder. Their clock can be put forward, so that no test waits.

UNIT_EXTRA_test_secret := -Wl,--wrap=free
