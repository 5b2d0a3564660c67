"""Daemons that do not answer (SIGSTOP): unrelated programs do not notice, sshd at most by 250 ms."""

import signal
import time

from harness import PATIENCE, cases, expect, expect_equal, expect_in, expect_not_in, expect_once, figure, test, wait_for
from machine import PASSWORD


def timed(function, rounds=7):
    """The shortest duration of a call in milliseconds: what a busy machine adds is left out, a wait of ours is not."""
    durations = []
    for _ in range(rounds):
        began = time.monotonic()
        function()
        durations.append((time.monotonic() - began) * 1000)
    return min(durations)


@test("a stopped provisiond delays no unrelated program", alone=True, tags={"figures"})
def unrelated(m):
    commands = (["getent", "passwd", "nobody-here"], ["id", "nobody-here"], ["ls", "-l", "/home"], ["getent", "passwd", "localuser"],
                ["getent", "passwd", "2000300000"])
    before = [timed(lambda command=command: m.run(*command)) for command in commands]
    m.provisiond.signal(signal.SIGSTOP)
    after = [timed(lambda command=command: m.run(*command)) for command in commands]
    m.provisiond.signal(signal.SIGCONT)
    for command, was, now in zip(commands, before, after):
        figure(f"{' '.join(command)} with provisiond stopped, beyond {was:.1f} ms", max(0.0, now - was), "ms", 25)


# What a process looks up, and a child of it, each as a line: milliseconds, and whether the name is known.
LOOKUPS = """
import os, pwd, sys, time

def look_up(name):
    began = time.monotonic()
    try:
        known = bool(pwd.getpwnam(name))
    except KeyError:
        known = False
    print((time.monotonic() - began) * 1000, known, flush=True)

for name in sys.argv[1:]:
    look_up(name)
child = os.fork()
if child == 0:
    look_up(sys.argv[-1])
    os._exit(0)
os.waitpid(child, 0)
"""


def as_sshd(m, *command):
    """Runs a program that is called sshd: the C library, and with it libnss_oidc, goes by its first argument."""
    return m.run("bash", "-c", 'program=$(command -v "$0") && exec -a sshd "$program" "$@"', *command)


def lookups(m, *names):
    """Milliseconds that each name takes in a process called sshd, the last one in its child once more, and which are known."""
    done = as_sshd(m, "python3", "-c", LOOKUPS, *names)
    lines = [line.split() for line in done.stdout.splitlines()]
    expect_equal(len(lines), len(names) + 1, f"lookups ({done.stderr})")
    return [float(took) for took, _ in lines], [known == "True" for _, known in lines]


def refused_by_sshd(m, name):
    done = m.run("ssh", "-F", "/dev/null", "-o", "BatchMode=yes", "-o", "PreferredAuthentications=publickey", f"{name}@localhost")
    expect_equal(done.returncode, 255, "ssh's exit status")
    expect_in("Permission denied", done.stderr, "what ssh says")


# A whole run of ssh is no measure: to a name that it does not know, sshd waits longer the longer its lookup took.
@test("a stopped provisiond delays sshd's lookups by 250 ms at most, and an unknown name is refused", alone=True, tags={"ssh", "figures"})
def sshd_lookup(m):
    names = ("alice", "bob", "carol")
    expect_equal(lookups(m, *names)[1], [True] * 4, "the promised names that a process called sshd finds")
    m.provisiond.signal(signal.SIGSTOP)
    rounds = [lookups(m, *names) for _ in range(7)]
    refused_by_sshd(m, "alice")
    m.provisiond.signal(signal.SIGCONT)
    for _, known in rounds:
        expect_equal(known, [False] * 4, "the promised names that are found without provisiond")
    # The bound is the module's; what a busy machine adds is noise.
    figure("a name looked up in sshd with provisiond stopped", min(took[0] for took, _ in rounds), "ms", 250 + 50)
    figure("three names, and one more in a child of sshd's, with provisiond stopped", min(sum(took) for took, _ in rounds), "ms", 250 + 50)
    refused_by_sshd(m, "alice")


@test("a stopped provisiond delays a local user's key over SSH by 250 ms at most, and lets it in", alone=True, tags={"ssh", "figures"})
def local_key(m):
    m.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/key", check=True)
    m.run("install", "-D", "-m", "600", "-o", "localuser", "/root/key.pub", "/home/localuser/.ssh/authorized_keys", check=True)
    m.run("chown", "localuser", "/home/localuser/.ssh", check=True)

    def sign_in():
        done = m.run("ssh", "-F", "/dev/null", "-i", "/root/key", "-o", "BatchMode=yes", "localuser@localhost", "true")
        expect_equal(done.returncode, 0, f"ssh with a key ({done.stderr})")

    def what_sshd_asks():
        """Of its own it looks the name up; PAM's account and session stages come behind the key."""
        lookups(m, "localuser")
        done = as_sshd(m, "pamtester", "sshd", "localuser", "acct_mgmt", "open_session", "close_session")
        expect_equal(done.returncode, 0, f"the stages of PAM ({done.stdout}{done.stderr})")

    sign_in()
    was = timed(what_sshd_asks)
    m.provisiond.signal(signal.SIGSTOP)
    now = timed(what_sshd_asks)
    sign_in()
    m.provisiond.signal(signal.SIGCONT)
    figure(f"a local user in sshd with provisiond stopped, beyond {was:.0f} ms", now - was, "ms", 250 + 50)


@cases([(f"a stopped {name} is told to who is ours, and the local password is asked for", name)
        for name in ("pam_oidcd", "provisiond")], tags={"ssh"})
def told(m, name):
    """Who is ours reads that the service does not run, and is not left hanging."""
    m.sign_in("alice").enter("exit")
    m.daemons[name].signal(signal.SIGSTOP)
    began = time.monotonic()
    screen = m.ssh("alice", options=["NumberOfPasswordPrompts=1"])
    screen.wait_for(r"assword: ?$", 30)
    expect(time.monotonic() - began < 26 + 2 * PATIENCE, "the question for the local password comes after 25 s at most")
    if name == "pam_oidcd":
        expect_in("The sign-in service of this machine does not answer.", screen.text(), "the screen")
    screen.press("C-c")
    m.daemons[name].signal(signal.SIGCONT)
    m.sign_in("alice")


@test("provisiond stopped while a sign-in is being admitted: the person reads it, and the next attempt works")
def stopped_during_admission(m):
    screen = m.ssh("alice", options=["NumberOfPasswordPrompts=1"])
    code = m.code_on(screen)
    m.provisiond.signal(signal.SIGSTOP)
    m.issuer.approve(code, "alice")
    screen.enter()
    wait_for("an end", lambda: screen.ended() is not None or "assword:" in screen.text(), 30)
    screen.press("C-c")
    screen.wait_for_end()
    m.provisiond.signal(signal.SIGCONT)
    m.sign_in("alice")


@test("both daemons restarted: the next sign-in works and finds the account again", tags={"ssh"})
def restarted(m):
    screen = m.sign_in("alice")
    uid = m.ask_in(screen, "id -u")
    m.pam_oidcd.stop()
    m.provisiond.stop()
    m.start_provisiond()
    m.start_pam_oidcd()
    screen = m.sign_in("alice")
    expect_equal(m.ask_in(screen, "id -u"), uid, "uid")


@test("both daemons killed: the next start works and finds the account again")
def killed(m):
    screen = m.sign_in("alice")
    uid = m.ask_in(screen, "id -u")
    m.pam_oidcd.kill()
    m.provisiond.kill()
    m.start_provisiond()
    m.start_pam_oidcd()
    screen = m.sign_in("alice")
    expect_equal(m.ask_in(screen, "id -u"), uid, "uid")


RESTARTED = "The sign-in service of this machine was restarted just now: please start again."


@cases([(f"a pam_oidcd that {does} while somebody waits over SSH: they read it once, and no password is asked for", end)
        for does, end in (("is stopped", "stop"), ("dies", "kill"))], tags={"ssh"})
def ends_while_waiting(m, end):
    screen = m.ssh("alice")
    m.code_on(screen)
    getattr(m.pam_oidcd, end)()
    screen.enter()
    screen.wait_for_end(20)
    expect_once(RESTARTED, screen.text(), "the screen")
    expect_not_in("assword:", screen.text(), "the screen")
    m.start_pam_oidcd()
    m.sign_in("alice")


@test("a pam_oidcd that is restarted while somebody waits at the console: they read it at once, and log in anew")
def restarted_at_the_console(m):
    screen = m.login("alice")
    m.code_on(screen)
    m.pam_oidcd.stop()
    m.start_pam_oidcd()
    screen.wait_for_sentence(RESTARTED, 20)
    expect_not_in("assword:", screen.text(), "the screen")


@test("provisiond restarted while somebody waits for a code's approval: they notice nothing")
def provisiond_restarted(m):
    screen = m.ssh("alice")
    code = m.code_on(screen)
    m.provisiond.stop()
    m.start_provisiond()
    m.issuer.approve(code, "alice")
    screen.enter()
    m.wait_for_shell(screen, "alice")


@test("the password after a sign-in service that is away is the local one, for a local user too")
def local_password_then(m):
    m.pam_oidcd.stop()
    m.provisiond.stop()
    screen = m.ssh("localuser")
    screen.wait_for(r"assword: ?$", 20)
    screen.enter(PASSWORD)
    m.wait_for_shell(screen, "localuser")
