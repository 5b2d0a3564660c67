"""provisionctl check: a healthy machine is all green; each kind of damage gives its own line, and following the remedy mends it."""

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

import harness
import installed
from harness import expect, expect_equal, expect_in, test
from machine import CONFIG, PRODUCT, PROVISIOND_SOCKET

CTL = "/usr/sbin/provisionctl"
RESULTS = "user_unknown=ignore authinfo_unavail=ignore module_unknown=ignore default=die"
LIBRARIES = "/run/libraries"
DROP_IN = "/etc/ssh/sshd_config.d/00-pam_oidc.conf"


def module():
    return f"{installed.pam_folder()}/pam_oidc.so"


def healthy(m, **options):
    """The machine as set-up leaves it: all in its place, and pam_oidc in every service that asks for people."""
    installed.install()
    # What is damaged here must not be what was built, which others run, too.
    for name in os.listdir("/etc/pam.d"):
        m.run("sed", "-i", f"s|{PRODUCT}/pam_oidc.so|{module()}|", f"/etc/pam.d/{name}", check=True)
    os.makedirs(LIBRARIES)
    installed.put(f"{PRODUCT}/libnss_oidc.so.2", f"{LIBRARIES}/libnss_oidc.so.2", 0o644)
    with open("/etc/ld.so.conf.d/pam_oidc.conf", "w") as file:
        file.write(f"{LIBRARIES}\n")
    m.run("ldconfig", check=True)
    # These have files of their own in some releases, and nothing was put into them yet.
    for service, like in (("sudo-i", "sudo"), ("su-l", "su")):
        if os.path.exists(f"/etc/pam.d/{service}") and f"include {like}" not in open(f"/etc/pam.d/{service}").read():
            m.run("cp", f"/etc/pam.d/{like}", f"/etc/pam.d/{service}", check=True)
    m.start(**options)
    os.chmod(m.issuer.ca, 0o644)


def check(m, *options):
    """The report: its exit status and its findings."""
    done = m.run(CTL, "check", "--json", *options)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        raise harness.Failure(f"no JSON ({done.returncode}): {done.stdout}{done.stderr}") from None
    for level, key in (("good", "good"), ("warning", "warnings"), ("error", "errors")):
        count = len([finding for finding in report["findings"] if finding["level"] == level])
        expect_equal(report[key], count, f"the number of {key}")
    return done.returncode, report["findings"]


def shown(findings):
    return "\n".join(f"{one['level']} {one['item']} {one['subject']}: {one['text']} | {one['remedy']}" for one in findings)


def faults(findings):
    return [finding for finding in findings if finding["level"] != "good"]


# What the report says of things that took too long: on a slow day, of any.
SLOW = re.compile(r"could not be checked to its end|does not end|does not answer within|not heard from all issuers")


def when_not_slow(judge):
    """Calls judge() again while it fails only because something was slow."""

    def patiently(m, *arguments, **options):
        deadline = time.monotonic() + 20 * harness.PATIENCE
        while True:
            try:
                return judge(m, *arguments, **options)
            except harness.Failure as failure:
                if not SLOW.search(str(failure)) or time.monotonic() > deadline:
                    raise

    return patiently


@when_not_slow
def expect_healthy(m, when):
    status, findings = check(m)
    expect(not faults(findings), f"{when}, all should be good:\n{shown(faults(findings))}")
    expect_equal(status, 0, f"{when}, the exit status")
    return findings


@when_not_slow
def expect_fault(m, what, level, item, words, options=()):
    """There is this one fault and no other; it has a remedy. Returns it."""
    status, findings = check(m, *options)
    found = faults(findings)
    expect(len(found) == 1, f"{what}: one fault should be found:\n{shown(found) or 'none is'}")
    (one,) = found
    expect_equal((one["level"], one["item"]), (level, item), f"{what}: {shown(found)}")
    expect_equal(status, {"warning": 1, "error": 6}[level], f"{what}: the exit status")
    for word in words:
        expect_in(word, f"{one['subject']}: {one['text']}", what)
    expect(one["remedy"], f"{what}: no remedy in {one}")
    return one


def follow(m, remedy, what):
    """Runs a remedy that is a command."""
    m.run("sh", "-c", remedy, check=True)


class Kept:
    """Files as they were, put back at the end."""

    def __init__(self, *paths):
        self.texts = {path: open(path).read() if os.path.exists(path) else None for path in paths}

    def restore(self):
        for path, text in self.texts.items():
            if text is None:
                os.unlink(path)
            else:
                with open(path, "w") as file:
                    file.write(text)


def edit(path, pattern, replacement, count=1):
    with open(path) as file:
        text = file.read()
    changed, times = re.subn(pattern, replacement, text, count=count, flags=re.M)
    expect(times > 0, f"{pattern!r} is not in {path}:\n{text}")
    with open(path, "w") as file:
        file.write(changed)


def append(path, text):
    with open(path, "a") as file:
        file.write(text)


@test("a healthy machine is all green, quickly, and no code is asked for without --probe", start=False)
def green(m):
    healthy(m)
    began = time.monotonic()
    findings = expect_healthy(m, "on a healthy machine")
    harness.figure("provisionctl check, all good", time.monotonic() - began, "s", goal=2)
    items = {finding["item"] for finding in findings}
    for item in ("configuration", "files", "daemon", "pam", "names", "sshd", "accounts", "changes", "disk", "discovery", "keys",
                 "client", "tls", "clock"):
        expect(item in items, f"nothing is said about {item}:\n{shown(findings)}")
    expect_equal(m.issuer.requests("device"), 0, "device codes asked for")
    status, findings = check(m, "--probe")
    expect(status == 0 or SLOW.search(shown(findings)), f"the exit status with --probe is {status}:\n{shown(findings)}")
    expect_equal(m.issuer.requests("device"), 1, "device codes asked for with --probe")
    m.sign_in("alice")
    m.sign_in("bob")
    expect_healthy(m, "with two accounts")
    done = m.run(CTL, "check")
    last = done.stdout.splitlines()[-1]
    expect(re.fullmatch(r"\d+ good, 0 warnings, 0 errors", last) or SLOW.search(done.stdout), f"a summary is last: {done.stdout}")
    expect(done.stdout.startswith("good ") and "\033" not in done.stdout, f"words say what colours would: {done.stdout}")
    done = m.run("setpriv", "--reuid=localuser", "--regid=localuser", "--clear-groups", CTL, "check")
    expect_equal(done.returncode, 4, f"the exit status for a local user: {done.stdout}{done.stderr}")
    os.unlink(CONFIG)
    fault = expect_fault(m, "without a configuration", "error", "configuration", ["not set up"])
    expect_in("provisionctl setup", fault["remedy"], "the remedy")


@test("faults of the configuration and of what it names are told as the daemons tell them", start=False)
def configuration(m):
    healthy(m)
    good = m.config_text
    m.configure(good.replace("[accounts]\n", "[accounts]\nemail_over_shh = yes\n"))
    fault = expect_fault(m, "an unknown key", "error", "configuration", [CONFIG, "email_over_shh"])
    expect_in("reload", fault["remedy"], "the remedy")
    expect(fault["text"].startswith(CONFIG), f"the text is the daemon's sentence: {fault['text']}")
    m.configure(good)
    expect_healthy(m, "with the key corrected")
    m.configure(good.replace("clinic-app\n", "clinic-app\nlocal_groups = nosuchgroup\n"))
    expect_fault(m, "a group that is not there", "error", "configuration", ["nosuchgroup"])
    m.configure(good)
    os.chmod(CONFIG, 0o666)
    fault = expect_fault(m, "a configuration that everybody may write", "error", "configuration", [CONFIG, "0666"])
    follow(m, fault["remedy"], "the remedy")
    expect_healthy(m, "after chmod")
    m.write_secret("/etc/clinic.secret", "not a secret", mode=0o644)
    m.configure(good.replace("clinic-app\n", "clinic-app\nclient_auth = basic\nclient_secret_file = /etc/clinic.secret\n"))
    fault = expect_fault(m, "a secret that everybody may read", "error", "configuration", ["/etc/clinic.secret", "0644"])
    follow(m, fault["remedy"], "the remedy")
    expect_healthy(m, "with the secret's mode corrected")
    m.run("chown", "root:localuser", "/etc/clinic.secret", check=True)
    fault = expect_fault(m, "a secret that another group may read", "error", "configuration", ["/etc/clinic.secret"])
    follow(m, fault["remedy"], "the remedy")
    expect_healthy(m, "with the secret's group corrected")
    os.unlink("/etc/clinic.secret")
    expect_fault(m, "a secret that is gone", "error", "configuration", ["/etc/clinic.secret"])
    m.configure(good)
    expect_healthy(m, "without that secret")


@test("files and folders in the wrong hands are named, and the remedy puts them right", start=False)
def files(m):
    healthy(m)
    m.sign_in("alice")
    modes = [
        ("/var/lib/provisiond", 0o755), ("/var/lib/provisiond/accounts.db", 0o644), ("/run/provisiond", 0o777),
        ("/run/pam_oidc", 0o775), ("/usr/sbin/provisiond", 0o775), ("/usr/sbin/pam_oidcd", 0o757),
    ]
    for path, mode in modes:
        os.chmod(path, mode)
        fault = expect_fault(m, f"{path} {mode:o}", "error", "files", [path, f"{mode:04o}"])
        follow(m, fault["remedy"], path)
        expect_healthy(m, f"with {path} corrected")
    for path in ("/var/lib/provisiond", "/run/provisiond", "/run/pam_oidc", "/usr/sbin/provisionctl"):
        m.run("chown", "localuser:localuser", path, check=True)
        fault = expect_fault(m, f"{path} of a local user", "error", "files", [path, "1500"])
        follow(m, fault["remedy"], path)
        expect_healthy(m, f"with {path} given back")
    kept = Kept("/etc/passwd")
    edit("/etc/passwd", r"^_pam_oidc:.*\n", "")
    fault = expect_fault(m, "without the user _pam_oidc", "error", "files", ["_pam_oidc"])
    expect_in("systemd-sysusers", fault["remedy"], "the remedy")
    kept.restore()
    expect_healthy(m, "with the user back")


SYSTEMCTL = """#!/bin/sh
[ "$1" != show ] || exec echo /etc -/home
[ "$1" = is-enabled ] || exit 0
shift
for unit; do cat "/run/units/$unit"; done
"""


@test("units that are missing, in the wrong hands or not enabled are named where systemd runs", start=False)
def units(m):
    healthy(m)
    names = ("provisiond.socket", "provisiond.service", "pam_oidcd.socket", "pam_oidcd.service")
    os.makedirs("/run/systemd/system", exist_ok=True)
    os.makedirs("/run/units")
    for name in names:
        with open(f"/run/units/{name}", "w") as file:
            file.write("enabled\n")
    if os.path.lexists("/usr/bin/systemctl"):
        os.unlink("/usr/bin/systemctl")
    with open("/usr/bin/systemctl", "w") as file:
        file.write(SYSTEMCTL)
    os.chmod("/usr/bin/systemctl", 0o755)
    expect_healthy(m, "with all units enabled")
    for name, word, verb in ((names[0], "disabled", "enable"), (names[3], "masked", "unmask")):
        kept = Kept(f"/run/units/{name}")
        with open(f"/run/units/{name}", "w") as file:
            file.write(f"{word}\n")
        fault = expect_fault(m, f"{name} {word}", "warning", "files", [name, word])
        expect_equal(fault["remedy"], f"systemctl {verb} {name}", "the remedy")
        kept.restore()
    unit = f"{installed.UNITS}/{names[1]}"
    os.chmod(unit, 0o666)
    fault = expect_fault(m, "a unit that everybody may write", "error", "files", [unit, "0666"])
    follow(m, fault["remedy"], "the remedy")
    os.unlink(unit)
    expect_fault(m, "a unit that is gone", "error", "files", [unit, "not there"])
    installed.put(f"{installed.SOURCE}/etc/systemd/{names[1]}", unit, 0o644)
    expect_healthy(m, "with the unit back")
    os.mkdir("/var/homes")
    m.configure(m.standard_configuration(accounts="home = /var/homes/%u"))
    fault = expect_fault(m, "homes where the sandbox forbids it", "error", "files", ["provisiond.service", "/var/homes"])
    expect_in("ReadWritePaths=/var/homes", fault["remedy"], "the remedy")


@test("a daemon that is gone or hangs costs its line and hardly any time", start=False)
def daemons(m):
    healthy(m)
    m.sign_in("alice")
    for name, start in (("provisiond", m.start_provisiond), ("pam_oidcd", m.start_pam_oidcd)):
        daemon = m.daemons[name]
        daemon.signal(signal.SIGSTOP)
        began = time.monotonic()
        fault = expect_fault(m, f"{name} hangs", "error", "daemon", [name, "does not answer"])
        harness.figure(f"provisionctl check while {name} hangs", time.monotonic() - began, "s", goal=2)
        expect_in(f"systemctl restart {name}", fault["remedy"], "the remedy")
        daemon.signal(signal.SIGCONT)
        expect_healthy(m, f"with {name} going on")
        daemon.kill()
        fault = expect_fault(m, f"{name} is gone", "error", "daemon", [name, "not running"])
        expect_in(f"systemctl start {name}", fault["remedy"], "the remedy")
        start()
        expect_healthy(m, f"with {name} back")


class Impostor:
    """Answers at provisiond's socket what it is told to."""

    def __init__(self, **status):
        fields = {"version": version(), "accounts": 0, "waiting": 0, "lock": "free", "recovery": "none", "database": "readable"}
        self.status = {**fields, **status}
        if os.path.lexists(PROVISIOND_SOCKET):
            os.unlink(PROVISIOND_SOCKET)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(PROVISIOND_SOCKET)
        os.chmod(PROVISIOND_SOCKET, 0o666)
        self.listener.listen(16)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                if connection.recv(4096).startswith(b"op=status\0"):
                    fields = {"status": "status", **self.status}
                    connection.send("".join(f"{key}={value}\0" for key, value in fields.items()).encode())
                else:
                    connection.send(b"status=end\0")

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def version():
    return subprocess.run([f"{PRODUCT}/provisionctl", "--version"], capture_output=True, text=True).stdout.split()[-1]


@test("another version, work that waits and what is left unfinished are warnings", start=False)
def changes(m):
    healthy(m)
    m.provisiond.stop()
    m.daemons.pop("provisiond")
    for what, status, item, level, words, remedy in (
        ("an older provisiond runs", {"version": "0.0.9"}, "daemon", "warning", ["0.0.9"], "systemctl restart provisiond"),
        ("changes wait", {"waiting": 2, "lock": "held"}, "changes", "warning", ["2 changes wait", "locked"], "vipw"),
        ("recovery is due", {"recovery": "due"}, "changes", "warning", ["not ended yet"], "journalctl"),
        ("recovery waits for the lock", {"recovery": "due", "lock": "held"}, "changes", "warning", ["locked"], "vipw"),
        ("the record cannot be read", {"database": "unreadable; the log says why"}, "daemon", "error", ["accounts.db"], "journalctl"),
    ):
        impostor = Impostor(**status)
        fault = expect_fault(m, what, level, item, words)
        expect_in(remedy, fault["remedy"], f"{what}: the remedy")
        impostor.close()
    impostor = Impostor()
    expect_healthy(m, "with nothing of that")
    impostor.close()
    m.start_provisiond()
    expect_healthy(m, "with provisiond itself")


@test("what is wrong at the issuer is told with the place in Okta", start=False)
def issuer(m):
    healthy(m)
    for endpoint, row, item, remedy in (
        ("discovery", "not_found", "discovery", ""), ("keys", "server_error_500", "keys", ""),
        ("token", "invalid_client_id", "client", "client"), ("token", "unauthorized_client", "client", "Device Authorization"),
    ):
        m.issuer.fault(endpoint, times=-1, row=row)
        m.pam_oidcd.stop()
        m.start_pam_oidcd()
        harness.wait_for(f"an answer about {endpoint}", lambda: not SLOW.search(shown(check(m)[1])), 20)
        status, findings = check(m)
        found = faults(findings)
        expect_equal(status, 6, f"{endpoint} {row}: the exit status\n{shown(findings)}")
        expect(any(one["item"] == item and one["subject"] == "clinic" and one["level"] == "error" for one in found),
               f"{endpoint} {row}: an error of {item}:\n{shown(found)}")
        expect(all(one["remedy"] for one in found), f"{endpoint} {row}: remedies\n{shown(found)}")
        expect_in(remedy, shown(found), f"{endpoint} {row}: the remedy")
        m.issuer.control("clear_faults")
        m.pam_oidcd.stop()
        m.start_pam_oidcd()
        expect_healthy(m, f"with {endpoint} well again")
    m.issuer.fault("device", times=-1, row="unauthorized_client")
    expect_healthy(m, "without --probe the grant is not tried")
    status, findings = check(m, "--probe")
    expect_equal(status, 6, f"the exit status with --probe\n{shown(findings)}")
    expect_in("Device Authorization", shown(faults(findings)), "the remedy")


OUR_AUTH = r"^auth .*pam_oidc\.so.*$"
OUR_ACCOUNT = r"^account .*pam_oidc\.so.*$"
OUR_SESSION = r"^session .*pam_oidc\.so.*$"
MODULE = "@module@"

# What is done to a service's file, and what is found of it.
STACKS = (
    ("sshd", "a denial falls through in auth", OUR_AUTH, f"auth sufficient {MODULE}", "error", ["auth", "denial", "/etc/pam.d/sshd:"]),
    ("sshd", "a denial falls through in account", OUR_ACCOUNT, f"account optional {MODULE}", "error", ["account", "denial"]),
    ("su", "one denial is forgotten", OUR_AUTH, f"auth [success=done perm_denied=ignore {RESULTS}] {MODULE}", "error", ["denial"]),
    ("sshd", "the account line is missing", OUR_ACCOUNT, "", "error", ["/etc/pam.d/sshd", "account"]),
    ("sshd", "the auth line is missing", OUR_AUTH, "", "error", ["/etc/pam.d/sshd", "auth"]),
    ("login", "the auth line of another service is missing", OUR_AUTH, "", "warning", ["/etc/pam.d/login", "auth"]),
    ("cron", "cron does not ask", r"^(auth|account|session|password) .*pam_oidc\.so.*$", "", "warning", ["/etc/pam.d/cron", "account"]),
    ("sudo", "a service has none of the lines", r"^(auth|account|session|password) .*pam_oidc\.so.*$", "", "warning", ["/etc/pam.d/sudo"]),
    ("sshd", "the session line is missing", OUR_SESSION, "", "warning", ["OIDC_ROOM"]),
    ("login", "local users are locked out", OUR_AUTH, f"auth [success=done default=die] {MODULE}", "error", ["root and local users", "locked out"]),
    ("sshd", "they are while a daemon is down", OUR_AUTH, f"auth [success=done user_unknown=ignore default=die] {MODULE}", "error", ["daemon"]),
    ("sshd", "all are without the module", OUR_AUTH,
     f"auth [success=done user_unknown=ignore authinfo_unavail=ignore default=die] {MODULE}", "error", ["missing"]),
    ("sshd", "a session that demands the module", OUR_SESSION, f"session required {MODULE}", "error", ["session", "missing"]),
    ("sshd", "success comes to nothing", OUR_AUTH, f"auth [success=7 {RESULTS}] {MODULE}", "error", ["refused all the same"]),
    ("sshd", "an expiry is not looked at", OUR_ACCOUNT, f"account [success=done {RESULTS}] {MODULE}", "warning", ["expiry"]),
    ("sshd", "an argument is wrong", OUR_AUTH, f"auth [success=done {RESULTS}] {MODULE} timeout=2", "error", ["timeout=2"]),
    ("sshd", "an argument stands twice", OUR_AUTH, f"auth [success=done {RESULTS}] {MODULE} debug debug", "error", ["debug"]),
    ("sshd", "pam_unix suffices before", r"\A", "auth sufficient pam_unix.so\n", "error", ["before pam_oidc is asked"]),
    ("sshd", "a module is not there", r"\A", "auth required pam_nope.so\n", "error", ["pam_nope.so", "locks everybody out"]),
    ("atd", "a control field is wrong", r"\A", "account requierd pam_nologin.so\n", "error", ["libpam cannot read"]),
    ("login", "an included file is missing", r"\A", "auth include nowhere\n", "error", ["cannot be read"]),
)


@test("PAM stacks through which a denial could fall, or that lock people out, are found with the line", start=False)
def stacks(m):
    healthy(m)
    expect_healthy(m, "before")
    for service, what, pattern, line, level, words in STACKS:
        path = f"/etc/pam.d/{service}"
        if not os.path.exists(path):
            continue  # this machine has no such service
        kept = Kept(path)
        line = line.replace(MODULE, module())
        edit(path, pattern, lambda _: line, count=0 if pattern.startswith("^(") else 1)
        fault = expect_fault(m, f"{service}: {what}", level, "pam", words)
        if "use this control field" in fault["remedy"]:
            # The remedy holds the field that is right: put in its place, it mends the line.
            control = fault["remedy"].split(": ", 1)[1]
            edit(path, rf"^(\w+) +(\[.*?\]|\w+)(?= {re.escape(module())})", lambda match: (
                f"{match.group(1)} {control}" if match.group(0).startswith(line.split(f" {module()}")[0]) else match.group(0)), count=0)
            expect_healthy(m, f"{service}: {what}: with the remedy's control field")
        kept.restore()
        expect_healthy(m, f"{service}: {what}: mended")
    os.chmod(module(), 0o775)
    fault = expect_fault(m, "the module's mode", "error", "pam", [module(), "0775"])
    follow(m, fault["remedy"], "the remedy")
    expect_healthy(m, "with the module's mode corrected")


@test("one fault in a common file is one line that names the services", start=False)
def common_stacks(m):
    healthy(m)
    if not os.path.exists("/etc/pam.d/common-auth"):
        raise harness.Skip("this distribution has no common-auth")
    for name in os.listdir("/etc/pam.d"):
        path = f"/etc/pam.d/{name}"
        if "pam_oidc.so" in open(path).read():
            edit(path, r"^(auth|account|session|password) .*pam_oidc\.so.*\n", "", count=0)
    for phase, line in (("auth", f"auth [success=2 {RESULTS}] pam_oidc.so"), ("account", f"account [success=ok {RESULTS}] pam_oidc.so"),
                        ("session", "session optional pam_oidc.so")):
        files = ["common-session", "common-session-noninteractive"] if phase == "session" else [f"common-{phase}"]
        for file in files:
            edit(f"/etc/pam.d/{file}", r"\A", lambda _: line + "\n")
    expect_healthy(m, "with the lines in the common files")
    edit("/etc/pam.d/common-auth", r"default=die", "default=ignore")
    fault = expect_fault(m, "a fault in common-auth", "error", "pam", ["/etc/pam.d/common-auth:1", "sshd", "login", "sudo"])
    expect_in("/etc/pam.d/common-auth", fault["remedy"], "the remedy")


def hang_up(listener):
    """Takes connections and answers nothing, as an nscd whose caches are off."""
    while True:
        try:
            listener.accept()[0].close()
        except OSError:
            return


@test("sshd must learn about new people: nsswitch.conf, the library, nscd", start=False)
def names(m):
    healthy(m)
    kept = Kept("/etc/nsswitch.conf")
    for what, pattern, line, level, words in (
        ("oidc is not in passwd", r"^passwd:(.*) oidc", r"passwd:\1", "error", ["passwd", "oidc"]),
        ("oidc is not in group", r"^group:(.*) oidc", r"group:\1", "error", ["group", "oidc"]),
        ("oidc is not last", r"^passwd:(.*) oidc", r"passwd:\1 oidc sss", "warning", ["sss"]),
        ("the search ends before", r"^group:(.*) oidc", r"group:\1 [NOTFOUND=return] oidc", "error", ["group", "ends"]),
        ("it ends while a source is away", r"^passwd:(.*) oidc", r"passwd:\1 [UNAVAIL=return] oidc", "warning", ["out of reach"]),
        ("oidc stands twice", r"^passwd:(.*) oidc", r"passwd:\1 oidc oidc", "warning", ["twice"]),
        ("initgroups lacks it", r"\Z", "\ninitgroups: files\n", "error", ["initgroups"]),
    ):
        edit("/etc/nsswitch.conf", pattern, line)
        fault = expect_fault(m, what, level, "names", words)
        expect_in("/etc/nsswitch.conf", fault["remedy"], f"{what}: the remedy")
        kept.restore()
        expect_healthy(m, f"{what}: mended")
    os.rename("/etc/ld.so.conf.d/pam_oidc.conf", "/etc/pam_oidc.ld")
    m.run("ldconfig", check=True)
    expect_fault(m, "the library is not found", "error", "names", ["libnss_oidc.so.2"])
    os.rename("/etc/pam_oidc.ld", "/etc/ld.so.conf.d/pam_oidc.conf")
    m.run("ldconfig", check=True)
    library = f"{LIBRARIES}/libnss_oidc.so.2"
    os.chmod(library, 0o757)
    fault = expect_fault(m, "everybody may write the library", "error", "names", ["libnss_oidc.so.2", "0757"])
    follow(m, fault["remedy"], "the remedy")
    os.makedirs("/run/nscd", exist_ok=True)
    nscd = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    nscd.bind("/run/nscd/socket")
    nscd.listen(64)
    threading.Thread(target=hang_up, args=(nscd,), daemon=True).start()
    append("/etc/nscd.conf", "\n\tenable-cache\t\tpasswd\t\tyes\n\tenable-cache group yes\n")
    fault = expect_fault(m, "nscd caches", "error", "names", ["nscd", "users and groups"])
    expect_in("enable-cache passwd no", fault["remedy"], "the remedy")
    edit("/etc/nscd.conf", r"enable-cache(\s+)(\w+)(\s+)yes", r"enable-cache\1\2\3no", count=0)
    expect_healthy(m, "with nscd's caches off")
    edit("/etc/nscd.conf", r"enable-cache(\s+)passwd(\s+)no\Z|enable-cache(\s+)passwd(\s+)no", "enable-cache passwd yes", count=0)
    expect_fault(m, "nscd caches users", "error", "names", ["users:"])
    nscd.shutdown(socket.SHUT_RDWR)
    nscd.close()
    expect_healthy(m, "with nscd stopped")


@test("settings of sshd with which nobody sees a code, or is cut off, are found", start=False)
def sshd(m):
    healthy(m)
    m.sign_in("alice")
    kept = Kept(DROP_IN, "/etc/pam.d/sshd")
    good = open(DROP_IN).read()

    def say(lines):
        """The lines come first, and the first value wins; but of MaxStartups, in some versions, the last."""
        with open(DROP_IN, "w") as file:
            file.write(lines + "\n" + re.sub(r"(?m)^MaxStartups.*\n", "", good))

    for what, lines, level, words, remedy in (
        ("no keyboard-interactive", "KbdInteractiveAuthentication no", "error", ["KbdInteractiveAuthentication"], "KbdInteractiveAuthentication yes"),
        ("no PAM", "UsePAM no", "error", ["UsePAM"], "UsePAM yes"),
        ("names instead of addresses", "UseDNS yes", "warning", ["UseDNS"], "UseDNS no"),
        ("less time than pam_oidc takes", "LoginGraceTime 60", "error", ["60 s", "110 s"], "LoginGraceTime 120"),
        ("hardly more time", "LoginGraceTime 115", "warning", ["115 s"], "LoginGraceTime 120"),
        ("few may wait", "MaxStartups 3:30:5", "warning", ["3:30:5"], "MaxStartups"),
        ("keys alone", "AuthenticationMethods publickey", "error", ["publickey"], "keyboard-interactive"),
        ("no sshd_config at all", "NoSuchKeyword yes", "error", ["does not accept"], "sshd -t"),
    ):
        say(lines)
        fault = expect_fault(m, what, level, "sshd", words)
        expect_in(remedy, fault["remedy"], f"{what}: the remedy")
        if "set \"" in fault["remedy"]:
            say(re.search('set "(.*?)"', fault["remedy"]).group(1))
            expect_healthy(m, f"{what}: with the remedy")
        kept.restore()
    m.set_pam_arguments("sshd", "timeout=200")
    expect_fault(m, "a longer timeout=", "error", "sshd", ["200 s", "120 s"])
    kept.restore()
    m.set_pam_arguments("sshd", "wait=info")
    early = re.search(r"OpenSSH_(\d+)\.(\d+)", "".join(m.run("ssh", "-V").stderr))
    if (int(early.group(1)), int(early.group(2))) < (10, 3):
        fault = expect_fault(m, "wait=info in an sshd that shows nothing", "error", "sshd", ["wait=info"])
        expect_in("wait=retry", fault["remedy"], "the remedy")
        m.run("sed", "-i", "s/wait=info/wait=retry/", "/etc/pam.d/sshd", check=True)
    expect_healthy(m, "with another way to wait")
    kept.restore()
    append(DROP_IN, "Match User alice\n\tKbdInteractiveAuthentication no\n")
    expect_fault(m, "a Match block takes it from alice", "error", "sshd", ["alice", "KbdInteractiveAuthentication"])
    kept.restore()
    m.configure(m.standard_configuration(tenant="remote_from = 127.0.0.0/8"))
    say("UseDNS yes")
    expect_fault(m, "UseDNS with remote_from", "error", "sshd", ["remote_from"])
    kept.restore()
    expect_healthy(m, "with sshd as it was")


@test("rules by user name that emails slip past are red while email_over_ssh = yes, and only then", start=False)
def rules(m):
    healthy(m)
    m.sign_in("alice")
    rows = (
        ("DenyUsers", DROP_IN, "DenyUsers alice\n", "sshd", ["DenyUsers alice", "alice@clinic.example"]),
        ("AllowUsers", DROP_IN, "AllowUsers alice root localuser\n", "sshd", ["AllowUsers alice"]),
        ("Match User", DROP_IN, "Match User bob,al?ce\n\tX11Forwarding no\n", "sshd", [f"{DROP_IN}:", "Match User bob,al?ce"]),
        ("limits.conf", "/etc/security/limits.d/people.conf", "alice hard nproc 100\n", "limits", ["people.conf:1", "alice"]),
    )
    harmless = (
        (DROP_IN, "DenyUsers mallory\n"), (DROP_IN, "DenyUsers alice*\n"), (DROP_IN, "DenyGroups contractors\n"),
        (DROP_IN, "Match Group staff\n\tX11Forwarding no\n"), ("/etc/security/limits.d/people.conf", "@alice hard nproc 100\n# alice\n"),
    )
    append("/etc/security/limits.d/people.conf", "")
    kept = Kept(DROP_IN, "/etc/security/limits.d/people.conf")
    emails = m.standard_configuration(accounts="email_over_ssh = yes")
    m.configure(emails)
    for what, path, line, item, words in rows:
        append(path, line)
        m.configure(emails)
        fault = expect_fault(m, what, "error", item, words)
        expect_in("email_over_ssh = no", fault["remedy"], f"{what}: the remedy")
        m.configure(m.standard_configuration())
        expect_healthy(m, f"{what}: without email_over_ssh")
        kept.restore()
    m.configure(emails)
    for path, line in harmless:
        append(path, line)
        expect_healthy(m, f"{line!r} in {path}")
        kept.restore()


def shadow_field(name, field, value):
    """Sets a field of the account's line in /etc/shadow, counted from 0."""
    edit("/etc/shadow", rf"^({name}:(?:[^:]*:){{{field - 1}}})[^:]*", rf"\g<1>{value}")


@test("accounts on record are compared with the account files and homes", start=False)
def accounts(m):
    healthy(m)
    m.sign_in("alice")
    uid = int(m.passwd("alice")[2])
    kept = Kept("/etc/passwd", "/etc/shadow")
    rows = (
        ("the line is gone", lambda: edit("/etc/passwd", r"^alice:.*\n", ""), "error", ["does not know it"], None),
        ("another uid", lambda: edit("/etc/passwd", rf":{uid}:", ":1777:"), "error", ["1777", str(uid)], "usermod"),
        ("a password", lambda: shadow_field("alice", 1, "$6$x$y"), "error", ["local password"], "usermod"),
        ("an empty password", lambda: shadow_field("alice", 1, ""), "error", ["empty"], "usermod"),
        ("no shadow line", lambda: edit("/etc/shadow", r"^alice:.*\n", ""), "error", ["/etc/shadow does not know it"], None),
        ("no such shell", lambda: edit("/etc/passwd", r"^(alice:.*):/bin/bash$", r"\1:/bin/nosuch"), "error", ["/bin/nosuch"], None),
        ("an expiry", lambda: shadow_field("alice", 7, "15000"), "warning", ["expired"], None),
        ("an old password's age", lambda: (shadow_field("alice", 2, "15000"), shadow_field("alice", 4, "90")), "error", ["90 days"], "chage"),
    )
    for what, damage, level, words, command in rows:
        damage()
        fault = expect_fault(m, what, level, "accounts", ["alice", *words])
        if command:
            expect_in(command, fault["remedy"], f"{what}: the remedy")
            # usermod and chage refuse while somebody runs something under the changed id; nobody does under this one.
            m.run("sh", "-c", fault["remedy"], check=command != "usermod" or "uid" not in fault["remedy"])
            if "--uid" not in fault["remedy"]:
                expect_healthy(m, f"{what}: with the remedy")
        kept.restore()
        expect_healthy(m, f"{what}: mended")
    os.chown("/home/alice", 1500, uid)
    fault = expect_fault(m, "a home of somebody else's", "error", "accounts", ["/home/alice", "1500"])
    os.chown("/home/alice", uid, uid)
    os.chmod("/home/alice", 0o757)
    fault = expect_fault(m, "a home that everybody may write", "error", "accounts", ["/home/alice", "everybody"])
    follow(m, fault["remedy"], "the remedy")
    os.rename("/home/alice", "/home/elsewhere")
    fault = expect_fault(m, "no home", "warning", "accounts", ["/home/alice"])
    follow(m, fault["remedy"].split("or: ")[1], "the remedy")
    expect_healthy(m, "with a home again")


@test("who is deactivated or removed must be so in the account files, too", start=False)
def departed(m):
    healthy(m)
    m.sign_in("alice")
    m.sign_in("bob")
    m.run(CTL, "deactivate", "alice", check=True)
    removed = m.passwd("bob")
    m.run(CTL, "remove", "bob", "--yes", check=True)
    expect_healthy(m, "with both departed")
    shadow_field("alice", 7, "")
    fault = expect_fault(m, "alice is let in again by hand", "error", "accounts", ["alice", "deactivated"])
    follow(m, fault["remedy"], "the remedy")
    expect_healthy(m, "with the remedy")
    append("/etc/passwd", ":".join(removed) + "\n")
    fault = expect_fault(m, "bob's line is back", "error", "accounts", ["bob", "removed"])
    expect_in("userdel bob", fault["remedy"], "the remedy")
    edit("/etc/passwd", r"^bob:.*\n", "")
    expect_healthy(m, "without bob's line")


@test("a full or read-only disk is told before accounts fail", start=False)
def disk(m):
    healthy(m)
    path = "/var/lib/provisiond"
    room = os.statvfs(path)
    free = room.f_bavail * room.f_frsize
    mib = 1024 * 1024
    for left, level in ((60 * mib, "warning"), (8 * mib, "error")):
        m.run("fallocate", "-l", free - left, f"{path}/ballast", check=True)
        fault = expect_fault(m, f"{left // mib} MiB left", level, "disk", [path, "MiB"])
        expect_in("df -h", fault["remedy"], "the remedy")
        os.unlink(f"{path}/ballast")
        expect_healthy(m, "with room again")
    m.run("mount", "-o", "remount,ro", "/home", check=True)
    expect_fault(m, "homes are read-only", "error", "disk", ["/home", "read-only"])
    m.run("mount", "-o", "remount,rw", "/home", check=True)
    expect_healthy(m, "with homes writable")
