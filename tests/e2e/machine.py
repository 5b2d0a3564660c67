"""The machine that a test signs in to: both daemons, the issuer, sshd and a log, all inside a sandbox (tests/sandbox).

Everything a test may need of it is a method here; what a test expects stands in the test.
"""

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import harness
from issuer import Issuer
from screen import Screen
from wire import Connection

PRODUCT = "/run/sandbox/product"
CONFIG = "/etc/pam_oidc.conf"
PAM_OIDCD_SOCKET = "/run/pam_oidc/socket"
PROVISIOND_SOCKET = "/run/provisiond/socket"
ASAN_LOG = "/var/log/tests/asan"
PASSWORD = "correct horse"
HOST = "clinic.okta.example"

CONFIGURATION = """\
[login]
ca_file = {ca}

[accounts]
default_tenant = clinic

[tenant clinic]
issuer = {issuer}
client_id = clinic-app
domains = clinic.example
"""


class SystemLog:
    """What /dev/log gets: every program's messages, in the order in which they came."""

    def __init__(self, path="/dev/log"):
        self.lines = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        os.chmod(path, 0o666)
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self):
        while True:
            packet = self.socket.recv(65536).decode(errors="replace").rstrip("\0\n")
            # <priority>Mmm dd hh:mm:ss program[pid]: message
            self.lines.append(re.sub(r"^<\d+>(\w{3} [ \d]\d [\d:]{8} )?", "", packet))

    def text(self, program=None):
        return "\n".join(line for line in self.lines if program is None or line.startswith(program))

    def wait_for(self, pattern, seconds=10.0):
        def found():
            return re.search(pattern, self.text(), re.M)

        try:
            return harness.wait_for(f"{pattern!r} in the system's log", found, seconds)
        except harness.Failure as failure:
            raise harness.Failure(f"{failure}; it says:\n{self.text()}") from None


class Daemon:
    """One of our two daemons, as a service manager would run it. Its end is judged: exit status 0 and a silent checker."""

    def __init__(self, name, command, environment, log):
        self.name = name
        self.log = log
        self.judged = False
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=open(log, "ab"), stderr=subprocess.STDOUT, env=environment, cwd="/",
        )

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """Ends it as a crash or the OOM killer would; nothing is judged."""
        self.judged = True
        self.process.kill()
        self.process.wait()

    def stop(self):
        """SIGTERM, and its exit is judged."""
        if self.judged:
            return
        self.judged = True
        if self.running():
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
        try:
            status = self.process.wait(15 * harness.PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise harness.Failure(f"{self.name} did not stop at SIGTERM") from None
        output = open(self.log, errors="replace").read()
        harness.expect(status == 0, f"{self.name} ended with status {status}; it said:\n{output[-6000:]}")
        for sign in ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "== ERROR SUMMARY: "):
            place = output.find(sign)
            clean = "== ERROR SUMMARY: 0 errors"
            harness.expect(place < 0 or (output[place:].startswith(clean)), f"{self.name} is not clean:\n{output[-8000:]}")

    def pss_kib(self):
        """Its proportional set size; the fair share of what it shares with others counts."""
        with open(f"/proc/{self.pid}/smaps_rollup") as rollup:
            return int(re.search(r"^Pss:\s+(\d+) kB", rollup.read(), re.M).group(1))

    def private_kib(self):
        with open(f"/proc/{self.pid}/smaps_rollup") as rollup:
            text = rollup.read()
        return sum(int(n) for n in re.findall(r"^Private_(?:Clean|Dirty):\s+(\d+) kB", text, re.M))


class Machine:
    def __init__(self):
        self.log = SystemLog()
        self.daemons = {}
        self.issuers = {}
        self.sshd = None
        self.screens = []
        self.config_text = None
        self.own_clock = False
        os.makedirs("/var/log/tests", exist_ok=True)

    # ---- what runs on it ----

    def start(self, config=None, sshd=(), provisiond=True, pam_oidcd=True):
        """Issuer, both daemons and sshd, with the standard configuration unless `config` gives the text."""
        self.start_issuer()
        self.configure(config or self.standard_configuration())
        if provisiond:
            self.start_provisiond()
        if pam_oidcd:
            self.start_pam_oidcd()
        self.start_sshd(*sshd)

    @property
    def issuer(self):
        """The first one that was started; most machines have no other."""
        return next(iter(self.issuers.values()))

    def start_issuer(self, host=HOST, port=443, **settings):
        issuer = Issuer(f"{PRODUCT}/tests/issuer/issuer", f"/run/sandbox/issuer-{host}", port, host, f"/var/log/tests/{host}.log")
        self.issuers[host] = issuer
        # Tests poll each second, and some in crowds: no reason to poll less.
        issuer.settings(**{"interval": 1, "rate_limit": 10**9, **settings})
        return issuer

    def standard_configuration(self, login="", accounts="", tenant="", more=""):
        """The usual configuration with further lines for its sections, and further sections."""
        text = CONFIGURATION.format(ca=self.issuer.ca, issuer=self.issuer.issuer)
        text = text.replace("[accounts]\n", f"{login}\n[accounts]\n{accounts}\n" if login or accounts else "[accounts]\n")
        return text + tenant + ("\n" if tenant and not tenant.endswith("\n") else "") + more

    def configure(self, text):
        self.config_text = text
        with open(CONFIG, "w") as file:
            file.write(text)
        os.chmod(CONFIG, 0o644)

    def write_secret(self, path, text, mode=0o640, group="_pam_oidc"):
        """A secret's file as an administrator should leave it, unless told otherwise."""
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
        shutil.chown(path, "root", group)

    def use_own_clock(self, seconds):
        """Daemons started from now on have a wall clock of their own, which set_clock() moves."""
        self.own_clock = True
        self.set_clock(seconds)

    def set_clock(self, seconds):
        with open("/tmp/clock.new", "w") as file:
            file.write(str(seconds))
        os.chmod("/tmp/clock.new", 0o644)
        os.rename("/tmp/clock.new", "/tmp/clock")

    def _daemon(self, name, confinement):
        """Starts a daemon of ours behind the words that confine it; under valgrind when that was asked for."""
        environment = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "ASAN_OPTIONS": "detect_leaks=1:exitcode=99:verify_asan_link_order=0",
            "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
        }
        program = [f"{PRODUCT}/{name}"]
        if self.own_clock:
            program = ["env", f"LD_PRELOAD={PRODUCT}/tests/e2e/clock.so", "CLOCK_OFFSET_FILE=/tmp/clock", *program]
        elif os.environ.get("E2E_VALGRIND"):
            kinds = "definite,indirect,possible"
            shutil.copy(os.path.join(os.path.dirname(os.path.abspath(__file__)), "valgrind.supp"), "/tmp/valgrind.supp")
            program = [
                "valgrind", "-q", "--leak-check=full", f"--show-leak-kinds={kinds}", f"--errors-for-leak-kinds={kinds}",
                "--error-exitcode=99", "--child-silent-after-fork=yes", "--suppressions=/tmp/valgrind.supp", *program,
            ]
        self.daemons[name] = Daemon(name, [*confinement, *program], environment, f"/var/log/tests/{name}.log")
        return self.daemons[name]

    def start_provisiond(self, wait=True):
        """As root with few capabilities, in a network namespace without even a loopback address."""
        os.makedirs("/run/provisiond", mode=0o755, exist_ok=True)
        os.makedirs("/var/lib/provisiond", mode=0o700, exist_ok=True)
        capabilities = "-all,+audit_write,+chown,+dac_read_search,+fowner,+kill"  # as in the unit
        daemon = self._daemon("provisiond", [
            "unshare", "--net", "setpriv", f"--bounding-set={capabilities}", "--inh-caps=-all", "--no-new-privs",
        ])
        if wait:
            self.wait_for_socket(daemon, PROVISIOND_SOCKET)
        if wait and os.environ.get("E2E_VALGRIND"):
            self.warm_up()
        return daemon

    def warm_up(self):
        """Valgrind translates code when it first runs, which takes longer than the 250 ms that sshd waits for an answer."""

        def answers_in_time():
            began = time.monotonic()
            answer = self.lookup("nobody-yet")
            with Connection(PROVISIOND_SOCKET) as connection:
                connection.ask(("op", "standing"), ("name", "nobody-yet"))
            return answer.get("status") == "entry" and time.monotonic() - began < 0.1

        deadline = time.monotonic() + 10 * harness.PATIENCE
        in_time = 0
        while in_time < 3 and time.monotonic() < deadline:
            in_time = in_time + 1 if answers_in_time() else 0

    def start_pam_oidcd(self, wait=True):
        """As _pam_oidc without any capability."""
        account = pwd.getpwnam("_pam_oidc")
        os.makedirs("/run/pam_oidc", mode=0o755, exist_ok=True)
        os.chown("/run/pam_oidc", account.pw_uid, account.pw_gid)
        daemon = self._daemon("pam_oidcd", [
            "setpriv", "--reuid=_pam_oidc", "--regid=_pam_oidc", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all",
            "--no-new-privs",
        ])
        if wait:
            self.wait_for_socket(daemon, PAM_OIDCD_SOCKET)
        return daemon

    def wait_for_socket(self, daemon, path):
        def answers():
            harness.expect(
                daemon.running(),
                f"{daemon.name} ended with {daemon.process.returncode} at its start; it said:\n"
                + open(daemon.log, errors="replace").read() + self.log.text(),
            )
            try:
                Connection(path, 1).close()
                return True
            except OSError:
                return False

        harness.wait_for(f"{daemon.name} to answer at {path}", answers, 20)

    @property
    def provisiond(self):
        return self.daemons["provisiond"]

    @property
    def pam_oidcd(self):
        return self.daemons["pam_oidcd"]

    def start_sshd(self, *options, port=22):
        command = ["/usr/sbin/sshd", "-D", "-p", str(port)]
        for option in options:
            command += ["-o", option]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        if os.environ.get("E2E_SSHD_ASAN"):
            # sshd itself was not built with AddressSanitizer, our module in it was. What sshd leaks is not ours.
            environment["LD_PRELOAD"] = os.environ["E2E_SSHD_ASAN"]
            environment["ASAN_OPTIONS"] = f"detect_leaks=0:log_path={ASAN_LOG}"
            environment["UBSAN_OPTIONS"] = f"print_stacktrace=1:halt_on_error=1:log_path={ASAN_LOG}"
            self.run("sed", "-i", f"s|{PRODUCT}/pam_oidc.so|{PRODUCT}/asan/pam_oidc.so|", "/etc/pam.d/sshd", check=True)
        output = open("/var/log/tests/sshd.log", "ab")
        self.sshd = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, cwd="/")

        def answers():
            harness.expect(self.sshd.poll() is None, "sshd ended: " + open("/var/log/tests/sshd.log").read())
            try:
                with socket.create_connection(("127.0.0.1", port), 1) as connection:
                    return connection.recv(4).startswith(b"SSH")
            except OSError:
                return False

        harness.wait_for("sshd to answer", answers, 20)

    def stop_sshd(self):
        if self.sshd and self.sshd.poll() is None:
            self.sshd.terminate()
            self.sshd.wait(20)

    def stop(self):
        """Ends everything and judges how our daemons ended."""
        for screen in self.screens:
            screen.close()
        self.stop_sshd()
        found = [open(f"/var/log/tests/{name}").read() for name in os.listdir("/var/log/tests") if name.startswith("asan")]
        harness.expect(not found, "the module in sshd is not clean:\n" + "\n".join(found)[:8000])
        for name in ("pam_oidcd", "provisiond"):
            if name in self.daemons:
                self.daemons[name].stop()
        for issuer in self.issuers.values():
            status = issuer.stop()
            harness.expect(status == 0, f"the issuer ended with status {status}:\n" + open(issuer.log).read()[-4000:])

    def report(self):
        """Everything that helps to understand a failure."""
        parts = []
        for screen in self.screens:
            try:
                parts.append(f"--- {screen.name}: {' '.join(screen.command)} ---\n{screen.text()}")
            except harness.Failure:
                pass
        parts.append("--- system log ---\n" + self.log.text())
        folder = "/var/log/tests"
        for name in sorted(os.listdir(folder)):
            text = open(f"{folder}/{name}", errors="replace").read()
            if text.strip():
                parts.append(f"--- {name} ---\n{text[-6000:]}")
        for host, issuer in self.issuers.items():
            try:
                state = issuer.state()
                shown = {key: state[key] for key in ("requests", "codes", "faults", "settings")}
                shown["last_requests"] = state["last_requests"][-8:]
                parts.append(f"--- state of {host} ---\n" + "\n".join(f"{key}: {value}" for key, value in shown.items()))
            except Exception as problem:
                parts.append(f"--- state of {host}: {problem} ---")
        return "\n".join(parts)

    # ---- what a person does at it ----

    def screen(self, *command, **options):
        screen = Screen([str(word) for word in command], **options)
        self.screens.append(screen)
        return screen

    def ssh(self, destination, *command, options=(), **screen_options):
        """The ssh client in a terminal, as `ssh alice@localhost`; the host may be left out."""
        words = ["ssh", "-F", "/dev/null"]
        for option in options:
            words += ["-o", option]
        if not destination.endswith("@localhost"):
            destination += "@localhost"
        return self.screen(*words, destination, *command, **screen_options)

    def login(self, name=None, **screen_options):
        """A console: login(1) on a terminal, which asks for the name and is then given it."""
        screen = self.screen("python3", os.path.join(os.path.dirname(__file__), "console.py"), "login", **screen_options)
        screen.wait_for(r"login: ?$", 20)
        if name is not None:
            screen.enter(name)
        return screen

    def wait_for_refused_login(self, screen, seconds=20):
        """Waits until login(1) has refused and asks for the next name."""
        screen.wait_for(r"(?s)Login incorrect.*login: ?$", seconds)

    # ---- what an administrator does or looks at ----

    def set_pam_arguments(self, service, arguments):
        """Gives our line of the service's auth stack these arguments."""
        path = f"/etc/pam.d/{service}"
        with open(path) as file:
            text = file.read()
        text, count = re.subn(r"^(auth .*/pam_oidc\.so).*$", lambda match: f"{match.group(1)} {arguments}", text, flags=re.M)
        harness.expect(count == 1, f"{path} has {count} auth lines of ours")
        with open(path, "w") as file:
            file.write(text)

    def run(self, *command, input=None, seconds=30, check=False, environment=None):
        done = subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, input=input, errors="replace",
            timeout=seconds * harness.PATIENCE, env=environment,
        )
        if check and done.returncode != 0:
            raise harness.Failure(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def passwd(self, name):
        """The account's line in /etc/passwd as a list of its fields, or None."""
        return self._line("/etc/passwd", name)

    def shadow(self, name):
        return self._line("/etc/shadow", name)

    @staticmethod
    def _line(path, name):
        with open(path) as file:
            for line in file:
                if line.startswith(f"{name}:"):
                    return line.rstrip("\n").split(":")
        return None

    def account_files(self):
        """Everything that creating an account would change, for comparison."""
        state = {}
        for name in ("passwd", "group", "shadow", "gshadow"):
            path = f"/etc/{name}"
            state[path] = open(path).read() if os.path.exists(path) else None
        state["/home"] = sorted(os.listdir("/home"))
        return state

    def settle(self):
        """Waits until provisiond has tidied up behind a change; it tells of the change before that, and does nothing else until then."""
        with Connection(PROVISIOND_SOCKET, 20 * harness.PATIENCE) as connection:
            connection.ask(("op", "standing"), ("name", "root"))

    def wait_for_idle(self, seconds=10.0):
        """Waits until pam_oidcd has no sign-in waiting."""
        harness.wait_for("no sign-in waiting", lambda: not self.pending(), seconds)

    def pending(self):
        """The sign-ins that wait, as dictionaries, from pam_oidcd's own answer."""
        found = []
        with Connection(PAM_OIDCD_SOCKET) as connection:
            connection.send(("op", "pending"))
            while True:
                answer = connection.receive()
                harness.expect(answer is not None, "pam_oidcd closed the connection instead of telling who waits")
                if dict(answer).get("status") == "end":
                    return found
                found.append(dict(answer))

    # ---- a sign-in, step by step ----

    def code_on(self, screen, count=1, seconds=20):
        """The user code that the screen shows (the count-th one), once it does."""
        return screen.wait_for(r"^and enter +([A-Z0-9-]{8,})$", seconds, count).group(1)

    def approve_on(self, screen, user="alice", count=1):
        """The person reads the code off the screen and approves it on the phone."""
        code = self.code_on(screen, count)
        self.issuer.approve(code, user)
        return code

    def wait_for_shell(self, screen, account, seconds=20):
        """Waits for the prompt of a shell that belongs to the account."""
        screen.wait_for(rf"\b{re.escape(account)}@ward3\b.*\$ ?$", seconds)

    def sign_in(self, name="alice", user=None, account=None, press_enter=True, **options):
        """Signs in over SSH with an approval, up to the shell's prompt."""
        screen = self.ssh(name, **options)
        self.approve_on(screen, user or account or name)
        if press_enter:
            screen.enter()
        self.wait_for_shell(screen, account or name)
        return screen

    def ask_in(self, screen, command, seconds=15):
        """Runs a command in the shell on the screen; its output."""
        mark = f"end-of-{time.monotonic_ns()}"
        screen.enter(f"{command}; echo {mark[:7]}''{mark[7:]}")
        screen.wait_for(rf"^{mark}$", seconds)
        text = screen.text()
        start = text.rindex(f"echo {mark[:7]}''{mark[7:]}") + len(f"echo {mark[:7]}''{mark[7:]}")
        return text[start:text.index(f"\n{mark}", start)].strip("\n")

    def lookup(self, name, purpose="nss", service="sshd"):
        """provisiond's answer to what the name stands for."""
        with Connection(PROVISIOND_SOCKET) as connection:
            return connection.ask(("op", "lookup"), ("name", name), ("purpose", purpose), ("service", service))

    def promised_uid(self, name):
        answer = self.lookup(name)
        harness.expect_equal(answer.get("status"), "entry", f"provisiond's answer for {name}: {answer}")
        return int(answer["uid"])

    def expect_nothing_changed(self, before):
        """The account files and homes are what account_files() said before."""
        now = self.account_files()
        for path, text in before.items():
            harness.expect_equal(now[path], text, f"{path} has changed")
