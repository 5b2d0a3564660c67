"""How long things take and how much memory they need. Figures are printed; missing a goal fails the test.

Each runs with nothing of the suite beside it. The tag `figures` leaves them out where programs are instrumented and figures say nothing.
"""

import os
import pty
import select
import statistics
import threading
import time

import pam
from harness import Failure, expect, expect_equal, figure, test, wait_for
from machine import PAM_OIDCD_SOCKET
from wire import Connection

ALONE = {"alone": True, "start": False, "tags": {"figures"}}


def start(m, interval=1):
    m.start_issuer()
    m.issuer.settings(interval=interval)
    m.configure(m.standard_configuration(login="max_pending = 4096\nmax_pending_per_address = 1000\nmax_pending_per_account = 1000\n"
                                               "max_starts_per_minute = 1000"))
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()
    with open("/etc/pam.d/measured", "w") as service:
        service.write("auth required /run/sandbox/product/pam_oidc.so wait=info\naccount required pam_permit.so\n")


def device_service_ms(m):
    """How long the issuer itself took for the last device code."""
    return m.issuer.state()["service_us"]["device"]["last"] / 1000


@test("from the start of PAM to the code on the screen takes at most 10 ms beyond the issuer's own time", **ALONE)
def start_to_code(m):
    start(m)
    m.sign_in("alice")
    beyond, whole = [], []
    for _ in range(40):
        signin = pam.SignIn("measured", "alice", lambda style, text: False)
        expect(signin.said and "and enter" in signin.said[0][2], f"the first message is the code: {signin.said}")
        took_ms = signin.said[0][0] * 1000
        whole.append(took_ms)
        beyond.append(took_ms - device_service_ms(m))
        m.wait_for_idle()
    figure("PAM start to code on screen, the whole of it (median)", statistics.median(whole), "ms")
    figure("PAM start to code on screen, beyond the issuer's time (median)", statistics.median(beyond), "ms", 10,
           f", worst of 40: {max(beyond):.1f} ms")


class Ssh:
    """The ssh client on a terminal that is read at once, without tmux between."""

    def __init__(self, *words):
        self.seen = b""
        self.pid, self.line = pty.fork()
        if self.pid == 0:
            os.execvp("ssh", ["ssh", "-F", "/dev/null", *words])

    def wait_for(self, what, seconds=30):
        """Reads until the bytes are there; the moment when they were."""
        deadline = time.monotonic() + seconds
        while what not in self.seen:
            ready, _, _ = select.select([self.line], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise Failure(f"{what!r} did not come; seen: {self.seen[-2000:]!r}")
            try:
                received = os.read(self.line, 65536)
            except OSError:
                received = b""
            if not received:
                raise Failure(f"{what!r} did not come before the end; seen: {self.seen[-2000:]!r}")
            self.seen += received
        return time.perf_counter()

    def close(self):
        os.write(self.line, b"exit\n")
        try:
            while os.read(self.line, 65536):
                pass
        except OSError:
            pass
        os.waitpid(self.pid, 0)
        os.close(self.line)


@test("from the approval to the prompt takes at most one poll interval and 100 ms", **ALONE, seconds=120)
def approval_to_prompt(m):
    interval = 2
    start(m, interval)
    m.sign_in("alice").close()
    beyond = []
    for number in range(12):
        ssh = Ssh("alice@localhost")
        ssh.wait_for(b"once you have approved")
        os.write(ssh.line, b"\n")
        code = m.issuer.state()["codes"][-1]["user_code"]
        polls = m.issuer.state()["codes"][-1]["polls"]
        # At every phase between two polls.
        wait_for("a poll", lambda: m.issuer.state()["codes"][-1]["polls"] > polls)
        time.sleep(interval * number / 12)
        m.issuer.approve(code, "alice")
        approved = time.perf_counter()
        prompt = ssh.wait_for(b"alice@ward3")
        beyond.append((prompt - approved) * 1000)
        ssh.close()
    figure("approval to prompt over ssh (median)", statistics.median(beyond), "ms")
    figure(f"approval to prompt over ssh, the worst of {len(beyond)}, with polls every {interval} s", max(beyond), "ms",
           interval * 1000 + 100)


@test("what is left of the way after the poll that brings the token takes at most 100 ms", **ALONE)
def token_to_prompt(m):
    start(m)
    m.sign_in("alice").close()
    after = []
    for _ in range(8):
        ssh = Ssh("alice@localhost")
        ssh.wait_for(b"once you have approved")
        os.write(ssh.line, b"\n")
        m.issuer.approve(m.issuer.state()["codes"][-1]["user_code"], "alice")
        ssh.wait_for(b"alice@ward3")
        now_ms = time.time() * 1000
        after.append(now_ms - m.issuer.state()["codes"][-1]["poll_times"][-1])
        ssh.close()
    figure("poll that brings the token to prompt over ssh (median)", statistics.median(after), "ms", 100)


@test("both daemons together need at most 20 MiB when idle", **ALONE)
def idle_memory(m):
    start(m)
    for name in ("alice", "bob", "carol"):
        m.sign_in(name).close()
    m.wait_for_idle()
    # Whoever else maps the same libraries would take a share of them.
    m.stop_sshd()
    for issuer in m.issuers.values():
        issuer.stop()
    m.issuers.clear()
    pss = {name: daemon.pss_kib() / 1024 for name, daemon in m.daemons.items()}
    private = {name: daemon.private_kib() / 1024 for name, daemon in m.daemons.items()}
    for name in pss:
        figure(f"{name} idle (Pss)", pss[name], "MiB", None, f", of which private: {private[name]:.2f} MiB")
    figure("both daemons idle (Pss)", sum(pss.values()), "MiB", 20)


@test("a waiting sign-in needs at most 32 KiB in both daemons together", **ALONE)
def waiting_memory(m):
    start(m)
    m.sign_in("alice").close()
    m.issuer.settings(interval=60)
    count = 400

    def total():
        return sum(daemon.private_kib() for daemon in m.daemons.values())

    def wait_with(number):
        connection = Connection(PAM_OIDCD_SOCKET, 60)
        answer = connection.ask(
            ("op", "login"), ("name", f"user{number}"), ("uid", m.promised_uid(f"user{number}")), ("service", "sshd"), ("tty", "ssh"), ("rhost", f"10.1.{number // 250}.{number % 250}"),
            ("qr", "utf8"), ("wait", "enter"), ("timeout", 300),
        )
        expect_equal(answer and answer.get("status"), "show", f"the answer to sign-in {number}: {answer}")
        return connection

    first = [wait_with(number) for number in range(20)]  # what is allocated once
    before = total()
    waiting = [wait_with(number) for number in range(20, 20 + count)]
    after = total()
    expect_equal(len(m.pending()), count + len(first), "sign-ins waiting")
    figure(f"one waiting sign-in of {count}, both daemons together", (after - before) / count, "KiB", 32)
    for connection in first + waiting:
        connection.close()
    m.wait_for_idle()


@test("200 people sign in for the first time at once, and each gets an account", alone=True, start=False, seconds=120)
def many_at_once(m):
    start(m)
    m.issuer.control("users", **{f"user{number}": {"email": f"user{number}@clinic.example", "email_verified": True} for number in range(200)})
    uids = [m.promised_uid(f"user{number}") for number in range(200)]
    results = {}

    def sign_in(number):
        with Connection(PAM_OIDCD_SOCKET, 120) as connection:
            answer = connection.ask(("op", "login"), ("name", f"user{number}"), ("uid", uids[number]), ("service", "sshd"), ("tty", "ssh"),
                                    ("rhost", f"10.1.0.{number}"), ("qr", "utf8"), ("wait", "info"), ("timeout", 120))
            if answer and answer.get("status") == "show":
                m.issuer.approve(answer["code"], f"user{number}")
                answer = dict(connection.receive())
            results[number] = answer

    threads = [threading.Thread(target=sign_in, args=(number,)) for number in range(200)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    refused = {number: answer for number, answer in results.items() if not answer or answer.get("status") != "admitted"}
    expect(not refused, f"everybody is admitted; not these: {list(refused.items())[:3]}")
    expect_equal([int(results[number]["uid"]) for number in range(200)], uids, "uids as promised")
    expect_equal(len(set(uids)), 200, "different uids")
    expect_equal(m.run("pwck", "-rq").stdout.count("user"), 0, "pwck's complaints")
    figure("200 first sign-ins at once, from the first request to the last account", took, "s")
