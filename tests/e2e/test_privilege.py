"""Both daemons under the limits of their systemd units, applied without systemd (tests/confine): everything works, and what
the units forbid is refused. And what is left of secrets in the daemons' memory."""

import base64
import os
import re
import shutil
import signal
import socket
import stat
import subprocess

import harness
from harness import Failure, Skip, cases, count, expect, expect_equal, expect_in, figure, test, wait_for
from machine import PAM_OIDCD_SOCKET, PRODUCT, PROVISIOND_SOCKET, Daemon
from wire import Connection

CONFINE = f"{PRODUCT}/tests/confine/confine"
UNITS = os.path.join(os.environ.get("SANDBOX", ""), "etc/systemd")
SOCKETS = {"pam_oidcd": PAM_OIDCD_SOCKET, "provisiond": PROVISIOND_SOCKET}

# The goals of systemd-analyze's exposure level, 0 (nothing is left to take away) to 10.
EXPOSURE = {"pam_oidcd": 2.0, "provisiond": 4.0}


def unit(name):
    return f"{UNITS}/{name}.service"


# ---- a machine whose daemons are confined ----


def skip_instrumented(why):
    if os.environ.get("E2E_VALGRIND") or os.environ.get("E2E_SSHD_ASAN"):
        raise Skip(why)


def install(m):
    """The daemons where their units expect them, on a /usr/sbin that is gone afterwards."""
    skip_instrumented("sanitizers and valgrind need what the units forbid")
    for needed in (CONFINE, "/usr/bin/systemd-analyze"):
        if not os.path.exists(needed):
            raise Skip(f"{needed} is missing")
    for folder in ("upper", "work"):
        os.makedirs(f"/run/sandbox/sbin/{folder}")
    m.run("mount", "-t", "overlay", "-o",
          "lowerdir=/usr/sbin,upperdir=/run/sandbox/sbin/upper,workdir=/run/sandbox/sbin/work", "overlay", "/usr/sbin", check=True)
    for name in SOCKETS:
        shutil.copy(f"{PRODUCT}/{name}", f"/usr/sbin/{name}")
    # Where the log is when /dev is the service's own.
    os.makedirs("/run/systemd/journal", exist_ok=True)
    open("/run/systemd/journal/dev-log", "w").close()
    m.run("mount", "--bind", "/dev/log", "/run/systemd/journal/dev-log", check=True)
    for path in SOCKETS.values():
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)


class Notices:
    """What a daemon tells the manager (sd_notify)."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        os.chmod(path, 0o666)

    def wait_for(self, word):
        self.socket.settimeout(20 * harness.PATIENCE)
        said = b""
        while word not in said:
            try:
                said = self.socket.recv(4096)
            except TimeoutError:
                raise Failure(f"{self.path} heard no {word}") from None


def start_confined(m, name):
    """As the manager would start it; returns what it tells the manager."""
    os.makedirs("/run/notify", exist_ok=True)
    path = f"/run/notify/{name}-{len(os.listdir('/run/notify'))}"
    notices = Notices(path)
    environment = {**os.environ, "NOTIFY_SOCKET": path}
    m.daemons[name] = Daemon(name, [CONFINE, unit(name)], environment, f"/var/log/tests/{name}.log")
    m.wait_for_socket(m.daemons[name], SOCKETS[name])
    notices.wait_for(b"READY=1")
    return notices


def start(m, **settings):
    install(m)
    m.start(provisiond=False, pam_oidcd=False, **settings)
    return {name: start_confined(m, name) for name in ("provisiond", "pam_oidcd")}


@test("the units are valid, and systemd calls them little exposed", start=False)
def exposure(m):
    install(m)
    done = m.run("systemd-analyze", "verify", "--man=no", *(unit(name) for name in SOCKETS),
                 *(f"{UNITS}/{name}.socket" for name in SOCKETS))
    expect_equal((done.returncode, done.stdout + done.stderr), (0, ""), "systemd-analyze verify")
    for name, goal in EXPOSURE.items():
        done = m.run("systemd-analyze", "security", "--offline=true", f"--threshold={int(goal * 10)}", "--no-pager", unit(name))
        level = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
        expect(level, f"systemd-analyze security says: {done.stdout}{done.stderr}")
        figure(f"exposure of {name}.service, of 10", float(level.group(1)), "", goal)
        expect_equal(done.returncode, 0, f"the exit status, which tells whether {name} is above {goal}")


@test("whatever differs from the most hardened setting says why, in the unit", start=False)
def reasons(m):
    """Every directive that systemd-analyze finds wanting is named in the unit, with or without an effect."""
    install(m)
    for name in SOCKETS:
        text = open(unit(name)).read()
        done = m.run("systemd-analyze", "security", "--offline=true", "--no-pager", unit(name))
        for line in re.findall(r"^✗ (\S+)", done.stdout, re.M):
            directive = line.split("=")[0]
            if directive == "DeviceAllow":
                continue  # the clock's device, which ProtectClock= itself lets be read
            at = text.find(f"{directive}=")
            expect(at >= 0, f"{name}.service does not speak of {line}")
            start = text.rfind("\n\n", 0, at)
            expect("#" in text[start:at], f"{name}.service gives no reason for {line}")


@test("a whole sign-in works with both daemons confined: account, home, second tenant, reload, commands", start=False, seconds=120)
def works(m):
    notices = start(m)
    for name in SOCKETS:
        print(m.run(CONFINE, unit(name), "--list", check=True).stdout.strip())
    os.makedirs("/etc/skel/Documents")
    os.utime("/etc/skel/.profile", (1000000000, 1000000000))
    screen = m.sign_in("alice")
    uid = int(m.ask_in(screen, "id -u"))
    home = os.stat("/home/alice")
    expect_equal((stat.S_IMODE(home.st_mode), home.st_uid), (0o700, uid), "the home")
    expect_equal(os.stat("/home/alice/.profile").st_mtime, 1000000000, "the time of a file from the skeleton")
    expect_equal(os.stat("/home/alice/Documents").st_uid, uid, "the owner of a folder from the skeleton")
    expect_equal(m.ask_in(screen, "touch ~/mine && echo made"), "made", "a file in the home")
    # Neither is more than the unit says, which is more than the probes can tell.
    for name in SOCKETS:
        status = open(f"/proc/{m.daemons[name].pid}/status").read()
        expect_equal(re.search(r"^NoNewPrivs:\s+(\d)", status, re.M).group(1), "1", f"{name}: no_new_privs")
        expect_equal(re.search(r"^Seccomp:\s+(\d)", status, re.M).group(1), "2", f"{name}: filters")
        bounding = int(re.search(r"^CapBnd:\s+(\w+)", status, re.M).group(1), 16)
        expect_equal(bounding, {"pam_oidcd": 0, "provisiond": 1 << 0 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 29}[name], f"{name}: the bounding set")
        expect_equal(int(re.search(r"^CapEff:\s+(\w+)", status, re.M).group(1), 16), bounding, f"{name}: capabilities")

    other = m.start_issuer("lab.okta.example", 8443)
    m.issuer.control("users", **{"erin": {"login": "erin@clinic.example", "email": "erin@clinic.example", "email_verified": True}})
    with open("/run/sandbox/both.pem", "w") as both:
        both.write(open(m.issuer.ca).read() + open(other.ca).read())
    m.configure(m.standard_configuration(accounts="", more=(
        f"[tenant lab]\nissuer = {other.issuer}\nclient_id = clinic-app\ndomains = evil.example\nusername = lab-%l\n"
    )).replace(m.issuer.ca, "/run/sandbox/both.pem"))
    for name in ("provisiond", "pam_oidcd"):
        m.run(CONFINE, unit(name), "--reload", str(m.daemons[name].pid), check=True)
        notices[name].wait_for(b"RELOADING=1")
        notices[name].wait_for(b"READY=1")
    screen = m.ssh("lab-mallory")
    other.approve(m.code_on(screen), "mallory")
    screen.enter()
    m.wait_for_shell(screen, "lab-mallory")
    m.sign_in("bob")
    listed = m.run(f"{PRODUCT}/provisionctl", "list", check=True).stdout
    for name in ("alice", "bob", "lab-mallory"):
        expect_in(name, listed, "provisionctl list")
    screen = m.ssh("carol")
    m.code_on(screen)
    expect_in("carol", m.run(f"{PRODUCT}/provisionctl", "pending", check=True).stdout, "provisionctl pending")
    for name in ("provisiond", "pam_oidcd"):
        m.daemons[name].stop()
        notices[name].wait_for(b"STOPPING=1")
    refused = [line for line in m.log.lines if re.search(r"not permitted|denied|EPERM|EACCES", line) and "sshd" not in line]
    expect_equal(refused, [], "complaints in the log")


# ---- what they are refused ----

# What a daemon is there to do. A probe that is refused these would show that the test does not see what the daemon sees.
ALLOWED = {
    "pam_oidcd": {"connect over TCP", "make a TCP socket (IPv6)", "make a UDP socket", "make a netlink socket"},
    "provisiond": {
        "read /etc/shadow", "read /etc/gshadow", "read /etc/sudoers", "read sshd's host key", "read provisiond's database",
        "list provisiond's state", "list /home", "list a person's home", "write to /etc", "write to /home", "write to provisiond's state",
        # A /tmp of its own, which nobody else sees.
        "write to /tmp", "write to /var/tmp",
        # What a deactivated person has running is ended.
        "look at another user's process", "signal another user's process",
        # Records for auditd.
        "make a netlink socket",
    },
}


DOORS = []


def probe(m, victim, *words):
    """Name of each probe -> what became of it."""
    done = m.run(CONFINE, *words, "--probe", str(victim))
    expect_equal(done.returncode, 0, f"confine {' '.join(words)} --probe: {done.stderr}")
    return dict(re.findall(r"^probe (.*?): (.*)$", done.stdout, re.M))


@test("what the units forbid is refused to a program in the daemon's place, and reached without them", start=False, seconds=120)
def refused(m):
    open_door("/run/dbus/system_bus_socket")
    open_door("/run/systemd/private")
    start(m)
    m.sign_in("alice")  # which replaces /etc/shadow
    for folder in ("/root", "/dev/shm"):
        open(f"{folder}/something", "w").close()
    victim = subprocess.Popen(["setpriv", "--reuid=localuser", "--regid=localuser", "--clear-groups", "sleep", "600"])
    try:
        control = probe(m, victim.pid)
        for name in SOCKETS:
            judge(name, control, probe(m, victim.pid, unit(name)))
    finally:
        victim.kill()
        victim.wait()


def open_door(path):
    """A socket of some other service's, which everybody may connect to."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.bind(path)
    door.listen(16)
    os.chmod(path, 0o666)
    DOORS.append(door)


def judge(name, control, seen):
    """Counts the attacks whose control was reached, and names those that were not refused."""
    expect_equal(set(seen), set(control), "the names of the probes")
    attacks = [probe for probe in seen if probe not in ALLOWED[name]]
    skipped = [probe for probe in attacks if control[probe] != "reached"]
    for probe in skipped:
        print(f"{name}: not counted, because it is not possible here without limits either: {probe}: {control[probe]}")
    tried = [probe for probe in attacks if probe not in skipped]
    admitted = [probe for probe in tried if not seen[probe].startswith("refused")]
    missing = [f"{probe}: {seen[probe]}" for probe in ALLOWED[name] if seen[probe] != "reached" and control[probe] == "reached"]
    count("privilege", len(attacks), len(tried) - len(admitted), len(admitted), len(skipped))
    expect_equal(admitted, [], f"what {name} was not refused")
    expect_equal(missing, [], f"what {name} needs and was refused")
    expect(len(tried) - len(admitted) >= 40, f"{name}: only {len(tried)} probes could be tried here")


# ---- what is left in memory ----


def mappings(pid, writable):
    """(start, end, name) of everything that the process can read, or can write."""
    for line in open(f"/proc/{pid}/maps"):
        span, mode, _, _, _, *name = line.split(maxsplit=5)
        start, end = (int(address, 16) for address in span.split("-"))
        if ("w" if writable else "r") in mode and name != ["[vvar]\n"] and name != ["[vsyscall]\n"]:
            yield start, end, name[0].strip() if name else "anonymous"


def image(pid, writable=False):
    """Its memory, as a list of (start, bytes, name)."""
    parts = []
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for start, end, name in mappings(pid, writable):
            try:
                memory.seek(start)
                parts.append((start, memory.read(end - start), name))
            except OSError:
                pass
    return parts


def find(parts, secrets):
    """Where each of the named secrets lies: a list of sentences."""
    found = []
    for label, secret in secrets:
        for start, text, name in parts:
            at = text.find(secret)
            while at >= 0:
                around = text[max(0, at - 24):at + len(secret) + 8]
                found.append(f"{label} at {start + at:x} in {name}: {around[:90]!r}")
                at = text.find(secret, at + 2048)  # the next of a repeated word is no other place
    return found


def repeated(word, times=40):
    """A long secret of which every part that is worth anything holds the word."""
    assert len(word) % 3 == 0
    return word * times


# Twelve bytes each, so that their base64 repeats as well, after sixteen.
CLAIM, ACCESS, REFRESH = "claim-marker", "accesstoken-", "refreshtoken"


def in_base64(word):
    """What any 32 characters of the base64 of a repeated word hold: it has three forms, by where it begins."""
    return [base64.urlsafe_b64encode((word * 3)[shift:].encode())[:16] for shift in range(3)]


def secrets_of(m, issuer=None):
    """Every secret of every sign-in that the issuer has seen, and the ways in which they may lie about. Not user codes: each
    was on a screen, is worth nothing after its use, and libqrencode does not wipe what it drew."""
    secrets = [("a JWT", b"eyJ"), ("an access token", ACCESS.encode()), ("a refresh token", REFRESH.encode()),
               ("an ID token's claims", CLAIM.encode()), ("client_assertion", b"client_assertion="),
               ("a client's secret in a form", b"client_secret="),
               ("HTTP basic", base64.b64encode(b"clinic-basic:basic-secret-0123456789")[:40])]
    secrets += [("an ID token's payload", part) for part in in_base64(CLAIM)]
    for code in (issuer or m.issuer).state()["codes"]:
        secrets += [("a device code", code["device_code"][:20].encode()), ("a device code's end", code["device_code"][-20:].encode())]
    return secrets


class SignIn:
    """One sign-in as a PAM module asks for it, so that the ticket is known."""

    def __init__(self, m, name="alice", timeout=60):
        self.m = m
        self.name = name
        self.connection = Connection(PAM_OIDCD_SOCKET, 20 * harness.PATIENCE)
        self.uid = m.promised_uid(name)
        self.connection.send(("op", "login"), ("name", name), ("uid", self.uid), ("service", "login"), ("tty", "tty1"), ("rhost", ""),
                             ("qr", "utf8"), ("wait", "info"), ("timeout", timeout))
        self.shown = dict(self.connection.receive())
        expect_equal(self.shown.get("status"), "show", f"the answer for {name}: {self.shown}")

    def end(self):
        answer = dict(self.connection.receive())
        self.connection.close()
        return answer

    def approve(self, user=None):
        self.m.issuer.approve(self.shown["code"], user or self.name)
        return self.end()


def redeem(m, name, ticket):
    with Connection(PROVISIOND_SOCKET) as connection:
        return connection.ask(("op", "redeem"), ("ticket", ticket), ("name", name)).get("status")


CLIENTS = {
    "none": ("clinic-app", ""),
    "basic": ("clinic-basic", "client_auth = basic\nclient_secret_file = /etc/pam_oidc.secret\n"),
    "post": ("clinic-post", "client_auth = post\nclient_secret_file = /etc/pam_oidc.secret\n"),
    "private_key_jwt": ("clinic-jwt", "client_auth = private_key_jwt\nprivate_key_file = /etc/pam_oidc.secret\n"),
}
CLIENT_SECRETS = {"basic": "basic-secret-0123456789", "post": "p+q r%s:t/u=v&w"}


def start_as_client(m, method):
    """Both daemons, with one way of client authentication, and tokens that can be recognized."""
    skip_instrumented("sanitizers and valgrind keep what was freed, and terabytes besides")
    m.start_issuer()
    client, lines = CLIENTS[method]
    if method == "private_key_jwt":
        m.run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "/root/key.pem", check=True)
        m.run("openssl", "pkey", "-in", "/root/key.pem", "-pubout", "-out", f"{m.issuer.folder}/client-jwt.pem", check=True)
        m.write_secret("/etc/pam_oidc.secret", open("/root/key.pem").read())
    elif lines:
        m.write_secret("/etc/pam_oidc.secret", CLIENT_SECRETS[method] + "\n")
    m.configure(m.standard_configuration(tenant=lines).replace("client_id = clinic-app", f"client_id = {client}"))
    m.issuer.control("token", **TOKEN)
    m.start_provisiond()
    m.start_pam_oidcd()


TOKEN = {"claims": {"marker": repeated(CLAIM)}, "access_token": repeated(ACCESS), "answer": {"refresh_token": repeated(REFRESH)},
         "userinfo": {"marker": repeated(CLAIM)}}


def nobody_waits(m):
    with Connection(PAM_OIDCD_SOCKET) as connection:
        return connection.ask(("op", "pending")) == {"status": "end"}


def expect_clean(m, tickets, what):
    """Nothing of a finished sign-in lies in either daemon's memory. Returns how many secrets were looked for."""
    wait_for("nobody to wait any more", lambda: nobody_waits(m))
    secrets = secrets_of(m) + [("a ticket", ticket.encode()) for ticket in tickets]
    found = []
    for name in SOCKETS:
        found += [f"{name}: {line}" for line in find(image(m.daemons[name].pid), secrets)]
    count("privilege", 2 * len(secrets), 2 * len(secrets) - len({line.split(" at ")[0] for line in found}),
          len({line.split(" at ")[0] for line in found}))
    if found:
        raise Failure(f"left in memory after {what}:\n" + "\n".join(found[:40]) + f"\n({len(found)} in all)")


def success(m, tickets):
    answer = SignIn(m).approve()
    expect_equal(answer.get("status"), "admitted", f"the end: {answer}")
    tickets.append(answer["ticket"])
    expect_equal(redeem(m, "alice", answer["ticket"]), "confirmed", "the ticket")


def thin(m, tickets):
    m.issuer.settings(thin=True)
    success(m, tickets)
    m.issuer.settings(thin=False)


def denied(m, tickets):
    signin = SignIn(m)
    m.issuer.deny(signin.shown["code"])
    expect_equal(signin.end().get("status"), "refused", "the end")


def cancelled(m, tickets):
    signin = SignIn(m)
    polls = m.issuer.requests("token")
    wait_for("a poll", lambda: m.issuer.requests("token") > polls)
    signin.connection.close()


def cancelled_in_a_poll(m, tickets):
    m.issuer.fault("token", process=True, delay_ms=1500)
    signin = SignIn(m)
    m.issuer.approve(signin.shown["code"], "alice")
    polls = m.issuer.requests("token")
    wait_for("a poll", lambda: m.issuer.requests("token") > polls)
    signin.connection.close()


def expired(m, tickets):
    m.issuer.settings(expires_in=2)
    signin = SignIn(m)
    m.issuer.settings(expires_in=600)
    expect_equal(signin.end().get("status"), "refused", "the end")


def forged(m, tickets):
    m.issuer.control("token", **TOKEN, mangle="corrupt_signature")
    expect_equal(SignIn(m).approve().get("status"), "refused", "the end")
    m.issuer.control("token", **TOKEN)


def unusable(m, tickets):
    """A token answer that is cut off, then one that is too large, then a good one for somebody whom provisiond refuses."""
    for fault in ({"process": True, "truncate": 1500}, {"process": True, "oversize": 400 * 1024}):
        m.issuer.fault("token", **fault)
        signin = SignIn(m, timeout=5)
        m.issuer.approve(signin.shown["code"], "alice")
        expect_equal(signin.end().get("status"), "refused", f"the end with {fault}")
    expect_equal(SignIn(m).approve("mallory").get("status"), "refused", "the end")


def unredeemed(m, tickets):
    """Given out, shown by nobody, and over."""
    tickets.append(SignIn(m).approve()["ticket"])
    expect_equal(redeem(m, "bob", tickets[-1]), "no", "a ticket shown for another name")


ENDINGS = [success, thin, denied, cancelled, cancelled_in_a_poll, expired, forged, unusable, unredeemed]


@cases([(f"an idle daemon's memory holds nothing of finished sign-ins (client authentication: {method})", method) for method in CLIENTS],
       start=False, seconds=180)
def nothing_left(m, method):
    start_as_client(m, method)
    tickets = []
    # While somebody waits it must be found, or the search is worth nothing.
    waiting = SignIn(m, "carol")
    code = next(code for code in m.issuer.state()["codes"] if code["user_code"] == waiting.shown["code"])
    held = find(image(m.pam_oidcd.pid), [("device code", code["device_code"].encode())])
    expect(held, "the device code of a sign-in that waits is found in pam_oidcd's memory")
    waiting.connection.close()
    for ending in ENDINGS:
        ending(m, tickets)
        expect_clean(m, tickets, ending.__name__)
    if method in CLIENT_SECRETS:
        kept = find(image(m.pam_oidcd.pid), [("client secret", CLIENT_SECRETS[method].encode())])
        expect_equal(len(kept), 1, f"the places where the client secret is kept: {kept}")


# ---- what is handed down to them ----

HANDED_DOWN = {
    "http_proxy": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1",
    "ALL_PROXY": "http://127.0.0.1:1", "all_proxy": "socks5://127.0.0.1:1", "SSL_CERT_FILE": "/tmp/none.pem",
    "SSL_CERT_DIR": "/tmp/none", "CURL_CA_BUNDLE": "/tmp/none.pem", "SSLKEYLOGFILE": "/tmp/keys", "OPENSSL_CONF": "/tmp/openssl.cnf",
    "CURL_SSL_BACKEND": "gnutls", "RES_OPTIONS": "use-vc", "LOCALDOMAIN": "evil.example", "HOSTALIASES": "/tmp/aliases",
    "HOME": "/tmp", "GCONV_PATH": "/tmp", "LISTEN_PID": "1", "LISTEN_FDS": "1",
}

BADLY_STARTED = """
import os, signal, sys
name, *words = sys.argv[1:]
handed = os.open("/etc/shadow", os.O_RDONLY)
for number in (7, 9, 200):
    os.dup2(handed, number, inheritable=True)
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
os.umask(0)
os.chdir("/home/localuser")
for number in (0, 1, 2):
    os.close(number)
os.execvp(words[0], words)
"""


@test("whatever the daemons are handed down at their start, they begin clean", start=False)
def clean_start(m):
    if os.environ.get("E2E_VALGRIND"):
        raise Skip("valgrind keeps descriptors of its own")
    install_traps()
    m.start(provisiond=False, pam_oidcd=False)
    for name in ("provisiond", "pam_oidcd"):
        environment = {**os.environ, **HANDED_DOWN}
        m.daemons[name] = Daemon(name, ["python3", "-c", BADLY_STARTED, name, f"{PRODUCT}/{name}"], environment, f"/var/log/tests/{name}.log")
        m.wait_for_socket(m.daemons[name], SOCKETS[name])
        faults = still_bad(m.daemons[name].pid)
        count("privilege", 7, 7 - len(faults), len(faults))
        expect_equal(faults, [], f"what {name} took over")
    m.sign_in("alice")
    m.pam_oidcd.signal(signal.SIGHUP)
    m.log.wait_for(r"^pam_oidcd.*took up")
    expect(not os.path.exists("/tmp/keys"), "no TLS key was written to SSLKEYLOGFILE")
    traced = m.run("setpriv", "--reuid=_pam_oidc", "--regid=_pam_oidc", "--clear-groups", "cat", f"/proc/{m.pam_oidcd.pid}/environ")
    expect(traced.returncode != 0, "another process of _pam_oidc's cannot look into the daemon")


def install_traps():
    with open("/tmp/openssl.cnf", "w") as file:
        file.write("openssl_conf = evil\n[evil]\nssl_conf = none\nalg_section = none\n")
    with open("/tmp/aliases", "w") as file:
        file.write("clinic evil.example\n")


def still_bad(pid):
    """What is not as it should be, and stays so: while a program starts a thread, the C library blocks all signals, for instance."""
    for _ in range(40):
        faults = started_badly(pid)
        if not faults:
            break
        time.sleep(0.05)
    return faults


def started_badly(pid):
    """What is not as it should be just now."""
    status = dict(re.findall(r"^(\w+):\s*(.*)$", open(f"/proc/{pid}/status").read(), re.M))
    limits = open(f"/proc/{pid}/limits").read()
    files = {fd: os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    ignored = int(status["SigIgn"], 16) & ~(1 << signal.SIGPIPE - 1)
    taken = sum(1 << number - 1 for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM))
    return [what for what, wrong in {
        f"descriptors: {files}": any("shadow" in path for path in files.values()),
        f"descriptors 0 to 2: {files}": [files.get(fd) for fd in "012"] != ["/dev/null"] * 3,
        f"umask {status['Umask']}": status["Umask"] != "0077",
        f"ignored signals {status['SigIgn']}": ignored != 0,
        f"blocked signals {status['SigBlk']}": int(status["SigBlk"], 16) != taken,
        f"folder {os.readlink(f'/proc/{pid}/cwd')}": os.readlink(f"/proc/{pid}/cwd") != "/",
        f"limit of core dumps in {limits}": not re.search(r"^Max core file size\s+0\s+0", limits, re.M),
    }.items() if wrong]


@test("a program that loads the module keeps no ticket after the sign-in", start=False)
def hosts(m):
    skip_instrumented("sanitizers and valgrind keep what was freed, and terabytes besides")
    m.start()
    # While it can still be redeemed it must be found, or the search is worth nothing.
    ticket = SignIn(m, "bob").approve("bob")["ticket"]
    expect(find(image(m.provisiond.pid), [("ticket", ticket.encode())]), "a ticket that waits is found in provisiond's memory")
    expect_equal(redeem(m, "bob", ticket), "confirmed", "the ticket")
    m.sign_in("alice")
    screen = m.screen("setpriv", "--reuid=localuser", "--regid=localuser", "--init-groups", "su", "-", "alice")
    m.approve_on(screen)
    m.wait_for_shell(screen, "alice")
    seen = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            name = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
        except OSError:
            continue
        if name not in ("sshd", "sshd-session", "sshd-auth", "su", *SOCKETS):
            continue
        seen.add(name)
        for _, text, place in image(pid, writable=True):
            left = re.search(rb"ticket=[0-9a-f]{8}|(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", text)
            expect(not left, f"{name} keeps {left and text[left.start() - 32:left.end()]} in {place}")
    count("privilege", len(seen), len(seen))
    expect({"su", "pam_oidcd", "provisiond"} < seen and any("sshd" in name for name in seen), f"the programs that were searched: {seen}")


@test("a sign-in costs pam_oidcd little time, wiping included", start=False, alone=True, tags={"figures"}, seconds=120)
def wiping_is_quick(m):
    start_as_client(m, "private_key_jwt")
    success(m, [])

    def spent():
        """Milliseconds on a processor."""
        return int(open(f"/proc/{m.pam_oidcd.pid}/schedstat").read().split()[0]) / 1e6

    before, rounds = spent(), 5
    for _ in range(rounds):
        success(m, [])
    figure("pam_oidcd's processor time for a sign-in with private_key_jwt", (spent() - before) / rounds, "ms", 25)
