"""Signing in at the console: login(1) on a terminal, by email or short name."""

import os

from harness import expect, expect_equal, expect_in, expect_not_in, expect_once, test
from machine import PASSWORD


@test("an email typed at login: gives a session under the account's name, with no key pressed")
def by_email(m):
    promised = m.promised_uid("alice")
    screen = m.login("alice@clinic.example")
    m.approve_on(screen)
    m.wait_for_shell(screen, "alice")
    expect_equal(m.ask_in(screen, "id -u; id -un; pwd").split(), [str(promised), "alice", "/home/alice"], "who and where")
    expect_equal(m.ask_in(screen, "echo $USER $LOGNAME $HOME"), "alice alice /home/alice", "the environment")
    expect_equal(m.ask_in(screen, "stat -c %U $(tty)"), "alice", "the terminal's owner")
    expect_equal(m.ask_in(screen, "id -G").split(), [str(promised)], "groups")


@test("a short name typed at login: works, the first and the second time")
def by_name(m):
    for _ in range(2):
        screen = m.login("bob")
        m.approve_on(screen, "bob")
        m.wait_for_shell(screen, "bob")
        screen.enter("exit")
        screen.wait_for_end()


@test("an email in other case is the same person")
def other_case(m):
    screen = m.login("Alice@Clinic.Example")
    m.approve_on(screen)
    m.wait_for_shell(screen, "alice")
    expect_equal(sum(line.lower().startswith("alice") for line in open("/etc/passwd")), 1, "accounts of alice's")


@test("a first sign-in at the console and one over SSH give the same account")
def console_then_ssh(m):
    screen = m.login("alice@clinic.example")
    m.approve_on(screen)
    m.wait_for_shell(screen, "alice")
    uid = m.ask_in(screen, "id -u")
    over_ssh = m.sign_in("alice")
    expect_equal(m.ask_in(over_ssh, "id -u"), uid, "uid")


@test("the console's screen names machine, account and way in, and with Okta's usual address it fits 80 by 24", start=False)
def the_screen(m):
    m.start_issuer("ward.okta.example")
    m.configure(m.standard_configuration())
    m.start_provisiond()
    m.start_pam_oidcd()
    screen = m.login("alice@clinic.example", columns=80, rows=24)
    m.code_on(screen)
    text = screen.text()
    expect_in("Sign in to ward3 as alice@clinic.example with Okta (console)", text, "the screen")
    expect_in("Waiting until you have approved", text, "the screen")
    lines = screen.cells()
    start = next(number for number, line in enumerate(lines) if "Sign in to ward3" in line)
    expect(any("\u2588" in line for line in lines), "a QR code is shown")
    expect(len(lines) - start < 24, f"the text has {len(lines) - start} lines, and one more is the cursor's")


@test("a denial at the console is told once, and login: asks again")
def denied(m):
    before = m.account_files()
    screen = m.login("alice@clinic.example")
    m.issuer.deny(m.code_on(screen))
    screen.wait_for_sentence("The request was refused on the approval page.")
    m.wait_for_refused_login(screen)
    expect_once("The request was refused on the approval page.", screen.text(), "the screen")
    expect_not_in("assword", screen.text(), "the screen")
    m.expect_nothing_changed(before)


@test("an email of another company is refused in one sentence and never sent anywhere")
def other_company(m):
    before = m.account_files()
    screen = m.login("mallory@evil.example")
    m.wait_for_refused_login(screen)
    expect_once("This machine takes no sign-ins from that email's domain", screen.text(), "the screen")
    expect_equal(m.issuer.requests("device"), 0, "codes asked for")
    m.expect_nothing_changed(before)


@test("root and a local user sign in at the console with their passwords")
def local(m):
    for name, prompt in (("localuser", r"localuser@ward3.*\$ ?$"), ("root", r"root@ward3.*# ?$")):
        screen = m.login(name)
        screen.wait_for(r"^Password: ?$", 20)
        expect_not_in("Okta", screen.text(), "the screen")
        screen.enter(PASSWORD)
        screen.wait_for(prompt, 20)
    expect_equal(m.issuer.requests("device"), 0, "codes asked for")


@test("the code's time ends before login's own limit, and the person reads it")
def timeout(m):
    m.set_pam_arguments("login", "timeout=5")
    before = m.account_files()
    screen = m.login("alice@clinic.example")
    m.code_on(screen)
    screen.wait_for(r"\([1-5] seconds?, until")
    m.wait_for_refused_login(screen)
    expect_once("The code has expired before it was approved.", screen.text(), "the screen")
    m.wait_for_idle()
    m.expect_nothing_changed(before)


@test("the session of an account made at the console ends cleanly and leaves nothing waiting")
def logout(m):
    screen = m.login("alice")
    m.approve_on(screen)
    m.wait_for_shell(screen, "alice")
    screen.enter("exit")
    expect_equal(screen.wait_for_end(), 0, "login's exit status")
    expect(os.path.isdir("/home/alice"), "the home stays")
    expect_equal(m.pending(), [], "sign-ins waiting")
