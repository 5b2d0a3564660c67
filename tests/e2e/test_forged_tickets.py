"""A pam_oidcd that was taken over: it answers `admitted` with tickets that provisiond never gave, or gave for somebody else.

It can pose as a managed account for which it gets a real ticket; as root, a local user or another account it never can.
"""

import os
import pwd
import threading

from harness import cases, expect, expect_equal, expect_in, expect_not_in, test, wait_for
from machine import PAM_OIDCD_SOCKET, PASSWORD, PROVISIOND_SOCKET
from wire import Connection, Server

SENTENCE = "The sign-in could not be confirmed on this machine."


class FakePamOidcd(threading.Thread):
    """Stands at pam_oidcd's socket and answers each login with what the test says; remembers what it was asked."""

    def __init__(self, answer):
        super().__init__(daemon=True)
        folder = os.path.dirname(PAM_OIDCD_SOCKET)
        os.makedirs(folder, exist_ok=True)
        if os.path.exists(PAM_OIDCD_SOCKET):
            os.unlink(PAM_OIDCD_SOCKET)
        self.server = Server(PAM_OIDCD_SOCKET, 600)
        os.chmod(PAM_OIDCD_SOCKET, 0o666)
        self.answer = answer
        self.asked = []
        self.start()

    def run(self):
        while True:
            connection = self.server.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        question = connection.receive()
        if question is None:
            return
        self.asked.append(dict(question))
        connection.send(
            ("status", "show"), ("url", "https://clinic.okta.example/activate"), ("complete", ""), ("code", "ABCDEFGH"),
            ("expires_in", 100), ("tenant", "clinic"), ("host", "ward3"), ("resumed", 0), ("qr", ""),
        )
        connection.send(*self.answer(dict(question)))
        connection.receive()


def admitted(account, uid, ticket):
    return [("status", "admitted"), ("account", account), ("uid", uid), ("ticket", ticket), ("created", 0), ("home", f"/home/{account}")]


def take_over(m, answer):
    m.pam_oidcd.stop()
    return FakePamOidcd(answer)


def ask_provisiond_as_pam_oidc(*fields):
    """A question on provisiond's socket with _pam_oidc's credentials."""
    account = pwd.getpwnam("_pam_oidc")
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
            with Connection(PROVISIOND_SOCKET) as connection:
                os.write(write, repr(connection.ask(*fields)).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return eval(text)  # written by ourselves a moment ago


def real_ticket(m, name):
    """What a taken-over pam_oidcd can get: provisiond believes it who was verified."""
    answer = ask_provisiond_as_pam_oidc(
        ("op", "admit"), ("name", name), ("uid", m.promised_uid(name)), ("tenant", "clinic"), ("issuer", m.issuer.issuer),
        ("client_id", "clinic-app"), ("subject", f"00u{name}"), ("email", f"{name}@clinic.example"), ("email_verified", "true"),
        ("full_name", name), ("service", "sshd"), ("rhost", "127.0.0.1"), ("tty", "ssh"),
    )
    expect_equal(answer and answer.get("status"), "admitted", f"provisiond's answer to admit: {answer}")
    return answer["ticket"]


MADE_UP = "A" * 43


@cases([
    ("a made-up ticket for the typed name is refused", lambda m: admitted("alice", m.promised_uid("alice"), MADE_UP)),
    ("a made-up ticket for root is refused", lambda m: admitted("root", 0, MADE_UP)),
    ("a made-up ticket for a local sudoer is refused", lambda m: admitted("sudoer", 1501, MADE_UP)),
    ("a made-up ticket for another account is refused", lambda m: admitted("bob", m.promised_uid("bob"), MADE_UP)),
    ("an empty ticket is refused", lambda m: admitted("alice", m.promised_uid("alice"), "")),
    ("no ticket at all is refused", lambda m: [("status", "admitted"), ("account", "alice"), ("uid", m.promised_uid("alice"))]),
    ("a real ticket of mallory's is refused", lambda m: admitted("alice", m.promised_uid("alice"), real_ticket(m, "mallory"))),
    ("a real ticket of mallory's under mallory's name is refused", lambda m: admitted("mallory", m.promised_uid("mallory"),
                                                                          real_ticket(m, "mallory"))),
    ("garbage instead of an answer is refused", lambda m: [("status", "welcome"), ("account", "root")]),
], tags={"ssh"})
def for_alice(m, answer):
    fields = answer(m)
    fake = take_over(m, lambda question: fields)
    screen = m.ssh("alice", options=["NumberOfPasswordPrompts=1"])
    wait_for("the question to pam_oidcd", lambda: fake.asked, 20)
    m.code_on(screen)
    screen.enter()
    wait_for("a refusal", lambda: screen.ended() is not None or "assword:" in screen.text(), 20)
    screen.press("C-c")
    expect_equal(screen.wait_for_end(20) != 0, True, "ssh fails")
    expect_not_in("@ward3", screen.text(), "the screen")
    expect(m.passwd("alice") is None, "no account for alice")


@test("the fake is good enough: with a real ticket of Alice's own it does get Alice's session", tags={"ssh"})
def control(m):
    """Without this the refusals above might have another reason."""
    ticket = real_ticket(m, "alice")
    take_over(m, lambda question: admitted("alice", m.passwd("alice")[2], ticket))
    screen = m.ssh("alice")
    m.code_on(screen)
    screen.enter()
    m.wait_for_shell(screen, "alice")


@test("a ticket is good once", tags={"ssh"})
def twice(m):
    ticket = real_ticket(m, "alice")
    take_over(m, lambda question: admitted("alice", m.passwd("alice")[2], ticket))
    for turn in (1, 2):
        screen = m.ssh("alice", options=["NumberOfPasswordPrompts=1"])
        m.code_on(screen)
        screen.enter()
        if turn == 1:
            m.wait_for_shell(screen, "alice")
            continue
        screen.wait_for_sentence(SENTENCE, 20)
        screen.press("C-c")
        screen.wait_for_end()
        expect_not_in("@ward3", screen.text(), "the second screen")


@cases([(f"for {word} a taken-over pam_oidcd is not even asked", name) for word, name in
        (("root", "root"), ("a local sudoer", "sudoer"), ("a local user", "localuser"))], sshd=["PermitRootLogin=yes"], tags={"ssh"})
def never_asked(m, name):
    """For who is not ours pam_oidcd is not even asked, at any door."""
    fake = take_over(m, lambda question: admitted(name, pwd.getpwnam(name).pw_uid, MADE_UP))
    for screen in (m.ssh(name), m.login(name)):
        screen.wait_for(r"assword: ?$", 20)
        expect_not_in("Okta", screen.text(), "the screen")
    if name != "root":
        m.run("pamtester", "sudo", name, "authenticate", input="wrong\n")
    expect_equal(fake.asked, [], "questions to pam_oidcd")


@cases([("a made-up ticket for root at the console is refused", "root", 0), ("a made-up ticket for a local sudoer at the console is refused", "sudoer", 1501)])
def admitted_as_local(m, name, uid):
    """At the console the account's name may differ from the typed one: that must not lead to a local account."""
    take_over(m, lambda question: admitted(name, uid, MADE_UP))
    screen = m.login("alice@clinic.example")
    m.wait_for_refused_login(screen)
    expect_not_in(f"{name}@ward3", screen.text(), "the screen")


@test("a real ticket of mallory's at the console does not open Alice's account")
def other_ticket_at_the_console(m):
    screen = m.sign_in("alice")
    screen.enter("exit")
    ticket = real_ticket(m, "mallory")
    take_over(m, lambda question: admitted("alice", m.passwd("alice")[2], ticket))
    screen = m.login("alice@clinic.example")
    m.wait_for_refused_login(screen)
    expect_in(SENTENCE, screen.text(), "the screen")


@cases([(f"provisiond admits nobody as {word}", name) for word, name in
        (("root", "root"), ("a local sudoer", "sudoer"), ("a system user", "daemon"))])
def admit_never_gives(m, name):
    """provisiond itself gives a taken-over pam_oidcd no ticket for an account that is not managed."""
    before = m.account_files()
    answer = ask_provisiond_as_pam_oidc(
        ("op", "admit"), ("name", name), ("tenant", "clinic"), ("issuer", m.issuer.issuer), ("client_id", "clinic-app"),
        ("subject", "00uevil"), ("email", f"{name}@clinic.example"), ("email_verified", "true"), ("full_name", name),
        ("service", "login"), ("rhost", ""), ("tty", "tty1"),
    )
    expect(answer is None or answer["status"] == "refused", f"provisiond's answer: {answer}")
    m.expect_nothing_changed(before)


@cases([("a local user may not say who was verified", 1500), ("root may not say who was verified", 0)])
def who_may_admit(m, uid):
    """Only _pam_oidc says who was verified."""
    before = m.account_files()
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); from wire import Connection\n"
        f"with Connection({PROVISIOND_SOCKET!r}) as c: print(c.ask(('op', 'admit'), ('name', 'alice'), ('tenant', 'clinic'),"
        f"('issuer', {m.issuer.issuer!r}), ('client_id', 'clinic-app'), ('subject', '00u'), ('email', 'alice@clinic.example'),"
        "('email_verified', 'true'), ('full_name', 'A'), ('service', 'sshd'), ('rhost', ''), ('tty', '')))"
    )
    done = m.run("setpriv", f"--reuid={uid}", "--clear-groups", "python3", "-c", script, os.path.dirname(os.path.abspath(__file__)))
    expect_equal(done.stdout.strip(), "None", f"the answer ({done.stderr})")
    m.expect_nothing_changed(before)
