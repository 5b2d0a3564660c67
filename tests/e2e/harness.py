"""What a test is: a sentence and a function that gets a Machine. Waiting and expecting with messages that say what was seen.

Knows nothing of pam_oidc. Tests never sleep and hope; they wait for something, for as long as a slow machine may need.
"""

import os
import re
import time

# Limits below are for a quiet machine; valgrind and sanitizers ask for more.
PATIENCE = float(os.environ.get("E2E_PATIENCE", "1")) * 3

TESTS = []


class Failure(Exception):
    """What was expected and what was seen instead."""


class Skip(Exception):
    """Why this test cannot run here."""


class Test:
    def __init__(self, function, sentence, options):
        self.topic = function.__module__.replace("test_", "", 1)
        self.name = f"{self.topic}: {sentence}"
        self.function = function
        self.options = options


def test(sentence, **options):
    """Registers a test. Options: start=False leaves the daemons to the test, alone=True runs it with nothing beside it,
    seconds=N bounds it, tags={...} selects it, prepare=PROGRAM is run once before, outside of every sandbox, and config={...} and
    sshd=[...] go to the Machine."""

    def register(function):
        TESTS.append(Test(function, sentence, options))
        return function

    return register


def cases(rows, **options):
    """One registered test for each row (sentence, arguments...): the decorated function gets the machine and the arguments."""

    def decorate(function):
        for sentence, *arguments in rows:

            def run(machine, arguments=tuple(arguments)):
                return function(machine, *arguments)

            run.__module__ = function.__module__
            test(sentence, **options)(run)
        return function

    return decorate


def wait_for(what, condition, seconds=10.0, step=0.02):
    """The first true value of condition(), asked until it comes; Failure says what did not."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f"waited {seconds * PATIENCE:.0f} s in vain for: {what}")
        time.sleep(step)
        step = min(step * 1.2, 0.2)


def expect(condition, what):
    if not condition:
        raise Failure(what)


def expect_equal(seen, expected, what):
    if seen != expected:
        raise Failure(f"{what}: expected {expected!r}, saw {seen!r}")


def flat(text):
    """Text as one line with single spaces, so that a sentence is found wherever the terminal broke it."""
    return re.sub(r"\s+", " ", text)


def squeezed(text):
    """Text without white space at all, for what a terminal may have broken inside a word, such as a long address."""
    return re.sub(r"\s+", "", text)


def expect_in(sentence, text, what):
    if squeezed(sentence) not in squeezed(text):
        raise Failure(f"{what}: {sentence!r} is not in:\n{text}")


def expect_not_in(sentence, text, what):
    if squeezed(sentence) in squeezed(text):
        raise Failure(f"{what}: {sentence!r} is in:\n{text}")


def expect_once(sentence, text, what):
    seen = squeezed(text).count(squeezed(sentence))
    if seen != 1:
        raise Failure(f"{what}: {sentence!r} should stand once and stands {seen} times in:\n{text}")


def figure(name, value, unit, goal=None, extra=""):
    """Prints a measured figure, and whether it met its goal, an upper bound. It fails nothing: machines have slow days."""
    met = "" if goal is None else (f"  (goal: at most {goal:g} {unit}, {'met' if value <= goal else 'MISSED'})")
    print(f"figure: {name}: {value:.4g} {unit}{met}{extra}", flush=True)


def count(section, tried, refused, admitted=0, skipped=0):
    """Prints how many attacks of a section were tried and what became of them; tests/check adds them up and fails on any admitted."""
    print(f"count: {section}: {tried} tried, {refused} refused, {admitted} admitted, {skipped} skipped", flush=True)
