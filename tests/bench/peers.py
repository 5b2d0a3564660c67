"""What people would use instead, in the sandbox: sssd's programs, unpacked by `tests/deps bench` and shown at their places.

Nothing of them is installed on the machine. The sandbox sees them under /usr as if they were.
"""

import os
import subprocess

import bench

UNPACKED = os.environ.get("BENCH_PEERS", "/var/cache/pam_oidc-tests/bench")
OIDC_CHILD = "/usr/libexec/sssd/oidc_child"

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
