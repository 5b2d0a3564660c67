"""The profile for authselect (rpm/authselect) in force: services as Fedora and RHEL have them, which pull the profile's files in as a
substack (sshd, login, su) or by include (sudo), and nsswitch.conf as the profile writes it. Everything else is the distribution's."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "rpm"))

from authselect import ALL_FILES, PAM_FILES, rendered  # noqa: E402
from harness import cases, expect, expect_equal, expect_in, expect_not_in, expect_once  # noqa: E402
from machine import PASSWORD, PRODUCT  # noqa: E402

# What of a service's file decides who gets in.
LOGIN = """\
auth substack {stack}
auth include postlogin
account required pam_nologin.so
account include {stack}
password include {stack}
session required pam_loginuid.so
session include {stack}
session include postlogin
"""
SERVICES = {
    "sshd": LOGIN.format(stack="password-auth"),
    "login": LOGIN.format(stack="system-auth"),
    "su": "auth sufficient pam_rootok.so\nauth substack system-auth\nauth include postlogin\n"
    "account sufficient pam_succeed_if.so uid = 0 use_uid quiet\naccount include system-auth\npassword include system-auth\n"
    "session include system-auth\nsession include postlogin\n",
    "sudo": "auth include system-auth\naccount include system-auth\npassword include system-auth\nsession include system-auth\n",
    "passwd": "auth include system-auth\naccount include system-auth\npassword substack system-auth\n",
}
SERVICES["su-l"] = SERVICES["su"]
SERVICES["sudo-i"] = SERVICES["sudo"]

# Debian's pam_loginuid cannot work where the test runs, and a password's quality is not what is tried here.
LEFT_OUT = r"^.*pam_(loginuid|pwquality)\.so.*\n"

SETS = [
    ("no features", ()),
    ("with-faillock", ("with-faillock",)),
    ("with-sssd and others", ("with-sssd", "with-faillock", "with-pamaccess", "with-group-merging", "without-nullok")),
]


def select_profile(m, features):
    """What `authselect select pam_oidc FEATURES` does, and the start of everything."""
    for name, text in [*SERVICES.items(), *((name, rendered(name, features)) for name in PAM_FILES)]:
        text = re.sub(LEFT_OUT, "", text, flags=re.M)
        with open(f"/etc/pam.d/{name}", "w") as file:
            file.write(text.replace(" pam_oidc.so", f" {PRODUCT}/pam_oidc.so"))
    with open("/etc/nsswitch.conf", "w") as file:
        file.write(rendered("nsswitch.conf", features))
    expect(set(ALL_FILES) > set(PAM_FILES), "all files are rendered")
    m.start(sshd=("PermitRootLogin=yes",))


def every_set(sentence, sets=SETS, **options):
    return cases([(f"{words}: {sentence}", features) for words, features in sets], start=False, **options)


@every_set("an Okta person signs in over SSH and at the console, and may sudo")
def person(m, features):
    select_profile(m, features)
    screen = m.sign_in("alice")
    expect_equal(m.ask_in(screen, "id -un; echo $OIDC_EMAIL").split(), ["alice", "alice@clinic.example"], "who, in the session")
    screen.enter("sudo -k; sudo id -un")
    m.approve_on(screen, count=2)
    screen.enter()
    screen.wait_for(r"^root$", 20)
    expect_not_in("assword", screen.text(), "the screen")
    screen = m.login("alice@clinic.example")
    m.approve_on(screen)
    m.wait_for_shell(screen, "alice")


@every_set("root and a local user sign in with their passwords, with and without the daemons and the module")
def locals_sign_in(m, features):
    select_profile(m, features)

    def stopped():
        m.pam_oidcd.stop()
        m.provisiond.stop()

    for prepare in (None, stopped, lambda: m.run("umount", "-l", PRODUCT, check=True)):
        if prepare:
            prepare()
        for name, prompt in (("localuser", r"localuser@ward3.*\$ ?$"), ("root", r"root@ward3.*# ?$")):
            for screen in (m.ssh(name), m.login(name)):
                screen.wait_for(r"assword: ?$", 20)
                screen.enter(PASSWORD)
                screen.wait_for(prompt, 20)
                expect_not_in("Okta", screen.text(), "the screen")
        screen.enter("exit")
        screen = m.login("localuser")
        screen.wait_for(r"assword: ?$", 20)
        screen.enter(PASSWORD)
        m.wait_for_shell(screen, "localuser")
        screen.enter("su - sudoer")
        screen.wait_for(r"^Password: ?$", 20, count=2)
        screen.enter(PASSWORD)
        m.wait_for_shell(screen, "sudoer")
        screen.enter("sudo -k; sudo id -un")
        screen.wait_for(r"password for sudoer: ?$", 20)
        screen.enter(PASSWORD)
        screen.wait_for(r"^root$", 20)
        expect_not_in("Okta", screen.text(), "the screen")


@every_set("a denial is the end: no password is asked for, though there is one, and a wrong one lets nobody in either")
def denied(m, features):
    select_profile(m, features)
    m.sign_in("alice").enter("exit")
    # Somebody gave her a password behind our back.
    m.run("usermod", "-p", m.shadow("localuser")[1], "alice", check=True)
    screen = m.login("alice")
    m.issuer.deny(m.code_on(screen))
    m.wait_for_refused_login(screen)
    expect_once("The request was refused on the approval page.", screen.text(), "the screen")
    expect_not_in("assword", screen.text(), "the screen")
    screen = m.ssh("alice")
    m.issuer.deny(m.code_on(screen))
    screen.enter()
    screen.wait_for_end()
    expect_in("refused on the approval page", screen.text(), "the screen")
    expect_not_in("alice@ward3:", screen.text(), "the screen")
    screen = m.login("localuser")
    screen.wait_for(r"assword: ?$", 20)
    screen.enter("wrong")
    m.wait_for_refused_login(screen)


@every_set("a deactivated account is refused with a key, and its password is not changed", SETS[:1])
def deactivated(m, features):
    select_profile(m, features)
    screen = m.sign_in("alice")
    m.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/key", check=True)
    m.ask_in(screen, "umask 077; mkdir .ssh; echo '" + open("/root/key.pub").read().strip() + "' >.ssh/authorized_keys")
    command = ("ssh", "-F", "/dev/null", "-i", "/root/key", "-o", "BatchMode=yes", "alice@localhost", "id -un")
    expect_equal(m.run(*command).stdout.strip(), "alice", "a key, before")
    before = m.shadow("alice")
    screen.enter("passwd")
    screen.wait_for(r"passwd: .*\n", 20)
    expect_equal(m.shadow("alice"), before, "the row in shadow")
    expect_not_in("assword:", screen.text(), "the screen")
    m.run(f"{PRODUCT}/provisionctl", "deactivate", "alice", check=True)
    done = m.run(*command)
    expect(done.returncode != 0 and "alice" not in done.stdout, f"a key, afterwards: {done.stdout}{done.stderr}")
