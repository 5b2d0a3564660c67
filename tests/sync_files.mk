# test_sync_files sees the system calls that are made by number, and lets them fail.

UNIT_EXTRA_test_sync_files := -Wl,--wrap=syscall
