"""A stand-in for systemctl in the sandbox, where no systemd runs: it starts, reloads and stops both daemons and sshd.

install() puts this very file at /usr/bin/systemctl. It knows what `provisionctl setup` asks of systemctl and nothing else; each
call is noted in /var/log/tests/systemctl.log. What a real systemd does with the units is shown by tests/machine.
"""

import os
import signal
import subprocess
import sys
import time

STATE = "/run/service_manager"
LOG = "/var/log/tests/systemctl.log"
DAEMONS = {
    "provisiond.service": ["unshare", "--net", "/usr/sbin/provisiond"],
    "pam_oidcd.service": ["setpriv", "--reuid=_pam_oidc", "--regid=_pam_oidc", "--clear-groups", "/usr/sbin/pam_oidcd"],
    "ssh.service": ["/usr/sbin/sshd", "-D"],
}
SOCKETS = {"provisiond.socket": "/run/provisiond/socket", "pam_oidcd.socket": "/run/pam_oidc/socket"}


def install():
    """Makes the sandbox look as if systemd ran it. Whoever calls it has /usr/bin writable (installed.py)."""
    os.makedirs("/run/systemd/system", exist_ok=True)
    os.makedirs(STATE, exist_ok=True)
    path = "/usr/bin/systemctl"
    if os.path.lexists(path):
        os.unlink(path)
    with open(__file__) as source, open(path, "w") as target:
        target.write("#!/usr/bin/python3\n" + source.read())
    os.chmod(path, 0o755)


def pid_of(unit):
    """The process id of a unit that runs, or None."""
    try:
        with open(f"{STATE}/{unit}.pid") as file:
            pid = int(file.read())
        with open(f"/proc/{pid}/stat") as stat:
            return None if stat.read().rsplit(")", 1)[1].split()[0] == "Z" else pid
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return None


def is_active(unit):
    return os.path.exists(SOCKETS[unit]) if unit in SOCKETS else pid_of(unit) is not None


def start(unit):
    if unit in SOCKETS or is_active(unit):
        return
    for folder, owner in (("/run/provisiond", "root"), ("/run/pam_oidc", "_pam_oidc"), ("/var/lib/provisiond", "root")):
        os.makedirs(folder, exist_ok=True)
        subprocess.run(["chown", owner, folder], check=True)
    output = open(f"/var/log/tests/{unit}.log", "ab")
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "ASAN_OPTIONS": "detect_leaks=0"}
    process = subprocess.Popen(
        DAEMONS[unit], stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, cwd="/", start_new_session=True,
    )
    with open(f"{STATE}/{unit}.pid", "w") as file:
        file.write(str(process.pid))
    socket = SOCKETS.get(unit.replace(".service", ".socket"))
    deadline = time.monotonic() + 60
    while socket and not os.path.exists(socket):
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"Job for {unit} failed; see {output.name}")
        time.sleep(0.02)


def stop(unit):
    pid = pid_of(unit)
    if pid is None:
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 60
    while pid_of(unit) is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    socket = SOCKETS.get(unit.replace(".service", ".socket"))
    if socket and os.path.exists(socket):
        os.unlink(socket)


def reload(unit):
    pid = pid_of(unit)
    if pid is None:
        sys.exit(f"{unit} is not active, cannot reload.")
    os.kill(pid, signal.SIGHUP)
    time.sleep(0.3)


def enabled(unit):
    return os.path.exists(f"{STATE}/{unit}.enabled")


def set_enabled(unit, yes):
    path = f"{STATE}/{unit}.enabled"
    if yes:
        open(path, "w").close()
    elif os.path.exists(path):
        os.unlink(path)


def carry_out(verb, unit):
    if unit not in DAEMONS and unit not in SOCKETS:
        sys.exit(f"Unit {unit} could not be found.")
    if verb in ("enable", "disable"):
        set_enabled(unit, verb == "enable")
    elif verb == "start":
        start(unit)
    elif verb == "stop":
        stop(unit)
    elif verb in ("restart", "try-restart"):
        if verb == "restart" or is_active(unit):
            stop(unit)
            start(unit)
    elif verb in ("reload", "reload-or-restart", "try-reload-or-restart"):
        if is_active(unit):
            reload(unit)
        elif verb == "reload-or-restart":
            start(unit)
    elif verb == "is-enabled":
        sys.exit(0 if enabled(unit) else 1)
    elif verb == "is-active":
        sys.exit(0 if is_active(unit) else 3)
    elif verb != "cat":
        sys.exit(f"Unknown command verb {verb}.")


def main():
    with open(LOG, "a") as log:
        log.write(" ".join(sys.argv[1:]) + "\n")
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    if words[:1] == ["daemon-reload"]:
        return
    for unit in words[1:]:
        carry_out(words[0], unit if "." in unit else f"{unit}.service")


if __name__ == "__main__" and os.path.basename(sys.argv[0]) == "systemctl":
    main()
