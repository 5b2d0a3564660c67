"""What is installed, and what sshd maps of it."""

import os
import re
import shutil
import subprocess

import peers
from bench import SMALLER, Row, measure

PRODUCT = "/run/sandbox/product"
MODULES = "size of the PAM and the NSS module, against pam_sss and libnss_sss"
ALL = "size of everything installed, against sssd with its PAM and NSS modules"
MAPPED = "mapped into sshd, against pam_sss and libnss_sss"
RESIDENT = "resident of what is mapped into sshd, against pam_sss and libnss_sss"
PEER_PACKAGES = ("libpam-sss", "libnss-sss", "sssd-common", "sssd-idp")


def stripped(path):
    """The size that a package would give the program: distributions strip what they ship, and sssd is shipped so."""
    copy = f"/tmp/{os.path.basename(path)}.stripped"
    subprocess.run(["strip", "--strip-unneeded", "-o", copy, path], check=True)
    return os.path.getsize(copy)


def is_program(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def installed_by_us():
    """What `make install` puts down."""
    subprocess.run(["make", "-s", f"BUILD={PRODUCT}", "DESTDIR=/tmp/installed", "install"], check=True, capture_output=True)
    paths = [os.path.join(folder, name) for folder, _, names in os.walk("/tmp/installed") for name in names]
    size = sum(stripped(path) if is_program(path) else os.path.getsize(path) for path in paths)
    shutil.rmtree("/tmp/installed")
    return size


def installed_by(packages):
    return sum(
        os.path.getsize(path) for package in packages for path in peers.files_of(package)
        if os.path.isfile(path) and not os.path.islink(path)
    )


def peer_file(ending):
    (path,) = [path for package in ("libpam-sss", "libnss-sss") for path in peers.files_of(package) if path.endswith(ending)]
    return path


@measure("sizes", [MODULES, ALL], needs_peers=True)
def sizes(m, quick):
    ours = sum(stripped(f"{PRODUCT}/{name}") for name in ("pam_oidc.so", "libnss_oidc.so.2"))
    theirs = sum(os.path.getsize(peer_file(name)) for name in ("/pam_sss.so", "/libnss_sss.so.2"))
    yield Row(MODULES, "KiB", ours / 1024, theirs / 1024, goal=SMALLER)
    yield Row(ALL, "KiB", installed_by_us() / 1024, installed_by(PEER_PACKAGES) / 1024, goal=SMALLER)


def libraries_of_sshd():
    listed = subprocess.run(["ldd", "/usr/sbin/sshd"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"=> (/\S+)", listed)


def mapped(service, nss):
    command = [f"{PRODUCT}/tests/bench/mapped", "bench-nothing", service, nss, *libraries_of_sshd()]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return [int(word) for word in done.stdout.split()]


@measure("sizes", [MAPPED, RESIDENT], needs_peers=True)
def mapped_into_sshd(m, quick):
    """What each adds to the libraries that sshd has anyway; in all four phases, as both are set up."""
    modules = {"nothing": "pam_permit.so", "ours": f"{PRODUCT}/pam_oidc.so", "theirs": "pam_sss.so"}
    for name, module in modules.items():
        with open(f"/etc/pam.d/bench-{name}", "w") as service:
            service.write("".join(f"{phase} required {module}\n" for phase in ("auth", "account", "session", "password")))
    ours, theirs = mapped("bench-ours", "files oidc"), mapped("bench-theirs", "files sss")
    yield Row(MAPPED, "KiB", ours[0], theirs[0], goal=SMALLER)
    yield Row(RESIDENT, "KiB", ours[1], theirs[1], goal=SMALLER)
