"""What a row of the benchmark is: two things measured in turn, their ratio, and the goal that it is held to.

Knows nothing of pam_oidc. A measurement is a function that returns rows; it is registered with the names of its rows, so
that those can be listed, chosen, and told as skipped when it cannot run.
"""

import json
import os
import statistics
import subprocess

PATIENCE_S = 300  # for one program of this folder
MEASUREMENTS = []


class Skip(Exception):
    """Why this measurement cannot run here."""


class Goal:
    """What a row is held to: a sentence, and whether it is met."""

    def __init__(self, text, judge):
        self.text = text
        self.judge = judge


def ratio_at_most(limit):
    return Goal(f"ratio at most {limit:g}", lambda row: row.ratio <= limit)


def at_most(limit, unit):
    return Goal(f"at most {limit:g} {unit}", lambda row: row.ours <= limit)


SMALLER = Goal("smaller", lambda row: row.ours < row.peer)
EQUAL = Goal("equal", lambda row: row.ours == row.peer)


def percentile(values, share):
    """The value that this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class Row:
    """One line of the table. `ours` and `peer` are medians; ratio is the median of the ratios of pairs."""

    FIELDS = ("row", "ours", "ours_p99", "peer", "peer_p99", "unit", "ratio", "goal", "met", "why", "seconds")

    def __init__(self, row, unit="", ours=None, peer=None, ratio=None, ours_p99=None, peer_p99=None, goal=None, why=None):
        self.row, self.unit, self.why = row, unit, why
        self.ours, self.ours_p99, self.peer, self.peer_p99, self.ratio = ours, ours_p99, peer, peer_p99, ratio
        if ratio is None and ours is not None and peer:
            self.ratio = ours / peer
        self.goal = goal.text if goal else None
        self.met = None if goal is None or ours is None else bool(goal.judge(self))
        self.seconds = None

    def as_text(self):
        return json.dumps({name: getattr(self, name) for name in self.FIELDS})

    @classmethod
    def from_text(cls, text):
        row = cls("")
        row.__dict__.update(json.loads(text))
        return row

    @classmethod
    def skipped(cls, name, why):
        return cls(name, why=why)


def pairs_row(name, pairs, unit, goal=None, scale=1.0):
    """The row of so many pairs (ours, peer), each value multiplied by the scale."""
    ours, peer = ([pair[side] * scale for pair in pairs] for side in (0, 1))
    return Row(
        name, unit, statistics.median(ours), statistics.median(peer),
        statistics.median(one / other for one, other in zip(ours, peer)),
        percentile(ours, 0.99), percentile(peer, 0.99), goal,
    )


class Measurement:
    def __init__(self, function, topic, rows, quick, needs_peers):
        self.function, self.topic, self.rows, self.quick, self.needs_peers = function, topic, rows, quick, needs_peers

    def chosen_by(self, patterns):
        names = [self.topic, *self.rows]
        return not patterns or any(pattern.lower() in name.lower() for pattern in patterns for name in names)


def measure(topic, rows, quick=True, needs_peers=False):
    """Registers a measurement. quick=False leaves it out of the short variant; needs_peers=True gives it sssd's programs."""

    def register(function):
        MEASUREMENTS.append(Measurement(function, topic, rows, quick, needs_peers))
        return function

    return register


def pairs_of(program, *arguments, **environment):
    """What a program of this folder prints: pairs of microseconds."""
    done = subprocess.run(
        [os.path.join("/run/sandbox/product/tests/bench", program), *[str(word) for word in arguments]],
        capture_output=True, text=True, env={**os.environ, **environment}, timeout=PATIENCE_S,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{program} {arguments}: {done.stdout}{done.stderr}")
    return [tuple(float(word) for word in line.split()) for line in done.stdout.splitlines()]


def point(panel, series, size, value):
    """One point of the picture: how much something costs at a size."""
    print("point: " + json.dumps({"panel": panel, "series": series, "size": size, "value": value}), flush=True)
