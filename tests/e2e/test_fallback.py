"""Moving off passwords: with password = fallback a linked user is asked for Okta or the local password, in every program that
asks for one; nobody else is. Until a link is taken, its user chooses as well."""

from harness import cases, expect, expect_equal, expect_in, expect_not_in, expect_once, test
from machine import PASSWORD
from test_su_sudo import local_shell

QUESTION = "Press Enter to sign in with Okta, or type your password:"
ASKS = r"Press Enter to sign in with Okta, or type your password: ?$"
PASSWORD_ONLY = ["PreferredAuthentications=password", "NumberOfPasswordPrompts=1"]
SOME_TRIES = ["PreferredAuthentications=password"]


def start(m, policy="fallback", name="localuser", user="alice"):
    """With `name` announced as that Okta user's."""
    m.start_issuer()
    m.configure(m.standard_configuration(tenant=f"password = {policy}"))
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()
    m.run("provisionctl", "link", name, f"{user}@clinic.example", check=True)


def take_link(m, name="localuser", user="alice"):
    """The first sign-in with Okta."""
    screen = m.ssh(name)
    screen.wait_for(ASKS, 20)
    screen.enter()
    m.approve_on(screen, user)
    screen.enter()
    m.wait_for_shell(screen, name)
    screen.enter("exit")
    screen.wait_for_end(20)


def start_linked(m, **options):
    start(m, **options)
    take_link(m, options.get("name", "localuser"), options.get("user", "alice"))


def expect_codes(m, count):
    expect_equal(m.issuer.requests("device"), count, "codes asked for")


def shell_with_password(m, screen, name="localuser"):
    screen.wait_for(ASKS, 20)
    screen.enter(PASSWORD)
    m.wait_for_shell(screen, name)
    expect_once(QUESTION, screen.text(), "the screen")
    expect_not_in(PASSWORD, screen.text(), "the screen")
    expect_equal(screen.text().count("assword:"), 1, "questions for a password")


# ---- a linked user ----

@test("Enter signs in with Okta: the account is the same, with its uid and files", start=False)
def okta(m):
    start(m)
    before = m.passwd("localuser")
    take_link(m)
    screen = m.ssh("localuser")
    screen.wait_for(ASKS, 20)
    screen.enter()
    m.approve_on(screen)
    screen.enter()
    m.wait_for_shell(screen, "localuser")
    expect_equal(m.ask_in(screen, "id -u; pwd; echo $OIDC_EMAIL").split(), ["1500", "/home/localuser", "alice@clinic.example"], "who")
    expect_equal(m.passwd("localuser")[:4] + m.passwd("localuser")[5:], before[:4] + before[5:], "the line in /etc/passwd but GECOS")


@test("a typed password signs in over SSH, is asked for once, and costs no code", start=False)
def over_ssh(m):
    start_linked(m)
    screen = m.ssh("localuser")
    shell_with_password(m, screen)
    expect_equal(m.ask_in(screen, "echo $OIDC_EMAIL"), "alice@clinic.example", "the session's email")
    expect_codes(m, 1)
    m.log.wait_for(r"localuser from 127\.0\.0\.1 chose the local password instead of Okta")
    expect_not_in(PASSWORD, m.log.text(), "the system's log")
    m.wait_for_idle()


@test("a typed password signs in at the console", start=False)
def at_the_console(m):
    start_linked(m)
    screen = m.login("localuser")
    shell_with_password(m, screen)
    expect_codes(m, 1)


@test("a wrong password over SSH is asked for again, with the choice; the right one then works", start=False)
def wrong_over_ssh(m):
    start_linked(m)
    screen = m.ssh("localuser")
    screen.wait_for(ASKS, 20)
    screen.enter("hunter2")
    screen.wait_for(rf"(?s)Press Enter.*{ASKS}", 30)
    screen.enter(PASSWORD)
    m.wait_for_shell(screen, "localuser")
    expect_codes(m, 1)
    m.log.wait_for(r"pam_unix\(sshd:auth\): authentication failure")


@test("after a wrong password over SSH, Enter still leads to Okta", start=False)
def wrong_then_okta(m):
    start_linked(m)
    screen = m.ssh("localuser")
    screen.wait_for(ASKS, 20)
    screen.enter("hunter2")
    screen.wait_for(rf"(?s)Press Enter.*{ASKS}", 30)
    screen.enter()
    m.approve_on(screen)
    screen.enter()
    m.wait_for_shell(screen, "localuser")


@test("a wrong password at the console is refused, and login: asks again", start=False)
def wrong_at_the_console(m):
    start_linked(m)
    screen = m.login("localuser")
    screen.wait_for(ASKS, 20)
    screen.enter("hunter2")
    m.wait_for_refused_login(screen, 30)
    screen.enter("localuser")
    screen.wait_for(rf"(?s)Login incorrect.*{ASKS}", 20)
    screen.enter(PASSWORD)
    m.wait_for_shell(screen, "localuser")
    expect_codes(m, 1)


@test("an ssh client that only does the password method signs in with the password, and costs no code", start=False)
def password_method(m):
    start_linked(m)
    screen = m.ssh("localuser", options=SOME_TRIES)
    screen.wait_for(r"assword: ?$", 20)
    expect_not_in("Okta", screen.text(), "the screen")
    screen.enter(PASSWORD)
    m.wait_for_shell(screen, "localuser")
    expect_codes(m, 1)
    expect_equal(m.pending(), [], "sign-ins that wait")


@cases([("a wrong password in the password method gives nothing and leaves nothing waiting", "hunter2"),
        ("an empty password in the password method gives nothing and leaves nothing waiting", "")], start=False)
def wrong_in_password_method(m, typed):
    start_linked(m)
    screen = m.ssh("localuser", options=PASSWORD_ONLY)
    screen.wait_for(r"assword: ?$", 20)
    screen.enter(typed)
    expect_equal(screen.wait_for_end(30), 255, "ssh's exit status")
    expect_codes(m, 1)
    m.wait_for_idle(2)


@test("su and sudo take the password of whom they ask for", start=False)
def su_and_sudo(m):
    start_linked(m, name="sudoer")
    screen = local_shell(m)
    screen.enter("su - sudoer")
    shell_with_password(m, screen, "sudoer")
    screen.enter("sudo -k; sudo id -un")
    screen.wait_for(rf"(?s)Press Enter.*{ASKS}", 20)
    screen.enter(PASSWORD)
    screen.wait_for(r"^root$", 20)
    expect_codes(m, 1)


@test("a linked user changes the password as before, and the new one counts", start=False)
def passwd(m):
    start_linked(m)
    with open("/etc/pam.d/passwd") as file:
        lines = file.read()
    with open("/etc/pam.d/passwd", "w") as file:
        file.write("password [success=done user_unknown=ignore authinfo_unavail=ignore module_unknown=ignore default=die] "
                   "/run/sandbox/product/pam_oidc.so\n" + lines)
    shell = m.ssh("localuser")
    shell_with_password(m, shell)
    shell.enter("passwd")
    shell.wait_for(r"Current password: ?$", 20)
    shell.enter(PASSWORD)
    shell.wait_for(r"New password: ?$", 20)
    shell.enter("battery-staple-9")
    shell.wait_for(r"Retype new password: ?$", 20)
    shell.enter("battery-staple-9")
    shell.wait_for(r"password updated successfully", 20)
    screen = m.ssh("localuser")
    screen.wait_for(ASKS, 20)
    screen.enter("battery-staple-9")
    m.wait_for_shell(screen, "localuser")


@test("without pam_oidcd, and with Okta out of reach, the password still signs in", start=False)
def okta_down(m):
    start_linked(m)
    m.issuer.fault(endpoint="device", status=503, times=10)
    screen = m.ssh("localuser")
    screen.wait_for(ASKS, 20)
    screen.enter()
    screen.wait_for_sentence("Okta cannot be reached from this machine right now.", 30)
    screen.wait_for(r"assword: ?$", 20)
    screen.enter(PASSWORD)
    m.wait_for_shell(screen, "localuser")
    m.pam_oidcd.stop()
    second = m.login("localuser")
    second.wait_for(r"Password: ?$", 20)
    second.enter(PASSWORD)
    m.wait_for_shell(second, "localuser")


@test("a choice that is not made ends with the module's time, and holds a place until then", start=False)
def not_chosen(m):
    start_linked(m)
    m.set_pam_arguments("sshd", "timeout=5")
    screen = m.ssh("localuser")
    screen.wait_for(ASKS, 20)
    expect_equal([signin["state"] for signin in m.pending()], ["choice"], "sign-ins that wait")
    m.wait_for_idle(10)
    screen.enter()
    screen.wait_for_sentence("The question was not answered in time. Start again.", 20)
    expect_codes(m, 1)


# ---- others ----

@test("a local user who is not linked never sees the question", start=False)
def never_linked(m):
    start_linked(m)
    for screen in (m.ssh("sudoer"), m.login("sudoer")):
        screen.wait_for(r"assword: ?$", 20)
        expect_not_in("Okta", screen.text(), "the screen")
        screen.enter(PASSWORD)
        m.wait_for_shell(screen, "sudoer")
    expect_codes(m, 1)


@test("an account that was made by a sign-in has no password to choose", start=False)
def made(m):
    start(m)
    screen = m.sign_in("bob")
    expect_not_in("password", screen.text(), "the screen")


# ---- before the link is taken ----

@cases([("until the link is taken the local user's password works as before, whatever the policy says: fallback", "fallback"),
        ("until the link is taken the local user's password works as before, whatever the policy says: never", "never")], start=False)
def expected(m, policy):
    start(m, policy)
    before = m.account_files()
    shell_with_password(m, m.ssh("localuser"))
    shell_with_password(m, m.login("localuser"))
    screen = m.ssh("localuser", options=SOME_TRIES)
    screen.wait_for(r"assword: ?$", 20)
    screen.enter(PASSWORD)
    m.wait_for_shell(screen, "localuser")
    expect_equal(m.run("su", "-", "localuser", "-c", "id -un").stdout, "localuser\n", "su by root")
    m.expect_nothing_changed(before)
    expect_codes(m, 0)


@test("with password = never the question is gone once the link is taken, and so is the password", start=False)
def never(m):
    start(m, "never")
    take_link(m)
    screen = m.ssh("localuser")
    m.approve_on(screen)
    expect_not_in(QUESTION, screen.text(), "the screen")
    screen.enter()
    m.wait_for_shell(screen, "localuser")
    with_password = m.ssh("localuser", options=PASSWORD_ONLY)
    with_password.wait_for(r"assword: ?$", 20)
    with_password.enter(PASSWORD)
    expect_equal(with_password.wait_for_end(30), 255, "ssh's exit status")
    expect(m.shadow("localuser")[1].startswith("!"), "the password field is locked")


@test("a refusal by Okta after Enter is said, put on record, and keeps nobody from the password", start=False)
def refused_by_okta(m):
    start_linked(m)
    screen = m.ssh("localuser")
    screen.wait_for(ASKS, 20)
    screen.enter()
    m.approve_on(screen, "dave")
    screen.enter()
    screen.wait_for_sentence("You are not assigned to this application in Okta. Ask your administrator to assign you.", 20)
    screen.wait_for_end(20)
    m.log.wait_for(r"not_assigned")
    expect_in("not_assigned", m.run("provisionctl", "show", "localuser", "--json", check=True).stdout, "provisionctl show")
    shell_with_password(m, m.ssh("localuser"))
