"""Puts what was built where a package would: programs, the PAM module, units and the PAM profile under /usr, in memory only.

For what looks at the places that are compiled in (`provisionctl setup`, `provisionctl check`). Everything else runs from the build.
"""

import glob
import os
import shutil
import subprocess

import harness

PRODUCT = "/run/sandbox/product"
SOURCE = os.environ.get("SANDBOX", "")
PROGRAMS = ("pam_oidcd", "provisiond", "provisionctl")
UNITS = "/usr/lib/systemd/system"


def pam_folder():
    """Where libpam looks for modules that are named without a folder."""
    for pattern in ("/usr/lib/*/security", "/usr/lib64/security", "/usr/lib/security", "/lib/*/security", "/lib/security"):
        for folder in glob.glob(pattern):
            if os.path.exists(f"{folder}/pam_unix.so"):
                return folder
    raise harness.Skip("no folder with pam_unix.so was found")


def make_writable(folder):
    """From now on the folder can be changed, and every change is gone with the sandbox."""
    work = "/run/sandbox/usr" + folder.replace("/", "-")
    os.makedirs(work)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755,size=256m", "tmpfs", work], check=True)
    os.makedirs(f"{work}/upper")
    os.makedirs(f"{work}/work")
    options = f"lowerdir={folder},upperdir={work}/upper,workdir={work}/work"
    done = subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", folder], stderr=subprocess.DEVNULL)
    if done.returncode != 0:
        # Where the kernel allows no overlay here, a copy.
        subprocess.run(["cp", "-a", f"{folder}/.", f"{work}/upper/"], check=True)
        subprocess.run(["mount", "--bind", f"{work}/upper", folder], check=True)


def put(source, target, mode):
    if os.path.lexists(target):
        os.unlink(target)
    shutil.copyfile(source, target)
    os.chmod(target, mode)
    os.chown(target, 0, 0)


def install():
    """Once for a machine, before anything that looks there is run."""
    modules = pam_folder()
    os.makedirs(UNITS, exist_ok=True)
    for folder in ("/usr/sbin", "/usr/bin", modules, UNITS):
        make_writable(os.path.realpath(folder))
    for program in PROGRAMS:
        put(f"{PRODUCT}/{program}", f"/usr/sbin/{program}", 0o755)
    put(f"{PRODUCT}/pam_oidc.so", f"{modules}/pam_oidc.so", 0o644)
    for unit in glob.glob(f"{SOURCE}/etc/systemd/*"):
        put(unit, f"{UNITS}/{os.path.basename(unit)}", 0o644)
    profile = f"{SOURCE}/debian/pam-configs/oidc"
    if os.path.isdir("/usr/share/pam-configs") and os.path.exists(profile):
        make_writable("/usr/share/pam-configs")
        put(profile, "/usr/share/pam-configs/oidc", 0o644)
