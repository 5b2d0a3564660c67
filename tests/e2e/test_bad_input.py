"""Bad input: a sentence that says what is wrong and what to do, on the right screen, and nothing is lost.

Configuration and secrets, malformed messages, names of 64 KiB, a full disk, a read-only /etc, a clock set back, a held lock.
"""

import errno
import fcntl
import os
import shutil
import signal
import socket
import time

from harness import cases, expect, expect_equal, expect_in, expect_not_in, expect_once, test, wait_for
from machine import CONFIG, PAM_OIDCD_SOCKET, PRODUCT, PROVISIOND_SOCKET
from wire import MAX, pack

DAEMONS = ("pam_oidcd", "provisiond")


# ---- configuration ----


def check_configuration(m, daemon):
    return m.run("timeout", "20", f"{PRODUCT}/{daemon}", "-t")


def start_and_fail(m, daemon):
    """Starts a daemon that should refuse to; what it says."""
    started = m.start_provisiond(wait=False) if daemon == "provisiond" else m.start_pam_oidcd(wait=False)
    status = started.process.wait(30)
    started.judged = True
    wait_for("words in the log", lambda: open(started.log).read() + m.log.text(daemon))
    said = open(started.log).read() + m.log.text(daemon)
    expect(status != 0, f"{daemon} refuses to start; it said:\n{said}")
    expect(0 < status < 126, f"{daemon} ends by itself, not with status {status}; it said:\n{said}")
    return said


@test("a configuration cut off at any byte is right, or refused with its line by both daemons", start=False, seconds=120)
def cut_configuration(m):
    m.start_issuer()
    text = m.standard_configuration(login="max_pending = 100", accounts="reserved_names = frontdesk, ward3",
                                    tenant="allowed_groups = \"Clinic, IT\", Radiology\nscopes = openid profile email groups")
    refused = 0
    for length in range(0, len(text), 7):
        m.configure(text[:length])
        for daemon in DAEMONS:
            done = check_configuration(m, daemon)
            said = done.stdout + done.stderr
            expect(done.returncode in (0, 1), f"{daemon} -t ends with {done.returncode} for the first {length} bytes: {said}")
            if done.returncode == 1:
                refused += 1
                expect_in(f"{CONFIG}", said, f"{daemon} -t for the first {length} bytes")
    expect(refused > 20, f"{refused} cuts were refused")
    m.configure(text)
    for daemon in DAEMONS:
        done = check_configuration(m, daemon)
        expect_equal(done.returncode, 0, f"{daemon} -t for the whole of it: {done.stdout}{done.stderr}")


@cases([(f"a configuration with {word} is refused at the start by both daemons, with file and line", lines, says) for word, lines, says in (
    ("an unknown key", "colour = green", "colour"),
    ("an unknown section", "[ward three]\nx = 1", "ward three"),
    ("a key twice", "client_id = again", "Duplicate key"),
    ("an indented key", "   email_verified = ignore", "at the beginning of the line"),
    ("a value out of range", "email_verified = perhaps", "email_verified"),
    ("a NUL byte", "scopes = openid\0email", ""),
    ("a line of 60000 bytes", "scopes = " + "x" * 60000, ""),
    ("a room that would be two fields of an account", "rooms = Exam 1, Exam:2", "rooms"),
    ("a group that no group can be", "local_groups = sudo:x:27", "local_groups"),
    ("no company domain", None, "domains"),
)], start=False)
def wrong_configuration(m, lines, says):
    m.start_issuer()
    text = m.standard_configuration(tenant=lines or "")
    if lines is None:
        text = text.replace("domains = clinic.example\n", "")
    m.configure(text)
    for daemon in DAEMONS:
        said = start_and_fail(m, daemon)
        expect_in(CONFIG, said, f"what {daemon} says")
        expect_in(says, said, f"what {daemon} says")


@cases([(f"a configuration {word} is refused by both daemons", change) for word, change in (
    ("owned by a local user", lambda: shutil.chown(CONFIG, "localuser")),
    ("writable by others", lambda: os.chmod(CONFIG, 0o666)),
    ("writable by its group", lambda: os.chmod(CONFIG, 0o664)),
    ("that is a symbolic link", lambda: (os.rename(CONFIG, "/etc/real.conf"), os.symlink("/etc/real.conf", CONFIG))),
    ("that is a directory", lambda: (os.unlink(CONFIG), os.mkdir(CONFIG))),
    ("that is a pipe", lambda: (os.unlink(CONFIG), os.mkfifo(CONFIG))),
    ("that is not there", lambda: os.unlink(CONFIG)),
    ("that is empty", lambda: open(CONFIG, "w").close()),
    ("of 20 MB", lambda: open(CONFIG, "a").write("# comment\n" * 2000000)),
)], start=False)
def untrusted_configuration(m, change):
    m.start_issuer()
    m.configure(m.standard_configuration())
    change()
    for daemon in DAEMONS:
        expect_in(CONFIG, start_and_fail(m, daemon), f"what {daemon} says")


@test("a wrong configuration at a reload is told, and the one before stays in force")
def wrong_reload(m):
    good = m.config_text
    m.configure(good.replace("domains =", "domain ="))
    for daemon in DAEMONS:
        m.daemons[daemon].signal(signal.SIGHUP)
        m.log.wait_for(rf"{daemon}.*{CONFIG}:\d+:.*domain")
    m.sign_in("alice")
    m.configure(good)
    for daemon in DAEMONS:
        m.daemons[daemon].signal(signal.SIGHUP)
    m.sign_in("bob")


@test("a reload while somebody waits does not lose the sign-in")
def reload_while_waiting(m):
    screen = m.ssh("alice")
    code = m.code_on(screen)
    for daemon in DAEMONS:
        m.daemons[daemon].signal(signal.SIGHUP)
    time.sleep(1)
    m.issuer.approve(code, "alice")
    screen.enter()
    m.wait_for_shell(screen, "alice")


@test("a reload takes up a new secret for those who wait, too", start=False)
def new_secret_while_waiting(m):
    m.start_issuer()
    m.write_secret("/etc/pam_oidc.secret", "basic-secret-0123456789")
    m.configure(m.standard_configuration(tenant="client_auth = basic\nclient_secret_file = /etc/pam_oidc.secret\n").replace(
        "client_id = clinic-app", "client_id = clinic-basic"))
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()
    screen = m.ssh("alice")
    code = m.code_on(screen)
    m.issuer.settings(interval=3)
    asked = m.issuer.requests("discovery")
    m.write_secret("/etc/pam_oidc.secret", "tomorrows-secret")
    m.pam_oidcd.signal(signal.SIGHUP)
    m.log.wait_for("took up /etc/pam_oidc.conf anew")
    wait_for("the new configuration's metadata", lambda: m.issuer.requests("discovery") > asked, 10)
    m.issuer.control("clients", **{"clinic-basic": {"name": "Clinic Linux (basic)", "auth": "basic", "secret": "tomorrows-secret"}})
    m.issuer.approve(code, "alice")
    screen.enter()
    m.wait_for_shell(screen, "alice")


@test("a reload takes up a new secret", start=False)
def new_secret(m):
    m.start_issuer()
    m.write_secret("/etc/pam_oidc.secret", "an-old-secret")
    m.configure(m.standard_configuration(tenant="client_auth = basic\nclient_secret_file = /etc/pam_oidc.secret\n").replace(
        "client_id = clinic-app", "client_id = clinic-basic"))
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()
    screen = m.ssh("alice", options=["NumberOfPasswordPrompts=1"])
    screen.wait_for_sentence("is not set up correctly on this machine", 20)
    screen.press("C-c")
    m.log.wait_for("pam_oidcd.*client")
    m.write_secret("/etc/pam_oidc.secret", "basic-secret-0123456789\n")
    m.pam_oidcd.signal(signal.SIGHUP)
    m.log.wait_for("pam_oidcd.*anew")
    m.sign_in("alice")


SECRET = "/etc/pam_oidc.secret"


@cases([(f"a secret {word} is refused, and the log says what to do", change) for word, change in (
    ("readable by others", lambda: os.chmod(SECRET, 0o644)),
    ("that pam_oidcd cannot read", lambda: (os.chmod(SECRET, 0o600), shutil.chown(SECRET, "root", "root"))),
    ("owned by a local user", lambda: shutil.chown(SECRET, "localuser")),
    ("readable by a group of others", lambda: shutil.chown(SECRET, "root", "localuser")),
    ("that is a symbolic link", lambda: (os.rename(SECRET, "/etc/real"), os.symlink("/etc/real", SECRET))),
    ("that is not there", lambda: os.unlink(SECRET)),
    ("that is empty", lambda: open(SECRET, "w").close()),
)], start=False)
def untrusted_secret(m, change):
    m.start_issuer()
    m.write_secret(SECRET, "basic-secret-0123456789\n")
    m.configure(m.standard_configuration(tenant=f"client_auth = basic\nclient_secret_file = {SECRET}\n").replace(
        "client_id = clinic-app", "client_id = clinic-basic"))
    change()
    m.start_provisiond()
    said = start_and_fail(m, "pam_oidcd")
    expect_in(SECRET, said, "what pam_oidcd says")
    expect_not_in("basic-secret", said, "what pam_oidcd says")


@test("with pam_oidcd refusing to start, the person reads that the service does not run")
def refused_start_on_the_screen(m):
    m.pam_oidcd.stop()
    m.configure("[login\n")
    start_and_fail(m, "pam_oidcd")
    screen = m.ssh("alice", options=["NumberOfPasswordPrompts=1"])
    screen.wait_for_sentence("The sign-in service of this machine does not answer. Tell your administrator.", 20)
    screen.wait_for(r"assword: ?$")
    screen.press("C-c")


# ---- messages ----

LONG = "a" * 60000
HUGE = "a" * (MAX - len("op=lookup\0name=\0"))
MESSAGES = {
    "nothing": b"\0",
    "no NUL at its end": b"op=lookup\0name=alice",
    "no op": b"name=alice\0",
    "an unknown op": pack(("op", "rm"), ("name", "alice")),
    "an op in upper case": pack(("op", "LOOKUP"), ("name", "alice")),
    "a key without a value": b"op=lookup\0name\0",
    "an empty key": b"op=lookup\0=alice\0",
    "a malformed key": b"op=lookup\0Na me=alice\0",
    "a key twice": pack(("op", "lookup"), ("name", "alice"), ("name", "bob"), ("purpose", "nss")),
    "two ops": pack(("op", "lookup"), ("op", "admit"), ("name", "alice")),
    "a status": pack(("status", "admitted"), ("account", "root")),
    "a name missing": pack(("op", "lookup"), ("purpose", "nss")),
    "an empty name": pack(("op", "lookup"), ("name", ""), ("purpose", "nss")),
    "a name of 60000 bytes": pack(("op", "lookup"), ("name", LONG), ("purpose", "nss")),
    "a message of 64 KiB": pack(("op", "lookup"), ("name", HUGE)),
    "a login with a name of 60000 bytes": pack(("op", "login"), ("name", LONG), ("service", "sshd"), ("tty", "ssh"), ("rhost", ""),
                                               ("qr", "utf8"), ("wait", "enter"), ("timeout", 60)),
    "a login with a negative timeout": pack(("op", "login"), ("name", "alice"), ("service", "sshd"), ("qr", "utf8"),
                                            ("wait", "enter"), ("timeout", -1)),
    "a login with a huge timeout": pack(("op", "login"), ("name", "alice"), ("service", "sshd"), ("qr", "utf8"), ("wait", "enter"),
                                        ("timeout", 10**18)),
    "a login with a number that is none": pack(("op", "login"), ("name", "alice"), ("uid", "0x0"), ("service", "sshd"),
                                               ("qr", "utf8"), ("wait", "enter"), ("timeout", 60)),
    "ten thousand fields": b"op=lookup\0" + b"a=b\0" * 10000,
    "controls in every field": pack(("op", "lookup"), ("name", "\x1b[31m\n\x07"), ("purpose", "\n"), ("service", "\x1b")),
    "bytes that are no UTF-8": b"op=lookup\0name=\xff\xfe\xc3\0purpose=nss\0",
    "only NULs": b"\0" * 4096,
    "only equals signs": b"=" * 4096,
}


@cases([(f"a message with {word} harms neither daemon", packet) for word, packet in MESSAGES.items()], seconds=60)
def messages(m, packet):
    before = m.account_files()
    for path in (PAM_OIDCD_SOCKET, PROVISIOND_SOCKET):
        for times in (1, 20):
            for _ in range(times):
                with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
                    connection.settimeout(20)
                    connection.connect(path)
                    try:
                        connection.send(packet)
                        connection.recv(MAX)  # an answer or the end, but something
                    except (ConnectionResetError, BrokenPipeError):
                        pass
                    except OSError as problem:
                        expect_equal(problem.errno, errno.EMSGSIZE, "why it was not sent")
    for daemon in DAEMONS:
        expect(m.daemons[daemon].running(), f"{daemon} is running")
    m.wait_for_idle()
    m.expect_nothing_changed(before)
    expect_not_in("\x1b", m.log.text(), "the log")
    m.sign_in("alice")


@test("a message longer than 64 KiB, passed descriptors and a silent connection harm neither daemon")
def odd_packets(m):
    for path in (PAM_OIDCD_SOCKET, PROVISIOND_SOCKET):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.settimeout(20)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            connection.connect(path)
            try:
                connection.send(b"op=lookup\0name=" + b"a" * 200000 + b"\0")
                expect_equal(connection.recv(MAX), b"", "the answer to an oversized message")
            except (ConnectionResetError, BrokenPipeError):
                pass
        daemon = m.daemons["pam_oidcd" if path == PAM_OIDCD_SOCKET else "provisiond"]
        descriptors = len(os.listdir(f"/proc/{daemon.pid}/fd"))
        for _ in range(50):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
                connection.settimeout(20)
                connection.connect(path)
                try:
                    socket.send_fds(connection, [pack(("op", "pending"))], [0, 1, 2])
                    connection.recv(MAX)
                except (ConnectionResetError, BrokenPipeError, PermissionError):
                    pass  # from Linux 6.16 on they are refused on their way
        wait_for("the daemon's descriptors to be closed", lambda: len(os.listdir(f"/proc/{daemon.pid}/fd")) <= descriptors + 1, 20)
    silent = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(50)]
    for number, connection in enumerate(silent):
        connection.connect((PAM_OIDCD_SOCKET, PROVISIOND_SOCKET)[number % 2])
    m.sign_in("alice")


# ---- disks ----

STORED = "Your account could not be stored, and nothing was changed."


def fill(folder):
    """Leaves no byte free on the file system of the folder; what undoes it."""
    path = f"{folder}/.filler"
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65536)
        except OSError as problem:
            expect_equal(problem.errno, errno.ENOSPC, "why filling ended")
        try:
            while True:
                file.write(b"\0")
        except OSError:
            pass
    return lambda: os.unlink(path)


def read_only(folder):
    def mount(*options):
        os.system(f"mount -o remount,bind,{options[0]} {folder}")

    if not os.path.ismount(folder):
        os.system(f"mount --bind {folder} {folder}")
    mount("ro")
    return lambda: mount("rw")


@cases([
    ("a full /etc", lambda: fill("/run/sandbox/etc")),
    ("a full /home", lambda: fill("/home")),
    ("a full /var/lib/provisiond", lambda: fill("/var/lib/provisiond")),
    ("a read-only /etc", lambda: read_only("/etc")),
    ("a read-only /home", lambda: read_only("/home")),
])
def disk(m, harm):
    """The person reads that nothing was stored, the log says why, the files are whole; and afterwards it works."""
    os.makedirs("/etc/skel/photos", exist_ok=True)
    with open("/etc/skel/photos/ward.raw", "wb") as file:
        file.write(b"\1" * 300000)
    screen = m.ssh("alice")
    code = m.code_on(screen)
    undo = harm()
    before = m.account_files()
    m.issuer.approve(code, "alice")
    screen.enter()
    screen.wait_for_end(20)
    after = m.account_files()
    undo()
    expect_once(STORED, screen.text(), "the screen")
    expect_equal({path: text for path, text in after.items() if path != "/home"},
                 {path: text for path, text in before.items() if path != "/home"}, "the account files")
    expect("alice" not in after["/home"], "no home for alice")
    m.log.wait_for(r"provisiond.*(No space left|Read-only|disk is full|full)")
    screen = m.sign_in("alice")
    expect_equal(m.ask_in(screen, "wc -c < ~/photos/ward.raw"), "300000", "the skeleton's file")
    m.run("pwck", "-rq")


@test("a full disk at the second sign-in costs nobody the account: alice gets in or reads why")
def disk_second_time(m):
    m.sign_in("alice").enter("exit")
    row, shadow = m.passwd("alice"), m.shadow("alice")
    undos = [fill("/run/sandbox/etc"), fill("/var/lib/provisiond")]
    screen = m.ssh("alice")
    m.approve_on(screen)
    screen.enter()
    wait_for("a shell or an end", lambda: screen.ended() is not None or "@ward3" in screen.text().splitlines()[-1], 20)
    for undo in undos:
        undo()
    expect_equal((m.passwd("alice"), m.shadow("alice")), (row, shadow), "alice's lines")
    m.sign_in("alice")


@test("a lock held by an editor delays the sign-in and nothing else; when it is released the account is made")
def held_lock(m):
    screen = m.ssh("alice")
    code = m.code_on(screen)
    lock = os.open("/etc/.pwd.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.lockf(lock, fcntl.LOCK_EX)
    m.issuer.approve(code, "alice")
    screen.enter()
    m.log.wait_for("pam_oidcd|provisiond")
    began = time.monotonic()
    for _ in range(5):
        expect_equal(m.lookup("bob")["status"], "entry", "a lookup meanwhile")
    expect(time.monotonic() - began < 2, "lookups go on while the lock is held")
    time.sleep(1.5)
    expect(m.passwd("alice") is None, "nothing is written while the lock is held")
    os.close(lock)
    m.wait_for_shell(screen, "alice")


@test("a lock that is never released ends in a sentence, and nothing is changed", seconds=90)
def stuck_lock(m):
    screen = m.ssh("alice")
    code = m.code_on(screen)
    before = m.account_files()
    lock = os.open("/etc/.pwd.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.lockf(lock, fcntl.LOCK_EX)
    m.issuer.approve(code, "alice")
    screen.enter()
    screen.wait_for_sentence(STORED, 60)
    m.expect_nothing_changed(before)
    os.close(lock)
    m.sign_in("alice")


@test("a database that is garbage stops provisiond with a sentence, and no account is touched")
def garbage_database(m):
    m.sign_in("alice")
    m.provisiond.stop()
    before = m.account_files()
    with open("/var/lib/provisiond/accounts.db", "r+b") as database:
        database.write(b"not a database, not at all" * 40)
    for extra in ("accounts.db-wal", "accounts.db-shm"):
        if os.path.exists(f"/var/lib/provisiond/{extra}"):
            os.unlink(f"/var/lib/provisiond/{extra}")
    said = start_and_fail(m, "provisiond")
    expect_in("accounts.db", said, "what provisiond says")
    m.expect_nothing_changed(before)


@test("a lost database: people with accounts are refused rather than taken for someone else")
def lost_database(m):
    m.sign_in("alice")
    m.provisiond.stop()
    for name in os.listdir("/var/lib/provisiond"):
        os.unlink(f"/var/lib/provisiond/{name}")
    before = m.account_files()
    m.start_provisiond()
    screen = m.ssh("alice", options=["NumberOfPasswordPrompts=1"])
    wait_for("a question for the password, a code or an end",
             lambda: "assword:" in screen.text() or screen.ended() is not None or "and enter" in screen.text(), 20)
    if "and enter" in screen.text():
        m.approve_on(screen)
        screen.enter()
        screen.wait_for_end()
    screen.press("C-c")
    m.expect_nothing_changed(before)


# ---- the clock ----


@test("a clock set back by a day refuses tokens from the future, and nothing is lost when it is right again", start=False)
def clock_set_back(m):
    m.use_own_clock(0)
    m.start()
    screen = m.sign_in("alice")
    uid = m.ask_in(screen, "id -u")
    screen = m.ssh("bob")
    code = m.code_on(screen)
    before = m.account_files()
    m.set_clock(-86400)
    m.issuer.approve(code, "bob")
    screen.enter()
    screen.wait_for_end(20)
    m.expect_nothing_changed(before)
    m.log.wait_for("pam_oidcd.*(clock|future|iat|not yet)")
    # Public keys of TLS, deadlines and accounts survive it: back in time and forth again, alice is herself.
    m.set_clock(0)
    screen = m.sign_in("alice")
    expect_equal(m.ask_in(screen, "id -u"), uid, "alice's uid")
    m.sign_in("bob")


@test("a clock that is 30 seconds off, either way, is forgiven", start=False)
def clock_slightly_off(m):
    m.use_own_clock(-30)
    m.start()
    m.sign_in("alice")
    m.set_clock(30)
    m.sign_in("bob")


@test("a clock set back while somebody waits neither ends nor prolongs the wait", start=False)
def clock_while_waiting(m):
    m.use_own_clock(0)
    m.start()
    m.set_pam_arguments("sshd", "timeout=8")
    screen = m.ssh("alice")
    m.code_on(screen)
    polls = m.issuer.requests("token")
    m.set_clock(-86400)
    wait_for("more polls", lambda: m.issuer.requests("token") >= polls + 2, 10)
    m.wait_for_idle(10)
    screen.enter()
    screen.wait_for_sentence("The code has expired before it was approved.")

