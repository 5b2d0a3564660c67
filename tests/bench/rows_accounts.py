"""What one account costs, and two hundred at once, on a disk: against useradd -m and systemd-sysusers."""

import os
import secrets
import shutil
import statistics
import subprocess
import time

from bench import measure, pairs_of, pairs_row, point, ratio_at_most

SIZES = (100, 1000, 10000)
USERADD = ("useradd", "-m", "%s")
# Says what the account shall be in one line of its own, and reads none of the installed ones. It makes no home.
SYSUSERS = ("systemd-sysusers", "--inline", 'u %s - "of the clinic" /home/%s /bin/bash')
PEERS = (("useradd -m", USERADD), ("systemd-sysusers", SYSUSERS))
PANEL = "One account made, by accounts there are (ms)"


def onto_disk():
    """Account files, homes and the database on the disk of the build folder, as on a real machine, instead of in memory.
    tests/bench/run removes the folder, in the end: for some minutes ext4 is slow to make files where many have just gone."""
    folder = f"/run/sandbox/product/bench-disk/{time.monotonic_ns()}"
    os.makedirs(folder, 0o755)
    # ext4 gives /etc and /home, as it does below /, a place each, away from what this folder's neighbours do, by their
    # names; and with other names in each run, away from where the run before was.
    subprocess.run(["chattr", "+T", folder], capture_output=True)
    for place in ("/etc", "/home", "/var/lib/provisiond"):
        own = f"{folder}/{secrets.token_hex(8)}"
        os.mkdir(own)
        subprocess.run(["cp", "-a", f"{place}/.", own], check=True)
        shutil.copystat(place, own)
        subprocess.run(["mount", "--bind", own, place], check=True)


def without_caches():
    """useradd starts the programs of nscd and sssd, where they are installed, to empty their caches: here it need not."""
    os.makedirs("/run/sandbox/sbin/upper")
    os.makedirs("/run/sandbox/sbin/work")
    subprocess.run(["mount", "-t", "overlay", "-o", "lowerdir=/usr/sbin,upperdir=/run/sandbox/sbin/upper,workdir=/run/sandbox/sbin/work",
                    "overlay", "/usr/sbin"], check=True)
    for name in ("nscd", "sss_cache"):
        if os.path.exists(f"/usr/sbin/{name}"):
            os.unlink(f"/usr/sbin/{name}")


def accounts(m, *arguments):
    return pairs_of("accounts", *arguments, BENCH_ISSUER=m.issuer.issuer)


def with_subordinate_ids():
    """Each account has its 65,536; login.defs has room for 9,000 of them, and useradd makes no account without."""
    subprocess.run(["sed", "-i", "-E", r"s/^(SUB_[UG]ID_MAX\s+).*/\14200000000/", "/etc/login.defs"], check=True)


def start_on_disk(m):
    without_caches()
    onto_disk()
    with_subordinate_ids()
    start(m)


def start(m, settings=""):
    m.start_issuer()
    m.configure(m.standard_configuration(accounts=settings))
    m.start_provisiond()


def one_name(size, peer):
    return f"one account created, {size:,} there, against {peer}"


@measure("accounts", [one_name(size, peer) for size in SIZES for peer, _ in PEERS])
def one_account(m, quick):
    rounds = 7 if quick else 100
    have = 0
    start_on_disk(m)
    for number, size in enumerate(SIZES[:2] if quick else SIZES):
        accounts(m, "grow", "p", have, size)
        have = size
        ours = []
        for peer, command in PEERS:
            pairs = accounts(m, "one", f"{peer[0]}{number}", rounds, *command)
            ours += [one for one, _ in pairs]
            point(PANEL, peer, size, statistics.median(theirs for _, theirs in pairs) / 1000)
            yield pairs_row(one_name(size, peer), pairs, "ms", ratio_at_most(0.2), scale=0.001)
        point(PANEL, "pam_oidc", size, statistics.median(ours) / 1000)


@measure("accounts", ["200 accounts at once, against 200 times useradd -m"])
def many_at_once(m, quick):
    start_on_disk(m)
    accounts(m, "grow", "p", 0, 100)
    rounds = 1 if quick else 7
    pairs = accounts(m, "together", "q", rounds, 200, *USERADD)
    yield pairs_row("200 accounts at once, against 200 times useradd -m", pairs, "s", ratio_at_most(0.02), scale=1e-6)
