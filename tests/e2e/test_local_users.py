"""Root and local users notice nothing, whatever state Okta and our daemons are in."""

import os
import signal
import time

from harness import PATIENCE, cases, expect, expect_equal, expect_not_in
from machine import PASSWORD, PRODUCT


def nothing(m):
    pass


def okta_away(m):
    m.issuer.process.kill()
    m.issuer.process.wait()
    m.issuers.clear()


def daemons_stopped(m):
    m.pam_oidcd.stop()
    m.provisiond.stop()


def daemons_hanging(m):
    for daemon in m.daemons.values():
        daemon.signal(signal.SIGSTOP)


def sockets_gone(m):
    daemons_stopped(m)
    for folder in ("/run/pam_oidc", "/run/provisiond"):
        for name in os.listdir(folder):
            os.unlink(f"{folder}/{name}")
        os.rmdir(folder)


def modules_gone(m):
    """As while a package is being removed: the lines are still there and the files are not."""
    daemons_stopped(m)
    m.run("umount", "-l", PRODUCT, check=True)


def wrong_arguments(m):
    for service in ("sshd", "login", "su", "sudo"):
        m.set_pam_arguments(service, "wait=fro-ever nonsense")


STATES = [
    ("everything in order", nothing),
    ("Okta away", okta_away),
    ("both daemons stopped", daemons_stopped),
    ("both daemons hanging", daemons_hanging),
    ("both daemons and their sockets gone", sockets_gone),
    ("module and library gone", modules_gone),
    ("a typing mistake in the module's arguments", wrong_arguments),
]


@cases([(f"{word}: root and local users sign in over SSH, at the console, with su and sudo", prepare) for word, prepare in STATES],
       sshd=["PermitRootLogin=yes"])
def all_ways_in(m, prepare):
    prepare(m)
    began = time.monotonic()
    for name, prompt in (("localuser", r"localuser@ward3.*\$ ?$"), ("root", r"root@ward3.*# ?$")):
        screen = m.ssh(name)
        screen.wait_for(r"assword: ?$", 20)
        screen.enter(PASSWORD)
        screen.wait_for(prompt, 20)
        expect_not_in("Okta", screen.text(), "the screen")
        screen = m.login(name)
        screen.wait_for(r"^Password: ?$", 20)
        screen.enter(PASSWORD)
        screen.wait_for(prompt, 20)
        expect_not_in("Okta", screen.text(), "the screen")
        if name == "localuser":
            screen.enter("su - sudoer")
            screen.wait_for(r"^Password: ?$", 20, count=2)
            screen.enter(PASSWORD)
            m.wait_for_shell(screen, "sudoer")
            screen.enter("sudo id -un")
            screen.wait_for(r"password for sudoer: ?$", 20)
            screen.enter(PASSWORD)
            screen.wait_for(r"^root$", 20)
            expect_not_in("Okta", screen.text(), "the screen")
    expect(time.monotonic() - began < 10 * PATIENCE, f"all of it took {time.monotonic() - began:.1f} s")
    for daemon in m.daemons.values():
        if daemon.running():
            daemon.signal(signal.SIGCONT)
    if m.issuers:
        expect_equal(m.issuer.requests("device"), 0, "codes asked for")


@cases([(f"{word}: a local public key works over SSH", prepare) for word, prepare in STATES])
def local_key(m, prepare):
    m.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/key", check=True)
    os.makedirs("/home/localuser/.ssh", mode=0o700)
    with open("/home/localuser/.ssh/authorized_keys", "w") as keys:
        keys.write(open("/root/key.pub").read())
    m.run("chown", "-R", "localuser:localuser", "/home/localuser/.ssh", check=True)
    prepare(m)
    done = m.run("ssh", "-F", "/dev/null", "-i", "/root/key", "-o", "BatchMode=yes", "localuser@localhost", "id -un")
    expect_equal((done.stdout.strip(), done.returncode), ("localuser", 0), f"ssh with a key ({done.stderr})")
