"""`pam_oidcd --probe --messages` and `provisiond --preview` as programs start them."""

import os
import re
import socket
import subprocess

import harness
from machine import CONFIG, PRODUCT
from wire import Connection, pack, unpack


class Probe:
    """One run. What it says is taken in with run() or step by step with next()."""

    def __init__(self, m, *options, config=CONFIG, clock=None, seconds=30):
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = {"PATH": "/usr/bin:/bin", "ASAN_OPTIONS": "detect_leaks=1:exitcode=99:verify_asan_link_order=0"}
        if clock is not None:
            m.set_clock(clock)
            environment |= {"LD_PRELOAD": f"{PRODUCT}/tests/e2e/clock.so", "CLOCK_OFFSET_FILE": "/tmp/clock"}
        probe = [option for option in options if option.startswith("--probe")] or ["--probe"]
        rest = [option for option in options if not option.startswith("--probe")]
        self.m = m
        self.process = subprocess.Popen(
            [f"{PRODUCT}/pam_oidcd", "-f", config, *probe, "--messages", *rest],
            stdin=subprocess.DEVNULL, stdout=its, stderr=subprocess.PIPE, text=True, env=environment, cwd="/",
        )
        its.close()
        self.connection = Connection(None, seconds * harness.PATIENCE, connected=ours)
        self.findings, self.shown, self.identity, self.end = [], None, None, None
        self.messages = []

    def next(self):
        """The next message as pairs, or None at the end."""
        fields = self.connection.receive()
        if not fields:
            return None
        self.messages.append(fields)
        told = dict(fields)
        if told["status"] == "finding":
            self.findings.append(told)
        elif told["status"] == "show":
            self.shown = told
        elif told["status"] == "identity":
            self.identity = fields
        elif told["status"] == "end":
            self.end = told
        return told

    def until(self, status):
        while True:
            told = self.next()
            harness.expect(told is not None, f"it ended without status={status}; it said {self.messages}")
            if told["status"] == status:
                return told

    def run(self, approve=None, deny=False):
        """To its end, with an approval by that person when a code is shown."""
        while (told := self.next()) is not None:
            if told["status"] == "show" and approve:
                self.m.issuer.approve(told["code"], approve)
            elif told["status"] == "show" and deny:
                self.m.issuer.deny(told["code"])
        self.errors = self.process.stderr.read()
        self.status = self.process.wait(20 * harness.PATIENCE)
        return self

    def finding(self, item, tenant="clinic"):
        """The only one about this."""
        found = [one for one in self.findings if one["item"] == item and one["tenant"] == tenant]
        harness.expect_equal(len(found), 1, f"findings about {item} of {tenant!r}, among {self.findings} {getattr(self, 'errors', '')}")
        return found[0]

    def items(self, level=None):
        return [one["item"] for one in self.findings if level in (None, one["level"])]


def preview(m, fields, config=CONFIG, seconds=30, packet=False):
    """What provisiond would do with this identity, and its exit status: (answer as pairs or None, status, standard error)."""
    question = pack(("op", "admit"), *[(key, value) for key, value in fields if key != "status"])
    command = [f"{PRODUCT}/provisiond", "-f", config, "--preview"]
    if packet:
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        process = subprocess.Popen(command, stdin=its, stdout=its, stderr=subprocess.PIPE, text=True, cwd="/")
        its.close()
        with Connection(None, seconds * harness.PATIENCE, connected=ours) as connection:
            connection.send_bytes(question)
            answer = connection.receive()
        errors = process.stderr.read()
        return answer, process.wait(20 * harness.PATIENCE), errors
    done = subprocess.run(command, input=question, capture_output=True, timeout=seconds * harness.PATIENCE, cwd="/")
    return unpack(done.stdout) or None, done.returncode, done.stderr.decode(errors="replace")


def identity_of(user="alice", tenant="clinic", issuer=None, **changes):
    """An identity as a probe tells it. None leaves a field out."""
    fields = {
        "tenant": tenant,
        "issuer": issuer,
        "client_id": "clinic-app",
        "subject": f"00u1{user}",
        "email": f"{user}@clinic.example",
        "email_verified": "true",
        "full_name": user.capitalize(),
    } | changes
    pairs = []
    for key, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                pairs.append((key, one))
    return pairs


def state_of(*paths):
    """What is there, for comparison: names, sizes, modes, times and content."""
    state = {}
    for top in paths:
        for folder, folders, files in os.walk(top):
            for name in folders + files:
                path = os.path.join(folder, name)
                st = os.lstat(path)
                content = open(path, "rb").read() if os.path.isfile(path) and not os.path.islink(path) else None
                state[path] = (st.st_mode, st.st_uid, st.st_size, st.st_mtime_ns if content is not None else 0, content)
    return state


def expect_printable(text, what):
    harness.expect(not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]", text), f"{what}: {text!r}")
