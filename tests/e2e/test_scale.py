"""A hospital's size: 10,000 accounts, 200 people at once, and other programs that edit the same files meanwhile.

People here have signed in already: what the daemon of the network would say of them is said to provisiond directly, as that
daemon's user, so that the figures are those of the accounts alone.
"""

import os
import pwd
import random
import re
import secrets
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time

import wire
from harness import Failure, expect, expect_equal, figure, test
from machine import PROVISIOND_SOCKET

ALONE = {"alone": True, "start": False, "tags": {"figures"}}
SIZES = (100, 1000, 10000)


def start(m, accounts=""):
    m.start_issuer()
    m.configure(m.standard_configuration(accounts=accounts))
    m.start_provisiond()


def as_pam_oidc(count):
    """So many connections to provisiond, made as pam_oidcd's user."""
    uid = pwd.getpwnam("_pam_oidc").pw_uid
    ready, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        try:
            os.setgid(uid)
            os.setuid(uid)
            for _ in range(count):
                with wire.Connection(PROVISIOND_SOCKET, 60) as connection:
                    socket.send_fds(theirs, [b"x"], [connection.socket.fileno()])
        finally:
            os._exit(0)
    theirs.close()
    ready.settimeout(60)
    connections = []
    for _ in range(count):
        fds = socket.recv_fds(ready, 1, 1)[1]
        expect(fds, "a connection made as pam_oidcd's user")
        connections.append(wire.Connection(None, 120, socket.socket(fileno=fds[0])))
    os.waitpid(child, 0)
    return connections


def admit_fields(m, name):
    return (
        ("op", "admit"), ("name", name), ("tenant", "clinic"), ("issuer", m.issuer.issuer), ("client_id", "clinic-app"),
        ("subject", f"00u{name}"), ("email", f"{name}@clinic.example"), ("email_verified", "true"), ("full_name", f"{name} of the clinic"),
        ("service", "sshd"), ("rhost", "192.0.2.7"),
    )


def admit_all(m, names, connections):
    """All of them at once; seconds until the last was answered. Then each ticket is redeemed: only so many are alive at a time."""
    began = time.monotonic()
    for name, connection in zip(names, connections):
        connection.send(*admit_fields(m, name))
    answers = [connection.receive() for _, connection in zip(names, connections)]
    took = time.monotonic() - began
    answers = [dict(answer or ()) for answer in answers]
    with wire.Connection(PROVISIOND_SOCKET, 60) as root:
        for name, answer in zip(names, answers):
            expect_equal(answer.get("status"), "admitted", f"the answer for {name}: {answer}")
            redeemed = root.ask(("op", "redeem"), ("ticket", answer["ticket"]), ("name", name))
            expect_equal(redeemed and redeemed.get("status"), "confirmed", f"the ticket of {name}: {redeemed}")
    return took


def grow(m, connections, have, size):
    """Makes accounts until there are `size`."""
    while have < size:
        batch = [f"p{number:05d}" for number in range(have, min(size, have + len(connections)))]
        admit_all(m, batch, connections)
        have += len(batch)
    return have


def times_ms(function, rounds):
    taken = []
    for number in range(rounds):
        began = time.perf_counter()
        function(number)
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def p99(values):
    return sorted(values)[int(len(values) * 0.99)]


@test("10,000 accounts: standing, lookup and admission stay quick", seconds=600, **ALONE)
def ten_thousand(m):
    start(m, "create_home = no")
    connections = as_pam_oidc(200)
    root = wire.Connection(PROVISIOND_SOCKET, 60)
    randomly = random.Random(7)
    have, medians = 0, {}
    for size in SIZES:
        have = grow(m, connections, have, size)

        def known(_):
            return f"p{randomly.randrange(have):05d}"

        def ask(expected, *fields):
            answer = root.ask(*fields)
            expect_equal(answer.get("status"), expected, f"the answer to {fields}: {answer}")

        standing = times_ms(lambda n: ask("active", ("op", "standing"), ("name", known(n))), 3000)
        lookup = times_ms(lambda n: ask("entry", ("op", "lookup"), ("name", known(n)), ("purpose", "nss"), ("service", "sshd")), 1000)
        new = times_ms(lambda n: ask("entry", ("op", "lookup"), ("name", f"n{n}"), ("purpose", "nss"), ("service", "sshd")), 200)
        again = [admit_all(m, [known(n)], connections) * 1000 for n in range(60)]
        fresh = [admit_all(m, [f"f{size}n{n}"], connections) * 1000 for n in range(30)]
        kib = sum(os.path.getsize(f"/etc/{name}") for name in ("passwd", "shadow", "group", "gshadow")) / 1024
        medians[size] = {"lookup of an account": statistics.median(lookup), "admission of somebody new": statistics.median(fresh), "files": kib}
        figure(f"standing with {size} accounts (99th percentile)", p99(standing), "ms", 1, f", median {statistics.median(standing):.3f} ms")
        figure(f"lookup of an account with {size} (median)", statistics.median(lookup), "ms", None, f", 99th percentile {p99(lookup):.3f} ms")
        figure(f"lookup of a new name with {size} (median)", statistics.median(new), "ms", None, f", 99th percentile {p99(new):.3f} ms")
        figure(f"admission of somebody who has an account, with {size} (median)", statistics.median(again), "ms")
        figure(f"admission of somebody new with {size} (median)", statistics.median(fresh), "ms", None, f", the four files have {kib:.0f} KiB")
    for what in ("lookup of an account", "admission of somebody new"):
        for small, large in ((100, 1000), (1000, 10000)):
            growth = medians[large]["files"] / medians[small]["files"]
            figure(f"{what}: growth from {small} to {large} accounts", medians[large][what] / medians[small][what], "times", growth,
                   f", the files grew {growth:.1f} times")


def useradd(name):
    began = time.perf_counter()
    done = subprocess.run(["useradd", "-m", name], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"useradd -m {name}: {done.stderr}")
    return (time.perf_counter() - began) * 1000


def onto_disk():
    """Account files, homes and the database on the disk of the build folder, as on a real machine, instead of in memory.

    /etc, /home and /var are directories of a file system's top there, which ext4 spreads over the disk; elsewhere it
    would put what is made here where other programs have just deleted thousands of files, and walk over each of them for
    every file that is made, for minutes."""
    folder = tempfile.mkdtemp(prefix="disk.", dir="/run/sandbox/product")
    os.chmod(folder, 0o755)
    subprocess.run(["chattr", "+T", folder], capture_output=True)  # what another file system does not know, it does not need
    for place in ("/etc", "/home", "/var/lib/provisiond"):
        own = os.path.join(folder, secrets.token_hex(8))
        os.mkdir(own)
        subprocess.run(["cp", "-a", f"{place}/.", own], check=True)
        shutil.copystat(place, own)
        subprocess.run(["mount", "--bind", own, place], check=True)
    return folder


def against_useradd(m, where):
    start(m)
    connections = as_pam_oidc(200)
    grow(m, connections[:50], 0, 100)
    pairs = []
    for number in range(25):
        theirs = useradd(f"u{number}")
        pairs.append((admit_all(m, [f"o{number}"], connections) * 1000, theirs))
    ratios = [ours / theirs for ours, theirs in pairs]
    figure(f"one account made {where}, against useradd -m (median of 25 ratios)", statistics.median(ratios), "times", 0.25,
           f", ours {statistics.median([ours for ours, _ in pairs]):.1f} ms, useradd {statistics.median([theirs for _, theirs in pairs]):.1f} ms")
    pairs = []
    for turn in range(5):
        began = time.perf_counter()
        for number in range(40):
            useradd(f"v{turn}x{number}")
        theirs = (time.perf_counter() - began) * 5
        pairs.append((admit_all(m, [f"w{turn}x{number}" for number in range(200)], connections), theirs))
    figure(f"200 accounts at once {where}, against 200 times useradd -m (median of 5 ratios)",
           statistics.median(ours / theirs for ours, theirs in pairs), "times", 0.02,
           f", ours {statistics.median(ours for ours, _ in pairs) * 1000:.0f} ms, useradd {statistics.median(theirs for _, theirs in pairs):.2f} s")


@test("on a disk, one creation takes at most a quarter of useradd -m's time, and 200 at once a fiftieth of 200 times that", seconds=300, **ALONE)
def against_useradd_on_disk(m):
    folder = onto_disk()
    try:
        against_useradd(m, "on a disk")
    finally:
        shutil.rmtree(folder)


@test("in memory, one creation takes at most a quarter of useradd -m's time, and 200 at once a fiftieth of 200 times that", seconds=300, **ALONE)
def against_useradd_in_memory(m):
    against_useradd(m, "in memory")


class Editors:
    """Other programs that change the account files in loops of their own: what they made must be there in the end."""

    def __init__(self):
        self.stop = threading.Event()
        self.made, self.comments, self.edits, self.faults = [], {}, 0, []
        self.threads = [threading.Thread(target=self._guarded, args=(work,)) for work in (self._useradd, self._usermod, self._vipw)]
        for thread in self.threads:
            thread.start()

    def _guarded(self, work):
        number = 0
        while not self.stop.is_set() and not self.faults:
            try:
                work(number)
            except Exception as fault:  # told by end()
                self.faults.append(fault)
            number += 1

    def _useradd(self, number):
        useradd(f"other{number}")
        self.made.append(f"other{number}")
        if number % 3 == 2:
            subprocess.run(["userdel", "-r", f"other{number - 1}"], capture_output=True, check=True)
            self.made.remove(f"other{number - 1}")

    def _usermod(self, number):
        subprocess.run(["usermod", "-c", f"comment {number}", "localuser"], capture_output=True, check=True)
        self.comments["localuser"] = f"comment {number}"

    def _vipw(self, number):
        """An editor that adds a line, as a person would with `vipw -s`; an edit within a second of its time counts as none there."""
        with open("/tmp/editor", "w") as editor:
            editor.write(f"#!/bin/sh\nsleep 1.1\nprintf 'edited{number}:!:19000:0:99999:7:::\\n' >>\"$1\"\n")
        os.chmod("/tmp/editor", 0o755)
        subprocess.run(["vipw", "-s"], capture_output=True, env={**os.environ, "EDITOR": "/tmp/editor", "VISUAL": "/tmp/editor"}, check=True)
        self.edits = number + 1
        time.sleep(0.3)

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        expect(not self.faults, f"the editors met no fault: {self.faults}")


def names_in(path):
    with open(path) as file:
        return [line.split(":", 1)[0] for line in file if line.strip()]


def first_hundreds(m, editors, seconds):
    """200 people who come for the first time, again and again."""
    connections, people, number, ends = as_pam_oidc(200), [], 0, time.monotonic() + seconds
    slowest = 0.0
    while time.monotonic() < ends and not editors.faults:
        batch = [f"r{number}p{person}" for person in range(200)]
        slowest = max(slowest, admit_all(m, batch, connections))
        people += batch
        number += 1
        time.sleep(0.5)
    return people, slowest


@test("200 first sign-ins at once, again and again, while useradd, usermod and vipw edit for a minute: nobody loses anything",
      alone=True, start=False, seconds=300)
def with_editors(m):
    if not shutil.which("vipw"):
        raise Failure("vipw is missing; install what tests/deps lists")
    start(m)
    editors = Editors()
    try:
        people, slowest = first_hundreds(m, editors, 60)
    finally:
        editors.end()
    expect(len(people) >= 200, "200 people at least have come")
    for path in ("/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow"):
        names = names_in(path)
        expect_equal(len(names), len(set(names)), f"names in {path}, none of them twice")
        missing = (set(people) | set(editors.made)) - set(names)
        expect_equal(missing, set(), f"who is missing in {path}")
    expect_equal([n for n in range(editors.edits) if f"edited{n}" not in set(names_in("/etc/shadow"))], [], "edits by vipw that were lost")
    expect_equal(m.passwd("localuser")[4], editors.comments["localuser"], "the last comment by usermod")
    with open("/etc/passwd") as file:
        uids = [line.split(":")[2] for line in file if re.match(r"r\d+p\d+:", line)]
    expect_equal(len(uids), len(set(uids)), "uids, none of them twice")
    for name in people:
        expect_equal(os.stat(f"/home/{name}").st_uid, int(m.passwd(name)[2]), f"whose /home/{name} is")
    for command in (["pwck", "-q", "-r"], ["grpck", "-r"]):
        said = [line for line in m.run(*command).stdout.splitlines() if re.search(r"\br\d+p\d+\b|other\d", line) and "edited" not in line]
        expect_equal(said, [], f"what {command[0]} says of them")
    figure("people made beside the editors", len(people), "accounts", None,
           f", {len(editors.made)} kept by useradd, {editors.edits} edits by vipw; the slowest 200 took {slowest:.1f} s")
