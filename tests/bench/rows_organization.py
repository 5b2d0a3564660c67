"""A day of one organization with 10,000 machines and 50 sign-ins a day on each, against Okta's published limits; how soon
people are let in after they approved, against machines that poll at the interval whatever remains of the limit.

A simulation: people, network and Okta are played from a seed, how the machines poll is the product's own code.
"""

import subprocess

from bench import Goal, Row, measure

HALF = Goal("at most half the limit", lambda row: row.ratio <= 0.5)
BUCKET = 2000  # requests a minute, for /token and for what /device/authorize belongs to
DAYS = ((100, "even day"), (150, "busiest hour 1.5 x"))


def minute(endpoint, day):
    return f"10,000 machines x 50 sign-ins, {day}: a minute at {endpoint}"


def let_in(day):
    return f"10,000 machines x 50 sign-ins, {day}: approval to token"


JITTER = "10,000 machines x 50 sign-ins: jitter beyond the poll interval"
SECOND = "10,000 machines x 50 sign-ins: a second at /token, against the mean"


def live(peak, *mute):
    """`mute`: Okta does not say how much of its limit remains, and everybody polls at the interval."""
    command = ["/run/sandbox/product/tests/bench/org_day", "6", str(peak), *mute]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return {name: int(value) for name, value in (line.split() for line in done.stdout.splitlines())}


ROWS = [
    row
    for _, day in DAYS
    for row in (*(minute(endpoint, day) for endpoint in ("/token", "/device/authorize")), let_in(day))
]


@measure("organization", [*ROWS, JITTER, SECOND])
def organization(m, quick):
    for peak, day in DAYS:
        told = live(peak)
        # The busiest minute, of the limit.
        for endpoint, key in (("/token", "token_minute"), ("/device/authorize", "device_minute")):
            yield Row(minute(endpoint, day), "requests", told[key], BUCKET, goal=HALF)
        steady = live(peak, "mute")
        yield Row(
            let_in(day), "s", told["let_in_median_ms"] / 1000, steady["let_in_median_ms"] / 1000,
            ours_p99=told["let_in_p99_ms"] / 1000, peer_p99=steady["let_in_p99_ms"] / 1000,
        )
    yield Row(JITTER, "ms", told["delay_median_ms"], ours_p99=told["delay_p99_ms"])
    yield Row(SECOND, "requests", told["token_second"], told["token_minute"] / 60)
