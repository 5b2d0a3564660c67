"""Hostile issuers: whatever an issuer, or the network in front of it, answers, it gets nobody in and nothing out, it
takes no more of the daemon's time and memory than the bounds allow, and who signs in elsewhere does not notice.

Each attack is a tenant of its own in one configuration, so that they run at once, in one daemon, while somebody signs
in at a good one. hostile_attacks.py lists them, hostile.py is the host that carries them out.
"""

import concurrent.futures
import copy
import os
import pty
import re
import select
import signal
import subprocess
import threading
import time

import hostile
import pam
from harness import PATIENCE, count, expect, expect_equal, figure, test
from hostile import DOMAIN, PORT
from hostile_attacks import (
    MIB,
    TAKEN_MAX,
    TEXTS,
    Attack,
    Attempt,
    bodies,
    dawdlers,
    devices,
    discoveries,
    key_sets,
    redirects,
    sizes,
    texts,
    tokens,
    transports,
)
from machine import PAM_OIDCD_SOCKET, PRODUCT
from wire import Server

SECTION = "hostile issuer"
AT_ONCE = 100


class Scene:
    """A machine with the good tenant clinic, whose sign-ins come first, and then the attacks."""

    def __init__(self, m, attacks):
        self.m, self.attacks = m, attacks
        self.host = hostile.Host()
        self.trap = self.host.add("trap")
        self.host.listen_plainly(8080)
        for number, attack in enumerate(attacks):
            context = attack.options.pop("context", None)
            attack.provider = self.host.add(f"x{number}", context=context and context(self.host), **attack.options)
        m.start_issuer()
        bundle = "/run/sandbox/authorities.pem"
        with open(bundle, "w") as file:
            file.write(open(m.issuer.ca).read() + open(self.host.authority.pem).read())
        text = m.standard_configuration(
            login="max_pending = 1000\nunlimited_from = 198.51.100.0/24", tenant="username = %l.%t"
        )
        self.good = text.replace(m.issuer.ca, bundle)
        m.configure(self.good)
        m.start_provisiond()
        m.start_pam_oidcd()

    def turn_hostile(self):
        """The attackers become tenants, in the running daemons."""
        self.m.configure(self.good + "".join(
            f"\n[tenant {attack.provider.label}]\nissuer = {attack.provider.issuer}\nclient_id = {hostile.CLIENT}\n"
            f"domains = {attack.provider.name}\nusername = %l.%t\n" for attack in self.attacks))
        for daemon in ("pam_oidcd", "provisiond"):
            self.m.daemons[daemon].signal(signal.SIGHUP)
            self.m.log.wait_for(f"{daemon}.*(anew|read again)")

    def sign_in(self):
        """Alice signs in at the good tenant; (until the code was shown, in all) in seconds."""
        attempt = Attempt(
            "alice@clinic.example", 110, on_show=lambda show: self.m.issuer.approve(show["code"], "alice")
        )
        expect_equal(attempt.outcome, "admitted", f"Alice's sign-in at the good tenant ({attempt.messages})")
        return attempt.shown_after, attempt.took

    def attack(self):
        """All attacks at once, while Alice signs in again and again; how long that took each time."""
        places = threading.Semaphore(AT_ONCE)

        def run(attack):
            with places:
                attack.attack()

        threads = [threading.Thread(target=run, args=(attack,), daemon=True) for attack in self.attacks]
        for thread in threads:
            thread.start()
        times = []
        while any(thread.is_alive() for thread in threads):
            times.append(self.sign_in())
        return times

    def judge(self):
        """Nobody was let in, nothing else noticed, and the count."""
        expect(self.m.pam_oidcd.running(), "pam_oidcd is running")
        wrong = [attack for attack in self.attacks if attack.wrong]
        hits = {endpoint: self.trap.requests[endpoint] for endpoint in self.trap.requests}
        count(SECTION, len(self.attacks), len(self.attacks) - len(wrong), len(wrong))
        expect(not wrong, "\n".join(f"{attack.sentence} ({attack.provider.label}): {attack.wrong}" for attack in wrong))
        expect_equal((hits, self.host.plain_hits), ({}, 0), "what came to places to which an issuer only pointed")
        self.judge_log()

    def judge_log(self):
        for line in self.m.log.lines:
            expect(re.fullmatch(r"[ -~]*", line), f"only printable ASCII is in the log: {line!r}")
        said = open(self.m.pam_oidcd.log, "rb").read()
        expect(re.fullmatch(rb"[ -~\n]*", said), f"only printable ASCII is on standard error: {said!r}")


def peak_kib(m):
    with open(f"/proc/{m.pam_oidcd.pid}/status") as status:
        return int(re.search(r"^VmHWM:\s+(\d+) kB", status.read(), re.M).group(1))


def median(numbers):
    numbers = sorted(numbers)
    return numbers[len(numbers) // 2]


# ---- the tests ----


def wave(m, name, attacks):
    scene = Scene(m, attacks)
    alone = [scene.sign_in() for _ in range(3)]
    before = m.pam_oidcd.private_kib()
    scene.turn_hostile()
    beside = scene.attack()
    figure(
        f"hostile issuers ({name}, {len(attacks)} at once): the code of a good tenant, alone",
        median(shown for shown, _ in alone) * 1000,
        "ms",
    )
    figure(
        f"hostile issuers ({name}, {len(attacks)} at once): the code of a good tenant, beside them",
        median(shown for shown, _ in beside) * 1000,
        "ms",
        extra=f"  (median of {len(beside)}; worst {max(shown for shown, _ in beside) * 1000:.0f} ms)",
    )
    figure(f"hostile issuers ({name}): memory of pam_oidcd before, afterwards", before / 1024, "MiB",
           extra=f" -> {m.pam_oidcd.private_kib() / 1024:.4g} MiB; {peak_kib(m) / 1024:.4g} MiB at most")
    scene.judge()
    return scene


@test(
    "redirects, false certificates, old TLS, none at all, and answers that are cut: nobody gets in",
    start=False,
    seconds=240,
)
def transport(m):
    wave(m, "transport", redirects() + transports())


@test(
    "discovery documents with other issuers and with endpoints at odd places: nobody gets in, and nothing goes there",
    start=False,
    seconds=240,
)
def discovery(m):
    wave(m, "discovery", discoveries())


@test("answers without end, and bombs: little is taken of them, and nobody gets in", start=False, seconds=300)
def size(m):
    attacks = sizes()
    scene = wave(m, "sizes", attacks)
    first = m.pam_oidcd.private_kib()
    scene.attack()
    figure("hostile issuers (sizes): memory of pam_oidcd after one round, after another", first / 1024, "MiB",
           extra=f" -> {m.pam_oidcd.private_kib() / 1024:.4g} MiB; {peak_kib(m) / 1024:.4g} MiB at most")
    figure(
        "hostile issuers: what an endless answer brought at most, socket buffers included",
        max(attack.provider.most for attack in attacks) / MIB,
        "MiB",
        TAKEN_MAX / MIB,
    )
    expect(peak_kib(m) < 256 << 10 or os.environ.get("E2E_SSHD_ASAN"), f"pam_oidcd had {peak_kib(m)} KiB at most")


@test("bodies that are no JSON, or too much of it, and keys by the thousand: nobody gets in", start=False, seconds=300)
def content(m):
    wave(m, "content", bodies() + key_sets())


@test("absurd intervals, lives, codes, addresses, waits and tokens: bounded, or refused", start=False, seconds=300)
def grant(m):
    wave(m, "grant", devices() + tokens())


def conversation(service, name):
    """What libpam's application is given to show, bytes that are no UTF-8 as U+FFFD; it answers no password prompt."""
    said = pam.SignIn(service, name, lambda style, text: style != pam.PROMPT_ECHO_OFF).said
    return "".join(text for _, _, text in said)


def on_console(name, seconds=20):
    """The raw bytes that login(1) writes to a terminal, until it asks for the next name."""
    line, terminal = pty.openpty()
    login = subprocess.Popen(["setsid", "--ctty", "login", name], stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    written = b""
    deadline = time.monotonic() + seconds * PATIENCE
    while time.monotonic() < deadline and b"login: " not in written and login.poll() is None:
        if not select.select([line], [], [], 0.1)[0]:
            continue
        try:
            written += os.read(line, 65536)
        except OSError:  # login hangs the terminal up once
            time.sleep(0.02)
        if written.rstrip().endswith(b"assword:"):
            os.write(line, b"\n")
            written += b"\n"
    login.kill()
    login.wait()
    os.close(line)
    return written


SHOWABLE = r"[ -~\n\u2580\u2584\u2588]*"


@test(
    "text with escape sequences, controls and other scripts reaches neither a person nor the log",
    start=False,
    seconds=300,
)
def text(m):
    scene = wave(m, "text", texts())
    problems = []

    def converse(attack):
        said = conversation("sudo", f"alice@{attack.provider.name}")
        if not re.fullmatch(SHOWABLE, said) or (attack.ends != {"shown"} and not re.search(r"\w\.", said)):
            problems.append(f"{attack.sentence}: {said!r}")

    def sit_at_console(attack):
        written = on_console(f"alice@{attack.provider.name}")
        # A terminal's own: the cursor at a line's beginning, and what login itself clears.
        if not re.fullmatch(
            rb"[ -~\r\n]*", written
        ) or b"Sign-in with Okta is not set up correctly" not in written.replace(b"\r\n", b" "):
            problems.append(f"{attack.sentence}, on the console: {written!r}")

    some = [attack for attack in scene.attacks if attack.sentence.startswith(("device", "discovery"))]
    together(
        [(converse, attack) for attack in scene.attacks if attack.ends != {"shown"}] + [
            (sit_at_console, attack)
            for attack in some if attack.sentence.endswith(("ESC", "(OSC 52)", "a newline", "CSI"))
        ],
        24,
    )
    expect(not problems, "\n".join(problems))
    for command in (
        ["setpriv", "--reuid=_pam_oidc", "--regid=_pam_oidc", "--clear-groups", f"{PRODUCT}/pam_oidcd", "check"],
        ["provisionctl", "list"],
    ):
        for locale in ("C", "C.UTF-8"):
            done = subprocess.run(command, capture_output=True, timeout=60 * PATIENCE, env={**os.environ, "LC_ALL": locale})
            said = (done.stdout + done.stderr).decode()
            # Neither controls nor what is invisible or turns text around; other scripts where they can be shown.
            expect(
                re.fullmatch(r"[ -~\n]*", said) if locale == "C" else said.replace("\n", "").replace("\u00a0", " ").isprintable(),
                f"{' '.join(command)} prints {said!r} in {locale}",
            )
            expect(done.stdout, f"{' '.join(command)} prints something ({done.stderr!r})")
    scene.judge_log()


def together(calls, at_once):
    """Runs them in threads, so many at once."""
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        for done in [pool.submit(*call) for call in calls]:
            done.result()


@test("a pam_oidcd that passes hostile text on reaches no terminal either", start=False, seconds=120)
def lying_daemon(m):
    m.start_issuer()
    m.configure(m.standard_configuration())
    m.start_provisiond()
    os.makedirs("/run/pam_oidc", exist_ok=True)
    server = Server(PAM_OIDCD_SOCKET, 60 * PATIENCE)
    usual = {
        "url": "https://clinic.okta.example/activate",
        "complete": "https://clinic.okta.example/activate?user_code=A",
        "code": "WDJBMJHT",
        "expires_in": 60,
        "tenant": "clinic",
        "host": "ward3",
        "resumed": 0,
        "qr": "\u2588\n",
    }
    lies = [
        (field, text)
        for field in ("url", "complete", "code", "tenant", "host", "qr", "text")
        for text in TEXTS.values() if len(text) < 1000
    ]

    def lie():
        for field, text in lies:
            with server.accept() as connection:
                connection.receive()
                if field != "text":
                    connection.send(("status", "show"), *{**usual, field: text}.items())
                connection.send(
                    ("status", "refused"),
                    ("reason", "denied"),
                    ("text", text if field == "text" else "Refused."),
                    ("quiet", 0),
                )
                connection.receive()

    threading.Thread(target=lie, daemon=True).start()
    for field, text in lies:
        said = conversation("sudo", "alice@clinic.example")
        expect(re.fullmatch(SHOWABLE, said), f"{field} = {text!r} reaches the application as {said!r}")
        expect(field == "text" or "Refused." in said, f"{field} = {text!r} does not hide the refusal: {said!r}")
    for line in m.log.lines:
        expect(re.fullmatch(r"[ -~]*", line), f"only printable ASCII is in the log: {line!r}")


@test("a tenant that is slow in any manner does not slow another's sign-in", start=False, seconds=400)
def slow(m):
    attacks = dawdlers()
    scene = Scene(m, attacks)
    scene.host.full_port(PORT + 1)
    attacks[-2].provider.met = 1
    scene.host.hang_name_server(attacks[-1].provider)
    alone = [scene.sign_in() for _ in range(5)]
    before = m.pam_oidcd.private_kib()
    scene.turn_hostile()
    beside, crowds = {}, {attack: [copy.copy(attack) for _ in range(6)] for attack in attacks}
    threads = []
    for attack, crowd in crowds.items():
        threads += [threading.Thread(target=one.attack, daemon=True) for one in crowd]
        for thread in threads[-len(crowd):]:
            thread.start()
        beside[attack.sentence] = scene.sign_in()
    for thread in threads:
        thread.join()
    for attack, crowd in crowds.items():
        attack.wrong = next((one.wrong for one in crowd if one.wrong), None)
    worst = max(beside, key=lambda sentence: beside[sentence][0])
    figure("slow tenants: the code of a good tenant, without them", median(shown for shown, _ in alone) * 1000, "ms",
           extra=f"  (median of {len(alone)}; worst {max(shown for shown, _ in alone) * 1000:.1f} ms)")
    figure(
        f"slow tenants: the code of a good tenant, beside {len(attacks)} of them",
        median(shown for shown, _ in beside.values()) * 1000,
        "ms",
        extra=f"  (median of {len(beside)}; worst {beside[worst][0] * 1000:.1f} ms beside {worst})",
    )
    figure("slow tenants: a whole sign-in, without them", median(took for _, took in alone), "s")
    figure("slow tenants: a whole sign-in, beside them", median(took for _, took in beside.values()), "s",
           extra=f"  (worst {max(took for _, took in beside.values()):.2f} s)")
    figure(
        "slow tenants: memory of pam_oidcd before, afterwards",
        before / 1024,
        "MiB",
        extra=f" -> {m.pam_oidcd.private_kib() / 1024:.4g} MiB",
    )
    scene.judge()


@test(
    "keys that are withdrawn, and a discovery document that changes under way, let nobody in by the old ones",
    start=False,
    seconds=400,
)
def changing(m):
    """The document is fetched again after 48 s at the earliest; a sign-in waits for that long."""
    state = {"keys": True, "documents": {}}

    def keys(exchange):
        return exchange.answer(exchange.right() if state["keys"] else {"keys": []})

    def document(**changes):
        def fault(exchange):
            seen = state["documents"][exchange.provider] = state["documents"].get(exchange.provider, 0) + 1
            answer = {**exchange.right(), **(changes if seen > 1 else {})}
            return exchange.answer(answer, headers=[("Cache-Control", "no-store")])

        return fault

    def until_asked(exchange):
        if state["documents"].get(exchange.provider, 2) < 2:
            return exchange.answer({"error": "authorization_pending"}, 400)
        return exchange.answer(exchange.right())

    trap = f"https://trap.{DOMAIN}:{PORT}"
    withdrawn = Attack("keys that are withdrawn", "issuer_unreachable expired", timeout=4, faults={"keys": keys})
    # None of these is taken up; the endpoints stay those of the document before.
    changes = [
        Attack(
            f"discovery: a document that changes to {sentence}",
            "admitted",
            timeout=110,
            faults={"discovery": document(**change), "token": until_asked},
        )
        for sentence, change in (
            ("a token endpoint of http", {"token_endpoint": f"http://trap.{DOMAIN}:8080/token"}),
            ("a token endpoint in a file", {"token_endpoint": "file:///etc/shadow"}),
            ("another issuer", {"issuer": trap, "token_endpoint": f"{trap}/token", "jwks_uri": f"{trap}/keys"}),
            ("keys without TLS", {"jwks_uri": f"http://trap.{DOMAIN}:8080/keys"}),
            ("nothing", {"token_endpoint": None, "jwks_uri": None}),
        )
    ]
    scene = Scene(m, [withdrawn, *changes])
    scene.turn_hostile()
    threads = [threading.Thread(target=attack.attack, args=(1,)) for attack in changes]
    for thread in threads:
        thread.start()
    name = f"alice@{withdrawn.provider.name}"
    expect_equal(Attempt(name).outcome, "admitted", "the sign-in before")
    state["keys"], withdrawn.provider.kid = False, "two"
    Attempt(name, 4)
    withdrawn.provider.kid = "one"
    withdrawn.attack(1)
    state["keys"] = True
    expect_equal(Attempt(name).outcome, "admitted", "the sign-in with the keys back again")
    for thread in threads:
        thread.join()
    scene.judge()
