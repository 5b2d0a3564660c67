"""A hostile local user: any uid talks to the daemons' sockets, in any way, and programs are started as an attacker would.

Knows no expectation; what must come of it stands in the test.
"""

import array
import contextlib
import os
import pickle
import pwd
import resource
import select
import signal
import socket
import stat
import subprocess
import sys
import time
import traceback

import harness
import wire
from machine import PROVISIOND_SOCKET
from wire import MAX, Connection, pack, unpack

SECTION = "hostile local user"


class Tally:
    """How many attacks were tried, and which of them got through."""

    def __init__(self):
        self.tried = 0
        self.surprises = []

    def judge(self, harmless, what):
        self.tried += 1
        if not harmless:
            self.surprises.append(what)

    def add(self, tried, surprises):
        self.tried += tried
        self.surprises += surprises

    def close(self):
        """Prints the counts; the test fails when anything got through."""
        harness.count(SECTION, self.tried, self.tried - len(self.surprises), len(self.surprises))
        shown = "\n".join(self.surprises[:40])
        harness.expect(not self.surprises, f"{len(self.surprises)} of {self.tried} attacks were not refused as they should be:\n{shown}")


# ---- being somebody else ----


def become(uid, gid=None):
    os.setgroups([])
    gid = uid if gid is None else gid
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def start_as(uid, function, *arguments):
    """Runs the function in a process of that uid; (pid, the pipe on which its result will come)."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(read)
            if uid:
                become(uid)
            result = function(*arguments)
            with os.fdopen(write, "wb") as pipe:
                pipe.write(pickle.dumps(result))
            status = 0
        except BaseException:
            traceback.print_exc(file=sys.stdout)
            sys.stdout.flush()
        finally:
            os._exit(status)
    os.close(write)
    return child, read


def result_of(started):
    child, read = started
    with os.fdopen(read, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    harness.expect(answer, "a process of another uid came back without a result")
    return pickle.loads(answer)  # written by ourselves


def as_user(uid, function, *arguments):
    return result_of(start_as(uid, function, *arguments))


def uid_of(name):
    return pwd.getpwnam(name).pw_uid


# ---- what a stranger says, and what comes back ----


def connect(path, seconds=20.0):
    return wire.connect(path, seconds * harness.PATIENCE)


def receive(connection):
    """The next packet; b"" when the other side closed."""
    try:
        return connection.recv(MAX)
    except (ConnectionResetError, BrokenPipeError):
        return b""


def hung_up(connection, seconds):
    poll = select.poll()
    poll.register(connection, 0)
    return bool(poll.poll(seconds * 1000))


def outcome(path, packet, look_whether_open=True):
    """What one packet brings: the answers in full, and whether the connection stays. Nothing is left out: what differs here can be
    told apart by whoever asks."""
    with connect(path) as connection:
        try:
            connection.send(packet)
        except (BrokenPipeError, ConnectionResetError):
            pass
        answers = [receive(connection)]
        if not answers[0]:
            return ("closed",)
        if not look_whether_open:
            return (answers[0],)
        while hung_up(connection, 1.0) and answers[-1]:
            answers.append(receive(connection))
        return tuple(answers[:-1]) + ("closed",) if not answers[-1] else tuple(answers) + ("open",)


def outcomes(path, packets, look_whether_open=True):
    return [outcome(path, packet, look_whether_open) for packet in packets]


def time_to_end(path, packets, rounds):
    """For each packet the median time in microseconds until the first answer or the end, all of them in turn."""
    took = [[] for _ in packets]
    for _ in range(rounds):
        for number, packet in enumerate(packets):
            with connect(path) as connection:
                began = time.perf_counter()
                try:
                    connection.send(packet)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                receive(connection)
                took[number].append((time.perf_counter() - began) * 1e6)
    return [sorted(times)[len(times) // 2] for times in took]


def admit(m, name):
    """pam_oidcd's own question, which makes the account without anybody's screen; the answer."""
    uid = m.promised_uid(name)
    return as_user(uid_of("_pam_oidc"), ask, PROVISIOND_SOCKET, [
        ("op", "admit"), ("name", name), ("uid", uid), ("tenant", "clinic"), ("issuer", m.issuer.issuer),
        ("client_id", "clinic-app"), ("subject", f"00u{name}"), ("email", f"{name}@clinic.example"), ("email_verified", "true"),
        ("full_name", name.title()), ("service", "sshd"), ("rhost", "127.0.0.1"), ("tty", "ssh"),
    ])


def make_accounts(m, *names):
    for name in names:
        email = f"{name}@clinic.example"
        m.issuer.control("users", **{name: {"login": email, "email": email, "email_verified": True, "name": name.title(), "sub": f"00u{name}",
                                            "assigned": True}})
        answer = admit(m, name)
        harness.expect_equal(answer and answer.get("status"), "admitted", f"the account of {name}: {answer}")


def ask(path, fields, seconds=20.0):
    with Connection(path, seconds * harness.PATIENCE) as connection:
        return connection.ask(*fields)


def login_packet(name, *more, service="lock", timeout=60, rhost=""):
    return pack(("op", "login"), ("name", name), ("service", service), ("tty", "pts/7"), ("rhost", rhost), ("qr", "none"),
                ("wait", "info"), ("timeout", timeout), *more)


# ---- watching the daemons ----


def kept_for_issuers(daemon):
    """The sockets of connections to port 443, which the daemon keeps for the next sign-in, a few or one."""
    found = set()
    for family in ("tcp", "tcp6"):
        with open(f"/proc/{daemon.pid}/net/{family}") as rows:
            for row in list(rows)[1:]:
                words = row.split()
                if words[2].endswith(":01BB"):
                    found.add(f"socket:[{words[9]}]")
    return found


def descriptors(daemon):
    """How many it has open, but for connections to issuers."""
    folder = f"/proc/{daemon.pid}/fd"
    issuers = kept_for_issuers(daemon)
    number = 0
    for name in os.listdir(folder):
        try:
            number += os.readlink(f"{folder}/{name}") not in issuers
        except FileNotFoundError:
            pass
    return number


def resident_kib(daemon):
    with open(f"/proc/{daemon.pid}/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    raise harness.Failure(f"{daemon.name} has no memory")


def pass_descriptors(connection, packet, numbers):
    connection.sendmsg([packet], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", numbers))])


# ---- programs in a hostile place ----

CLOSED = {"all open": (), "0": (0,), "1": (1,), "2": (2,), "0 and 1": (0, 1), "0 and 2": (0, 2), "1 and 2": (1, 2),
          "0, 1 and 2": (0, 1, 2)}


class Place:
    """How a program is started: what an unprivileged parent may choose for a setuid child."""

    def __init__(self, name, environment=None, umask=0o022, limits=(), closed=(), ignored=(), blocked=(), deleted_cwd=False,
                 argv0=None, alarm=0, stdin=b"wrong\nwrong\nwrong\n", stray=0):
        self.name = name
        self.environment = environment or {}
        self.umask = umask
        self.limits = limits
        self.closed = closed
        self.ignored = ignored
        self.blocked = blocked
        self.deleted_cwd = deleted_cwd
        self.argv0 = argv0
        self.alarm = alarm
        self.stdin = stdin
        self.stray = stray

    def prepare(self, uid, gid, folder):
        become(uid, gid)
        os.chdir(folder)
        if self.deleted_cwd:
            place = os.path.join(folder, f"gone-{os.getpid()}")
            os.mkdir(place)
            os.chdir(place)
            os.rmdir(place)
        os.umask(self.umask)
        for number in self.ignored:
            signal.signal(number, signal.SIG_IGN)
        if signal.SIGPIPE not in self.ignored:
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, self.blocked)
        for _ in range(self.stray):
            os.set_inheritable(os.dup(1), True)
        for descriptor in self.closed:
            os.close(descriptor)
        if self.alarm:
            signal.alarm(self.alarm)
        # Last: hardly anything works afterwards.
        for number, limit in self.limits:
            resource.setrlimit(number, (limit, limit))


class Ended:
    def __init__(self, status, output):
        self.status = status
        self.output = output


def run_in(place, uid, words, folder="/tmp", seconds=60):
    """Starts the program as that user in that place; how it ended and what it said on descriptors 1 and 2."""
    gid = pwd.getpwuid(uid).pw_gid
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/", "LANG": "C.UTF-8", **place.environment}
    read, write = os.pipe()
    feed_read, feed_write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            os.dup2(feed_read, 0)
            os.dup2(write, 1)
            os.dup2(write, 2)
            os.closerange(3, 4096)
            place.prepare(uid, gid, folder)
            os.execve(words[0], [place.argv0 or words[0], *words[1:]], environment)
        except BaseException as problem:
            with contextlib.suppress(OSError):
                os.write(2, f"not started: {problem!r}".encode())
        os._exit(126)
    os.close(write)
    os.close(feed_read)
    with contextlib.suppress(BrokenPipeError):
        os.write(feed_write, place.stdin)
    os.close(feed_write)
    return collect(child, read, seconds)


def collect(child, read, seconds):
    """Reads until the program has ended; it is killed when it takes too long."""
    output = b""
    deadline = time.monotonic() + seconds * harness.PATIENCE
    while True:
        if select.select([read], [], [], 0.05)[0]:
            part = os.read(read, 65536)
            output += part
            if part:
                continue
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            output += b"\nit did not end by itself"
            break
    os.close(read)
    return Ended(os.waitstatus_to_exitcode(status), output.decode(errors="replace"))


def files_below(*folders):
    """Every file with mode and owner, to see what has come into being."""
    found = {}
    for folder in folders:
        for place, below, names in os.walk(folder):
            for name in below + names:
                path = os.path.join(place, name)
                with contextlib.suppress(FileNotFoundError):
                    state = os.lstat(path)
                    found[path] = (stat.filemode(state.st_mode), state.st_uid, state.st_gid)
    return found
