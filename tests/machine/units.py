"""What the units promise, on a machine with systemd as PID 1 and the packages installed: sockets start the daemons, their sandbox
holds, a daemon that dies or hangs comes back, a reload, a restart and an upgrade do right by those who wait, sessions end with the
account, events stand in the journal, and all of it again after a reboot.

    units.py ISSUER CONFINE PACKAGES     the test issuer, the program with the probes (tests/confine), the folder with the packages

Changes the machine it runs on, so it runs in one that is thrown away (tests/machine/run starts it). One line for each step:
`ok machine: STEP` or `not ok machine: STEP`. Ends with status 133 where the machine is to reboot and this to be run again.
"""

import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))

import harness  # noqa: E402
from harness import Failure, Skip, expect, expect_equal, expect_in, expect_not_in, expect_once, wait_for  # noqa: E402
from issuer import Issuer  # noqa: E402
from machine import CONFIG, HOST, PAM_OIDCD_SOCKET, PROVISIOND_SOCKET  # noqa: E402
from packages import CA, PACKAGES, SECRET, SOCKETS, UNITS, Installed  # noqa: E402
from test_privilege import ALLOWED, EXPOSURE  # noqa: E402

REBOOT = 133
PROGRESS = "/root/units.json"
SECRET_FILE = "/etc/pam_oidc/clinic.secret"
RESTARTED = "The sign-in service of this machine was restarted just now: please start again."
DROP_IN = "/etc/systemd/system/{}.service.d/test.conf"

CONFIGURATION = f"""\
[login]
ca_file = {{ca}}

[accounts]
default_tenant = clinic

[tenant clinic]
issuer = {{issuer}}
client_id = clinic-basic
client_auth = basic
client_secret_file = {SECRET_FILE}
domains = clinic.example
"""


class Units(Installed):
    """The machine with what these tests ask of its service manager."""

    def write_configuration(self, ca=CA):
        self.configure(CONFIGURATION.format(ca=ca, issuer=self.issuer.issuer))

    def start_again(self):
        """The issuer after a reboot: the same people, with a new certificate."""
        os.makedirs("/var/log/tests", exist_ok=True)
        issuer = Issuer(self.issuer_program, "/run/issuer", 443, HOST, "/var/log/tests/issuer.log")
        self.issuers[HOST] = issuer
        issuer.settings(interval=1)
        self.new_client_secret(open(SECRET_FILE).read())
        shutil.copy(issuer.ca, re.search(r"^ca_file = (.*)$", open(CONFIG).read(), re.M).group(1))

    def systemctl(self, *words, seconds=30):
        return self.run("systemctl", *words, seconds=seconds, check=True).stdout

    def pid(self, name):
        return int(self.unit(f"{name}.service", "MainPID"))

    def restarts(self, name):
        return int(self.unit(f"{name}.service", "NRestarts"))

    def wait_for_state(self, unit, state, seconds=20):
        wait_for(f"{unit} to be {state}", lambda: self.unit(unit, "ActiveState") == state, seconds)

    def wait_for_units(self):
        for name in UNITS:
            self.wait_for_state(name, "active")
        self.expect_units("active")

    def drop_in(self, name, text):
        """Further lines for a service, or none any more; the daemon is not restarted."""
        path = DROP_IN.format(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if text:
            with open(path, "w") as file:
                file.write(f"[Service]\n{text}")
        elif os.path.exists(path):
            os.unlink(path)
        self.systemctl("daemon-reload")

    def journal(self, *words):
        return self.run("journalctl", "-q", "--no-pager", "-b", *words).stdout

    def wait_for_journal(self, what, *words):
        try:
            return wait_for(what, lambda: self.journal(*words).strip(), 15)
        except Failure as failure:
            raise Failure(f"{failure}; journalctl {' '.join(words)} finds nothing") from None

    def sign_in_and_out(self, name):
        screen = self.sign_in(name)
        uid = int(self.ask_in(screen, "id -u"))
        screen.close()
        return uid

    def new_client_secret(self, secret):
        """At the issuer, where the old one is worth nothing from now on."""
        self.issuer.control("clients", **{"clinic-basic": {"name": "Clinic Linux", "auth": "basic", "secret": secret}})

    def forget_screens(self):
        for screen in self.screens:
            screen.close()
        self.screens.clear()


# ---- the steps ----

STEPS = []


def step(sentence, boot=1):
    """One step of the story, in the order in which they stand here. boot: 1 before the reboot, 2 after it."""

    def register(function):
        STEPS.append((sentence, boot, function))
        return function

    return register


@step("installed and not set up, the units are enabled and keep still")
def keep_still(m, memory):
    m.install(sys.argv[3])
    m.expect_units("inactive")
    for name in (*UNITS, *SOCKETS):
        expect_equal(m.run("systemctl", "is-enabled", name).stdout.strip(), "enabled", f"whether {name} is enabled")
    m.systemctl("start", *SOCKETS, *UNITS)  # which their conditions permit, and do nothing of
    m.expect_units("inactive")


@step("this systemd finds nothing wrong in the units, and calls them little exposed")
def verified(m, memory):
    paths = [m.unit(name, "FragmentPath") for name in (*UNITS, *SOCKETS)]
    done = m.run("systemd-analyze", "verify", "--man=no", *paths)
    expect_equal((done.returncode, done.stdout + done.stderr), (0, ""), "systemd-analyze verify")
    for name, goal in EXPOSURE.items():
        done = m.run("systemd-analyze", "security", "--offline=true", f"--threshold={int(goal * 10)}", "--no-pager",
                     m.unit(f"{name}.service", "FragmentPath"))
        expect_equal(done.returncode, 0, f"the exit status, which tells whether {name} is above {goal}: {done.stdout[-600:]}")


@step("a question at a socket starts its daemon, and a first sign-in over ssh works")
def by_socket(m, memory):
    os.makedirs(os.path.dirname(SECRET_FILE), mode=0o750, exist_ok=True)
    shutil.chown(os.path.dirname(SECRET_FILE), "root", "_pam_oidc")
    m.write_secret(SECRET_FILE, SECRET)
    m.write_configuration()
    m.run("pam-auth-update", "--package", "--enable", "oidc", check=True)
    with open("/etc/ssh/sshd_config.d/10-pam_oidc.conf", "w") as file:
        file.write("KbdInteractiveAuthentication yes\n")
    m.systemctl("restart", "ssh")
    m.systemctl("start", *SOCKETS)
    for name in UNITS:
        expect_equal(m.unit(name, "ActiveState"), "inactive", f"the state of {name} before anybody asks")
    for path, folder in ((PAM_OIDCD_SOCKET, "pam_oidc"), (PROVISIOND_SOCKET, "provisiond")):
        folder = os.stat(f"/run/{folder}")
        expect_equal((os.stat(path).st_mode & 0o777, folder.st_uid, folder.st_mode & 0o777), (0o666, 0, 0o755), f"{path} and its folder")
    m.run("provisionctl", "list")
    m.wait_for_state("provisiond.service", "active")
    expect_equal(m.unit("pam_oidcd.service", "ActiveState"), "inactive", "the state of pam_oidcd, whom nobody has asked")
    screen = m.sign_in("alice")
    expect_in("A local account was made for you: alice", screen.text(), "the welcome")
    memory["uid"] = int(m.ask_in(screen, "id -u"))
    screen.close()
    m.expect_units("active")


@step("the manager has applied the sandbox to both daemons")
def in_force(m, memory):
    bounding = {"pam_oidcd": 0, "provisiond": 1 << 0 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 29}
    for name in ("pam_oidcd", "provisiond"):
        status = open(f"/proc/{m.pid(name)}/status").read()
        for key, value in (("NoNewPrivs", "1"), ("Seccomp", "2"), ("CapBnd", f"{bounding[name]:016x}"), ("CapEff", f"{bounding[name]:016x}")):
            expect_equal(re.search(rf"^{key}:\s+(\S+)", status, re.M).group(1), value, f"{name}: {key}")
        for space in ("mnt", "uts", *(("net",) if name == "provisiond" else ())):
            expect(os.readlink(f"/proc/{m.pid(name)}/ns/{space}") != os.readlink(f"/proc/1/ns/{space}"), f"{name} is in the machine's {space}")


def probe_unit(m, name, victim):
    """A unit like the daemon's, in which the probes stand where the daemon would. Its output."""
    text = open(m.unit(f"{name}.service", "FragmentPath")).read()
    service = text[text.index("[Service]"):text.index("[Install]")]
    service = re.sub(r"^(Type|ExecStart|ExecReload|Restart\w*|WatchdogSec)=.*\n", "", service, flags=re.M)
    output = f"/run/probe-{name}"
    with open(f"/run/systemd/system/probe-{name}.service", "w") as unit:
        unit.write(f"[Unit]\nDescription=Probes in the place of {name}\n{service}"
                   f"Type=oneshot\nExecStart=/usr/sbin/{name} --probe {victim}\n"
                   f"StandardOutput=file:{output}\nTimeoutStartSec=120\n")
    m.systemctl("daemon-reload")
    program = f"/usr/sbin/{name}"
    os.rename(program, f"{program}.real")
    try:
        shutil.copy(sys.argv[2], program)
        m.systemctl("start", f"probe-{name}.service", seconds=60)
    finally:
        os.rename(f"{program}.real", program)
    return open(output).read()


@step("what the units forbid is refused to a program in the daemon's place, and reached without them")
def breaches(m, memory):
    for folder in ("/root", "/dev/shm"):
        open(f"{folder}/something", "w").close()
    victim = subprocess.Popen(["setpriv", "--reuid=localuser", "--regid=localuser", "--clear-groups", "sleep", "600"])
    probes = re.compile(r"^probe (.*?): (.*)$", re.M)
    try:
        done = m.run(sys.argv[2], "--probe", victim.pid, seconds=60, check=True)
        control = dict(probes.findall(done.stdout))
        for name in EXPOSURE:
            judge(name, control, dict(probes.findall(probe_unit(m, name, victim.pid))), given_by_systemd(m))
    finally:
        victim.kill()
        victim.wait()


def given_by_systemd(m):
    """What newer releases leave to every service, because it does nothing but restrict whoever uses it (@sandbox in @default)."""
    return {"load a filter"} if int(m.systemctl("--version").split()[1]) >= 256 else set()


def judge(name, control, seen, given):
    expect_equal(set(seen), set(control), "the names of the probes")
    attacks = [probe for probe in seen if probe not in ALLOWED[name] | given]
    tried = [probe for probe in attacks if control[probe] == "reached"]
    admitted = [probe for probe in tried if not seen[probe].startswith("refused")]
    missing = [f"{probe}: {seen[probe]}" for probe in ALLOWED[name] if seen[probe] != "reached" and control.get(probe) == "reached"]
    harness.count("privilege", len(attacks), len(tried) - len(admitted), len(admitted), len(attacks) - len(tried))
    expect_equal(admitted, [], f"what {name} was not refused")
    expect_equal(missing, [], f"what {name} needs and was refused")
    expect(len(tried) >= 30, f"{name}: only {len(tried)} probes could be tried here")


@step("each decision is an event in the journal, which is found by its fields")
def events(m, memory):
    created = m.wait_for_journal("the event of alice's account", "OIDC_EVENT=created", "OIDC_ACCOUNT=alice", "-o", "json")
    event = json.loads(created.splitlines()[0])
    expect_equal((event["OIDC_UID"], event["OIDC_TENANT"], event["SYSLOG_IDENTIFIER"]), (str(memory["uid"]), "clinic", "provisiond"), "the event")
    screen = m.ssh("alice")
    m.issuer.deny(m.code_on(screen))
    screen.enter()
    screen.wait_for_end(20)
    m.wait_for_journal("the event of the refusal", "OIDC_EVENT=refused", "OIDC_REASON=denied", "_SYSTEMD_UNIT=pam_oidcd.service")


@step("without the journal's own socket the log goes to syslog")
def syslog(m, memory):
    m.drop_in("pam_oidcd", "InaccessiblePaths=/run/systemd/journal/socket\n")
    m.systemctl("restart", "pam_oidcd")
    m.wait_for_journal("a line by way of syslog", "_TRANSPORT=syslog", "SYSLOG_IDENTIFIER=pam_oidcd", "-g", "is ready")
    m.drop_in("pam_oidcd", "")
    m.systemctl("restart", "pam_oidcd")


@step("a daemon that is killed comes back, and whoever waited reads that they start again")
def killed(m, memory):
    screen = m.ssh("alice")
    m.code_on(screen)
    for name in ("pam_oidcd", "provisiond"):
        pid, restarts = m.pid(name), m.restarts(name)
        os.kill(pid, signal.SIGKILL)
        wait_for(f"{name} to be back", lambda: m.restarts(name) > restarts and m.pid(name) not in (0, pid), 20)
    screen.enter()
    screen.wait_for_end(20)
    expect_once(RESTARTED, screen.text(), "the screen")
    expect_not_in("assword:", screen.text(), "the screen")
    m.wait_for_units()
    expect_equal(m.sign_in_and_out("alice"), memory["uid"], "alice's uid")


@step("a daemon that hangs is started anew by the watchdog, and one that works is not")
def watched(m, memory):
    for name in ("pam_oidcd", "provisiond"):
        m.drop_in(name, "WatchdogSec=4\n")
    m.systemctl("restart", *UNITS)
    restarts = {name: m.restarts(name) for name in ("pam_oidcd", "provisiond")}
    pids = {name: m.pid(name) for name in restarts}
    expect_equal(m.sign_in_and_out("alice"), memory["uid"], "alice's uid")
    time.sleep(6)  # longer than the watchdog waits
    expect_equal({name: m.pid(name) for name in restarts}, pids, "the daemons that work")
    for name, pid in pids.items():
        os.kill(pid, signal.SIGSTOP)
    for name, pid in pids.items():
        wait_for(f"{name} to be back", lambda: m.restarts(name) > restarts[name] and m.pid(name) not in (0, pid), 30)
        m.wait_for_journal("the watchdog's word", "-t", "systemd", "-g", f"{name}.service: Watchdog timeout")
        m.drop_in(name, "")
    m.systemctl("restart", *UNITS)
    m.wait_for_units()
    expect_equal(m.sign_in_and_out("alice"), memory["uid"], "alice's uid")


@step("a reload takes up a new secret and another file of certificates, and whoever waits signs in")
def reloaded(m, memory):
    screen = m.ssh("alice")
    code = m.code_on(screen)
    pid = m.pid("pam_oidcd")
    shutil.copy(CA, "/etc/ssl/clinic-ca-2.pem")
    m.write_secret(SECRET_FILE, "tomorrows-secret")
    m.write_configuration(ca="/etc/ssl/clinic-ca-2.pem")
    asked = m.issuer.requests("discovery")
    m.systemctl("reload", *UNITS)
    wait_for("the new configuration's metadata", lambda: m.issuer.requests("discovery") > asked, 15)
    m.new_client_secret("tomorrows-secret")
    os.unlink(CA)
    m.issuer.approve(code, "alice")
    screen.enter()
    m.wait_for_shell(screen, "alice")
    screen.close()
    expect_equal(m.pid("pam_oidcd"), pid, "pam_oidcd's process")
    expect_equal(m.sign_in_and_out("alice"), memory["uid"], "alice's uid")


@step("a reload of what is wrong fails, and everything goes on as before")
def wrong_reload(m, memory):
    good = open(CONFIG).read()
    m.configure(good.replace("domains =", "domain ="))
    for name in UNITS:
        expect(m.run("systemctl", "reload", name).returncode != 0, f"{name} took up a configuration that is wrong")
    m.configure(good)
    os.chmod(SECRET_FILE, 0o644)
    expect(m.run("systemctl", "reload", "pam_oidcd").returncode != 0, "pam_oidcd took up a secret that everybody can read")
    os.chmod(SECRET_FILE, 0o640)
    m.expect_units("active")
    expect_equal(m.sign_in_and_out("alice"), memory["uid"], "alice's uid")
    m.systemctl("reload", *UNITS)


@step("provisiond is restarted while somebody waits, who notices nothing")
def provisiond_restarted(m, memory):
    screen = m.ssh("bob")
    code = m.code_on(screen)
    for _ in range(3):
        m.systemctl("restart", "provisiond")
    m.issuer.approve(code, "bob")
    screen.enter()
    m.wait_for_shell(screen, "bob")
    screen.close()


def newer_packages():
    """The installed packages once more under a later version."""
    folder = "/var/tmp/newer"
    os.mkdir(folder)
    for package in glob.glob(f"{sys.argv[3]}/*.deb"):
        tree = f"{folder}/tree"
        subprocess.run(["dpkg-deb", "--raw-extract", package, tree], check=True)
        path = f"{tree}/DEBIAN/control"
        control = open(path).read()
        version = re.search(r"^Version: (.*)$", control, re.M).group(1)
        control = control.replace(f"\nVersion: {version}\n", f"\nVersion: {version}+newer\n").replace(f"(= {version})", f"(= {version}+newer)")
        open(path, "w").write(control)
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", tree, f"{folder}/{os.path.basename(package)}"],
                       check=True, capture_output=True)
        shutil.rmtree(tree)
    return folder


@step("an upgrade while people wait, over ssh and at the console: each reads once that they start again, and can")
def upgraded(m, memory):
    folder = newer_packages()
    over_ssh, console = m.ssh("alice"), m.login("bob")
    m.code_on(over_ssh)
    m.code_on(console)
    pids = {name: m.pid(name) for name in ("pam_oidcd", "provisiond")}
    done = m.run("dpkg", "--install", *glob.glob(f"{folder}/*.deb"), seconds=120)
    expect_equal(done.returncode, 0, f"dpkg --install; it said:\n{done.stdout}{done.stderr}")
    for package in PACKAGES:
        expect(m.version(package).endswith("+newer"), f"{package} is of version {m.version(package)}")
    for name, pid in pids.items():
        expect(m.pid(name) not in (0, pid), f"{name} was not restarted")
    console.wait_for_sentence(RESTARTED, 20)
    over_ssh.enter()
    over_ssh.wait_for_end(20)
    for screen in (over_ssh, console):
        expect_once(RESTARTED, screen.text(), "the screen")
        expect_not_in("assword:", screen.text(), "the screen")
    m.expect_units("active")
    expect_equal(m.sign_in_and_out("alice"), memory["uid"], "alice's uid")


def processes_of(uid):
    return [pid for pid in filter(str.isdigit, os.listdir("/proc")) if os.path.exists(f"/proc/{pid}") and os.stat(f"/proc/{pid}").st_uid == uid]


def sessions_of(m, name):
    return [line for line in m.run("loginctl", "list-sessions", "--no-legend").stdout.splitlines() if f" {name} " in line]


@step("deactivation ends a session and lingering services under logind, and nothing of them comes back")
def deactivated(m, memory):
    uid = memory["uid"]
    m.run("loginctl", "enable-linger", "alice", check=True)
    screen = m.sign_in("alice")
    m.wait_for_state(f"user@{uid}.service", "active")
    expect_equal(m.ask_in(screen, "systemctl --user is-system-running --wait >/dev/null; systemd-run --user --quiet --unit=kept "
                                  "--property=Restart=always sleep 1000; systemctl --user is-active kept"), "active", "her service")
    expect(sessions_of(m, "alice"), "logind knows no session of alice's")
    m.run("provisionctl", "deactivate", "alice", seconds=60, check=True)
    wait_for("the end of all that alice has running", lambda: not processes_of(uid), 30)
    screen.wait_for_end(20)
    wait_for("the end of alice's sessions", lambda: not sessions_of(m, "alice"), 20)
    wait_for("the end of her service manager", lambda: m.unit(f"user@{uid}.service", "ActiveState") in ("inactive", "failed"), 20)
    expect(not os.path.exists("/var/lib/systemd/linger/alice"), "alice lingers")
    time.sleep(1)
    expect_equal(processes_of(uid), [], "what alice has running a second later")
    m.run("systemctl", "reset-failed")
    memory["deactivated"] = True


@step("after a reboot the units are up by themselves", boot=2)
def up_again(m, memory):
    m.wait_for_units()
    expect_equal(processes_of(memory["uid"]), [], "what alice, who is deactivated, has running")
    m.systemctl("reload", "pam_oidcd")  # the issuer's certificate is another one


@step("after a reboot a sign-in gives the same uid and the same home", boot=2)
def same_uid(m, memory):
    screen = m.sign_in("bob")
    screen.close()
    if memory.get("deactivated"):
        m.run("provisionctl", "reactivate", "alice", check=True)
    expect_equal(m.sign_in_and_out("alice"), memory["uid"], "alice's uid")
    expect_equal(os.stat("/home/alice").st_uid, memory["uid"], "the owner of alice's home")


# ---- the story ----


def detail(text):
    print("".join(f"  | {line}\n" for line in text.splitlines()), end="", flush=True)


def take(m, sentence, function, memory):
    began = time.monotonic()
    try:
        function(m, memory)
    except Skip as reason:
        print(f"skip machine: {sentence}: {reason}", flush=True)
    except Exception as problem:
        print(f"not ok machine: {sentence}")
        detail(f"{problem if isinstance(problem, Failure) else traceback.format_exc()}\n{m.report()}")
        m.forget_screens()
        return False
    print(f"ok machine: {sentence} ({time.monotonic() - began:.1f} s)", flush=True)
    m.forget_screens()
    return True


def main():
    boot, memory = 1, {}
    if os.path.exists(PROGRESS):
        boot, memory = json.load(open(PROGRESS))
    m = Units(sys.argv[1])
    if boot == 1:
        m.prepare()
    else:
        m.start_again()
    for sentence, when, function in STEPS:
        if when == boot and not take(m, sentence, function, memory):
            return 1  # the next would begin from somewhere else
    if boot == 2:
        return 0
    json.dump([2, memory], open(PROGRESS, "w"))
    return REBOOT


if __name__ == "__main__":
    sys.exit(main())
