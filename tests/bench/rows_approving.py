"""From the approval at the issuer to the open session."""

import http.client
import json
import random
import ssl
import statistics
import threading
import time

from bench import Row, at_most, measure, percentile
from rows_signing_in import SignIn, start

MEDIAN = "approval at the issuer to session, against the poll interval"
WORST = "approval at the issuer to session, 99th percentile"


class Approver:
    """The person's phone: a connection that is there already, so that the approval is the moment in which it is told."""

    def __init__(self, issuer):
        context = ssl.create_default_context(cafile=issuer.ca)
        self.connection = http.client.HTTPSConnection(issuer.host, issuer.port, context=context, timeout=60)
        self.connection.connect()

    def approve(self, code):
        """The moment before the issuer was told, in microseconds of CLOCK_MONOTONIC."""
        began = time.monotonic_ns() / 1000
        self.connection.request("POST", "/_control/approve", json.dumps({"user_code": code, "user": "alice"}),
                                {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"the issuer's control answered {answer.status}")
        return began


def sign_in(m, interval, wait):
    """Milliseconds from the approval to the session; the approval comes so many seconds after the code."""
    signin = SignIn("alice")
    approver = Approver(m.issuer)
    time.sleep(wait)
    approved = approver.approve(signin.code)
    return (signin.session_us() - approved) / 1000


@measure("approval", [MEDIAN, WORST])
def approval_to_session(m, quick):
    interval, beside, rounds = (1, 4, 4) if quick else (5, 20, 5)
    start(m, interval)
    first = SignIn("alice")  # makes the account
    m.issuer.approve(first.code, "alice")
    first.session_us()
    randomly = random.Random(6)
    waits = [[randomly.uniform(0, 2 * interval) for _ in range(rounds)] for _ in range(beside)]
    took = []

    def person(own_waits):
        took.extend(sign_in(m, interval, wait) for wait in own_waits)

    people = [threading.Thread(target=person, args=(own,)) for own in waits]
    for thread in people:
        thread.start()
    for thread in people:
        thread.join()
    if len(took) != beside * rounds:
        raise RuntimeError(f"only {len(took)} of {beside * rounds} sign-ins came to their session")
    limit = at_most(interval * 1000 + 100, "ms")
    worst = percentile(took, 0.99)
    yield Row(MEDIAN, "ms", statistics.median(took), interval * 1000, ours_p99=worst, goal=limit)
    yield Row(WORST, "ms", worst, interval * 1000, goal=limit)
