"""What libnss_oidc adds to the look-up of a name that is in no file: in programs that it has nothing to say to, and in sshd."""

import os
import statistics

import peers
from bench import Goal, measure, pairs_of, pairs_row

BELOW = Goal("below", lambda row: row.ratio < 1)
# What a program is called, by which libnss_oidc knows sshd.
SERVICES = ("files", "files systemd", "files sss")
WHO = (("unrelated program", "name_lookup", 10), ("sshd's monitor", "sshd", 120))


def name(who, services):
    return f"getpwnam miss, {who}, against {services}"


def as_program(called):
    """The measuring program under another name."""
    place = f"/tmp/{called}"
    if not os.path.exists(place):
        os.symlink("/run/sandbox/product/tests/bench/name_lookup", place)
    return place


def adds(pairs, limit):
    added = statistics.median(ours - theirs for ours, theirs in pairs)
    return Goal(f"adds at most {limit} µs", lambda row: added <= limit)


def switch(m, services):
    """The machine's own name services, before ours: provisiond asks those that it cannot read itself before it promises a name."""
    m.run("sed", "-i", "-E", f"s/^(passwd|group):.*/\\1: {services} oidc/", "/etc/nsswitch.conf", check=True)
    if "provisiond" in m.daemons:
        m.daemons.pop("provisiond").stop()
    m.start_provisiond()


FIRST = "getpwnam miss, first of a new process of sshd, against files sss"


@measure("name service", [name(who, services) for services in SERVICES for who, _, _ in WHO] + [FIRST], needs_peers=True)
def misses(m, quick):
    m.start_issuer()
    m.configure(m.standard_configuration())
    peers.start_sssd()
    rounds = 300 if quick else 3000
    for services in SERVICES:
        ours = "files" if services == "files sss" else services
        switch(m, ours)
        for who, called, limit in WHO:
            pairs = pairs_of(as_program(called), "again", f"{ours} oidc", services, rounds)
            yield pairs_row(name(who, services), pairs, "µs", BELOW if services == "files sss" else adds(pairs, limit))
    # sshd has a process for each connection, which looks a name up once or twice.
    yield pairs_row(FIRST, pairs_of(as_program("sshd"), "first", "files oidc", "files sss", rounds // 3), "µs", BELOW)
