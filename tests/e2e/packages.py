"""The life of the Debian packages on a machine of their own, with systemd: installed, set up, signed in with, upgraded, removed,
purged. After each step root and a local user with a password get in as they did before.

    packages.py ISSUER OLDER NEWER     the test issuer; folders with the packages to begin with and to upgrade to
    packages.py ISSUER                 only signs in, with the packages that are installed (debian/tests)

Changes the machine it runs on, so it runs in one that is thrown away (tests/packages starts it). One line for each step:
`ok packages: STEP` or `not ok packages: STEP`. What can be the distribution's is: its sshd, its PAM files as pam-auth-update
writes them, its service manager.
"""

import concurrent.futures
import glob
import hashlib
import os
import subprocess
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import harness  # noqa: E402
from harness import Failure, expect, expect_equal, expect_in, wait_for  # noqa: E402
from issuer import Issuer  # noqa: E402
from machine import CONFIG, HOST, PASSWORD, Machine  # noqa: E402

SECRET = "basic-secret-0123456789"
CA = "/etc/ssl/clinic-ca.pem"
PACKAGES = ("libpam-oidc", "provisiond", "libnss-oidc")
UNITS = ("pam_oidcd.service", "provisiond.service")
SOCKETS = ("pam_oidcd.socket", "provisiond.socket")


class Installed(Machine):
    """A machine on which the service manager runs the daemons and sshd, not the test."""

    def __init__(self, issuer_program):
        self.daemons, self.issuers, self.screens, self.sshd = {}, {}, [], None
        self.issuer_program = issuer_program
        os.makedirs("/var/log/tests", exist_ok=True)

    # ---- what the machine is before the packages come ----

    def prepare(self):
        """A host name, an identity provider, root and a local user with passwords, and sshd as the distribution has it."""
        self.run("hostname", "ward3", check=True)
        with open("/etc/hosts", "w") as file:
            file.write(f"127.0.0.1 localhost ward3 {HOST}\n::1 localhost ward3\n")
        issuer = Issuer(self.issuer_program, "/run/issuer", 443, HOST, "/var/log/tests/issuer.log")
        self.issuers[HOST] = issuer
        issuer.settings(interval=1)
        with open(CA, "w") as file:
            file.write(open(issuer.ca).read())
        self.run("useradd", "--create-home", "--uid", 1500, "--shell", "/bin/bash", "localuser", check=True)
        self.run("chpasswd", input=f"root:{PASSWORD}\nlocaluser:{PASSWORD}\n", check=True)
        self._prepare_ssh()

    def _prepare_ssh(self):
        os.makedirs("/root/.ssh", mode=0o700, exist_ok=True)
        self.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/.ssh/id_ed25519", check=True)
        with open("/root/.ssh/authorized_keys", "w") as file:
            file.write(open("/root/.ssh/id_ed25519.pub").read())
        self.run("ssh-keygen", "-A", check=True)
        with open("/etc/ssh/ssh_known_hosts", "w") as file:
            for path in glob.glob("/etc/ssh/ssh_host_*_key.pub"):
                file.write("localhost " + " ".join(open(path).read().split()[:2]) + "\n")
        # From OpenSSH 9.8 a few refusals block a whole address for a while; here everybody comes from one.
        if self.run("sshd", "-T", "-o", "PerSourcePenalties=no").returncode == 0:
            with open("/etc/ssh/sshd_config.d/90-tests.conf", "w") as file:
                file.write("PerSourcePenalties no\n")
        with open("/run/password", "w") as file:
            file.write(f"#!/bin/sh\necho '{PASSWORD}'\n")
        os.chmod("/run/password", 0o755)
        self.run("systemctl", "restart", "ssh", check=True)

    # ---- the ways in that have nothing to do with pam_oidc ----

    def ways_in(self):
        """root and the local user get in by password as ever: over ssh by each method that sshd offers, at the console, by su."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            ways = [pool.submit(self._ssh_by_password, method) for method in self.password_methods()]
            ways += [pool.submit(self._ssh_by_key)]
            ways += [pool.submit(self._console, name) for name in ("root", "localuser")]
            ways += [pool.submit(self._su)]
        for way in ways:
            way.result()

    def password_methods(self):
        settings = self.run("sshd", "-T", check=True).stdout.lower()
        methods = []
        if "\npasswordauthentication yes" in settings:
            methods.append("password")
        if "\nkbdinteractiveauthentication yes" in settings:
            methods.append("keyboard-interactive")
        expect(methods, f"sshd offers no way in by password:\n{settings}")
        return methods

    def _ssh_by_password(self, method):
        done = self.run(
            "setsid", "ssh", "-F", "/dev/null", "-o", f"PreferredAuthentications={method}", "-o", "NumberOfPasswordPrompts=1",
            "localuser@localhost", "id -un", environment={**os.environ, "SSH_ASKPASS": "/run/password", "SSH_ASKPASS_REQUIRE": "force"},
        )
        expect_equal(done.stdout.strip(), "localuser", f"localuser over ssh by {method}; ssh said {done.stderr!r}")

    def _ssh_by_key(self):
        done = self.run("ssh", "-F", "/dev/null", "-o", "BatchMode=yes", "root@localhost", "id -un")
        expect_equal(done.stdout.strip(), "root", f"root over ssh by key; ssh said {done.stderr!r}")

    def _console(self, name):
        screen = self.login(name)
        screen.wait_for(r"Password: ?$", 20)
        screen.enter(PASSWORD)
        screen.wait_for(rf"\b{name}@ward3\b.*[#$] ?$", 20)
        screen.close()

    def _su(self):
        screen = self.screen("setpriv", "--reuid=1500", "--regid=1500", "--clear-groups", "su", "-", "root", "-c", "id -un")
        screen.wait_for(r"Password: ?$", 20)
        screen.enter(PASSWORD)
        screen.wait_for(r"^root$", 20)
        screen.close()

    def change_password(self):
        """The local user changes the password, and back again: the stack for changing passwords asks as it should."""
        for old, new in ((PASSWORD, "staple battery 42"), ("staple battery 42", PASSWORD)):
            screen = self.screen("setpriv", "--reuid=1500", "--regid=1500", "--clear-groups", "passwd")
            screen.wait_for(r"Current password: ?$", 20)
            screen.enter(old)
            screen.wait_for(r"New password: ?$", 20)
            screen.enter(new)
            screen.wait_for(r"Retype new password: ?$", 20)
            screen.enter(new)
            expect_equal(screen.wait_for_end(20), 0, f"passwd of the local user; it shows:\n{screen.text()}")

    # ---- packages ----

    def apt(self, *words):
        """apt-get without a network: what the packages need beyond each other is there. What it said stands in a failure."""
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        done = self.run(
            "apt-get", "-q", "-y", "-o", "Dpkg::Use-Pty=0", "-o", "APT::Sandbox::User=root", *words,
            seconds=120, environment=environment,
        )
        text = done.stdout + done.stderr
        expect(done.returncode == 0, f"apt-get {' '.join(words)} ended with {done.returncode}:\n{text}")
        for sign in ("dpkg: warning", "dpkg: error", "Failed to", "failed to", "No such file"):
            expect(sign not in text, f"apt-get {' '.join(words)} complains:\n{text}")
        return text

    def install(self, folder):
        return self.apt("install", *sorted(glob.glob(f"{folder}/*.deb")))

    def version(self, package):
        return self.run("dpkg-query", "-W", "-f", "${Version}", package).stdout

    def unit(self, name, key):
        return self.run("systemctl", "show", "--value", "--property", key, name, check=True).stdout.strip()

    def expect_units(self, active):
        for name in (*UNITS, *SOCKETS):
            expect_equal(self.unit(name, "ActiveState"), active, f"the state of {name}")
        expect_equal(self.run("systemctl", "--failed", "--no-legend", "--plain").stdout, "", "units that failed")

    # ---- what stands in /etc ----

    def settings(self):
        """Each file in /etc that has to do with signing in, with its owner, mode and content; not accounts, which come and go."""
        found = {}
        for folder in ("/etc/pam.d", "/etc/ssh", "/etc/security"):
            for path in glob.glob(f"{folder}/**", recursive=True):
                found[path] = path
        for path in ("/etc/nsswitch.conf", "/etc/pam.conf", "/etc/login.defs", CONFIG, *glob.glob("/etc/pam_oidc*")):
            found[path] = path
        return {path: self._file(path) for path in sorted(found) if os.path.lexists(path)}

    @staticmethod
    def _file(path):
        state = os.lstat(path)
        content = open(path, "rb").read() if os.path.isfile(path) else b""
        return f"{state.st_mode:o} {state.st_uid}:{state.st_gid} {hashlib.sha256(content).hexdigest()}"

    def expect_settings(self, before, what):
        now = self.settings()
        changed = [path for path in sorted(before.keys() | now.keys()) if before.get(path) != now.get(path)]
        texts = "".join(f"--- {path}\n{open(path).read() if os.path.isfile(path) else ''}" for path in changed)
        expect(not changed, f"{what}: not as before: {', '.join(changed)}\n{texts}")

    # ---- signing in ----

    def set_up(self):
        """Options alone, no question: as a configuration tool would do it."""
        with open("/root/secret", "w") as file:
            file.write(SECRET)
        os.chmod("/root/secret", 0o600)
        done = self.run(
            "provisionctl", "setup", "--yes", "--no-code", "--issuer", self.issuer.issuer, "--client-id", "clinic-basic",
            "--client-auth", "basic", "--secret-file", "/root/secret", "--domain", "clinic.example", "--tenant", "clinic",
            "--ca-file", CA, seconds=60,
        )
        os.unlink("/root/secret")
        expect_equal(done.returncode, 0, f"provisionctl setup; it said:\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def nobody_new_gets_in(self):
        """Without pam_oidc a name that has no account here is refused."""
        done = self.run(
            "setsid", "ssh", "-F", "/dev/null", "-o", "NumberOfPasswordPrompts=1", "carol@localhost", "true",
            environment={**os.environ, "SSH_ASKPASS": "/run/password", "SSH_ASKPASS_REQUIRE": "force"},
        )
        expect_equal(done.returncode, 255, f"ssh as carol; it said {done.stderr!r}")
        expect(self.passwd("carol") is None, "carol has an account")

    def report(self):
        parts = []
        for screen in self.screens[-6:]:
            try:
                parts.append(f"--- {screen.name}: {' '.join(screen.command)} ---\n{screen.text()}")
            except Failure:
                pass  # closed
        journal = self.run("journalctl", "-b", "-n", "120", "-o", "short-precise", "--no-pager").stdout
        return "\n".join([*parts, "--- journal ---", journal])


# ---- the story ----


class Story:
    def __init__(self, machine):
        self.machine = machine
        self.failed = False

    def step(self, name, function, *arguments):
        """One step; after the first that fails nothing else is tried, because it would begin from somewhere else."""
        if self.failed:
            return None
        began = time.monotonic()
        try:
            value = function(*arguments)
        except Exception as problem:
            self.failed = True
            print(f"not ok packages: {name}")
            text = str(problem) if isinstance(problem, Failure) else traceback.format_exc()
            print("".join(f"  | {line}\n" for line in f"{text}\n{self.machine.report()}".splitlines()), end="", flush=True)
            return None
        print(f"ok packages: {name} ({time.monotonic() - began:.1f} s)", flush=True)
        return value


def installed_but_not_set_up(machine, before):
    machine.expect_units("inactive")
    now = machine.settings()
    changed = sorted(path for path in now if now[path] != before.get(path))
    expect_equal(changed, ["/etc/nsswitch.conf"], "what the installation changed of how people sign in")
    text = open("/etc/nsswitch.conf").read()
    for database in ("passwd", "group"):
        expect(any(line.startswith(f"{database}:") and line.endswith(" oidc") for line in text.splitlines()), text)
    expect(machine.passwd("_pam_oidc"), "there is no user _pam_oidc")
    machine.nobody_new_gets_in()


def set_up(machine):
    machine.set_up()
    machine.expect_units("active")
    expect_in("pam_oidc.so", open("/etc/pam.d/common-auth").read(), "common-auth")
    # What setup wrote is what pam-auth-update itself would have written.
    written = machine.settings()
    machine.run("pam-auth-update", "--package", check=True)
    machine.expect_settings(written, "after pam-auth-update")
    done = machine.run("provisionctl", "check", seconds=60)
    expect_equal(done.returncode, 0, f"provisionctl check; it said:\n{done.stdout}{done.stderr}")


def take_back(machine):
    """Everything that setup did, and the machine is as it was after the installation."""
    installed = machine.settings()
    set_up(machine)
    expect(machine.settings() != installed, "setup changed nothing in /etc")
    done = machine.run("provisionctl", "setup", "--undo", "--yes", seconds=60)
    expect_equal(done.returncode, 0, f"provisionctl setup --undo; it said:\n{done.stdout}{done.stderr}")
    machine.expect_settings(installed, "after setup --undo")
    machine.nobody_new_gets_in()


def first_sign_in(machine):
    screen = machine.sign_in("alice")
    expect_in("A local account was made for you: alice", screen.text(), "the welcome")
    expect_equal(machine.ask_in(screen, "id -un; pwd"), "alice\n/home/alice", "alice in her session")
    machine.ask_in(screen, "echo mine >kept")
    return screen


def managed_passwords_stay_closed(machine):
    """Not even root gives a managed account a password by mistake, and the person is not led to a prompt that goes nowhere."""
    before = machine.shadow("alice")
    done = machine.run("passwd", "alice", input="abcDEF123!\nabcDEF123!\n")
    expect(done.returncode != 0, f"passwd alice by root went through: {done.stdout}{done.stderr}")
    expect_equal(machine.shadow("alice"), before, "alice's line in /etc/shadow")


def upgrade(machine, newer, session):
    pids = {name: machine.unit(name, "MainPID") for name in UNITS}
    sockets = {path: os.stat(path).st_ino for path in ("/run/pam_oidc/socket", "/run/provisiond/socket")}
    settings = machine.settings()
    old = machine.version("provisiond")
    # dpkg first puts all the files in place. Until it goes on, the daemons of before run beside the modules of after.
    machine.run("dpkg", "--unpack", *glob.glob(f"{newer}/*.deb"), check=True)
    machine.ways_in()
    sign_in_again(machine, "alice")
    expect_equal({name: machine.unit(name, "MainPID") for name in UNITS}, pids, "the daemons while files were replaced")
    machine.run("dpkg", "--configure", "--pending", seconds=120, check=True)
    for package in PACKAGES:
        expect(machine.version(package) != old, f"{package} is still {old}")
    wait_for("the daemons to be up again", lambda: all(machine.unit(name, "ActiveState") == "active" for name in UNITS), 20)
    machine.expect_units("active")
    for name in UNITS:
        expect(machine.unit(name, "MainPID") not in ("0", pids[name]), f"{name} was not restarted")
    for path, inode in sockets.items():
        expect_equal(os.stat(path).st_ino, inode, f"the socket {path}")
    machine.expect_settings(settings, "after the upgrade")
    expect_equal(machine.ask_in(session, "id -un; cat kept"), "alice\nmine", "alice's session, open since before")


def sign_in_again(machine, name):
    screen = machine.sign_in(name)
    expect_equal(machine.ask_in(screen, "id -un"), name, f"the session of {name}")
    screen.close()


def remove(machine, before, session):
    config = machine._file(CONFIG)
    machine.apt("remove", *PACKAGES)
    now = {path: state for path, state in machine.settings().items() if "pam_oidc" not in path}
    expect_equal(sorted(path for path in now if now[path] != before.get(path)), [], "what the removal left changed")
    expect_equal(machine._file(CONFIG), config, CONFIG)
    expect_equal(machine.ask_in(session, "id -un; cat kept"), "alice\nmine", "alice's session, open since before")
    for folder in ("/run/pam_oidc", "/run/provisiond"):
        expect_equal(glob.glob(f"{folder}/*"), [], f"what is left in {folder}")
    machine.nobody_new_gets_in()


def install_again(machine, newer):
    """With the configuration of before the daemons run; PAM is set up anew, as after every installation."""
    machine.install(newer)
    machine.expect_units("active")
    machine.run("pam-auth-update", "--enable", "oidc", check=True)
    sign_in_again(machine, "alice")


def purge(machine, before):
    text = machine.apt("purge", *PACKAGES)
    expect_in("/var/lib/provisiond stays", text, "what the purge says")
    machine.expect_settings(before, "after the purge")
    expect(os.path.exists("/var/lib/provisiond/accounts.db"), "the record of uids that were given out is gone")
    expect(not os.path.exists("/var/lib/provisiond/setup"), "what setup kept for undoing is still there")
    for name in ("alice", "bob"):
        expect(machine.passwd(name), f"{name} has no account any more")
        expect(os.path.isdir(f"/home/{name}"), f"{name} has no home any more")
    expect_equal(open("/home/alice/kept").read(), "mine\n", "a file in alice's home")
    machine.nobody_new_gets_in()


def edited_by_hand(machine, newer):
    """Where /etc/pam.d/common-* were edited, pam-auth-update leaves them alone, and lines of ours stay without a module."""
    line = "[success=2 user_unknown=ignore authinfo_unavail=ignore module_unknown=ignore default=die] pam_oidc.so\n"
    files = {}
    for kind, own in (("auth", f"auth {line}"), ("account", f"account {line.replace('success=2', 'success=ok')}")):
        path = f"/etc/pam.d/common-{kind}"
        files[path] = open(path).read()
        place = files[path].index("\n", files[path].index("# here are the per-package modules")) + 1
        with open(path, "w") as file:
            file.write(files[path][:place] + own + files[path][place:])
    machine.install(newer)
    machine.ways_in()
    machine.apt("purge", *PACKAGES)
    machine.ways_in()
    for path, text in files.items():
        with open(path, "w") as file:
            file.write(text)


def empty_record(machine, newer):
    """A record that never held anybody goes with the packages."""
    machine.run("rm", "-rf", "/var/lib/provisiond", check=True)
    machine.configure(machine.standard_configuration().replace(machine.issuer.ca, CA))
    machine.install(newer)
    machine.expect_units("active")
    machine.run("provisionctl", "status", check=True)
    expect(os.path.exists("/var/lib/provisiond/accounts.db"), "there is no record")
    machine.apt("purge", *PACKAGES)
    expect(not os.path.exists("/var/lib/provisiond"), "the empty record is still there")


def tell(machine, older, newer):
    story = Story(machine)
    story.step("a machine without them: root and a local user get in", machine.ways_in)
    before = machine.settings()
    story.step("installed: nothing but nsswitch.conf changes, and nothing runs", lambda: (
        machine.install(older), installed_but_not_set_up(machine, before), machine.ways_in()))
    story.step("set up and taken back: all of /etc as after the installation", lambda: (take_back(machine), machine.ways_in()))
    story.step("set up with options alone: root and a local user get in", lambda: (set_up(machine), machine.ways_in()))
    session = story.step("a first sign-in over the distribution's sshd", first_sign_in, machine)
    story.step("with somebody of the company signed in, root and a local user get in", machine.ways_in)
    story.step("a local user changes the password, a managed account gets none", lambda: (
        machine.change_password(), managed_passwords_stay_closed(machine), machine.ways_in()))
    story.step("upgraded: daemons restarted, sockets and sessions kept, nothing else changed", lambda: (
        upgrade(machine, newer, session), machine.ways_in()))
    story.step("after the upgrade people sign in, known ones and new ones", lambda: (
        sign_in_again(machine, "alice"), sign_in_again(machine, "bob"), machine.ways_in()))
    story.step("removed: PAM and nsswitch.conf byte for byte as before, open sessions go on", lambda: (
        remove(machine, before, session), machine.ways_in()))
    story.step("installed again: the configuration of before is used", lambda: (install_again(machine, newer), machine.ways_in()))
    story.step("purged: all of /etc as before, accounts, homes and the record of uids stay", lambda: (
        purge(machine, before), machine.ways_in()))
    story.step("PAM files edited by hand: left alone, and nobody is locked out when the module is gone", edited_by_hand, machine, newer)
    story.step("a record without accounts goes with the purge", lambda: (empty_record(machine, newer), machine.ways_in()))
    story.step("at the end everything in /etc is as it was before", machine.expect_settings, before, "at the end")
    return 1 if story.failed else 0


def tell_of_signing_in(machine):
    story = Story(machine)
    story.step("root and a local user get in", machine.ways_in)
    story.step("set up with options alone: root and a local user get in", lambda: (set_up(machine), machine.ways_in()))
    story.step("a first sign-in over SSH", first_sign_in, machine)
    story.step("and another one", sign_in_again, machine, "alice")
    return 1 if story.failed else 0


def main():
    issuer, *folders = sys.argv[1:]
    machine = Installed(issuer)
    machine.prepare()
    sys.exit(tell(machine, *folders) if folders else tell_of_signing_in(machine))


if __name__ == "__main__":
    main()
