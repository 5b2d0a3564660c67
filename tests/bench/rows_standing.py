"""What our account phase adds to a login by somebody who has an account, by how many there are."""

import statistics

from bench import measure, pairs_of, pairs_row, point, ratio_at_most
from rows_accounts import accounts, start

SIZES = (100, 1000, 10000)
PANEL = "The account phase, by accounts there are (ms)"
ALONE = "account phase, 10,000 accounts, against pam_unix's"
BOTH = "account phase of both modules, 10,000 accounts, against pam_unix's alone"


def write_services():
    ours = "account [success=ok user_unknown=ignore authinfo_unavail=ignore default=die] /run/sandbox/product/pam_oidc.so\n"
    theirs = "account required pam_unix.so\n"
    for name, lines in (("bench-ours", ours), ("bench-theirs", theirs), ("bench-both", ours + theirs)):
        with open(f"/etc/pam.d/{name}", "w") as service:
            service.write(lines)


@measure("standing", [ALONE, BOTH])
def account_phase(m, quick):
    start(m, "create_home = no")
    write_services()
    rounds = 200 if quick else 1000
    have = 0
    for size in SIZES[-1:] if quick else SIZES:
        accounts(m, "grow", "p", have, size)
        have = size
        pairs = pairs_of("account_phase", "bench-ours", "bench-theirs", rounds, "p", size)
        point(PANEL, "pam_oidc", size, statistics.median(ours for ours, _ in pairs) / 1000)
        point(PANEL, "pam_unix", size, statistics.median(theirs for _, theirs in pairs) / 1000)
    yield pairs_row(ALONE, pairs, "ms", ratio_at_most(2), scale=0.001)
    pairs = pairs_of("account_phase", "bench-both", "bench-theirs", rounds, "p", have)
    yield pairs_row(BOTH, pairs, "ms", ratio_at_most(2), scale=0.001)
