"""sshd's password method, which guessing bots use: it must cost Okta nothing that is left waiting, and give nobody a session."""

from harness import cases, expect, expect_equal, test
from machine import PASSWORD

PASSWORD_ONLY = ["PreferredAuthentications=password", "NumberOfPasswordPrompts=1"]


@cases([("a guess for a promised name leaves nothing waiting", "alice", False),
        ("a guess for an account leaves nothing waiting", "alice", True)], tags={"ssh"})
def guess(m, name, exists):
    if exists:
        m.sign_in(name)
    before = m.account_files()
    codes = m.issuer.requests("device")
    screen = m.ssh(name, options=PASSWORD_ONLY)
    screen.wait_for(r"assword: ?$", 20)
    screen.enter("hunter2")
    expect_equal(screen.wait_for_end(30), 255, "ssh's exit status")
    m.wait_for_idle(2)
    expect_equal(m.issuer.requests("device"), codes, "codes asked for")
    m.expect_nothing_changed(before)


@test("a guess with Alice's code approved by chance still gives no session", tags={"ssh"})
def guess_while_alice_signs_in(m):
    alice = m.ssh("alice")
    code = m.code_on(alice)
    guesser = m.ssh("alice", options=PASSWORD_ONLY)
    guesser.wait_for(r"assword: ?$", 20)
    m.issuer.approve(code, "alice")
    guesser.enter("hunter2")
    expect_equal(guesser.wait_for_end(30), 255, "the guesser's exit status")
    alice.enter()
    m.wait_for_shell(alice, "alice")


@test("a local user's password over the password method works as before", tags={"ssh"})
def local(m):
    screen = m.ssh("localuser", options=PASSWORD_ONLY)
    screen.wait_for(r"assword: ?$", 20)
    screen.enter(PASSWORD)
    m.wait_for_shell(screen, "localuser")
    expect(m.issuer.requests("device") == 0, "no code was asked for")
