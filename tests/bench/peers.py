"""What people would use instead, in the sandbox: sssd's programs, unpacked by `tests/deps bench` and shown at their places.

Nothing of them is installed on the machine. The sandbox sees them under /usr as if they were.
"""

import glob
import os
import re
import shutil
import subprocess
import time

import bench

UNPACKED = os.environ.get("BENCH_PEERS", "/var/cache/pam_oidc-tests/bench")
OIDC_CHILD = "/usr/libexec/sssd/oidc_child"

# Its leanest setting: the two responders that logins need, and a domain that asks nobody else.
SSSD_CONF = """\
[sssd]
services = nss, pam
domains = clinic

[domain/clinic]
id_provider = files
"""

RUNNING = []


def show():
    """Lays the unpacked programs over /usr, for this sandbox alone."""
    if os.path.exists(OIDC_CHILD):
        return  # it is installed here
    if not os.path.exists(f"{UNPACKED}/.complete"):
        raise bench.Skip("sssd is not there; tests/deps bench unpacks it")
    done = subprocess.run(
        ["mount", "-t", "overlay", "-o", f"lowerdir={UNPACKED}/usr:/usr", "overlay", "/usr"], capture_output=True, text=True,
    )
    if done.returncode != 0:
        raise bench.Skip(f"sssd cannot be shown over /usr: {done.stderr.strip()}")
    subprocess.run(["ldconfig"], check=True)


def files_of(package):
    """The paths of everything that a package puts below /usr."""
    packed = glob.glob(f"{UNPACKED}/packages/{package}_*.deb")
    if packed:
        command = f"dpkg-deb --fsys-tarfile '{packed[0]}' | tar -t"
        listed = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
        paths = [line.lstrip(".") for line in listed.stdout.splitlines()]
    else:
        listed = subprocess.run(["dpkg-query", "-L", package], capture_output=True, text=True)
        if listed.returncode != 0:
            raise bench.Skip(f"{package} is not here; tests/deps bench unpacks it")
        paths = listed.stdout.splitlines()
    paths = [re.sub(r"^/(lib|bin|sbin)/", r"/usr/\1/", path) for path in paths]
    return [path for path in paths if path.startswith("/usr/")]


def start_sssd():
    """The monitor, which starts the domain's process and the responders; the monitor's process, once names are answered."""
    for place in ("/etc/sssd", "/var/lib/sss", "/var/log/sssd"):
        if os.path.isdir(UNPACKED + place):
            shutil.copytree(UNPACKED + place, place, dirs_exist_ok=True)
        os.makedirs(place, exist_ok=True)
    with open("/etc/sssd/sssd.conf", "w") as file:
        file.write(SSSD_CONF)
    os.chmod("/etc/sssd/sssd.conf", 0o600)
    output = open("/var/log/tests/sssd.log", "ab")
    monitor = subprocess.Popen(
        ["/usr/sbin/sssd", "-i", "--logger=files"], stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/",
    )
    RUNNING.append(monitor)
    wait_for_answers(monitor)
    return monitor


def wait_for_answers(monitor, seconds=60):
    """Until it knows somebody from /etc/passwd."""
    deadline = time.monotonic() + seconds
    while subprocess.run(["getent", "-s", "sss", "passwd", "localuser"], capture_output=True).returncode != 0:
        if monitor.poll() is not None or time.monotonic() > deadline:
            raise bench.Skip("sssd does not answer: " + open("/var/log/tests/sssd.log").read()[-300:])
        time.sleep(0.1)


def stop():
    """Ends what was started here, by process id."""
    while RUNNING:
        process = RUNNING.pop()
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
