"""The person is gone: Ctrl-C, a killed client, a line cut without a word. Polling stops and nothing is created."""

import os
import signal
import socket
import threading
import time

from harness import PATIENCE, cases, expect, expect_equal, test, wait_for


# What a person or a network may do. "gone" in a test's name means all that expect_quiet() asks for.


def interrupt(screen):
    screen.press("C-c")


def kill(screen):
    os.kill(screen.process(), signal.SIGKILL)


def expect_quiet(m, before, code=None):
    """Within 2 s nothing waits any more, then nothing is polled, and an approval that comes too late creates nothing."""
    began = time.monotonic()
    m.wait_for_idle(2 / PATIENCE)
    took = time.monotonic() - began
    expect(took <= 2, f"the sign-in was given up after {took:.1f} s")
    polls = m.issuer.requests("token")
    if code:
        m.issuer.approve(code, "alice")
    time.sleep(2.5)  # more than two intervals in which a poll would come
    expect_equal(m.issuer.requests("token"), polls, "polls of the token endpoint")
    m.expect_nothing_changed(before)
    expect(m.passwd("alice") is None, "no account")


WAYS = [("Ctrl-C", interrupt), ("a killed client", kill)]
MODES = [("wait=enter", ""), ("wait=retry", "wait=retry")]


@cases([(f"{word} while the code is on the screen, {mode}", leave, arguments) for word, leave in WAYS for mode, arguments in MODES],
       tags={"ssh"})
def while_waiting(m, leave, arguments):
    m.set_pam_arguments("sshd", arguments)
    before = m.account_files()
    screen = m.ssh("alice")
    code = m.code_on(screen)
    wait_for("a poll", lambda: m.issuer.requests("token") >= 1)
    leave(screen)
    expect_quiet(m, before, code)


@cases([(f"{word} after Enter was pressed, while the module waits without a prompt", leave) for word, leave in WAYS], tags={"ssh"})
def after_enter(m, leave):
    before = m.account_files()
    screen = m.ssh("alice")
    code = m.code_on(screen)
    screen.enter()
    wait_for("two polls", lambda: m.issuer.requests("token") >= 2)
    leave(screen)
    expect_quiet(m, before, code)


@cases([(f"{word} during wait=info", leave) for word, leave in WAYS], tags={"ssh"})
def during_info(m, leave):
    m.set_pam_arguments("sshd", "wait=info")
    before = m.account_files()
    screen = m.ssh("alice")
    code = wait_for("a code", lambda: m.issuer.state()["codes"], 20)[0]["user_code"]
    wait_for("a poll", lambda: m.issuer.requests("token") >= 1)
    leave(screen)
    expect_quiet(m, before, code)


@cases([(f"{word} before there is a code", leave) for word, leave in WAYS])
def before_the_code(m, leave):
    m.issuer.fault("device", delay_ms=1500, times=100)
    before = m.account_files()
    screen = m.ssh("alice")
    wait_for("the request for a code", lambda: m.issuer.requests("device") >= 1, 20)
    leave(screen)
    expect_quiet(m, before)


@cases([(f"{word} while the issuer takes its time to answer an approved poll", leave) for word, leave in WAYS])
def between_approval_and_answer(m, leave):
    before = m.account_files()
    screen = m.ssh("alice")
    code = m.code_on(screen)
    screen.enter()
    m.issuer.fault("token", delay_ms=1500, times=100)
    polls = m.issuer.requests("token")
    m.issuer.approve(code, "alice")
    wait_for("the poll that gets the token", lambda: m.issuer.requests("token") > polls)
    leave(screen)
    expect_quiet(m, before)


@cases([(f"{word} while userinfo is asked", leave) for word, leave in WAYS])
def during_userinfo(m, leave):
    m.issuer.settings(thin=True)
    m.issuer.fault("userinfo", delay_ms=1500, times=100)
    before = m.account_files()
    screen = m.ssh("alice")
    m.approve_on(screen)
    screen.enter()
    wait_for("the request to userinfo", lambda: m.issuer.requests("userinfo") >= 1, 20)
    leave(screen)
    expect_quiet(m, before)


@cases([("Ctrl-C at the console", interrupt), ("a hung-up line at the console", lambda screen: screen.close())])
def at_the_console(m, leave):
    before = m.account_files()
    screen = m.login("alice@clinic.example")
    code = m.code_on(screen)
    wait_for("a poll", lambda: m.issuer.requests("token") >= 1)
    leave(screen)
    m.screens.remove(screen)
    expect_quiet(m, before, code)


class Line(threading.Thread):
    """A relay between client and sshd that can go silent without closing either end, as a cut line does."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", port))
        self.cut = threading.Event()
        self.start()

    def run(self):
        client, _ = self.listener.accept()
        server = socket.create_connection(("127.0.0.1", 22))
        for source, sink in ((client, server), (server, client)):
            threading.Thread(target=self.relay, args=(source, sink), daemon=True).start()

    def relay(self, source, sink):
        while True:
            received = source.recv(65536)
            if not received:
                return
            if self.cut.is_set():
                threading.Event().wait()
            sink.sendall(received)


@cases([(f"a line cut without a word is given up by the deadline, {mode}", arguments) for mode, arguments in MODES],
       sshd=["ListenAddress=127.0.0.1"])
def line_cut(m, arguments):
    m.set_pam_arguments("sshd", f"{arguments} timeout=6")
    before = m.account_files()
    line = Line(2222)
    screen = m.ssh("alice", options=["Port=2222", "HostKeyAlias=localhost"])
    m.code_on(screen)
    line.cut.set()
    # The sign-in in the dark ends with its own deadline; sshd keeps the connection for as long as it likes.
    m.wait_for_idle(8)
    polls = m.issuer.requests("token")
    time.sleep(2.5)
    expect_equal(m.issuer.requests("token"), polls, "polls of the token endpoint")
    m.expect_nothing_changed(before)


@test("an approval on a line that was cut creates no account that nobody asked to enter", sshd=["ClientAliveInterval=0"])
def approved_on_a_cut_line(m):
    """The approval is real, so the account may come into being; what must not happen is a session or a sign-in left over."""
    m.set_pam_arguments("sshd", "timeout=8")
    line = Line(2222)
    screen = m.ssh("alice", options=["Port=2222", "HostKeyAlias=localhost"])
    code = m.code_on(screen)
    line.cut.set()
    m.issuer.approve(code, "alice")
    m.wait_for_idle(10)
    expect_equal(m.run("pgrep", "-u", str(m.promised_uid("alice"))).stdout, "", "alice's processes")


@test("the end of sshd's own LoginGraceTime ends the sign-in too", sshd=["LoginGraceTime=5"])
def grace_time(m):
    before = m.account_files()
    screen = m.ssh("alice")
    m.code_on(screen)
    m.log.wait_for("pam_oidcd.*alice.*cancelled", 10)
    expect_quiet(m, before)
    screen.enter()  # the client learns of the end only with its next packet
    screen.wait_for_end()
