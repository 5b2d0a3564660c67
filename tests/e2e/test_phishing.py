"""Sign-ins that somebody else has begun: what the screen tells whoever is asked to approve, from where people may come at all,
and what Okta must have seen of them.
"""

import ctypes
import os
import pwd
import re
import time

import pam
from harness import count, expect, expect_equal, expect_in, expect_not_in, test
from machine import PAM_OIDCD_SOCKET, PRODUCT, PROVISIOND_SOCKET
from ssh_keys import KEYS, give_key, ssh_with_key
from wire import Connection

SECTION = "floods and phishing"
ELSEWHERE = "may not sign in to this machine from where you are."


# ---- the screen ----


@test("over SSH the screen names host, account, service and the address that the request came from, and says when to approve",
      tags={"ssh"})
def names_the_address(m):
    for address in ("127.0.0.77", "127.1.2.3"):
        screen = m.ssh("alice", options=[f"BindAddress={address}"])
        m.code_on(screen)
        expect_in(f"Sign in to ward3 as alice with Okta (ssh from {address}).", screen.text(), "the screen")
        expect_in("Approve only if you yourself started this just now.", screen.text(), "the screen")
        # The administrator can compare, too.
        (waiting,) = m.pending()
        expect_equal(waiting["rhost"], address, "the address of who waits")
        m.log.wait_for(re.escape(f"from {address}"))
        screen.press("C-c")
        screen.wait_for_end()
        m.wait_for_idle()


@test("at the console the screen names the console, and an approval by somebody else opens nothing")
def names_the_console(m):
    screen = m.login("alice")
    code = m.code_on(screen)
    expect_in("Sign in to ward3 as alice with Okta (console).", screen.text(), "the screen")
    m.issuer.approve(code, "bob")
    screen.wait_for_sentence("The code was approved by somebody else than the person signing in.", 20)


# PAM's items as an application with no manners would set them.

HOSTILE = [
    "\x1b[2J\x1b[H",
    "\x1b]0;owned\x07",
    "\x9b31m",
    "192.0.2.7).\nApprove at https://evil.example/activate",
    "192.0.2.7\r\nOpen https://evil.example",
    "\x08" * 40 + "10.0.0.1",
    "\u202e7.2.0.291",
    "\u200b\ufeff",
    "%s%n%n%x",
    "\x00",
    "\x7f",
    "\t\v\f",
    "$(reboot)`reboot`",
    "A" * 5000,
    "tenant=evil",
    "\xff\xfe",
]


SERVICE = "kiosk"


class Application(pam.SignIn):
    """A PAM application that sets items itself, and goes away once it has shown something."""

    def __init__(self, user, **items):
        self.said, self.result = [], None
        conversation = pam.Conversation(pam.CONVERSATION(self._converse), None)
        handle = ctypes.c_void_p()
        self.on_message = lambda style, text: False
        self.began = 0.0
        expect_equal(pam.libpam.pam_start(SERVICE.encode(), user.encode(), ctypes.byref(conversation), ctypes.byref(handle)),
                     pam.SUCCESS, "pam_start")
        for item, value in items.items():
            pam.libpam.pam_set_item(handle, {"tty": 3, "rhost": 4}[item], ctypes.c_char_p(value))
        self.result = pam.libpam.pam_authenticate(handle, 0)
        pam.libpam.pam_end(handle, self.result)


pam.libpam.pam_set_item.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p]


@test("hostile names of a remote host or terminal reach no screen and no log unescaped, and forge no line of either", start=False)
def hostile_items(m):
    m.start_issuer()
    m.configure(m.standard_configuration("max_starts_per_minute = 1000\nmax_pending_per_address = 100\nmax_pending_per_account = 100"))
    m.start_provisiond()
    m.start_pam_oidcd()
    with open(f"/etc/pam.d/{SERVICE}", "w") as service:
        service.write(f"auth required {PRODUCT}/pam_oidc.so\naccount required pam_permit.so\n")
    tried = 0
    for value in HOSTILE:
        raw = value.encode("latin-1") if max(map(ord, value)) < 256 else value.encode()
        for item in ("rhost", "tty"):
            seen = len(m.log.lines)
            application = Application("alice", **{item: raw})
            texts = "\n".join(text for _, _, text in application.said)
            expect_in("Sign in to ward3 as alice with Okta", texts, f"{item}={value!r}")
            expect(application.result not in (None, pam.SUCCESS), f"{item}={value!r}: nobody is let in ({application.result})")
            bad = [c for c in texts if (c < " " and c != "\n") or "\x7f" <= c <= "\x9f" or c in "\u202e\u200b\ufeff\ufffd"]
            expect(not bad, f"{item}={value!r}: {bad!r} reach the screen")
            for line in texts.splitlines():
                expect(not line.startswith(("Approve at", "Open https://evil")), f"{item}={value!r}: forges the line {line!r}")
            expect("and enter " in texts, f"{item}={value!r}: the code is shown:\n{texts}")
            for line in m.log.lines[seen:]:
                expect(all(" " <= c <= "~" for c in line), f"{item}={value!r}: the log holds {line!r}")
                expect(not line.startswith(("Open https://evil", "Approve at")), f"{item}={value!r}: forges a line of the log")
            tried += 1
    m.wait_for_idle()
    count(SECTION, tried, tried)


@test("a list of waiting sign-ins shows hostile values escaped, as text and as JSON")
def hostile_pending(m):
    held, tried = [], 0
    for number, value in enumerate(("\x1b[2J", "192.0.2.7\nroot", "\u202e7.2.0.291", "\x7f", '","state":"admitted')):
        connection = Connection(PAM_OIDCD_SOCKET)
        connection.send(("op", "login"), ("name", "alice"), ("service", f"login{value}"), ("tty", value), ("rhost", value),
                        ("qr", "none"), ("timeout", 60))
        answer = dict(connection.receive() or ())
        tried += 1
        if answer.get("status") == "show":
            held.append(connection)
    expect(held, "some wait")
    for flags in ([], ["--json"]):
        listed = m.run("provisionctl", "pending", *flags)
        expect_equal(listed.returncode, 0, "provisionctl pending")
        expect(all(c == "\n" or " " <= c <= "~" for c in listed.stdout), f"it shows {listed.stdout!r}")
        if not flags:
            expect(not any(line.startswith("root") for line in listed.stdout.splitlines()), f"it shows {listed.stdout}")
    expect(all(all(" " <= c <= "~" for c in line) for line in m.log.lines if line.startswith("pam_oidcd")), "the log is clean")
    for connection in held:
        connection.close()
    count(SECTION, tried, tried)


# ---- remote_from ----


def as_pam_oidc(*fields):
    """A question on provisiond's socket with _pam_oidc's credentials."""
    os.seteuid(pwd.getpwnam("_pam_oidc").pw_uid)
    try:
        connection = Connection(PROVISIOND_SOCKET)
    finally:
        os.seteuid(0)
    with connection:
        return connection.ask(*fields)


def permit(m, networks, *sshd):
    """The daemons and sshd, with remote_from."""
    m.start_issuer()
    m.configure(m.standard_configuration(tenant=f"remote_from = {networks}\n"))
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd(*sshd)


@test("remote_from: from its networks people get in, from elsewhere they are told so before any code is asked for", start=False,
      tags={"ssh"})
def remote_from(m):
    permit(m, "127.0.0.64/26, 2001:db8:1::/48")
    before = m.account_files()
    outside = ["127.0.0.1", "127.0.0.63", "127.0.0.128", "127.1.0.65"]
    for address in outside:
        screen = m.ssh("alice", options=[f"BindAddress={address}"])
        screen.wait_for_sentence(ELSEWHERE, 20)
        screen.wait_for_end(20)
        expect_not_in("and enter ", screen.text(), "the screen")
        expect_not_in("assword:", screen.text(), "the screen")
    m.expect_nothing_changed(before)
    expect_equal(m.issuer.requests("device"), 0, "codes asked for")
    m.log.wait_for(re.escape("alice (sshd from 127.0.0.63), tenant clinic: refused: remote_from of tenant clinic names no network"))
    # The console is where the machine is, and so is su there.
    console = m.login("alice")
    m.approve_on(console)
    m.wait_for_shell(console, "alice")
    m.sign_in("alice", options=["BindAddress=127.0.0.65"])
    # Who has an account is refused from elsewhere as well.
    screen = m.ssh("alice", options=["BindAddress=127.0.0.63"])
    screen.wait_for_sentence(ELSEWHERE, 20)
    screen.wait_for_end(20)
    count(SECTION, len(outside) + 1, len(outside) + 1)


@test("remote_from: a host name is no address, even where it is that of a permitted one or of this machine", start=False,
      tags={"ssh"})
def remote_from_names(m):
    with open("/etc/hosts", "a") as hosts:
        hosts.write("127.0.0.65 inside.clinic.example\n127.0.0.66 10.0.0.1.clinic.example\n127.0.0.67 ward3.clinic.example\n")
    permit(m, "127.0.0.0/8", "UseDNS=yes")
    addresses = ["127.0.0.65", "127.0.0.66", "127.0.0.67", "127.0.0.1"]
    for address in addresses:
        screen = m.ssh("alice", options=[f"BindAddress={address}"])
        screen.wait_for_sentence(ELSEWHERE, 20)
        screen.wait_for_end(20)
    expect_equal(m.issuer.requests("device"), 0, "codes asked for")
    m.log.wait_for(re.escape("remote_from of tenant clinic needs an address and was given a host name; set `UseDNS no` in sshd_config"))
    count(SECTION, len(addresses), len(addresses))


@test("remote_from: IPv6 and IPv4 inside it are told apart, and su and sudo in a session go by that session", start=False,
      tags={"ssh"}, seconds=90)
def remote_from_ipv6(m):
    m.run("ip", "addr", "add", "2001:db8:1::7/128", "dev", "lo", check=True)
    m.run("ip", "addr", "add", "2001:db8:2::7/128", "dev", "lo", check=True)
    permit(m, "2001:db8:1::/48, 127.0.0.64/26", "ListenAddress=::1")
    with open("/etc/sudoers.d/pam_oidc", "a") as sudoers:
        sudoers.write("Defaults pam_rhost\n")
    v6 = ["HostName=::1", "HostKeyAlias=localhost"]
    screen = m.ssh("alice", options=[*v6, "BindAddress=2001:db8:2::7"])
    screen.wait_for_sentence(ELSEWHERE, 20)
    screen.wait_for_end(20)
    session = m.sign_in("alice", options=[*v6, "BindAddress=2001:db8:1::7"])
    expect_in("(ssh from 2001:db8:1::7)", session.text(), "the screen")
    # sudo names this machine as the remote host there, which says nothing of where alice is.
    session.enter("sudo id -u")
    m.approve_on(session, count=2)
    session.enter()
    session.wait_for(r"^0$", 20)
    session.enter("su alice -c 'id -un'")
    m.approve_on(session, count=3)
    session.wait_for(r"^alice$", 20)
    count(SECTION, 1, 1)


@test("remote_from: provisiond refuses by itself, whatever pam_oidcd may have overlooked", start=False)
def remote_from_at_provisiond(m):
    permit(m, "10.1.0.0/16")
    before = m.account_files()
    identity = (
        ("op", "admit"), ("name", "alice"), ("tenant", "clinic"), ("issuer", m.issuer.issuer), ("client_id", "clinic-app"),
        ("subject", "00ualice"), ("email", "alice@clinic.example"), ("email_verified", "true"), ("full_name", "Alice"),
    )
    attacks = [
        (("service", "sshd"), ("rhost", "10.2.0.1")),
        (("service", "sshd"), ("rhost", "inside.clinic.example")),
        (("service", "sshd"), ("rhost", "ward3")),
        (("service", "sshd"), ("rhost", "10.1.0.1 ")),
        (("service", "login"), ("rhost", "10.2.0.1")),
        (("service", "sudo"), ("rhost", "10.2.0.1")),
        (("service", "sshd"),),
        (("service", "sshd"), ("rhost", "10.2.0.1"), ("rhost", "10.1.0.1")),
    ]
    for fields in attacks:
        answer = as_pam_oidc(*identity, *fields)
        expect_equal((answer or {}).get("reason"), "remote_from", f"the reason for {fields}")
        expect_in(ELSEWHERE, answer["text"], "the sentence")
    m.expect_nothing_changed(before)
    m.log.wait_for(re.escape("remote_from of tenant clinic names no network with this address"))
    answer = as_pam_oidc(*identity, ("service", "sshd"), ("rhost", "10.1.0.1"))
    expect_equal(answer.get("status"), "admitted", f"somebody from inside: {answer}")
    count(SECTION, len(attacks), len(attacks))


@test("remote_from: a key that the account has is of no use from elsewhere, and cron goes on", start=False, tags={"ssh"})
def remote_from_keys(m):
    permit(m, "127.0.0.64/26", *KEYS)
    m.sign_in("alice", options=["BindAddress=127.0.0.65"])
    give_key(m, "alice")
    outside = ["127.0.0.1", "127.0.0.63", "127.0.0.128"]
    for address in outside:
        done = ssh_with_key(m, "alice", options=[f"BindAddress={address}"])
        expect(done.returncode != 0 and "alice" not in done.stdout, f"a key from {address} is refused: {done.stdout}")
        expect_in(ELSEWHERE, done.stdout + done.stderr, "what ssh says")
    m.log.wait_for(re.escape("alice (sshd from 127.0.0.63): refused (remote_from): remote_from of tenant clinic names no network"))
    done = ssh_with_key(m, "alice", options=["BindAddress=127.0.0.65"])
    expect_equal((done.returncode, done.stdout), (0, "alice\n"), f"a key from inside ({done.stderr})")
    for rhost, standing in (("", "active"), ("127.0.0.1", "elsewhere"), ("127.0.0.65", "active"), ("localhost", "elsewhere")):
        with Connection(PROVISIOND_SOCKET) as connection:
            answer = connection.ask(("op", "standing"), ("name", "alice"), ("service", "cron"), ("rhost", rhost))
        expect_equal(answer.get("status"), standing, f"how alice stands for somebody from '{rhost}'")
    m.log.wait_for(re.escape("alice (cron from localhost): refused (remote_from): remote_from of tenant clinic needs an address"))
    with Connection(PROVISIOND_SOCKET) as connection:
        answer = connection.ask(("op", "standing"), ("name", "alice"), ("service", "cron"), ("rhost", "127.0.0.65"), ("rhost", "127.0.0.65"))
    expect_equal(answer, None, "the answer to two places at once")
    count(SECTION, len(outside) + 3, len(outside) + 3)


# ---- what Okta must have seen ----

HOUR = 3600

AMR_MISSING = [
    ("another method", {"amr": ["pwd"]}),
    ("no method at all", {"amr": []}),
    ("in capitals", {"amr": ["MFA", "HWK"]}),
    ("as a part of a word", {"amr": ["mfax", "xmfa", "mfa,hwk", "mfa hwk"]}),
    ("one of the two", {"amr": ["mfa"]}),
    ("the other one of the two", {"amr": ["hwk", "pwd"]}),
    ("with a space", {"amr": ["mfa ", " hwk"]}),
    ("by another name", {"amr": ["pwd"], "acr": "mfa hwk", "authn_methods_references": ["mfa", "hwk"]}),
]
AMR_INVALID = [
    ("a string", {"amr": "mfa hwk"}),
    ("null", {"amr": None}),
    ("a number", {"amr": 1}),
    ("true", {"amr": True}),
    ("an object", {"amr": {"mfa": True, "hwk": True}}),
    ("nested", {"amr": [["mfa", "hwk"]]}),
    ("with a null", {"amr": ["mfa", "hwk", None]}),
    ("with a number", {"amr": ["mfa", "hwk", 7]}),
    ("in look-alike letters", {"amr": ["mf\u0430", "hw\u043a"]}),
    ("a thousand of them", {"amr": ["mfa", "hwk"] * 500}),
]
AMR_GOOD = [
    ("both", {"amr": ["mfa", "hwk"]}),
    ("both among others", {"amr": ["pwd", "hwk", "okta_verify", "mfa"]}),
]
# auth_time: a number is so many seconds from now; anything else stands in the token as it is, and so does Exact(number).


class Exact:
    def __init__(self, value):
        self.value = value


AGE_OLD = [("13 hours", -13 * HOUR), ("more than the clocks' two minutes too long", -12 * HOUR - 125), ("a month", -30 * 24 * HOUR),
           ("1970", Exact(1))]
AGE_INVALID = [
    ("null", None), ("text", "1234567890"), ("now as text", "soon"), ("a fraction", Exact(1234567890.5)), ("true", Exact(True)),
    ("a list", [1]), ("an object", {}), ("negative", Exact(-1)), ("an hour ahead", HOUR), ("far ahead", Exact(10**15)),
    ("huge", Exact(1e300)),
]
AGE_GOOD = [("just now", -1), ("eleven hours", -11 * HOUR)]


def signed_in(rows):
    now = int(time.time())

    def value_of(value):
        return value.value if isinstance(value, Exact) else now + value if isinstance(value, int) else value

    return [(sentence, {"auth_time": value_of(value)}) for sentence, value in rows]


class Candidate:
    """Somebody whose token says what the case wants; each has a name, so that all can sign in at the same time."""

    def __init__(self, m, number, sentence, claims):
        self.name, self.sentence = f"person{number}", sentence
        m.issuer.control("users", **{self.name: {
            "email": f"{self.name}@clinic.example", "email_verified": True, "name": sentence, "amr": ["pwd"], "assigned": True,
            "policy_denied": False, "listed": False, "groups": [], "claims": claims,
        }})
        self.connection = Connection(PAM_OIDCD_SOCKET, 60)
        self.connection.send(("op", "login"), ("name", self.name), ("service", "login"), ("tty", f"tty{number}"), ("qr", "none"),
                             ("timeout", 120))
        shown = dict(self.connection.receive() or ())
        expect_equal(shown.get("status"), "show", f"the answer to {self.name}: {shown}")
        m.issuer.approve(shown["code"], self.name)

    def end(self):
        answer = dict(self.connection.receive() or ())
        self.connection.close()
        return answer.get("reason", answer.get("status")), answer.get("text", "")


def judge(m, refused, good, sentences):
    """Signs everybody in at once. refused: {reason: [(sentence, claims)]}."""
    before = m.account_files()
    candidates, number = [], 0
    for reason, rows in refused.items():
        for sentence, claims in rows:
            candidates.append((reason, Candidate(m, number, sentence, claims)))
            number += 1
    for reason, candidate in candidates:
        seen, text = candidate.end()
        expect_equal(seen, reason, f"the end of {candidate.sentence!r} ({text})")
        expect_in(sentences[reason], text, "what the person reads")
    m.expect_nothing_changed(before)
    for sentence, claims in good:
        seen, text = Candidate(m, number, sentence, claims).end()
        expect_equal(seen, "admitted", f"the end of {sentence!r} ({text})")
        number += 1
    count(SECTION, len(candidates), len(candidates))


SENTENCES = {
    "amr_missing": "This machine requires a stronger way of signing in to Okta than you used.",
    "auth_too_old": "You signed in to Okta too long ago.",
    "token_invalid": "Okta's answer could not be verified, so you were not signed in.",
}


def with_tenant(m, lines):
    m.start_issuer()
    m.configure(m.standard_configuration(tenant=lines))
    m.start_provisiond()
    m.start_pam_oidcd()


@test("required_amr: every method must stand in the token, exactly; absent and odd claims are refused", start=False, seconds=90)
def required_amr(m):
    with_tenant(m, "required_amr = mfa, hwk\n")
    judge(m, {"amr_missing": AMR_MISSING, "token_invalid": AMR_INVALID}, AMR_GOOD, SENTENCES)
    m.log.wait_for(re.escape("amr: the person signed in without the required method"))


@test("required_amr: a token without the claim is refused, and userinfo cannot supply it", start=False)
def amr_absent(m):
    with_tenant(m, "required_amr = mfa\n")
    m.issuer.settings(thin=True)
    m.issuer.control("token", claims={"amr": None}, userinfo={"amr": ["mfa"]})
    before = m.account_files()
    seen, text = Candidate(m, 1, "absent", {}).end()
    expect_equal(seen, "amr_missing", f"the end ({text})")
    m.expect_nothing_changed(before)
    count(SECTION, 1, 1)


@test("max_auth_age: who signed in to Okta too long ago is refused, and so are odd claims", start=False, seconds=90)
def max_auth_age(m):
    with_tenant(m, "max_auth_age = 12h\n")
    judge(m, {"auth_too_old": signed_in(AGE_OLD), "token_invalid": signed_in(AGE_INVALID)}, signed_in(AGE_GOOD), SENTENCES)


@test("max_auth_age: a token without auth_time is refused, and userinfo cannot supply it", start=False)
def auth_time_absent(m):
    with_tenant(m, "max_auth_age = 12h\n")
    m.issuer.settings(thin=True)
    m.issuer.control("token", claims={"auth_time": None}, userinfo={"auth_time": 4000000000})
    before = m.account_files()
    seen, text = Candidate(m, 1, "absent", {}).end()
    expect(seen in ("auth_too_old", "token_invalid"), f"the end was {seen} ({text})")
    m.expect_nothing_changed(before)
    count(SECTION, 1, 1)


@test("whoever is refused for an old or weak sign-in with Okta reads over SSH what to do", start=False, tags={"ssh"})
def told_over_ssh(m):
    with_tenant(m, "required_amr = hwk\nmax_auth_age = 12h\n")
    m.start_sshd()
    screen = m.ssh("alice")
    m.approve_on(screen)
    screen.enter()
    screen.wait_for_sentence("Sign out of Okta in the browser, then start again and use it.", 20)
    screen.wait_for_end(20)
    expect(m.passwd("alice") is None, "no account came into being")
    count(SECTION, 1, 1)
