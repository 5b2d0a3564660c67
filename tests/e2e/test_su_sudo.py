"""su and sudo: for a managed account they ask Okta, for everybody else nothing changes."""

from harness import expect, expect_equal, expect_in, expect_not_in, expect_once, test
from machine import PASSWORD


def local_shell(m):
    screen = m.screen("setpriv", "--reuid=localuser", "--regid=localuser", "--init-groups", "bash", "--norc",
                      environment={"HOME": "/home/localuser", "USER": "localuser", "PS1": "localuser@ward3:~\\$ "})
    m.wait_for_shell(screen, "localuser")
    return screen


def use_up(m, *names):
    """Lets people have accounts already."""
    for name in names:
        screen = m.sign_in(name)
        screen.enter("exit")
        screen.wait_for_end()


@test("su to a managed account shows a code and opens a shell once it is approved")
def su_to_alice(m):
    use_up(m, "alice")
    screen = local_shell(m)
    screen.enter("su - alice")
    m.approve_on(screen)
    m.wait_for_shell(screen, "alice")
    expect_equal(m.ask_in(screen, "id -un; echo $USER $HOME").split(), ["alice", "alice", "/home/alice"], "who")
    expect_in("(su)", screen.text(), "the screen")


@test("su to a managed account is refused when somebody else approves")
def su_approved_by_bob(m):
    use_up(m, "alice", "bob")
    screen = local_shell(m)
    screen.enter("su - alice")
    m.approve_on(screen, "bob")
    screen.wait_for(r"^su: .*$", 20)
    m.wait_for_shell(screen, "localuser")
    expect_once("approved by somebody else", screen.text(), "the screen")
    expect_not_in("assword", screen.text(), "the screen")


@test("su to a name that was only promised gives nothing, because su knows no such user")
def su_to_promised(m):
    screen = local_shell(m)
    screen.enter("su - carol")
    screen.wait_for(r"^su: .*", 20)
    expect_equal(m.issuer.requests("device"), 0, "codes asked for")
    expect(m.passwd("carol") is None, "no account came into being")


@test("root becomes a managed account without being asked")
def root_su(m):
    use_up(m, "alice")
    codes = m.issuer.requests("device")
    done = m.run("su", "-", "alice", "-c", "id -un")
    expect_equal(done.stdout.strip(), "alice", f"su by root ({done.stderr})")
    expect_equal(m.issuer.requests("device"), codes, "codes asked for")


@test("sudo asks a managed person for an approval of their own, and runs the command")
def sudo_by_alice(m):
    screen = m.sign_in("alice")
    screen.enter("sudo id -u")
    m.approve_on(screen, count=2)
    screen.enter()
    screen.wait_for(r"^0$", 20)
    expect_in("(sudo)", screen.text(), "the screen")
    expect_not_in("password for", screen.text(), "the screen")


@test("sudo is refused when somebody else approves, and runs nothing")
def sudo_approved_by_bob(m):
    use_up(m, "bob")
    screen = m.sign_in("alice")
    screen.enter("sudo touch /tmp/ran")
    m.approve_on(screen, "bob", count=2)
    screen.enter()
    screen.wait_for_sentence("approved by somebody else")
    m.code_on(screen, count=3)  # sudo itself tries again
    screen.press("C-c")
    m.wait_for_shell(screen, "alice")
    m.wait_for_idle(2)
    expect_equal(m.run("ls", "/tmp/ran").returncode, 2, "ls of what sudo should not have made")


@test("Ctrl-C during sudo's wait ends the sign-in at Okta's side as well")
def sudo_interrupted(m):
    screen = m.sign_in("alice")
    screen.enter("sudo id -u")
    m.code_on(screen, count=2)
    screen.press("C-c")
    m.wait_for_shell(screen, "alice")
    m.wait_for_idle(2)


@test("su and sudo of local users ask for the local password and never for Okta")
def local_users(m):
    screen = local_shell(m)
    screen.enter("su - sudoer")
    screen.wait_for(r"^Password: ?$")
    screen.enter(PASSWORD)
    m.wait_for_shell(screen, "sudoer")
    screen.enter("sudo id -un")
    screen.wait_for(r"password for sudoer: ?$")
    screen.enter(PASSWORD)
    screen.wait_for(r"^root$")
    screen.enter("su -")
    screen.wait_for(r"^Password: ?$", count=2)
    screen.enter(PASSWORD)
    screen.wait_for(r"root@ward3.*# ?$")
    expect_not_in("Okta", screen.text(), "the screen")
    expect_equal(m.issuer.requests("device"), 0, "codes asked for")


@test("a wrong local password at su stays wrong")
def wrong_password(m):
    screen = local_shell(m)
    screen.enter("su - sudoer")
    screen.wait_for(r"^Password: ?$")
    screen.enter("battery staple")
    screen.wait_for(r"^su: .*", 20)
    m.wait_for_shell(screen, "localuser")


@test("a managed person cannot change a password here, and is told so")
def no_password_change(m):
    use_up(m, "alice")
    done = m.run("pamtester", "-v", "login", "alice", "chauthtok")
    expect(done.returncode != 0, "pamtester chauthtok is refused")
    expect_equal(m.shadow("alice")[1], "*", "the password field")
