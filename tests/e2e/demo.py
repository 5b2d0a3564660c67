"""The demonstration behind tests/demo: starts everything in the sandbox and runs the ssh client, in the person's terminal when
there is one, else by itself, checking the account that comes out of it."""

import os
import pty
import re
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time

import harness
from machine import Machine

# What alice's shell says first: what was made for her a moment ago.
PROFILE = r"""
if [ -t 1 ]; then
	printf '\nThis is your own account on %s, made a moment ago:\n' "$(uname -n)"
	printf '  id      %s\n' "$(id)"
	printf '  passwd  %s\n' "$(getent passwd "$(id -un)")"
	printf '  home    %s\n' "$(ls -ld "$HOME")"
	printf 'Look around; Ctrl-D ends the demo.\n\n'
fi
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start():
    machine = Machine()
    issuer = machine.start_issuer("localhost", 0)
    issuer.settings(interval=2)
    machine.configure(machine.standard_configuration())
    machine.start_provisiond()
    machine.start_pam_oidcd()
    port = free_port()
    machine.start_sshd(port=port)
    with open("/etc/profile.d/demo.sh", "w") as profile:
        profile.write(PROFILE)
    # The distribution's greetings would stand between the sign-in and what it made.
    open("/etc/motd", "w").close()
    shutil.rmtree("/etc/update-motd.d", ignore_errors=True)
    command = ["ssh", "-F", "/dev/null", "-o", "HostKeyAlias=localhost", "-p", str(port), "alice@localhost"]
    return machine, command


def as_typed(command):
    """The command without the options that only say which keys this host has."""
    return " ".join(command[:1] + command[5:])


def show_that_alice_is_unknown(machine):
    print("$ getent passwd alice", flush=True)
    answer = machine.run("getent", "passwd", "alice").stdout
    print(answer or "(nothing: this machine has never seen her)")


def approve_command(machine):
    return f"""curl -sk -d '{{"user":"alice"}}' {machine.issuer.url}/_control/approve"""


def introduce(machine, command):
    print(f"""
This is {os.uname().nodename}, a machine of its own inside yours: nothing here touches your accounts,
files or services. It has sshd, pam_oidcd and provisiond, and an issuer that answers
as Okta does. Alice was assigned there.

When the code appears, open the address in a browser on this computer and approve as
Alice. (The certificate is the demo's own: let the browser go on.) Without a browser,
approve from another terminal:

  {approve_command(machine)}
""")
    show_that_alice_is_unknown(machine)
    print(f"$ {as_typed(command)}", flush=True)


# ---- with a person ----


def run_with_person(machine, command):
    introduce(machine, command)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the ssh client's
    status = subprocess.call(command, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    row = machine.passwd("alice")
    if row is None:
        print("\nNobody was signed in, and no account was made. What the machine's log says:\n")
        for line in machine.log.lines:
            if "oidc" in line or "provisiond" in line:
                print(f"  {line}")
        print("\nTo try again: sudo tests/demo")
    machine.stop()
    print("\nThe demo is over; everything it made is gone.")
    return 0 if row is not None and status != 255 else 1


# ---- by itself ----


class Exchange:
    """The ssh client on a terminal of its own; what it shows is printed as it comes."""

    def __init__(self, command):
        self.seen = ""
        self.pid, self.line = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, {**os.environ, "TERM": "dumb"})

    def read_until(self, pattern, seconds=30):
        deadline = time.monotonic() + seconds * harness.PATIENCE
        while not re.search(pattern, self.seen):
            ready, _, _ = select.select([self.line], [], [], max(0.0, deadline - time.monotonic()))
            try:
                received = os.read(self.line, 65536).decode(errors="replace") if ready else ""
            except OSError:
                received = ""
            if not received:
                raise harness.Failure(f"{pattern!r} did not appear")
            sys.stdout.write(received.replace("\r\n", "\n"))
            sys.stdout.flush()
            self.seen += received.replace("\r\n", "\n")
        return re.search(pattern, self.seen)

    def type(self, text):
        os.write(self.line, text.encode())

    def end(self):
        try:
            while received := os.read(self.line, 65536):
                sys.stdout.write(received.decode(errors="replace").replace("\r\n", "\n"))
        except OSError:
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def check_account(machine, promised, seen):
    """Everything that the sign-in should have given Alice."""
    row = machine.passwd("alice")
    harness.expect(row is not None, "alice has a line in /etc/passwd")
    harness.expect_equal(row[2:4], [str(promised)] * 2, "uid and gid, as sshd was promised them")
    harness.expect_equal(row[5:], ["/home/alice", "/bin/bash"], "home and shell")
    harness.expect(machine.shadow("alice")[1].startswith("*"), "no password opens the account")
    home = os.stat("/home/alice")
    harness.expect_equal((home.st_uid, home.st_gid, stat.S_IMODE(home.st_mode)), (promised, promised, 0o700), "the home directory")
    for name in os.listdir("/etc/skel"):
        harness.expect_equal(os.lstat(f"/home/alice/{name}").st_uid, promised, f"the owner of ~/{name}, from the skeleton")
    harness.expect_in(f"uid={promised}(alice) gid={promised}(alice)", seen, "what id says in her shell")


def run_by_itself(machine, command):
    promised = machine.promised_uid("alice")
    show_that_alice_is_unknown(machine)
    print(f"$ {as_typed(command)}", flush=True)
    exchange = Exchange(command)
    code = exchange.read_until(r"and enter +([A-Z0-9-]{8,})").group(1)
    exchange.read_until(r"once you have approved[^\n]*: ")
    print(f"\n[approving {code} as Alice: {approve_command(machine)}]")
    machine.issuer.approve(code, "alice")
    exchange.type("\r")
    exchange.read_until(r"alice@[^\n]*\$ ")
    for command_line in ("id", "getent passwd alice", "ls -la ~"):
        exchange.type(f"{command_line}\r")
        exchange.read_until(re.escape(command_line) + r"\n(.*\n)+.*\$ $")
    exchange.type("exit\r")
    status = exchange.end()
    harness.expect_equal(status, 0, "the exit status of ssh")
    check_account(machine, promised, exchange.seen)
    machine.stop()
    print("\nThe account is right: uid as promised, home from the skeleton, no local password. Everything is gone again.")
    return 0


def main():
    sys.dont_write_bytecode = True
    machine, command = start()
    if sys.stdin.isatty() and sys.stdout.isatty():
        return run_with_person(machine, command)
    try:
        return run_by_itself(machine, command)
    except harness.Failure as failure:
        print(f"\ndemo: {failure}\n{machine.report()}", file=sys.stderr)
        return 1


sys.exit(main())
