"""A hostile local user: at both sockets, under strange names at every door, and with su and sudo in every disguise.

They learn nothing about others, get nowhere, and hold up nobody. Batches of attacks share a machine.
"""

import os
import re
import resource
import select
import signal
import socket
import struct
import subprocess
import threading
import time

import harness
from harness import expect, expect_equal, expect_in, figure, test, wait_for
from hostile_local import (
    CLOSED, Place, Tally, admit, as_user, ask, connect, descriptors, files_below, hung_up, login_packet, make_accounts,
    outcome, outcomes, pass_descriptors, receive, resident_kib, result_of, run_in, start_as, time_to_end, uid_of,
)
from machine import PAM_OIDCD_SOCKET, PROVISIOND_SOCKET
from wire import MAX, pack, unpack

TAGS = {"hostile"}
SOCKETS = {"provisiond": PROVISIOND_SOCKET, "pam_oidcd": PAM_OIDCD_SOCKET}
LOCAL, OTHER = 1500, 1501
NOBODY_HERE = 61000  # the first of many uids that no account has

# Names of every kind there is; a stranger must not tell one from another.
OTHERS_NAMES = (
    "alice", "bob", "carol", "zoe", "nobody-yet", "root", "daemon", "sudoer", "docker", "wheel", "_pam_oidc", "UPPER", "x" * 32, "x" * 33,
    "alice@clinic.example", "zoe@clinic.example", "carol@clinic.example", "root@clinic.example", "a@evil.example", "no@such@mail", "0",
)


def deactivate(m, name):
    m.run("chage", "-E", "0", name, check=True)


def inhabited(m):
    """alice and bob are active, carol is locked out; nobody else has an account of ours."""
    make_accounts(m, "alice", "bob", "carol")
    deactivate(m, "carol")


def packets_about(name, uid):
    """Every question of both sockets that has to do with a name, by what is asked."""
    identity = (("tenant", "clinic"), ("issuer", "https://clinic.okta.example"), ("client_id", "clinic-app"), ("subject", "00u1"),
                ("email", "alice@clinic.example"), ("email_verified", "true"), ("full_name", "A"), ("service", "sshd"), ("rhost", ""))
    return {
        ("provisiond", "lookup for nss"): pack(("op", "lookup"), ("name", name), ("purpose", "nss"), ("service", "sshd")),
        ("provisiond", "lookup for login"): pack(("op", "lookup"), ("name", name), ("purpose", "login"), ("service", "sshd")),
        ("provisiond", "lookup for a caller"): pack(("op", "lookup"), ("name", name), ("purpose", "login"), ("caller", uid)),
        ("provisiond", "standing"): pack(("op", "standing"), ("name", name)),
        ("provisiond", "admit"): pack(("op", "admit"), ("name", name), *identity),
        ("provisiond", "show"): pack(("op", "show"), ("name", name)),
        ("provisiond", "list"): pack(("op", "list"), ("name", name)),
        ("provisiond", "login"): login_packet(name),
        ("provisiond", "redeem"): pack(("op", "redeem"), ("ticket", "a" * 64), ("name", name), ("uid", uid)),
        ("pam_oidcd", "login"): login_packet(name),
        ("pam_oidcd", "login as sshd"): login_packet(name, service="sshd", rhost="198.51.100.7"),
        ("pam_oidcd", "login with a uid"): login_packet(name, ("uid", uid)),
        ("pam_oidcd", "login for somebody"): login_packet(name, ("started_by", 0), ("parent", "1:1")),
        ("pam_oidcd", "pending"): pack(("op", "pending"), ("name", name)),
        ("pam_oidcd", "cancel"): pack(("op", "cancel"), ("id", 1), ("name", name)),
        ("pam_oidcd", "check"): pack(("op", "check"), ("name", name)),
        ("pam_oidcd", "park"): pack(("op", "park"), ("name", name)),
        ("pam_oidcd", "ready"): pack(("op", "ready"), ("name", name)),
        ("pam_oidcd", "standing"): pack(("op", "standing"), ("name", name)),
    }


@test("an answer to a stranger tells nothing about who exists", tags=TAGS, seconds=180)
def answers(m):
    """Byte for byte the same for names of every kind, and the connection ends or stays alike. Root's answers differ."""
    inhabited(m)
    tally = Tally()
    askers = {"a local user": LOCAL, "a managed user": uid_of("bob"), "a uid of nobody": NOBODY_HERE, "_pam_oidc": uid_of("_pam_oidc")}
    about = {name: packets_about(name, uid_of("alice")) for name in OTHERS_NAMES}
    for who, uid in askers.items():
        own = {"a managed user": ("bob", "bob@clinic.example"), "_pam_oidc": ("_pam_oidc",)}.get(who, ())
        names = [name for name in OTHERS_NAMES if name not in own]
        for daemon, question in packets_about("", 0):
            if who == "_pam_oidc" and daemon == "provisiond" and question.startswith(("lookup", "admit")):
                continue  # these are its to ask
            if question == "redeem":  # about the ticket, not the name
                names = names[:6]
            packets = [about[name][daemon, question] for name in names]
            got = as_user(uid, outcomes, SOCKETS[daemon], packets, question == "redeem")
            usual = max(set(got), key=got.count)
            for name, came in zip(names, got):
                tally.judge(came == usual, f"{who}: {question} at {daemon} about {name!r}: {came} where others get {usual}")
                tally.judge(not any(word in part for part in came if isinstance(part, bytes)
                                    for word in (b"clinic", b"alice", b"show", b"admitted", b"uid=")),
                            f"{who}: {question} at {daemon} about {name!r} tells {came}")
    expect_equal(m.issuer.requests("device"), 0, "codes asked for")
    # The attacks could have told something: root's answers about the same names do differ.
    for question in ("standing", "lookup for nss", "show"):
        got = outcomes(PROVISIOND_SOCKET, [about[name]["provisiond", question] for name in OTHERS_NAMES], False)
        expect(len(set(got)) > 3, f"root's answers to {question} differ: {got}")
    for question in ("standing", "login"):
        daemon = "provisiond" if question == "standing" else "pam_oidcd"
        packets = [about[name][daemon, question] for name in OTHERS_NAMES]
        medians = as_user(LOCAL, time_to_end, SOCKETS[daemon], packets, 15)
        figure(f"a stranger's {question}: medians for {len(medians)} kinds of names, the longest", max(medians), "us",
               extra=f", the shortest {min(medians):.4g} us")
    tally.close()


def guesses(ticket):
    """What a stranger may show who knows no ticket, or knows all of it but a digit."""
    flipped = ticket[:-1] + ("0" if ticket[-1] != "0" else "1")
    near = [ticket[:63], ticket[:32], ticket[1:], flipped, ticket.upper() if ticket.upper() != ticket else "A" * 64, ticket + "0", " " + ticket,
            ticket + "\n", "", "%s", ticket[::-1] if ticket[::-1] != ticket else "b" * 64]
    return near + [f"{number:064x}" for number in range(200)]


@test("a stranger uses up no ticket, and starts, cancels, parks and resumes no sign-in of others", tags=TAGS, seconds=180)
def acts(m):
    inhabited(m)
    tally = Tally()
    alice = uid_of("alice")
    ticket = admit(m, "alice")["ticket"]
    screen = m.ssh("bob")  # somebody who waits meanwhile
    code = m.code_on(screen)
    waiting = m.pending()
    expect_equal(len(waiting), 1, "sign-ins waiting")
    before = m.account_files()
    for who in (LOCAL, uid_of("bob"), uid_of("_pam_oidc"), NOBODY_HERE):
        shown = guesses(ticket)
        got = as_user(who, outcomes, PROVISIOND_SOCKET, [
            pack(("op", "redeem"), ("ticket", guess), ("name", "alice"), ("uid", alice)) for guess in shown], False)
        for guess, came in zip(shown, got):
            tally.judge(unpack(came[0]) in ([], [("status", "no")]) if isinstance(came[0], bytes) else came == ("closed",),
                        f"uid {who}: redeeming {guess!r} brings {came}")
        packets = [pack(("op", "cancel"), ("id", number)) for number in range(60)]
        packets += [pack(("op", op)) for op in ("park", "ready", "pending", "check", "list", "show")]
        if who != uid_of("bob"):
            packets += [login_packet("bob", *more, service=service, rhost=rhost) for service in ("lock", "sshd", "su", "login")
                        for rhost in ("", "127.0.0.1") for more in ((), (("uid", uid_of("bob")),), (("parent", "1:1"),), (("started_by", uid_of("bob")),))]
        for path in SOCKETS.values():
            got = as_user(who, outcomes, path, packets, False)
            for packet, came in zip(packets, got):
                word = dict(unpack(came[0])) if isinstance(came[0], bytes) else {}
                tally.judge(came == ("closed",) or word.get("reason") == "not_ours", f"uid {who} at {path}: {packet!r} brings {came}")
    expect_equal(m.issuer.requests("device"), 1, "codes asked for")
    expect_equal([(signin["id"], signin["name"]) for signin in m.pending()], [(waiting[0]["id"], "bob")], "who waits")
    m.expect_nothing_changed(before)
    # Nothing was used up: the ticket is good, and whoever waited gets in.
    got = ask(PROVISIOND_SOCKET, [("op", "redeem"), ("ticket", ticket), ("name", "alice"), ("uid", alice)])
    expect_equal(got, {"status": "confirmed", "account": "alice", "uid": str(alice)}, "the ticket of alice's own")
    m.issuer.approve(code, "bob")
    screen.enter()
    m.wait_for_shell(screen, "bob")
    tally.close()


def claims_a_host(name, times):
    """Sign-ins of a user's own under another's address; how each ended. Those that wait stay until the end."""
    kept, ended = [], []
    for _ in range(times):
        connection = connect(PAM_OIDCD_SOCKET)
        connection.send(login_packet(name, rhost="127.0.0.1"))
        answer = dict(unpack(receive(connection)))
        ended.append(answer.get("reason", answer.get("status")))
        kept.append(connection)
    return ended


def calls_su(uid, times):
    """su processes of that user, all waiting for somebody's approval."""
    return [subprocess.Popen(["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "su", "-", "alice"], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True) for _ in range(times)]


@test("a local user uses up neither a host's starts and places nor those of the console, by themselves, through su or through sudo",
      tags=TAGS, seconds=240)
def places_of_others(m):
    inhabited(m)
    tally = Tally()
    limit = 20  # max_starts_per_minute
    ended = as_user(uid_of("bob"), claims_a_host, "bob", 16)
    tally.add(len(ended), [] if ended.count("show") <= 3 else [f"a user had {ended.count('show')} sign-ins of their own waiting at once"])
    for _ in range(3):
        ended = as_user(uid_of("bob"), claims_a_host, "bob", 12)
        tally.add(len(ended), [])
    m.wait_for_idle()
    expect(m.issuer.requests("device") <= limit, f"a user had {m.issuer.requests('device')} codes in a minute")
    called = calls_su(LOCAL, 70)
    wait_for("su's sign-ins to be there or refused", lambda: len(m.pending()) + sum(su.poll() is not None for su in called) >= 70, 40)
    tally.add(len(called), [] if len(m.pending()) <= 3 else [f"{len(m.pending())} sign-ins of one caller of su's wait for one account"])
    # All of that counted for those two users: the same name over SSH from the very address that bob named, and the console, work.
    m.sign_in("bob")
    screen = m.login("alice@clinic.example")
    m.approve_on(screen)
    m.wait_for_shell(screen, "alice")
    screen = m.sign_in("alice")
    # sudo becomes root wholly, and yet alice is whom its sign-in counts for.
    screen.enter("for n in 1 2 3 4 5; do sudo -k; sudo -n -S true & sudo -S id -u < /dev/zero > /tmp/su$n 2>&1 & done; clear")
    wait_for("sudo's sign-ins", lambda: [s for s in m.pending() if s["service"] == "sudo"], 20)
    time.sleep(1)
    waiting = [signin for signin in m.pending() if signin["service"] == "sudo"]
    tally.add(5, [] if len(waiting) <= 3 else [f"{len(waiting)} sign-ins of alice's wait in sudo"])
    for su in called:
        su.kill()
        su.wait()
    tally.close()


# ---- frames ----

BOUNDARY = pack(("op", "standing"), ("name", "alice"))
FRAMES = {
    "empty": b"",
    "one NUL": b"\0",
    "only NULs": b"\0" * 4096,
    "64 KiB of NULs": b"\0" * MAX,
    "no NUL at all": b"op=standing",
    "a question cut before its NUL": BOUNDARY[:-1],
    "a question cut in its key": BOUNDARY[:14] + b"\0",
    "half a question": BOUNDARY[:12],
    "two questions in one packet": BOUNDARY + BOUNDARY,
    "two different questions in one packet": BOUNDARY + pack(("op", "list")),
    "a status and a question": pack(("status", "active"), ("op", "list")),
    "a question after a field": pack(("name", "alice"), ("op", "standing")),
    "an op that is empty": pack(("op", "")),
    "an op with a space": pack(("op", "list ")),
    "an op in upper case": pack(("op", "LIST")),
    "an op of 60000 bytes": pack(("op", "l" * 60000)),
    "ten thousand fields": b"op=standing\0" + b"a=b\0" * 10000,
    "ten thousand names": b"op=standing\0" + b"name=a\0" * 9000,
    "a name twice": pack(("op", "standing"), ("name", "alice"), ("name", "localuser")),
    "a service twice": pack(("op", "login"), ("name", "alice"), ("service", "a"), ("service", "b"), ("qr", "none"), ("timeout", 5)),
    "a caller twice": pack(("op", "lookup"), ("name", "alice"), ("purpose", "login"), ("caller", 0), ("caller", 1)),
    "a key without =": b"op=standing\0name\0",
    "an empty key": b"op=standing\0=alice\0",
    "a key of digits": b"op=standing\x001=alice\0",
    "a key with a newline": b"op=standing\0na\nme=alice\0",
    "a key of 60000 bytes": b"op=standing\0" + b"k" * 60000 + b"=\0",
    "invalid UTF-8 in a key": b"op=standing\0\xff\xfe=alice\0",
    "invalid UTF-8 in a value": b"op=standing\0name=\xff\xfe\xc3\x28\xed\xa0\x80\0",
    "escape sequences": b"op=standing\0name=\x1b]0;pwned\x07\x1b[2J\n\0",
    "format directives": pack(("op", "standing"), ("name", "%s%n%n%n%1000000d")),
    "a path": pack(("op", "standing"), ("name", "../../etc/shadow")),
    "a name of 60000 bytes": pack(("op", "standing"), ("name", "a" * 60000)),
    "numbers out of every range": pack(("op", "redeem"), ("ticket", "a" * 64), ("name", "alice"), ("uid", 2**63)),
    "a negative uid": pack(("op", "redeem"), ("ticket", "a" * 64), ("name", "alice"), ("uid", -1)),
    "the uid that is none": pack(("op", "redeem"), ("ticket", "a" * 64), ("name", "alice"), ("uid", 2**32 - 1)),
    "a uid in hexadecimal": pack(("op", "redeem"), ("ticket", "a" * 64), ("name", "alice"), ("uid", "0x0")),
    "a timeout of nothing": login_packet("alice", timeout=0),
    "a timeout of years": login_packet("alice", timeout=10**9),
    "an unknown QR style": pack(("op", "login"), ("name", "alice"), ("service", "a"), ("qr", "gif"), ("timeout", 5)),
    "a login with a service of controls": login_packet("alice", service="a\x1b[2J"),
}


def say_frames(path, frames):
    """Sends each on a connection of its own; what each got, a name for what the kernel itself refused."""
    got = []
    for frame in frames:
        with connect(path) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
            try:
                connection.send(frame)
                # An empty packet is the end of the connection on the other side.
                got.append(receive(connection))
            except OSError as problem:
                got.append(problem.strerror.encode())
    return got


def odd_sends(path):
    """What sendmsg(2) can do besides data. Each entry: (what, what came of it)."""
    results = []

    def attempt(what, act):
        with connect(path) as connection:
            try:
                act(connection)
                results.append((what, receive(connection)))
            except OSError as problem:
                results.append((what, problem.strerror.encode()))

    null = os.open("/dev/null", os.O_RDONLY)
    end, other_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    forged = struct.pack("3i", 1, 0, 0)
    for question in (BOUNDARY, pack(("op", "pending")), b"\0"):
        attempt("a descriptor", lambda c: pass_descriptors(c, question, [null]))
        attempt("253 descriptors", lambda c: pass_descriptors(c, question, [null] * 253))
        attempt("its own other end", lambda c: pass_descriptors(c, question, [c.fileno()]))
        attempt("a socket", lambda c: pass_descriptors(c, question, [end.fileno(), other_end.fileno()]))
        attempt("a directory", lambda c: pass_descriptors(c, question, [os.open("/", os.O_RDONLY)]))
        attempt("forged credentials", lambda c: c.sendmsg([question], [(socket.SOL_SOCKET, 2, forged)]))
        attempt("urgent data", lambda c: c.send(question, socket.MSG_OOB))
        attempt("half a message", lambda c: c.send(question, socket.MSG_MORE))
        attempt("no record's end", lambda c: (c.send(question[:5]), c.send(question[5:])))
        attempt("the writing half closed", lambda c: (c.send(question), c.shutdown(socket.SHUT_WR)))
        attempt("the reading half closed", lambda c: (c.send(question), c.shutdown(socket.SHUT_RD)))
        attempt("both halves closed", lambda c: (c.send(question), c.shutdown(socket.SHUT_RDWR)))
    return results


@test("no frame, passed descriptor or forged credential harms a daemon or brings an answer", tags=TAGS, seconds=180)
def frames(m):
    inhabited(m)
    tally = Tally()
    before = m.account_files()
    idle = {name: descriptors(m.daemons[name]) for name in SOCKETS}
    oversized = [b"op=standing\0name=" + b"a" * size + b"\0" for size in (65 << 10, 256 << 10, 1 << 20)]
    for who in (LOCAL, uid_of("bob"), uid_of("_pam_oidc"), 0):
        for name, path in SOCKETS.items():
            got = as_user(who, say_frames, path, [*FRAMES.values(), *oversized])
            for what, came in zip(list(FRAMES) + ["65 KiB", "256 KiB", "1 MiB"], got):
                # Root may ask for anybody's standing; nobody may have more than a word about one name from a malformed frame.
                harmless = (b"", b"Message too long", b"No buffer space available", b"status=not_ours\0", b"status=no\0", b"Cannot allocate memory")
                if who == 0:
                    harmless += (b"status=promised\0",)
                if who == 0 and what == "a login with a service of controls":  # root's word, which the log escapes
                    continue
                tally.judge(came in harmless, f"uid {who} at {name}: {what} brings {came[:200]!r}")
            for what, came in as_user(who, odd_sends, path):
                answered = who == 0 and (came.startswith(b"status=active") or came.startswith(b"status=end"))
                refused = came in (b"", b"Operation not permitted", b"Operation not supported", b"Invalid argument", b"Bad file descriptor",
                                   b"Connection reset by peer", b"Broken pipe")
                tally.judge(refused or answered, f"uid {who} at {name}: {what} brings {came[:200]!r}")
    for name, daemon in m.daemons.items():
        expect(daemon.running(), f"{name} is running")
        wait_for(f"{name} to have no more descriptors than before", lambda: descriptors(daemon) <= idle[name], 30)
    expect("\x1b" not in m.log.text(), "no escape sequence in the log")
    m.expect_nothing_changed(before)
    m.sign_in("alice")
    tally.close()


def lingering_socket(seconds):
    """A TCP socket whose last close waits, and the end that keeps it waiting."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        sender = socket.create_connection(listener.getsockname())
        reader, _ = listener.accept()
    sender.setblocking(False)
    try:
        while True:
            sender.send(b"x" * 65536)
    except BlockingIOError:
        pass
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, seconds))
    return sender, reader


def pass_one_lingering(path, sender, packet, question_before):
    """The daemon's is the last reference, unless it was quicker than we; then this process waits, and is ended by its alarm."""
    with connect(path) as connection:
        if question_before:
            connection.send(BOUNDARY)
        try:
            pass_descriptors(connection, packet, [sender.fileno()])
        except OSError:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))
            return 1
        sender.close()
        return 0


def pass_lingering(path, count, question_before, done, gate):
    """Leaves the last references to lingering sockets with the daemon, and keeps them lingering until the gate opens; how many it was
    sent."""
    readers, children = [], []
    for number in range(count):
        sender, reader = lingering_socket(600)
        readers.append(reader)  # as long as these are there, and read nothing, a close of the others waits
        go_on, go = os.pipe()
        child = os.fork()
        if child == 0:
            status = 2
            try:
                signal.alarm(3)
                os.close(go)
                os.read(go_on, 1)
                status = pass_one_lingering(path, sender, BOUNDARY if number % 2 else b"\0", question_before)
            finally:
                os._exit(status)
        os.close(go_on)
        sender.close()  # not the last one
        os.close(go)
        children.append(child)
    ends = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    harness.expect(2 not in ends, f"the attack itself failed: {ends}")
    open(done, "w").close()
    while not os.path.exists(gate):
        time.sleep(0.02)
    return sum(end != 1 for end in ends)


@test("a passed descriptor whose close waits for ever keeps no daemon waiting", tags=TAGS, seconds=240)
def lingering(m):
    make_accounts(m, "alice")
    tally = Tally()
    passed = 0
    for path in SOCKETS.values():
        for question_before in (False, True):
            done, gate = (f"/tmp/{word}-{path.replace('/', '-')}-{question_before}" for word in ("done", "gate"))
            attack = start_as(LOCAL, pass_lingering, path, 8, question_before, done, gate)
            wait_for("the attackers to have passed their descriptors", lambda: os.path.exists(done), 30)
            for _ in range(3):
                answer = ask(PROVISIOND_SOCKET, [("op", "standing"), ("name", "alice")])
                expect_equal(answer and answer.get("status"), "active", f"root's question while {path} is attacked")
                m.pending()
            open(gate, "w").close()
            passed += result_of(attack)
            tally.add(8, [])
    m.sign_in("alice")
    refused = " (this kernel passes none to whoever wants none)" if passed == 0 else ""
    figure("descriptors with a lingering close that reached a daemon", passed, f"of 32{refused}")
    tally.close()


# ---- many connections ----


def hold_connections(path, number, gate):
    """Opens so many connections and keeps them until the gate opens; how many there were, and how many the daemon has left."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (number + 64, number + 64))
    held = []
    for _ in range(number):
        try:
            held.append(connect(path, 1 / harness.PATIENCE))
        except OSError:
            pass  # its backlog is full
    while not os.path.exists(gate):
        time.sleep(0.02)
    return len(held), sum(not hung_up(connection, 0) for connection in held)


def connect_and_close(path, gate):
    """Comes and goes as quickly as it can; how often."""
    times = 0
    while not os.path.exists(gate):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.setblocking(times % 2)
            try:
                connection.connect(path)
                if times % 3 == 0:
                    connection.send(BOUNDARY)
            except OSError:
                pass
        times += 1
    return times


def never_reads(path, name, gate):
    """Asks again and again and takes no answer; how many questions were taken."""
    sent = 0
    connections = [connect(path) for _ in range(6)]
    for connection in connections:
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    while not os.path.exists(gate):
        for connection in connections:
            try:
                connection.send(login_packet(name) if path == PAM_OIDCD_SOCKET else pack(("op", "redeem"), ("ticket", "a" * 64), ("name", name)))
                sent += 1
            except OSError:
                pass
        time.sleep(0.001)
    return sent


def others_keep_working(m, what):
    """Everybody whom a stranger could hold up: root, another uid, pam_oidcd's own uid, and Alice over SSH."""
    alice = ("op", "standing"), ("name", "alice")
    expect_equal(ask(PROVISIOND_SOCKET, alice).get("status"), "active", f"root's question amid {what}")
    expect_equal(as_user(OTHER, ask, PROVISIOND_SOCKET, [("op", "standing"), ("name", "sudoer")]), {"status": "not_ours"},
                 f"another user's question amid {what}")
    expect_equal(admit(m, "alice").get("status"), "admitted", f"pam_oidcd's question amid {what}")
    expect(ask(PAM_OIDCD_SOCKET, [("op", "pending")]).get("status") in ("end", "signin"), f"root's question to pam_oidcd amid {what}")
    screen = m.sign_in("alice")
    screen.enter("exit")
    screen.wait_for_end()


@test("10,000 connections of a stranger's and their storms hold up nobody else, and leave nothing behind", tags=TAGS, seconds=400)
def connections(m):
    inhabited(m)
    others_keep_working(m, "nothing yet")
    tally = Tally()
    gate = "/tmp/gate"
    idle = {name: (descriptors(daemon), resident_kib(daemon)) for name, daemon in m.daemons.items()}
    peak = {name: 0 for name in SOCKETS}
    uids = [LOCAL, uid_of("bob")] + [NOBODY_HERE + number for number in range(18)]
    for name, path in SOCKETS.items():
        holders = [start_as(uid, hold_connections, path, 500, gate) for uid in uids]
        time.sleep(1)
        others_keep_working(m, f"10,000 connections to {name}")
        peak[name] = descriptors(m.daemons[name])
        open(gate, "w").close()
        held = [result_of(holder) for holder in holders]
        os.unlink(gate)
        most = max(kept for _, kept in held)
        opened = sum(made for made, _ in held)
        limit = {"provisiond": 8, "pam_oidcd": 16}[name]
        tally.add(500 * len(uids), [] if most <= limit else [f"one uid had {most} connections to {name} at once"])
        grown = peak[name] - idle[name][0]
        tally.judge(grown <= 128 + 32, f"{name} had {grown} descriptors more than idle")
        print(f"figure: 10,000 connections to {name}, {opened} of which it took out of its backlog; the limit of one uid ({limit}) and of all other "
              f"users (128) acted; descriptors then: {grown} more than idle")
    for what, attack, number in (("comers and goers", connect_and_close, 6), ("never-readers", None, 4)):
        for name, path in SOCKETS.items():
            if attack:
                running = [start_as(uids[n % 3], attack, path, gate) for n in range(number)]
            else:
                running = [start_as(uid, never_reads, path, own, gate) for uid, own in ((LOCAL, "localuser"), (uid_of("bob"), "bob"))]
            time.sleep(0.5)
            began = time.monotonic()
            others_keep_working(m, f"{what} at {name}")
            took = time.monotonic() - began
            open(gate, "w").close()
            times = sum(result_of(one) for one in running)
            os.unlink(gate)
            tally.add(max(1, min(times, 1000)), [])
            print(f"figure: {times} attempts of {what} at {name}; everybody else's round, a sign-in over SSH among it, took {took:.1f} s")
    m.wait_for_idle(30)
    for name, daemon in m.daemons.items():
        wait_for(f"{name}'s descriptors to be as before", lambda: descriptors(daemon) <= idle[name][0], 60)
        grown = resident_kib(daemon) - idle[name][1]
        figure(f"{name}'s memory after all of that, beyond {idle[name][1]} KiB", grown, "KiB")
        # AddressSanitizer keeps what was freed for a while.
        tally.judge(grown < 32 * 1024 or os.environ.get("E2E_SSHD_ASAN"), f"{name} kept {grown} KiB")
    lines = len([line for line in m.log.lines if "disconnected pid" in line or "a ticket was refused" in line])
    figure("lines that strangers' connections left in the log", lines, "lines")
    tally.judge(lines <= 1000, f"strangers wrote {lines} lines into the log")
    tally.close()


# ---- names ----

NAMES = [
    "..", ".", "/", "a/b", "/etc/passwd", "../../etc/shadow", "./alice", "alice/", "alice/../root", ":", "a:b", "alice:", "a:0:0::/:/bin/sh", "\n", "a\nb",
    "alice\n", "\nalice", "a\r", "alice\r\nroot", "%", "%s", "%s%n", "%n%n%n%n", "%l", "%u", "a%00b", " ", "  ", "alice ", " alice", "ali ce", "\t",
    "alice\t", "-", "-a", "-alice", "--", "--help", "-c", "alice$", "$", "$(id)", "`id`", ";id", "|id", "&", "'", '"', "\\", "*", "?", "~", "~root", "!", "#", "",
    "x" * 31 + "$", "x" * 33, "x" * 255, "x" * 256, "x" * 4096, "ROOT", "Root", "Alice", "ALICE", "0", "00", "+0", "-0", "0x0", "1500", "4294967295", "-1",
    "+", "@", "+alice", "-alice", "+@group", "@group", "+::::::", "1alice", ".alice", "-x-",
    "алиса", "аlice", "alіce", "ａｌｉｃｅ", "alice\u200d", "\u202ealice", "alice\u00ad", "ali\u0301ce", "álice", "ALİCE", "ſmith", "李", "\u0000alice".replace("\0", "\u2400"),
    "\x1b[2J", "\x07", "\x7f", "alice\x1b]0;x\x07",
    "alice@", "@clinic.example", "alice@@clinic.example", "alice@clinic.example@evil.example", "alice@evil.example@clinic.example",
    "alice@clinic.example.", "alice@.clinic.example", "alice@clinic..example", "alice@xclinic.example", "alice@clinic.example.evil.example",
    "alice@sub.clinic.example", "alice\\@clinic.example", "alice%clinic.example", "CLINIC\\alice", "clinic/alice", "alice@clinic.example\n", "alice@clinic.example ",
    " alice@clinic.example", "alice@[127.0.0.1]", "alice@clinic.example:22", '"alice"@clinic.example', "alice+root@clinic.example", "root@clinic.example",
    "al ice@clinic.example", "alice@clinic.exаmple", "alice@ｃｌｉｎｉｃ.example", "a" * 65 + "@clinic.example", "alice@" + "c" * 250 + ".example", "../alice@clinic.example",
    "docker", "wheel", "sudo", "root", "daemon", "nobody", "_pam_oidc", "localuser",
]
BYTES = [b"\xff\xfe", b"alice\xff", b"\xc0\xae\xc0\xae", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\x80", b"alice\xc3"]


def named(name):
    return name if isinstance(name, bytes) else name.encode()


def message_about(name, *fields):
    return b"".join(part + b"\0" for part in (fields[0], b"name=" + name, *fields[1:]))


def raw_answers(path, packets):
    got = []
    for packet in packets:
        with connect(path) as connection:
            try:
                connection.send(packet)
                got.append(receive(connection))
            except OSError as problem:
                got.append(problem.strerror.encode())
    return got


@test("no strange name stands for an account, in any question", tags=TAGS, seconds=180)
def names_asked(m):
    """lookup, standing, login and admit, by those who may ask."""
    make_accounts(m, "alice")
    m.issuer.fault("device", row="policy", times=-1)
    tally = Tally()
    before = m.account_files()
    names = [named(name) for name in NAMES] + BYTES + [b"x" * 60000, b"alice@clinic.example" + b"x" * 60000]
    purpose = {"nss": b"purpose=nss", "login": b"purpose=login"}
    identity = [f"{key}={value}".encode() for key, value in (
        ("tenant", "clinic"), ("issuer", m.issuer.issuer), ("client_id", "clinic-app"), ("subject", "00uother"), ("email_verified", "true"),
        ("full_name", "Other"), ("service", "login"))]
    questions = {
        "lookup for nss": (0, PROVISIOND_SOCKET, lambda name: message_about(name, b"op=lookup", purpose["nss"])),
        "lookup for login": (0, PROVISIOND_SOCKET, lambda name: message_about(name, b"op=lookup", purpose["login"], b"service=login")),
        "standing": (0, PROVISIOND_SOCKET, lambda name: message_about(name, b"op=standing")),
        "show": (0, PROVISIOND_SOCKET, lambda name: message_about(name, b"op=show")),
        "redeem": (0, PROVISIOND_SOCKET, lambda name: message_about(name, b"op=redeem", b"ticket=" + b"0" * 64)),
        "admit, typed": (990, PROVISIOND_SOCKET, lambda name: message_about(name, b"op=admit", b"email=alice@clinic.example", *identity)),
        "admit, in the email": (990, PROVISIOND_SOCKET, lambda name: message_about(b"other", b"op=admit", b"email=" + name + b"@clinic.example", *identity)),
        "admit, as the email": (990, PROVISIOND_SOCKET, lambda name: message_about(b"other", b"op=admit", b"email=" + name, *identity)),
        "login": (0, PAM_OIDCD_SOCKET, lambda name: message_about(name, b"op=login", b"service=login", b"qr=none", b"timeout=60")),
    }
    for question, (uid, path, packet) in questions.items():
        for name, came in zip(names, as_user(uid, raw_answers, path, [packet(name) for name in names])):
            answer = dict(unpack(came)) if b"=" in came else {}
            own = {b"alice", b"Alice@clinic.example"}
            harmless = answer.get("status") not in ("entry", "active", "account", "confirmed", "admitted", "show") or name in own
            # Printable ASCII that is an address of the domain is one: `alice+root@clinic.example` is refused only for its name.
            tally.judge(harmless, f"{question} about {name[:80]!r} brings {came[:300]!r}")
            tally.judge(b"\x1b" not in came and b"\n" not in came, f"{question} about {name[:80]!r} is answered with controls: {came[:300]!r}")
    m.expect_nothing_changed(before)
    expect("\x1b" not in m.log.text(), "no escape sequence in the log")
    tally.close()


def at_door(words, typed=b""):
    """Runs a program that an unprivileged user has started, or a client; how it ended and what it said."""
    return subprocess.run(words, input=typed, capture_output=True, timeout=60 * harness.PATIENCE)


@test("no strange name opens a door: ssh, su, sudo, login and getent", tags=TAGS, seconds=400)
def names_at_doors(m):
    make_accounts(m, "alice")
    deactivate(m, "alice")  # whoever reached her under another name would be told so
    m.issuer.fault("device", row="policy", times=-1)
    tally = Tally()
    before = m.account_files()
    as_local = ["setpriv", "--reuid=1500", "--regid=1500", "--clear-groups"]
    ssh = ["ssh", "-F", "/dev/null", "-o", "BatchMode=no", "-o", "NumberOfPasswordPrompts=1", "-o", "PreferredAuthentications=keyboard-interactive",
           "-o", "ConnectTimeout=20"]
    doors = {
        "su": lambda name: [*as_local, "su", "-c", "echo GOT-IN", "--", name],
        "sudo -u": lambda name: [*as_local, "sudo", "-S", "-u", name, "--", "echo", "GOT-IN"],
        "getent": lambda name: [*as_local, "getent", "passwd", "--", name],
        "getent as sshd": lambda name: [*as_local, "bash", "-c", 'exec -a sshd getent passwd -- "$0"', name],
        "sudo as sshd": lambda name: [*as_local, "bash", "-c", 'exec -a sshd sudo -n -u "$0" -- echo GOT-IN', name],
        "ssh": lambda name: [*ssh, "-l", name, "127.0.0.1", "echo GOT-IN"],
        "login": lambda name: ["setsid", "timeout", "-s", "KILL", "3", "login", "--", name],
    }
    local = {"root", "daemon", "nobody", "_pam_oidc", "localuser", "docker", "wheel", "sudo"}
    plain = [name for name in NAMES if "\0" not in name and len(name) < 4097 and name not in local]
    attempts = [(door, name) for door in doors for name in plain[:: 1 if door.startswith(("getent", "su")) else 3]]
    lock = threading.Lock()

    def work():
        while True:
            with lock:
                if not attempts:
                    return
                door, name = attempts.pop()
            try:
                done = at_door(doors[door](name), b"wrong\n")
                said = (done.stdout + done.stderr).decode(errors="replace")
                through = "GOT-IN" in done.stdout.decode(errors="replace") or "@ward3:" in said
                # getent takes a number for a uid: that is glibc's own reading of it.
                through = through or (door.startswith("getent") and done.returncode == 0 and not name.strip().lstrip("+-").isdigit() and name != "0x0")
                crashed = done.returncode in (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGILL)
                what = f"{door} of {name[:80]!r} ends with {done.returncode}: {said[:300]!r}"
            except (ValueError, OSError, subprocess.TimeoutExpired) as problem:
                through, crashed, what = isinstance(problem, subprocess.TimeoutExpired), False, f"{door} of {name[:80]!r}: {problem}"
            with lock:
                tally.judge(not through and not crashed, what)

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    m.expect_nothing_changed(before)
    # sshd itself takes what stands before a colon or a slash for the name; of that, too, only what can be one reaches Okta.
    asked_for = re.findall(r"^pam_oidcd\[\d+\]: (.*) \(sshd.*the issuer gives no code", m.log.text(), re.M)
    for name in asked_for:
        tally.judge(re.fullmatch(r"[a-z_][a-z0-9._-]{0,31}", name), f"a code was asked for {name!r}")
    # Whatever a setuid program is called, it is no sshd that hears of promised names.
    with open("/etc/sudoers.d/sudoer", "w") as sudoers:
        sudoers.write("sudoer ALL=(ALL:ALL) NOPASSWD: ALL\n")
    os.chmod("/etc/sudoers.d/sudoer", 0o440)
    as_sudoer = ["setpriv", "--reuid=1501", "--regid=1501", "--clear-groups", "bash", "-c"]
    for own_name in ("sshd", "/usr/sbin/sshd", "sshd-session", "/usr/lib/openssh/sshd-session"):
        for name in ("zoe", "nobody-yet"):
            done = m.run(*as_sudoer, f'exec -a {own_name} sudo -n -u {name} -- echo GOT-IN')
            tally.judge("GOT-IN" not in done.stdout and "unknown user" in done.stderr, f"sudo as {own_name} to {name}: {done.stdout}{done.stderr}")
    done = m.run(*as_sudoer, "sudo -n -u localuser -- echo GOT-IN")
    expect_in("GOT-IN", done.stdout, f"what sudo does for a name that is there ({done.stderr})")
    for daemon in m.daemons.values():
        expect(daemon.running(), f"{daemon.name} is running")
    tally.close()


# ---- su and sudo, as an attacker starts them ----

VARIABLES = {
    "LD_PRELOAD": "/tmp/evil.so", "LD_LIBRARY_PATH": "/tmp", "LD_AUDIT": "/tmp/evil.so", "LD_DEBUG": "all", "LD_DEBUG_OUTPUT": "/tmp/written-by-ld",
    "LD_PROFILE": "pam_oidc.so", "LD_PROFILE_OUTPUT": "/tmp", "MALLOC_CHECK_": "3", "MALLOC_TRACE": "/tmp/written-by-malloc", "MALLOC_PERTURB_": "165",
    "MALLOC_ARENA_MAX": "1", "GLIBC_TUNABLES": "glibc.malloc.check=3:glibc.malloc.perturb=90", "GCONV_PATH": "/tmp", "NLSPATH": "/tmp/%N", "LOCPATH": "/tmp",
    "LANG": "../../../tmp/evil", "LC_ALL": "tr_TR.UTF-8", "TZ": ":/tmp/fifo", "TZDIR": "/tmp", "TERM": "../../../tmp/evil", "TERMINFO": "/tmp", "HOSTALIASES": "/tmp/fifo",
    "RES_OPTIONS": "debug", "LOCALDOMAIN": "evil.example", "RESOLV_HOST_CONF": "/etc/shadow", "GETCONF_DIR": "/tmp", "TMPDIR": "/tmp", "TMP": "/tmp", "HOME": "/root",
    "SHELL": "/tmp/evil", "IFS": "x", "PATH": "/tmp:.", "BASH_ENV": "/tmp/evil", "ENV": "/tmp/evil", "PAM_USER": "root", "PAM_RUSER": "root", "PAM_RHOST": "",
    "PAM_SERVICE": "sshd", "PAM_TTY": "ssh", "PAM_OIDC_WELCOME": "%s%n", "PAM_OIDC_SOCKET": "/tmp/evil", "PROVISIOND_SOCKET": "/tmp/evil", "PAM_OIDC_CONF": "/tmp/evil",
    "OIDC_TOKEN": "x", "NOTIFY_SOCKET": "/tmp/evil", "LISTEN_FDS": "1", "LISTEN_PID": "1", "LISTEN_FDNAMES": "x", "SSH_CONNECTION": "1.2.3.4 5 6.7.8.9 22",
    "SSH_AUTH_INFO_0": "publickey x", "SUDO_USER": "root", "SUDO_UID": "0", "SUDO_ASKPASS": "/tmp/evil", "LOGNAME": "root", "USER": "root", "SSL_CERT_FILE": "/tmp/evil",
    "https_proxy": "http://127.0.0.1:1", "CURL_CA_BUNDLE": "/tmp/evil", "ASAN_OPTIONS": "log_path=/tmp/written-by-asan", "GMON_OUT_PREFIX": "/tmp/written-by-gmon",
    "RPM_CONFIGDIR": "/tmp", "XDG_RUNTIME_DIR": "/tmp", "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/tmp/evil", "SYSTEMD_LOG_LEVEL": "debug", "NSS_MODULE": "/tmp/evil",
    "X" * 30000: "y", "LONG": "z" * 100000,
}

LIMITS = {
    "NOFILE": (3, 0, 4, 5, 6), "FSIZE": (0, 1), "AS": (1 << 20, 8 << 20, 16 << 20), "NPROC": (0, 1), "STACK": (16 << 10, 128 << 10), "CORE": (resource.RLIM_INFINITY, 0),
    "CPU": (1,), "DATA": (0, 1 << 20), "MEMLOCK": (0,), "SIGPENDING": (0,), "MSGQUEUE": (0,),
}


def places():
    """Every hostile place by itself, and a few at once."""
    found = [Place("an ordinary place")]
    found += [Place(f"{name[:40]}={value[:40]}", {name: value}) for name, value in VARIABLES.items()]
    found.append(Place("all variables at once", VARIABLES))
    found += [Place(f"umask {mask:04o}", umask=mask) for mask in (0o000, 0o777, 0o700, 0o022)]
    found += [Place(f"RLIMIT_{name} {limit}", limits=[(getattr(resource, f"RLIMIT_{name}"), limit)]) for name, limits in LIMITS.items() for limit in limits]
    found += [Place(f"descriptors {word} closed", closed=numbers) for word, numbers in CLOSED.items() if numbers]
    found += [Place(f"{word} closed and no more than {limit} descriptors", closed=numbers, limits=[(resource.RLIMIT_NOFILE, limit)])
              for word, numbers in CLOSED.items() if numbers for limit in (3, 4)]
    signals = [signal.SIGPIPE, signal.SIGCHLD, signal.SIGALRM, signal.SIGXFSZ, signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGTSTP, signal.SIGXCPU]
    found += [Place(f"{number.name} ignored", ignored=[number]) for number in signals]
    found += [Place(f"{number.name} blocked", blocked=[number]) for number in signals]
    everything = [number for number in range(1, 65) if number not in (9, 19, 32, 33)]
    found += [
        Place("every signal ignored", ignored=[number for number in everything if number < 32]),
        Place("every signal blocked", blocked=everything),
        Place("a file size of nothing and SIGXFSZ ignored", ignored=[signal.SIGXFSZ], limits=[(resource.RLIMIT_FSIZE, 0)]),
        Place("a folder that is gone", deleted_cwd=True),
        Place("an alarm in a second", alarm=1),
        Place("a name of 100 KiB", argv0="s" * 100000),
        Place("sshd's name", argv0="sshd"),
        Place("a name with a path", argv0="/usr/sbin/sshd-session"),
        Place("an empty name", argv0=""),
        Place("login's name", argv0="-login"),
        Place("format directives for a name", argv0="%s%n%n"),
        Place("nothing typed", stdin=b""),
        Place("64 KiB typed without a newline", stdin=b"A" * 60000),
        Place("NULs typed", stdin=b"\0" * 1000),
        Place("200 stray descriptors", stray=200),
        Place("nearly everything at once", VARIABLES, umask=0, closed=(0, 1, 2), ignored=[signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ], deleted_cwd=True,
              limits=[(resource.RLIMIT_NOFILE, 5), (resource.RLIMIT_FSIZE, 0)]),
    ]
    return found


WATCHED = ("/tmp", "/home", "/run", "/var/lib", "/var/tmp", "/etc", "/root", "/dev/shm")
# What su, sudo and the tests' own tools leave, with us and without.
OTHERS_FILES = ("/run/sudo", "/var/lib/sudo", "/run/utmp", "/run/sandbox", "/tmp/tmux", "/tmp/screen", "/var/lib/provisiond", "/run/motd", "/run/screen", "/tmp/gate")


def created(before, after):
    return {path: after[path] for path in after if before.get(path) != after[path] and not path.startswith(OTHERS_FILES)}


CRASHES = (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGILL, -signal.SIGFPE, -signal.SIGSYS)


@test("su and sudo let nobody in, crash nowhere and write nothing, in whatever place an attacker starts them", tags=TAGS, seconds=500)
def hostile_places(m):
    """Alice's issuer refuses her at once, carol is locked out: whatever else su and sudo say is a way past that."""
    make_accounts(m, "alice", "carol")
    deactivate(m, "carol")
    m.issuer.fault("device", row="policy", times=-1)
    m.configure(m.standard_configuration(login="max_starts_per_minute = 10000\nmax_pending_per_address = 10000\nmax_pending_per_account = 10000\n"))
    m.pam_oidcd.stop()
    m.start_pam_oidcd()
    tally = Tally()
    os.mkfifo("/tmp/fifo")
    os.chmod("/tmp/fifo", 0o666)
    folder = "/tmp/attacker"
    os.mkdir(folder)
    os.chmod(folder, 0o777)
    # sudo's answer to a wrong password takes its time, and it asks three times.
    with open("/etc/sudoers.d/quick", "w") as sudoers:
        sudoers.write("Defaults passwd_tries=1\n")
    os.chmod("/etc/sudoers.d/quick", 0o440)
    alice = uid_of("alice")
    programs = {
        "su to alice": (LOCAL, ["/usr/bin/su", "-c", "echo GOT-IN", "alice"]),
        "su to carol": (LOCAL, ["/usr/bin/su", "-", "carol", "-c", "echo GOT-IN"]),
        "sudo by alice": (alice, ["/usr/bin/sudo", "-S", "echo", "GOT-IN"]),
    }
    control = {"su": (LOCAL, ["/usr/bin/su", "-c", "echo GOT-IN", "sudoer"]), "sudo": (OTHER, ["/usr/bin/sudo", "-S", "echo", "GOT-IN"])}
    attempts = [(program, place) for place in places() for program in programs]
    m.settle()
    before, files = m.account_files(), files_below(*WATCHED)
    lock = threading.Lock()

    def work():
        while True:
            with lock:
                if not attempts:
                    return
                program, place = attempts.pop()
            uid, words = programs[program]
            ended = run_in(place, uid, words, folder)
            through = "GOT-IN" in ended.output.splitlines() or (ended.status == 0)
            crashed = ended.status in CRASHES
            if crashed:
                # A place where the program dies without any module of ours is not our doing.
                uid, words = control[program.split()[0]]
                crashed = run_in(place, uid, words, folder).status not in CRASHES
            stuck = "it did not end by itself" in ended.output
            with lock:
                tally.judge(not (through or crashed or stuck), f"{program}, {place.name}: ends with {ended.status}: {ended.output[-400:]!r}")

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    new = created(files, files_below(*WATCHED))
    tally.judge(not new, f"files have come into being: {new}")
    m.expect_nothing_changed(before)
    m.wait_for_idle(30)
    for daemon in m.daemons.values():
        expect(daemon.running(), f"{daemon.name} is running")
    expect("\x1b" not in m.log.text(), "no escape sequence in the log")
    # The same doors do open: this time Okta agrees.
    m.issuer.control("clear_faults")
    screen = m.screen("setpriv", "--reuid=1500", "--regid=1500", "--clear-groups", "su", "-", "alice")
    m.approve_on(screen)
    m.wait_for_shell(screen, "alice")
    tally.close()


# ---- callers that stop, end or leave descriptors to others ----


@test("a caller that is stopped, killed or half gone leaves no sign-in and no connection behind", tags=TAGS, seconds=240)
def ended_callers(m):
    make_accounts(m, "alice")
    tally = Tally()
    m.set_pam_arguments("su", "timeout=5")
    idle = {name: descriptors(daemon) for name, daemon in m.daemons.items()}
    for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGHUP, signal.SIGSEGV, signal.SIGPIPE, signal.SIGALRM):
        (su,) = calls_su(LOCAL, 1)
        wait_for("su's sign-in", m.pending, 20)
        os.killpg(su.pid, number)
        # One that is stopped waits for as long as it said itself, and no longer.
        m.wait_for_idle(20)
        for name, daemon in m.daemons.items():
            wait_for(f"{name} to have closed the connection", lambda: descriptors(daemon) <= idle[name], 20)
        if su.poll() is None:
            os.killpg(su.pid, signal.SIGKILL)
        su.wait()
        tally.add(1, [])
    m.sign_in("alice")
    tally.close()


AUTH_ERR = 7


def inherit(path):
    """A connection that its owner hands on to a setuid program, and uses while that runs with root's rights."""
    with connect(path) as connection:
        connection.set_inheritable(True)
        child = subprocess.Popen(["su", "-", "sudoer"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                 pass_fds=[connection.fileno()], start_new_session=True)
        time.sleep(0.3)
        peer = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        connection.send(pack(("op", "list" if path == PROVISIOND_SOCKET else "pending")))
        answer = receive(connection)
        child.kill()
        child.wait()
        return peer[1], answer


def garbage_into(numbers):
    """A PAM application whose descriptors are closed as given, and which prints on all of them while the module waits."""
    import pam

    for number in range(3):
        os.dup2(os.open("/dev/null", os.O_RDWR), number)
    os.closerange(3, 256)
    for number in numbers:
        os.close(number)
    # As a stray library would: whatever has taken those numbers gets it.
    def speak(style, text):
        for number in (0, 1, 2):
            try:
                os.write(number, b"op=park\0")
            except OSError:
                pass
        return True

    return pam.SignIn("hostile", "alice", speak).result


@test("a setuid program lends its rights to no inherited connection, and nothing an application prints reaches a daemon", tags=TAGS, seconds=180)
def lent_descriptors(m):
    make_accounts(m, "alice")
    tally = Tally()
    for path in SOCKETS.values():
        _, answer = as_user(LOCAL, inherit, path)
        tally.judge(answer == b"", f"a connection that su inherited is answered at {path}: {answer[:200]!r}")
    with open("/etc/pam.d/hostile", "w") as service:
        service.write("auth required /run/sandbox/product/pam_oidc.so timeout=5 wait=info\n")
    # All at once, and all of one name.
    m.configure(m.standard_configuration(login="max_pending_per_account = 100\nmax_pending_per_address = 100\n"))
    m.pam_oidcd.signal(signal.SIGHUP)
    m.log.wait_for("pam_oidcd.*anew")
    malformed = len([line for line in m.log.lines if "disconnected pid" in line])
    running = {word: start_without(numbers) for word, numbers in CLOSED.items()}
    for word, child in running.items():
        result = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        # Its time was up, and not: the daemon hung up, as it does when somebody else's "park" comes over the connection.
        tally.judge(result == AUTH_ERR, f"descriptors {word}: pam_authenticate() answers {result}")
    now = len([line for line in m.log.lines if "disconnected pid" in line])
    tally.judge(now == malformed, f"{now - malformed} messages that no module sent reached a daemon")
    tally.close()


def start_without(numbers):
    """A child of root's that runs garbage_into() and ends with its result; a pipe for it might be among what it closes."""
    child = os.fork()
    if child == 0:
        status = 99
        try:
            status = garbage_into(numbers)
        finally:
            os._exit(status)
    return child


@test("homes and account files have the same modes whatever umask the caller had", tags=TAGS, seconds=180)
def modes(m):
    """provisiond makes them, whoever asks."""
    os.makedirs("/etc/skel/notes", mode=0o755, exist_ok=True)
    with open("/etc/skel/notes/hello", "w") as file:
        file.write("hello\n")
    os.chmod("/etc/skel/notes/hello", 0o644)
    tally = Tally()
    seen = {}
    for name, mask in (("alice", 0o022), ("bob", 0o000), ("carol", 0o777)):
        old = os.umask(mask)
        try:
            screen = m.login(f"{name}@clinic.example")
        finally:
            os.umask(old)
        m.approve_on(screen, name)
        m.wait_for_shell(screen, name)
        home = f"/home/{name}"
        seen[name] = {path[len(home):]: (mode, uid == uid_of(name)) for path, (mode, uid, _) in files_below(home).items()
                      if not path.endswith((".bash_history",))}
        seen[name][""] = (oct(os.stat(home).st_mode), os.stat(home).st_uid == uid_of(name))
    for name in ("bob", "carol"):
        tally.judge(seen[name] == seen["alice"], f"{name}'s home differs: {seen[name]} instead of {seen['alice']}")
    expect_equal(seen["alice"][""], ("0o40700", True), "the home itself")
    for path, mode in (("/etc/passwd", 0o644), ("/etc/group", 0o644), ("/etc/shadow", 0o640), ("/var/lib/provisiond/accounts.db", 0o600)):
        tally.judge(os.stat(path).st_mode & 0o777 & ~mode == 0, f"{path} has the mode {os.stat(path).st_mode & 0o777:04o}")
    tally.close()
