"""What a thousand sign-ins that wait cost, and what nobody's sign-in costs, in memory and in time."""

import os
import re
import subprocess
import time

import peers
from bench import Row, at_most, measure, point, ratio_at_most
from machine import PAM_OIDCD_SOCKET
from rows_signing_in import SignIn, oidc_child, start
from wire import Connection

INTERVAL = 5  # Okta's
MEMORY = "memory, 1,000 sign-ins waiting, against 1,000 oidc_child"
MEMORY_ALL = "memory of both daemons, 1,000 sign-ins waiting"
CPU = "time of a core, 1,000 sign-ins waiting, against 1,000 oidc_child"
IDLE = "memory of both daemons, idle, against sssd and its responders"
IDLE_ALL = "memory of both daemons, idle"
PANEL = "Memory, by sign-ins that wait (MiB)"


def with_children(pid):
    """The process and everything below it."""
    found, known = [], {pid}
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as stat:
                parents[int(name)] = int(stat.read().rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    while known:
        found += known
        known = {child for child, parent in parents.items() if parent in known}
    return found


def memory_kib(pids, keys):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as rollup:
            text = rollup.read()
        total += sum(int(re.search(rf"^{key}:\s+(\d+) kB", text, re.M).group(1)) for key in keys)
    return total


def pss_mib(pids):
    return memory_kib(pids, ("Pss",)) / 1024


def private_mib(pids):
    return memory_kib(pids, ("Private_Clean", "Private_Dirty")) / 1024


def cpu_seconds(pids):
    """To the nanosecond: the ticks of /proc/PID/stat are too coarse for a process that works for a moment now and then."""
    total = 0
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat") as stat:
                total += int(stat.read().split()[0]) / 1e9
    return total


def shares_of_a_core(seconds, *groups):
    """In percent, each group of processes over the same time."""
    before, began = [cpu_seconds(pids) for pids in groups], time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    return [(cpu_seconds(pids) - spent) / took * 100 for pids, spent in zip(groups, before)]


def daemons(m):
    return [pid for daemon in m.daemons.values() for pid in with_children(daemon.pid)]


def wait_for_approval(m, number):
    """A sign-in that waits, as the module would ask for it; it waits as long as the connection is there."""
    user = f"user{number}"
    connection = Connection(PAM_OIDCD_SOCKET, 60)
    answer = connection.ask(
        ("op", "login"), ("name", user), ("uid", m.promised_uid(user)), ("service", "sshd"), ("tty", "ssh"),
        ("rhost", f"10.1.{number // 250}.{number % 250}"), ("qr", "utf8"), ("wait", "enter"), ("timeout", 600),
    )
    if not answer or answer.get("status") != "show":
        raise RuntimeError(f"the answer to sign-in {number}: {answer}")
    return connection


class Children:
    """So many oidc_child that wait for an approval."""

    def __init__(self, m, count):
        self.processes = [self._one(m) for _ in range(count)]
        self.pids = [process.pid for process in self.processes]

    @staticmethod
    def _one(m):
        code = subprocess.run(oidc_child(m, "--get-device-code"), capture_output=True, check=True).stdout.splitlines()[0]
        process = subprocess.Popen(oidc_child(m, "--get-access-token"), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        process.stdin.write(code + b"\n")
        process.stdin.close()
        peers.RUNNING.append(process)
        return process

    def all_wait(self):
        return all(process.poll() is None for process in self.processes)


def scaled(children, count):
    """MiB of so many: what each has for itself, and once what they share."""
    private = private_mib(children.pids)
    return private / len(children.pids) * count + (pss_mib(children.pids) - private)


@measure("waiting", [MEMORY_ALL, MEMORY, CPU], needs_peers=True)
def thousand_waiting(m, quick):
    start(m, INTERVAL)
    first = SignIn("alice")
    m.issuer.approve(first.code, "alice")
    first.session_us()
    waiting = []
    for size in (1000,) if quick else (100, 300, 1000):
        waiting += [wait_for_approval(m, number) for number in range(len(waiting), size)]
        ours = pss_mib(daemons(m))
        point(PANEL, "pam_oidc", size, ours)
    children = Children(m, 10 if quick else 50)
    time.sleep(INTERVAL)  # all of them poll by now
    core, their_core = shares_of_a_core(6 if quick else 40, daemons(m), children.pids)
    if len(m.pending()) != len(waiting) or not children.all_wait():
        raise RuntimeError("somebody has ended instead of waiting")
    for connection in waiting:
        connection.close()
    theirs = scaled(children, 1000)
    for size in (100, 300, 1000):
        point(PANEL, "oidc_child (scaled)", size, scaled(children, size))
    yield Row(MEMORY_ALL, "MiB", ours, goal=at_most(64, "MiB"))
    yield Row(MEMORY, "MiB", ours, theirs, goal=ratio_at_most(0.01))
    yield Row(CPU, "% of a core", core, their_core / len(children.pids) * 1000, goal=at_most(5, "%"))


@measure("memory", [IDLE, IDLE_ALL], needs_peers=True)
def idle(m, quick):
    start(m)
    for _ in range(3):
        signin = SignIn("alice")
        m.issuer.approve(signin.code, "alice")
        signin.session_us()
    m.wait_for_idle()
    # Whoever else maps the same libraries would take a share of them.
    for issuer in m.issuers.values():
        issuer.stop()
    m.issuers.clear()
    ours = pss_mib(daemons(m))
    for name in ("pam_oidcd", "provisiond"):
        m.daemons.pop(name).stop()
    monitor = peers.start_sssd()
    theirs = pss_mib(with_children(monitor.pid))
    yield Row(IDLE, "MiB", ours, theirs, goal=ratio_at_most(0.25))
    yield Row(IDLE_ALL, "MiB", ours, goal=at_most(16, "MiB"))
