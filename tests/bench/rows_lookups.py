"""What libnss_oidc adds to the look-up of a name that is in no file: in programs that it has nothing to say to, and in sshd."""

import os
import statistics

import peers
from bench import Goal, measure, pairs_of, pairs_row

BELOW = Goal("below", lambda row: row.ratio < 1)
# What a program is called, by which libnss_oidc knows sshd.
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


@measure("name service", [name(who, services) for who, _, _ in WHO for services in ("files", "files systemd", "files sss")],
         needs_peers=True)
def misses(m, quick):
    m.start_issuer()
    m.configure(m.standard_configuration())
    m.start_provisiond()
    peers.start_sssd()
    rounds = 300 if quick else 3000
    for who, called, limit in WHO:
        for services in ("files", "files systemd", "files sss"):
            pairs = pairs_of(as_program(called), "files oidc", services, rounds)
            goal = {"files": adds(pairs, limit), "files sss": BELOW}.get(services)
            yield pairs_row(name(who, services), pairs, "µs", goal)
