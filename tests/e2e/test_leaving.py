"""Somebody leaves: keys, cron, at, su, sudo, the screen lock, what runs already and what lingers all end, and come back when
the person does."""

import os
import pwd
import shutil
import signal
import subprocess
import time

from harness import Skip, cases, expect, expect_equal, expect_in, expect_not_in, test, wait_for
from machine import PRODUCT
from ssh_keys import KEYS, give_key, ssh_with_key


def ctl(m, *words, status=0, **options):
    done = m.run("provisionctl", *words, **options)
    expect_equal(done.returncode, status, f"the exit status of provisionctl {' '.join(words)} ({done.stdout}{done.stderr})")
    return done.stdout + done.stderr


def has_come(m, name="alice"):
    """Makes the account, and leaves again."""
    screen = m.sign_in(name)
    screen.enter("exit")
    screen.wait_for_end()


def as_user(name, *command):
    """A process of the account's that no login watches over."""
    user = pwd.getpwnam(name)
    return subprocess.Popen(["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *command],
                            cwd="/", start_new_session=True, stdout=subprocess.DEVNULL)


def running(uid):
    """How many processes of that uid have not ended."""
    count = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/status") as status:
                fields = dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
        except (FileNotFoundError, ProcessLookupError):
            continue
        count += str(uid) in fields["Uid"].split() and not fields["State"].startswith(("Z", "X"))
    return count


# ---- each way in, tried by its own program; True when it let alice do something ----

def by_key(m):
    return ssh_with_key(m, "alice").stdout == "alice\n"


def by_cron(m):
    """cron runs an @reboot line once it starts."""
    if not shutil.which("cron"):
        raise Skip("cron is not installed")
    mark = "/tmp/cron-ran"
    for path in (mark, "/run/crond.reboot", "/var/run/crond.reboot", "/run/crond.pid"):
        if os.path.exists(path):
            os.unlink(path)
    os.makedirs("/var/spool/cron/crontabs", exist_ok=True)
    table = "/var/spool/cron/crontabs/alice"
    with open(table, "w") as file:
        file.write(f"@reboot touch {mark}\n")
    os.chmod(table, 0o600)
    if (user := m.passwd("alice")) is not None:
        os.chown(table, int(user[2]), -1)
    seen = len(m.log.lines)
    cron = subprocess.Popen(["cron", "-f", "-L", "15"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def decided():
        """It ran, or cron has said that it may not."""
        said = "\n".join(line for line in m.log.lines[seen:] if "cron" in line.lower())
        return os.path.exists(mark) or "alice" in said and ("denied" in said or "expired" in said or "ERROR" in said or "ORPHAN" in said)

    try:
        wait_for("cron to have dealt with alice's table", decided, 20)
        return os.path.exists(mark)
    finally:
        cron.kill()
        cron.wait()


def by_at(m):
    """A job that is overdue runs once atd starts."""
    if not shutil.which("atd"):
        raise Skip("at is not installed")
    mark, bobs = "/tmp/at-ran", "/tmp/at-ran-bob"
    for path in (mark, bobs, "/run/atd.pid", "/var/run/atd.pid"):
        if os.path.exists(path):
            os.unlink(path)
    for name, path in (("alice", mark), ("bob", bobs)):
        job = as_user_env(name, ["at", "now"], f"touch {path}\n")
        expect(job.returncode == 0, f"at takes {name}'s job: {job.stderr}")
    atd = subprocess.Popen(["atd", "-f", "-b", "1", "-l", "100"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        # Jobs are taken in the order in which they were given.
        wait_for("atd to have run bob's job, which stands behind alice's", lambda: os.path.exists(bobs), 30)
        time.sleep(0.5)
        return os.path.exists(mark)
    finally:
        atd.kill()
        atd.wait()


def as_user_env(name, command, text):
    user = pwd.getpwnam(name)
    return subprocess.run(
        ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--init-groups", *command], input=text, text=True, cwd="/tmp",
        capture_output=True, env={"PATH": os.environ["PATH"], "HOME": user.pw_dir, "USER": name, "LOGNAME": name, "SHELL": "/bin/sh"})


def by_su(m):
    return m.run("su", "-", "alice", "-c", "id -un").stdout.strip() == "alice"


def by_sudo(m):
    """A process that was left behind asks for root."""
    user = pwd.getpwnam("alice")
    with open("/etc/sudoers.d/zz_nopasswd", "w") as file:
        file.write("alice ALL=(ALL:ALL) NOPASSWD: ALL\n")
    os.chmod("/etc/sudoers.d/zz_nopasswd", 0o440)
    done = m.run("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "sudo", "-n", "id", "-un")
    return done.stdout.strip() == "root"


def by_screen_lock(m):
    """An unprivileged program of alice's own asks PAM whether alice may go on, as screen lockers do."""
    user = pwd.getpwnam("alice")
    done = m.run("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--init-groups", "pamtester", "login", "alice", "acct_mgmt")
    return done.returncode == 0


WAYS = [("an SSH key", by_key), ("cron", by_cron), ("at", by_at), ("su by root", by_su), ("sudo", by_sudo), ("a screen locker", by_screen_lock)]


def take_pam_oidc_out(m):
    """As an admin would who gives up on it."""
    m.pam_oidcd.stop()
    m.provisiond.stop()
    for service in os.listdir("/etc/pam.d"):
        path = f"/etc/pam.d/{service}"
        with open(path) as file:
            lines = file.readlines()
        with open(path, "w") as file:
            file.writelines(line for line in lines if "pam_oidc.so" not in line)
    m.run("sed", "-i", "s/ oidc$//", "/etc/nsswitch.conf", check=True)


@cases([(f"deactivated, {way} lets nobody in, with pam_oidc and without; reactivated, it does again", way, attempt) for way, attempt in WAYS],
       start=False, seconds=150)
def ways(m, way, attempt):
    m.start(sshd=KEYS)
    has_come(m, "alice")
    has_come(m, "bob")
    give_key(m, "alice")
    expect(attempt(m), f"{way} works while the account is active")
    before = m.shadow("alice")
    ctl(m, "deactivate", "alice")
    expect(m.shadow("alice") != before, "/etc/shadow says so, too")
    expect(not attempt(m), f"{way} is refused when the account is deactivated")
    ctl(m, "reactivate", "alice")
    expect_equal(m.shadow("alice"), before, "the row in /etc/shadow after reactivation")
    expect(attempt(m), f"{way} works again")
    ctl(m, "deactivate", "alice")
    take_pam_oidc_out(m)
    expect(not attempt(m), f"{way} is refused without pam_oidc, too")


@test("deactivated, nobody signs in with Okta: no code is asked for, over SSH, at the console and by su")
def with_okta(m):
    has_come(m)
    ctl(m, "deactivate", "alice")
    codes = m.issuer.requests("device")
    screen = m.ssh("alice", options=["NumberOfPasswordPrompts=1"])
    screen.wait_for_end(20)
    expect_in("This account was deactivated. Ask your administrator.", screen.text(), "the screen")
    console = m.login("alice")
    m.wait_for_refused_login(console)
    expect_in("This account was deactivated.", console.text(), "the console")
    expect_equal(m.issuer.requests("device"), codes, "codes asked for")
    ctl(m, "reactivate", "alice")
    m.sign_in("alice")


@test("deactivation ends what runs: a session over SSH, what ignores SIGTERM, and services that linger; others go on", seconds=90)
def sessions(m):
    screen = m.sign_in("alice")
    other = m.sign_in("bob")
    uid = int(m.passwd("alice")[2])
    stubborn = as_user("alice", "sh", "-c", "trap '' TERM HUP; while :; do sleep 1; done")
    bobs = as_user("bob", "sleep", "1000")
    os.makedirs("/var/lib/systemd/linger", exist_ok=True)
    for name in ("alice", "bob"):
        open(f"/var/lib/systemd/linger/{name}", "w").close()
    said = ctl(m, "deactivate", "alice")
    expect_in("alice", said, "what provisionctl says")
    screen.wait_for_end(20)
    wait_for("the process that ignores SIGTERM to be ended", lambda: stubborn.poll() is not None, 20)
    expect_equal(stubborn.returncode, -signal.SIGKILL, "how it ended")
    wait_for("nothing of alice's to run", lambda: running(uid) == 0, 20)
    expect_equal(os.listdir("/var/lib/systemd/linger"), ["bob"], "who lingers")
    expect(bobs.poll() is None, "bob's process runs on")
    expect_equal(m.ask_in(other, "id -un"), "bob", "bob's session")
    bobs.kill()
    bobs.wait()


@test("deactivation with --keep-sessions lets the session end by itself, and no other begin")
def kept_sessions(m):
    screen = m.sign_in("alice")
    ctl(m, "deactivate", "alice", "--keep-sessions")
    time.sleep(1)
    expect_equal(m.ask_in(screen, "id -un"), "alice", "the session")
    expect(not by_su(m), "su is refused")


@test("max_signin_age: keys and what runs end by themselves, and a sign-in with Okta brings them back", start=False, seconds=120)
def signin_age(m):
    m.use_own_clock(0)
    m.start_issuer()
    m.configure(m.standard_configuration(accounts="max_signin_age = 12h"))
    m.start_provisiond()
    m.own_clock = False  # tokens are judged by the true time
    m.start_pam_oidcd()
    m.start_sshd(*KEYS)
    has_come(m, "alice")
    give_key(m, "alice")
    uid = int(m.passwd("alice")[2])
    expect(by_key(m), "a key works within the time")
    days = int((time.time() + 12 * 3600) // 86400) + 1
    expect(int(m.shadow("alice")[7]) in (days - 1, days), f"/etc/shadow ends the account then, too: {m.shadow('alice')}")
    process = as_user("alice", "sleep", "1000")
    m.set_clock(12 * 3600 + 120)
    done = ssh_with_key(m, "alice")
    expect(done.stdout != "alice\n", "a key is refused after it")
    expect_in("You have not signed in to this machine with Okta for too long.", done.stdout + done.stderr, "what ssh says")
    wait_for("what runs to be ended", lambda: process.poll() is not None, 90)
    expect_equal(running(uid), 0, "processes of alice's")
    has_come(m, "alice")
    expect(by_key(m), "a key works after the next sign-in with Okta")


@test("a refusal by Okta is recorded and shown: not assigned any more, deactivated there")
def refusal(m):
    has_come(m)
    screen = m.ssh("alice", options=["NumberOfPasswordPrompts=1"])
    m.approve_on(screen, "dave")
    screen.enter()
    screen.wait_for_end(20)
    expect_in("You are not assigned to this application in Okta.", screen.text(), "the screen")
    wait_for("the refusal in the list", lambda: "not assigned" in ctl(m, "list").replace("_", " "), 10)


def check_files(m):
    for command in (["pwck", "-q", "-r"], ["grpck", "-r"]):
        done = m.run(*command)
        said = [line for line in (done.stdout + done.stderr).splitlines() if "alice" in line]
        expect_equal(said, [], f"what {command[0]} says of alice")


@test("removed, the rows are gone, crontab and mailbox are put away, and the same person comes back with the same uid and home", seconds=90)
def removed(m):
    screen = m.sign_in("alice")
    uid = int(m.passwd("alice")[2])
    m.ask_in(screen, "echo kept > thing")
    os.makedirs("/var/spool/cron/crontabs", exist_ok=True)
    for path in ("/var/spool/cron/crontabs/alice", "/var/mail/alice"):
        with open(path, "w") as file:
            file.write("alice's\n")
        os.chown(path, uid, -1)
        os.chmod(path, 0o600)
    ctl(m, "remove", "alice", "--yes")
    screen.wait_for_end(20)
    for path in ("/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow"):
        expect_not_in("alice", open(path).read(), path)
    expect(not os.path.exists("/var/spool/cron/crontabs/alice") and not os.path.exists("/var/mail/alice"), "crontab and mailbox are put away")
    expect_equal(os.stat("/home/alice").st_uid, uid, "whose the kept home is")
    expect_in("removed", ctl(m, "show", "alice"), "provisionctl show")
    check_files(m)
    screen = m.sign_in("alice")
    expect_equal(int(m.passwd("alice")[2]), uid, "the uid")
    expect_equal(m.ask_in(screen, "cat thing"), "kept", "what was in the home")
    check_files(m)


@test("removed with the home, nothing of it is left, and the uid is still the person's", seconds=60)
def removed_with_home(m):
    has_come(m)
    uid = int(m.passwd("alice")[2])
    ctl(m, "remove", "alice", "--delete-home", "--yes")
    wait_for("the home to be gone", lambda: not os.path.exists("/home/alice"), 10)
    has_come(m)
    expect_equal(int(m.passwd("alice")[2]), uid, "the uid")
