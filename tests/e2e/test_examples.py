"""The files that administrators are given in etc/, each tried as it is: the configuration, sshd's drop-in, the PAM lines of every
service, and the shared terminal."""

import os
import re
import shutil

from harness import Skip, expect, expect_equal, expect_in, expect_not_in, expect_once, test
from machine import CONFIG, PASSWORD, PRODUCT
from test_su_sudo import local_shell

ETC = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "etc")
TERMINAL = "shared-terminal"
UTF8 = {"LANG": "C.UTF-8"}

# What Debian's gdm3 has in /etc/pam.d/gdm-password.
GDM_PASSWORD = """\
#%PAM-1.0
auth    requisite       pam_nologin.so
auth	required	pam_succeed_if.so user != root quiet_success
@include common-auth
auth    optional        pam_gnome_keyring.so
@include common-account
session [success=ok ignore=ignore module_unknown=ignore default=bad]        pam_selinux.so close
session required        pam_loginuid.so
session [success=ok ignore=ignore module_unknown=ignore default=bad]        pam_selinux.so open
session optional        pam_keyinit.so force revoke
session required        pam_limits.so
session required        pam_env.so readenv=1
session required        pam_env.so readenv=1 envfile=/etc/default/locale
@include common-session
session optional        pam_gnome_keyring.so auto_start
@include common-password
"""
VLOCK = "@include common-auth\n@include common-account\n"


def shipped(name):
    with open(os.path.join(ETC, name)) as file:
        return file.read()


def filled_in(m, name):
    """A configuration from etc, with its three lines filled in as for the test's issuer."""
    text, count = re.subn(r"^(org|client_id|domains) = <.*>$", lambda line: f"{line.group(1)} = " + {
        "org": m.issuer.host, "client_id": "clinic-app", "domains": "clinic.example"}[line.group(1)], shipped(name), flags=re.M)
    expect_equal(count, 3, f"lines of {name} to be filled in")
    return text


def lines_in(text):
    """The lines of a file for /etc/pam.d, each with the line that it stands before, as the comment above it says."""
    found = re.findall(r'^# before "([^"]+)".*\n((?:auth|account|password|session) .*)$', text, re.M)
    expect_equal(len(found), len(re.findall(r"^[a-z]", text, re.M)), "lines whose place is told")
    return [(anchor, line.replace("pam_oidc.so", f"{PRODUCT}/pam_oidc.so")) for anchor, line in found]


def insert(name, stack):
    """The stack with the lines of the file in etc in their places."""
    for anchor, line in lines_in(shipped(name)):
        expect_equal(len(re.findall(rf"^{re.escape(anchor)}$", stack, re.M)), 1, f"lines {anchor} for {name}")
        stack = re.sub(rf"^{re.escape(anchor)}$", lambda match: f"{line}\n{match.group()}", stack, flags=re.M)
    return stack


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


@test("the configuration, with its three lines filled in, is right for both daemons, and signs people in", start=False)
def configuration(m):
    m.start_issuer()
    text = filled_in(m, "pam_oidc.conf.example")
    # The test's issuer is known to no authority of the system's.
    m.configure(re.sub(r"^#ca_file = .*$", f"ca_file = {m.issuer.ca}", text, flags=re.M))
    for daemon in ("pam_oidcd", "provisiond"):
        m.run(f"{PRODUCT}/{daemon}", "-t", check=True)
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()
    m.sign_in("alice")


@test("the configuration as it is, not filled in, keeps both daemons from starting, and says which lines", start=False)
def configuration_as_it_is(m):
    m.configure(shipped("pam_oidc.conf.example"))
    for daemon in ("pam_oidcd", "provisiond"):
        done = m.run(f"{PRODUCT}/{daemon}", "-t")
        expect_equal(done.returncode, 1, f"{daemon} -t")
        expect_equal(len(re.findall(rf"{CONFIG}:\d+: .*placeholder", done.stdout + done.stderr)), 3, "lines that are named")


@test("the lines for nsswitch.conf let sshd find somebody new, and change nothing for other programs", tags={"ssh"})
def nsswitch(m):
    lines = re.findall(r"^(passwd|group):.*$", shipped("nsswitch.example"), re.M)
    expect_equal(lines, ["passwd", "group"], "lines in the example")
    text = open("/etc/nsswitch.conf").read()
    for line in re.findall(r"^(?:passwd|group):.*$", shipped("nsswitch.example"), re.M):
        text, count = re.subn(rf"^{line.split(':')[0]}:.*$", line, text, flags=re.M)
        expect_equal(count, 1, f"lines in place of {line}")
    write("/etc/nsswitch.conf", text)
    expect_equal(m.run("getent", "passwd", "alice").returncode, 2, "getent for somebody new")
    m.sign_in("alice")
    expect_in("alice", m.run("getent", "passwd", "alice", check=True).stdout, "getent for somebody with an account")


@test("sshd's drop-in is right, in what it sets and in what it leaves to be uncommented", tags={"ssh"}, start=False)
def sshd_drop_in(m):
    text = shipped("ssh/pam_oidc.conf.example")
    offered = re.findall(r"^#([A-Z]\w+) (\S.*)$", text, re.M)
    expect({"PasswordAuthentication", "LoginGraceTime", "MaxStartups", "PerSourcePenaltyExemptList"} <= {name for name, _ in offered},
           f"what is left to be uncommented: {offered}")
    known = [pair for pair in offered if m.run("/usr/sbin/sshd", "-T", "-o", "=".join(pair)).returncode == 0]
    # Only what came later than this sshd may be missing.
    expect({name for name, _ in offered} - {name for name, _ in known} <= {"PerSourcePenaltyExemptList"}, f"of {offered}, {known}")
    names = "|".join(name for name, _ in known)
    write("/tmp/sshd_config", "HostKey /etc/ssh/ssh_host_key\n" + re.sub(rf"^#({names}) ", r"\1 ", text, flags=re.M))
    m.run("/usr/sbin/sshd", "-t", "-f", "/tmp/sshd_config", check=True)
    in_force = m.run("/usr/sbin/sshd", "-T", "-f", "/tmp/sshd_config", check=True).stdout
    for name, value in [*known, *re.findall(r"^([A-Z]\w+) (\S.*)$", text, re.M)]:
        # Newer ones show names as the manual writes them.
        expect_in(f"\n{name} {value}\n".lower(), f"\n{in_force}".lower(), "what is in force")


@test("with PasswordAuthentication off, as sshd's drop-in offers, people and local users still sign in",
      sshd=["PasswordAuthentication=no"], tags={"ssh"})
def no_password_method(m):
    m.sign_in("alice")
    screen = m.ssh("localuser")
    screen.wait_for(r"assword: ?$", 20)
    screen.enter(PASSWORD)
    m.wait_for_shell(screen, "localuser")


@test("the PAM lines stand where their comments say, in each service, and sign people in with sshd, login, su and sudo")
def pam_lines(m):
    for service in ("sshd", "login", "su", "sudo", "cron", "atd", "passwd"):
        with open(f"/etc/pam.d/{service}") as file:
            stack = re.sub(r" +", " ", file.read()).replace(f"{PRODUCT}/asan/", f"{PRODUCT}/")
        for anchor, line in lines_in(shipped(f"pam.d/{service}")):
            line = re.sub(r" +", " ", line)
            expect_equal(stack.count(f"{line}\n{anchor}\n") + stack.count(f"{line}\n{anchor} \n"), 1, f"{line} in {service}")
    alice = m.sign_in("alice")
    alice.enter("sudo id -u")
    m.approve_on(alice, count=2)
    alice.enter()
    alice.wait_for(r"^0$", 20)
    bob = m.login("bob@clinic.example")
    m.approve_on(bob, "bob")
    m.wait_for_shell(bob, "bob")
    su = local_shell(m)
    su.enter("su - alice")
    m.approve_on(su)
    m.wait_for_shell(su, "alice")


@test("passwd tells people of pam_oidc that there is no password here, and lets local users change theirs")
def passwd(m):
    before = m.shadow("localuser")[1]
    alice = m.sign_in("alice")
    alice.enter("passwd")
    alice.wait_for_sentence("You have no password on this machine: you sign in with Okta.", 20)
    alice.wait_for(r"alice@ward3.*\$ ?$", 20)
    expect_not_in("ew password", alice.text(), "the screen")
    local = local_shell(m)
    local.enter("passwd")
    for count, typed in enumerate((PASSWORD, "battery staple 9", "battery staple 9"), 1):
        local.wait_for(r"assword: ?$", 20, count)
        local.enter(typed)
    local.wait_for_sentence("password updated successfully", 20)
    expect(m.shadow("localuser")[1] != before, "the password has changed")


def pamtester(m, name, *operations):
    return m.screen("pamtester", "-v", "gdm-password", name, *operations, environment=UTF8)


@test("gdm-password: in the stack that Debian's gdm3 has, people sign in without a QR code and by themselves, others as before")
def gdm(m):
    write("/etc/pam.d/gdm-password", insert("pam.d/gdm-password", GDM_PASSWORD))
    for name in ("alice", "alice@clinic.example"):
        screen = pamtester(m, name, "authenticate", "acct_mgmt", "setcred(PAM_ESTABLISH_CRED)")
        m.approve_on(screen, "alice")
        expect_equal(screen.wait_for_end(20), 0, "pamtester's exit status")
        expect_in("(gdm-password)", screen.text(), "the screen")
        expect_not_in("\u2588", screen.text(), "the screen, where a QR code would not scan")
        expect_not_in("assword:", screen.text(), "the screen")
    screen = pamtester(m, "alice", "authenticate")
    m.approve_on(screen, "bob")
    expect_equal(screen.wait_for_end(20), 1, "pamtester's exit status when Bob approves")
    expect_not_in("assword:", screen.text(), "the screen")
    screen = pamtester(m, "localuser", "authenticate", "acct_mgmt")
    screen.wait_for(r"assword: ?$", 20)
    screen.enter(PASSWORD)
    expect_equal(screen.wait_for_end(20), 0, "pamtester's exit status for a local user")
    expect_not_in("Okta", screen.text(), "the screen")


def locked(screen, count):
    """Locks Alice's terminal, and asks to unlock it."""
    screen.enter("vlock --current; echo unlocked")
    screen.wait_for(r"^Please press \[ENTER\] to unlock\.", 20, count)
    screen.enter()


@test("vlock: a colleague's approval does not unlock somebody's terminal, their own and root's password do")
def vlock(m):
    if not shutil.which("vlock"):
        raise Skip("vlock is not installed")
    write("/etc/pam.d/vlock", insert("pam.d/vlock", VLOCK))
    screen = m.sign_in("alice")
    locked(screen, 1)
    m.approve_on(screen, "alice", 2)
    screen.wait_for(r"^unlocked$", 20)
    locked(screen, 2)
    m.approve_on(screen, "bob", 3)
    screen.wait_for_sentence("approved by somebody else", 20)
    screen.wait_for(r"^root's Password: ?$", 20)
    expect_equal(len(re.findall(r"^unlocked$", screen.text(), re.M)), 1, "times it was unlocked, after Bob's approval")
    screen.enter(PASSWORD)
    screen.wait_for(r"^unlocked$", 20, 2)


# ---- the shared terminal ----


def set_up_terminal(m):
    """As its README.md says."""
    m.start_issuer("ward.okta.example")  # as long as usual addresses of Okta's are
    m.issuer.control("token", claims={"amr": ["pwd", "mfa", "otp"]})
    m.configure(f"[login]\nca_file = {m.issuer.ca}\n" + filled_in(m, f"{TERMINAL}/pam_oidc.conf.example"))
    for daemon in ("pam_oidcd", "provisiond"):
        m.run(f"{PRODUCT}/{daemon}", "-t", check=True)
    shutil.copy(os.path.join(ETC, TERMINAL, "issue"), "/etc/issue")
    shutil.copy(os.path.join(ETC, TERMINAL, "profile.d/pam_oidc-shared-terminal.sh"), "/etc/profile.d/")
    write("/etc/login.defs", re.sub(r"^LOGIN_TIMEOUT\s.*$", "LOGIN_TIMEOUT 180", open("/etc/login.defs").read(), flags=re.M))
    expect_in("LOGIN_TIMEOUT 180", open("/etc/login.defs").read(), "/etc/login.defs")
    stack = re.sub(r"^.*pam_oidc\.so.*\n", "", open("/etc/pam.d/login").read(), flags=re.M)
    write("/etc/pam.d/login", insert(f"{TERMINAL}/pam.d/login", stack))
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()


@test("shared terminal: one after the other signs in by email and phone, with a room, and the next one gets login: again", start=False)
def shared_terminal(m):
    set_up_terminal(m)
    m.screen("agetty", "--show-issue").wait_for_sentence("ward3, for the clinic's staff", 20)
    screen = m.login("alice@clinic.example", columns=80, rows=24, environment=UTF8)
    m.code_on(screen)
    lines = screen.cells()
    start = next(number for number, line in enumerate(lines) if "Sign in to ward3" in line)
    widest = max(len(line.rstrip()) for line in lines)
    expect(any("\u2588" in line for line in lines) and widest > 60, f"a QR code for dark and light terminals; {widest} columns")
    expect(len(lines) - start < 24 and widest <= 80, f"{len(lines) - start} lines of {widest} columns fit the screen")
    expect(re.search(r"\(2 minutes (4\d|50) seconds, until", screen.text()), "there are nearly three minutes")
    m.approve_on(screen)
    screen.wait_for(r"Type its number or its name: ?$", 20)
    screen.enter("2")
    m.wait_for_shell(screen, "alice")
    expect_equal(m.ask_in(screen, 'echo "$OIDC_ROOM/$TMOUT"'), "Exam 1/600", "the session")
    expect_in("readonly", m.ask_in(screen, "(TMOUT=0)"), "an attempt to stay for ever")
    expect(m.shadow("alice")[7] not in ("", "1"), "the account expires some time after the last sign-in")
    screen.enter("exit")
    expect_equal(screen.wait_for_end(), 0, "login's exit status")
    for name, rooms in (("bob", 1), ("alice", 0)):
        screen = m.login(name, environment=UTF8)
        m.approve_on(screen, name)
        if rooms:
            screen.wait_for(r"Type its number or its name: ?$", 20)
            screen.enter("Front desk")
        m.wait_for_shell(screen, name)
        screen.enter("exit")
        screen.wait_for_end()


@test("shared terminal: who walks away is logged out, and a sign-in with a password alone opens nothing", start=False)
def shared_terminal_left(m):
    set_up_terminal(m)
    m.run("sed", "-i", "s/TMOUT=600/TMOUT=2/", "/etc/profile.d/pam_oidc-shared-terminal.sh", check=True)
    screen = m.login("alice", environment=UTF8)
    m.approve_on(screen)
    screen.wait_for(r"Type its number or its name: ?$", 20)
    screen.enter("1")
    screen.wait_for_sentence("timed out waiting for input: auto-logout", 30)
    screen.wait_for_end()
    m.issuer.control("token", claims={"amr": ["pwd"]})
    screen = m.login("carol", environment=UTF8)
    m.approve_on(screen, "carol")
    m.wait_for_refused_login(screen)
    expect_once("requires a stronger way of signing in to Okta", screen.text(), "the screen")
    expect(m.passwd("carol") is None, "no account came into being")
    for name in ("localuser", "root"):
        screen = m.login(name)
        screen.wait_for(r"^Password: ?$", 20)
        screen.enter(PASSWORD)
        screen.wait_for(rf"{name}@ward3.*[$#] ?$", 20)


@test("shared terminal: nobody comes in over SSH from elsewhere", start=False)
def shared_terminal_from_elsewhere(m):
    set_up_terminal(m)
    screen = m.ssh("alice")
    screen.wait_for_sentence("may not sign in to this machine from where you are", 20)
    expect_equal(m.issuer.requests("device"), 0, "codes asked for")
