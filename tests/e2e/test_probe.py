"""`pam_oidcd --probe`: what is wrong between the machine and Okta is found, with its remedy, before anybody depends on it; and
`provisiond --preview`: which account somebody would get, without changing anything."""

import os
import socket
import subprocess
import time

from harness import PATIENCE, cases, expect, expect_equal, expect_in, expect_not_in, test
from issuer import Issuer
from machine import CONFIG, HOST, PAM_OIDCD_SOCKET, PRODUCT
from probe import Probe, expect_printable, identity_of, preview, state_of
from wire import Connection

DOCUMENTS = ["configuration", "discovery", "tls", "clock", "keys"]
CLIENT = DOCUMENTS + ["client"]
CODE = CLIENT + ["device_code"]
PERSON = ["email", "email_verified", "groups", "amr"]
SETUP = {"start": False, "seconds": 40}


def prepare(m, tenant="", login="", config=None, certificate_days=None, settings=(), token=None, fault=None, secret=None):
    """An issuer and a configuration, as a case needs them."""
    if certificate_days is None:
        m.start_issuer()
    else:
        m.issuers[HOST] = Issuer(
            f"{PRODUCT}/tests/issuer/issuer", f"/run/sandbox/issuer-{HOST}", 443, HOST, f"/var/log/tests/{HOST}.log",
            ("--certificate-days", str(certificate_days)),
        )
        if certificate_days > 0:
            m.issuer.settings(interval=1)
    text = (config(m) if config else m.standard_configuration(login=login)) + tenant
    if "client_id" in tenant:
        text = text.replace("client_id = clinic-app\n", "", 1)
    m.configure(text)
    if secret is not None:
        m.write_secret("/etc/pam_oidc.secret", secret)
    if settings:
        m.issuer.settings(**dict(settings))
    if token:
        m.issuer.control("token", **token)
    if fault:
        endpoint, values = fault
        m.issuer.fault(endpoint, times=-1, **values)


def issuer_at(url):
    return lambda m: m.standard_configuration().replace(f"issuer = {m.issuer.issuer}", f"issuer = {url}")


def without_ca(m):
    return m.standard_configuration().replace(f"ca_file = {m.issuer.ca}\n", "")


SECRET = "client_id = clinic-basic\nclient_auth = basic\nclient_secret_file = /etc/pam_oidc.secret\n"
DEVICE = "device_authorization_endpoint"

# What is wrong, how it is brought about, who approves, the item that says so, its level, words of the text and of the remedy.
WRONG = [
    ("the grant is not ticked", {"tenant": "client_id = clinic-web\n"}, None, "client", "bad", "unauthorized_client", "General > General Settings > Grant type"),
    ("a wrong client id", {"tenant": "client_id = clinic-ap\n"}, None, "client", "bad", "client_id", "Copy Client ID into client_id"),
    ("a wrong secret", {"tenant": SECRET, "secret": "basic-secret-012345678\n"}, None, "client", "bad", "invalid_client", "General > Client Credentials"),
    ("a secret that is open to others", {"tenant": SECRET, "secret": 0o644}, None, "secret", "bad", "/etc/pam_oidc.secret", "0640"),
    ("a scope that is not there", {"tenant": "client_id = clinic-narrow\n"}, None, "device_code", "bad", "invalid_scope", "Scopes"),
    ("too many codes", {"fault": ("device", {"row": "too_many_user_codes"})}, None, "device_code", "bad", "too_many", "Rate Limits"),
    ("a code without a URL", {"settings": {"device": {"verification_uri": None}}}, None, "device_code", "bad", "verification_uri", "issuer or org"),
    ("the person is not assigned", {}, "dave", "approval", "bad", "not assigned", "Assignments"),
    ("a policy that refuses", {}, "frank", "approval", "bad", "Policy evaluation", "Security > Authentication Policies"),
    ("a wrong network zone", {"fault": ("token", {"row": "network_zone"})}, None, "approval", "bad", "network zone", "Security > Networks"),
    ("the person says no", {}, "deny", "approval", "bad", "denied", "System Log"),
    ("nobody approves", {"settings": {"expires_in": 2}}, None, "approval", "bad", "expired", "Start again"),
    ("too many groups", {"fault": ("token", {"row": "groups_claim"})}, None, "approval", "bad", "groups claim", "Group claims filter"),
    ("another issuer", {"settings": {"discovery": {"issuer": "https://clinic-admin.okta.example"}}}, None, "discovery", "bad", "clinic-admin", "Settings > Issuer"),
    ("no such issuer", {"fault": ("discovery", {"row": "not_found"})}, None, "discovery", "bad", "HTTP 404", "Sign On > OpenID Connect ID Token > Issuer"),
    ("no device grant", {"settings": {"discovery": {DEVICE: None}}}, None, "discovery", "bad", DEVICE, "Access Policies"),
    ("something else than Okta", {"fault": ("discovery", {"body": "<html>"})}, None, "discovery", "bad", "JSON", "no OpenID provider"),
    ("Okta in trouble", {"fault": ("discovery", {"row": "unavailable_503"})}, None, "discovery", "bad", "HTTP 503", "status.okta.com"),
    ("nobody at that address", {"config": issuer_at(f"https://{HOST}:1")}, None, "discovery", "bad", "onnect", "firewall"),
    ("no host of that name", {"config": issuer_at("https://nowhere.invalid")}, None, "discovery", "bad", "nowhere.invalid", "getent hosts"),
    ("an unknown authority", {"config": without_ca}, None, "tls", "bad", "certificate", "ca_file"),
    ("a missing CA file", {"config": lambda m: m.standard_configuration().replace(m.issuer.ca, "/etc/no-such.pem")}, None, "tls", "bad", "/etc/no-such.pem", "ca_file in [login]"),
    ("a certificate for another name", {"config": issuer_at("https://ward.okta.example")}, None, "tls", "bad", "ward.okta.example", "spelling of issuer"),
    ("a certificate that is over", {"certificate_days": -1}, None, "tls", "bad", "expired", "clock first"),
    ("a certificate that ends soon", {"certificate_days": 5}, "alice", "tls", "warning", "more days only", "renewed"),
    ("no usable key", {"settings": {"keys": {"raw": {"keys": []}}}}, None, "keys", "bad", "no key", "Signing Keys"),
    ("keys that are away", {"fault": ("keys", {"row": "server_error_500"})}, None, "keys", "bad", "HTTP 500", "status.okta.com"),
    ("HS256", {"token": {"key": "hs256-with-public-key"}}, "alice", "token", "bad", "alg", "id_token_signing_algs"),
    ("a key of nobody's", {"token": {"key": "other"}}, "alice", "token", "bad", "signature", "Signing Keys"),
    ("a token of another issuer", {"token": {"claims": {"iss": "https://evil.example"}}}, "alice", "token", "bad", "iss", "Sign On > OpenID Connect ID Token > Issuer"),
    ("a token for another client", {"token": {"claims": {"aud": "another"}}}, "alice", "token", "bad", "aud", "Audience"),
    ("a token with a nonce", {"token": {"claims": {"nonce": "n"}}}, "alice", "token", "bad", "nonce", "Inline Hooks"),
    ("no ID token", {"token": {"answer": {"id_token": None}}}, "alice", "token", "bad", "ID token", "openid"),
    ("a method that is missing", {"tenant": "required_amr = hwk\n"}, "alice", "amr", "bad", "hwk", "User must authenticate with"),
    ("a sign-in long ago", {"tenant": "max_auth_age = 1h\n", "token": {"claims": {"auth_time": int(time.time()) - 86400}}}, "alice", "token", "bad", "auth_time", "re-authentication"),
    ("userinfo refuses", {"settings": {"thin": True}, "fault": ("userinfo", {"status": 403, "error": "forbidden"})}, "alice", "userinfo", "bad", "HTTP 403", "profile and email"),
    ("userinfo about somebody else", {"settings": {"thin": True}, "token": {"userinfo": {"sub": "00u1mallory"}}}, "alice", "userinfo", "bad", "somebody else", "userinfo"),
    ("no email", {"token": {"claims": {"email": None}, "userinfo": {"email": None}}}, "alice", "email", "bad", "email", "primary email"),
    ("an email of another domain", {}, "mallory", "email", "bad", "mallory@evil.example", "domains"),
    ("an email that is not verified", {}, "erin", "email_verified", "bad", "not verified", "email_verified = if-present"),
    ("an email of which nobody says", {}, "grace", "email_verified", "bad", "does not say", "email_verified = if-present"),
    ("no groups claim, and allowed_groups", {"settings": {"groups": False}, "tenant": "allowed_groups = Clinic IT\n"}, "alice", "groups", "bad", "allowed_groups", "Group claims filter"),
    ("no groups claim, and group_map", {"settings": {"groups": False}, "tenant": "group_map = Clinic IT:sudo\n"}, "alice", "groups", "warning", "group_map", "Group claims filter"),
    ("in none of allowed_groups", {"tenant": "allowed_groups = Clinic IT\n"}, "bob", "groups", "bad", "Radiology", "Directory > Groups"),
    ("no claim that names the account", {"tenant": "username = claim:linux_name\n"}, "alice", "username", "bad", "linux_name", "Add Claim"),
]


@cases([(f"a probe finds: {sentence}", *row) for sentence, *row in WRONG], **SETUP)
def finds(m, how, who, item, level, says, remedy):
    how = dict(how)
    mode = how.get("secret")
    if isinstance(mode, int):
        how["secret"] = "basic-secret-0123456789\n"
    prepare(m, **how)
    if isinstance(mode, int):
        os.chmod("/etc/pam_oidc.secret", mode)
    probe = Probe(m).run(approve=who if who != "deny" else None, deny=who == "deny")
    found = probe.finding(item, "clinic")
    expect_equal(found["level"], level, f"the level of {found}")
    expect_equal(found["ok"], "0" if level == "bad" else "1", "what readers of old see")
    expect_in(says, found["text"], "what was found")
    expect_in(remedy, found["remedy"], "the remedy")
    expect_equal(probe.items("bad" if level == "warning" else "warning"), [], "other findings")
    expect_equal([one for one in probe.items("bad") if one != item], [], "other faults")
    expect_equal(probe.end["good"], "0" if level == "bad" else "1", "the end")
    expect_equal(probe.status, 1 if level == "bad" else 0, "the exit status")
    expect_equal(probe.errors, "", "standard error")


@test("a probe with an approval finds everything good, and tells who it was", **SETUP)
def good(m):
    prepare(m)
    probe = Probe(m).run(approve="alice")
    expect_equal((probe.status, probe.end["good"]), (0, "1"), f"the end of {probe.findings}")
    expect_equal(probe.items(), CODE + ["approval", "token"] + PERSON, "the findings in order")
    expect_equal(probe.items("good"), probe.items(), "the good ones")
    expect(20 <= int(probe.finding("tls")["days"]) <= 30, f"the certificate's days: {probe.finding('tls')}")
    expect_in("Clinic IT", probe.finding("groups")["text"], "the groups")
    shown = probe.shown
    expect_equal(shown["tenant"], "clinic", "whose code it is")
    expect_in(shown["code"], shown["complete"], "the address with the code")
    expect_in("█", shown["qr"], "the QR code")
    expect_equal(int(shown["expires_in"]), 600, "the code's life")
    identity = dict(probe.identity)
    wanted = {"tenant": "clinic", "issuer": m.issuer.issuer, "client_id": "clinic-app", "email": "alice@clinic.example", "email_verified": "true", "full_name": "Alice Aranda"}
    expect_equal({key: identity[key] for key in wanted}, wanted, "the identity")
    expect_equal(sorted(value for key, value in probe.identity if key == "group"), ["Clinic IT", "Everyone"], "its groups")
    expect("mfa" in [value for key, value in probe.identity if key == "amr"], "its methods")


@cases([
    ("with a thin token", {"settings": {"thin": True}}, "alice", ["userinfo"]),
    ("with a secret", {"tenant": SECRET, "secret": "basic-secret-0123456789\n"}, "alice", ["secret"]),
    ("without a statement about the email, where that suffices", {"tenant": "email_verified = if-present\n"}, "grace", []),
    ("with an email that nobody asks about", {"tenant": "email_verified = ignore\n"}, "erin", []),
    ("with a claim that names the account", {"tenant": "username = claim:linux_name\nemail_verified = ignore\n"}, "obrien", ["username"]),
    ("with a group that is allowed", {"tenant": "allowed_groups = Radiology\n"}, "bob", []),
    ("with groups from userinfo that group_map needs", {"settings": {"thin": True}, "tenant": "group_map = Clinic IT:sudo\n"}, "alice", ["userinfo"]),
], **SETUP)
def also_good(m, how, who, more):
    prepare(m, **how)
    probe = Probe(m).run(approve=who)
    expect_equal((probe.status, probe.end["good"]), (0, "1"), f"the end of {probe.findings}")
    expect_equal(sorted(probe.items()), sorted(CODE + ["approval", "token"] + PERSON + more), "the findings")


@cases([(f"a probe measures the clock: {word}", seconds, level, says) for word, seconds, level, says in (
    ("five minutes ahead", 300, "bad", "ahead of"),
    ("five minutes behind", -300, "bad", "behind"),
    ("ninety seconds ahead", 90, "warning", "ahead of"),
)], **SETUP)
def clock(m, seconds, level, says):
    prepare(m)
    probe = Probe(m, "--no-code", clock=seconds).run()
    found = probe.finding("clock")
    expect_equal(found["level"], level, f"the level of {found}")
    expect_in(says, found["text"], "what was found")
    expect_in("timedatectl", found["remedy"], "the remedy")
    expect_equal(probe.status, 1 if level == "bad" else 0, "the exit status")


@cases([
    ("the client is known", {}, "good"),
    ("the grant is not ticked", {"tenant": "client_id = clinic-web\n"}, "bad"),
    ("the client is not known", {"tenant": "client_id = clinic-ap\n"}, "bad"),
    ("the secret is wrong", {"tenant": SECRET, "secret": "basic-secret-012345678\n"}, "bad"),
], **SETUP)
def without_code(m, how, level):
    prepare(m, **how)
    probe = Probe(m, "--no-code").run()
    expect_equal(probe.finding("client")["level"], level, "what is found of the client")
    expect_equal([item for item in probe.items() if item != "secret"], CLIENT, "the findings in order")
    expect_equal(m.issuer.requests("device"), 0, "device codes asked for")
    expect_equal(probe.shown, None, "what is shown")


@test("a probe says which line of the configuration is wrong, and asks nobody", **SETUP)
def configuration(m):
    prepare(m, tenant="colour = blue\n")
    probe = Probe(m).run()
    found = probe.finding("configuration", "")
    expect_equal((found["level"], probe.status, probe.items()), ("bad", 1, ["configuration"]), "what is found")
    expect_in(f"{CONFIG}:", found["text"], "the place")
    expect_in("colour", found["text"], "the key")
    expect_equal(m.issuer.requests("discovery"), 0, "requests to the issuer")


@test("a probe of one tenant leaves the others alone, and says when there is none of that name", **SETUP)
def one_tenant(m):
    prepare(m, config=lambda m: m.standard_configuration(more=f"[tenant lab]\nissuer = {m.issuer.issuer}/oauth2/lab\nclient_id = clinic-app\ndomains = lab.example\nusername = %l.%t\n"))
    probe = Probe(m, "--probe=lab", "--no-code").run()
    expect_equal({one["tenant"] for one in probe.findings}, {"", "lab"}, "whose findings there are")
    expect_equal(probe.status, 0, f"the exit status ({probe.findings})")
    probe = Probe(m, "--no-code").run()
    expect_equal([one["tenant"] for one in probe.findings if one["item"] == "client"], ["clinic", "lab"], "whose clients are tried")
    probe = Probe(m, "--probe=ward", "--no-code").run()
    expect_equal((probe.items(), probe.status), (["configuration"], 1), "what is found")
    expect_in("ward", probe.finding("configuration", "")["text"], "what is said")


@test("a probe goes on without the approval when it is told to, and ends when nobody listens any more", **SETUP)
def skipped(m):
    prepare(m)
    probe = Probe(m)
    probe.until("show")
    probe.connection.send(("op", "skip"))
    probe.run()
    expect_equal(probe.finding("approval")["level"], "warning", "what is found of the approval")
    expect_equal((probe.status, probe.end["good"], probe.identity), (0, "1", None), "the end")
    probe = Probe(m)
    probe.until("show")
    probe.connection.close()
    expect_equal(probe.process.wait(20 * PATIENCE), 1, "the exit status")


@test("a probe ends when the pipe that is its standard input is closed", **SETUP)
def pipe_closed(m):
    prepare(m)
    ours, its = os.pipe()
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen([f"{PRODUCT}/pam_oidcd", "--probe", "--messages"], stdin=ours, stdout=other)
    other.close()
    os.close(ours)
    with Connection(None, 20 * PATIENCE, connected=one) as connection:
        while dict(connection.receive())["status"] != "show":
            pass
        os.close(its)
        expect_equal(process.wait(20 * PATIENCE), 1, "the exit status")


@test("while a probe waits it is _pam_oidc without any capability, and shows no secret", **SETUP)
def privileges(m):
    prepare(m, tenant=SECRET, secret="basic-secret-0123456789\n")
    probe = Probe(m)
    probe.until("show")
    status = open(f"/proc/{probe.process.pid}/status").read()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    expect_equal(fields["Uid"].split(), ["990"] * 4, "its uids")
    expect_equal(int(fields["CapEff"], 16) | int(fields["CapPrm"], 16), 0, "its capabilities")
    expect_equal(fields["NoNewPrivs"].strip(), "1", "whether it may gain privileges")
    (code,) = m.issuer.state()["codes"]
    m.issuer.approve(probe.shown["code"], "alice")
    probe.run()
    said = repr(probe.messages) + probe.errors
    expect_not_in("basic-secret", said, "what it said")
    expect_not_in(code["device_code"], said, "what it said")
    expect_not_in("eyJ", said, "what it said")


@test("only root may probe, and only where messages can be sent", **SETUP)
def refusals(m):
    prepare(m)
    done = m.run("setpriv", "--reuid=localuser", "--regid=localuser", "--clear-groups", f"{PRODUCT}/pam_oidcd", "--probe", "--no-code")
    expect_equal(done.returncode, 1, f"the exit status for a local user ({done.stdout}{done.stderr})")
    done = m.run(f"{PRODUCT}/pam_oidcd", "--probe", "--messages")
    expect_equal(done.returncode, 1, "the exit status without a socket")
    expect_in("SEQPACKET", done.stderr, "what it says")
    for words in (["--no-code"], ["--messages"], ["check", "--no-code"], ["--probe", "check"], ["--probe", "clinic"]):
        done = m.run(f"{PRODUCT}/pam_oidcd", *words)
        expect_equal(done.returncode, 2, f"the exit status of {words}")
        expect_in("usage", done.stderr, "what it says")


HOSTILE = "\x1b[2J\x1b]0;owned\x07\r\nok    clinic       token\u202e\u2028\x9b31m"


@test("whatever the issuer says, no control character reaches a terminal or a reader", **SETUP)
def escaped(m):
    prepare(m)
    for endpoint in ("device", "token"):
        m.issuer.fault(endpoint, times=2, status=400, error="invalid_scope" + HOSTILE, error_description="d" + HOSTILE)
        probe = Probe(m).run()
        for fields in probe.messages:
            for key, value in fields:
                expect_printable(value.replace("\n", "") if key == "qr" else value, f"{key} of {fields}")
                expect("\n" not in value or key == "qr", f"a line ends in {key} of {fields}")
        done = m.run(f"{PRODUCT}/pam_oidcd", "--probe")
        expect_printable(done.stdout.replace("█", "").replace("▀", ""), "what it prints")
        expect_in("invalid_scope", done.stdout, "what it prints")
        m.issuer.control("clear_faults")
    m.issuer.settings(discovery={"issuer": HOSTILE})
    expect_printable(m.run(f"{PRODUCT}/pam_oidcd", "check").stdout, "what it prints")


@test("on a terminal a person sees findings, the code with its QR form, and who approved it", **SETUP)
def on_a_terminal(m):
    prepare(m)
    screen = m.screen(f"{PRODUCT}/pam_oidcd", "--probe")
    code = screen.wait_for(r"^and enter +([A-Z0-9-]{8,})$", 20).group(1)
    expect_in("▀", screen.text(), "the QR code")
    expect_in("nobody is signed in by it", screen.text(), "what the approval does")
    m.issuer.approve(code, "alice")
    screen.wait_for(r"email +alice@clinic.example", 20)
    screen.wait_for(r"subject +00u1alice", 20)


@test("Ctrl-C ends a probe that waits", **SETUP)
def interrupted(m):
    prepare(m)
    screen = m.screen(f"{PRODUCT}/pam_oidcd", "--probe")
    screen.wait_for(r"^and enter +([A-Z0-9-]{8,})$", 20)
    screen.press("C-c")
    screen.wait_for_end(20)


@test("op=check of the daemon says the same with levels and remedies, and asks for no code when told so", seconds=60)
def daemon(m):
    def check(*more):
        found = []
        with Connection(PAM_OIDCD_SOCKET, 30 * PATIENCE) as connection:
            connection.send(("op", "check"), *more)
            while (told := dict(connection.receive()))["status"] == "finding":
                found.append(told)
        return found, told

    devices = m.issuer.requests("device")
    found, end = check(("code", "0"))
    expect_equal([one["item"] for one in found], CLIENT[1:], "the findings")
    expect_equal({one["level"] for one in found}, {"good"}, "their levels")
    expect("version" in end, f"the end: {end}")
    expect_equal(m.issuer.requests("device"), devices, "device codes asked for")
    expect_equal([one["item"] for one in check()[0]], CODE[1:], "the findings with a code")
    # What was good when the daemon fetched it last is no finding.
    m.issuer.fault("discovery", times=1, row="unavailable_503")
    found, _ = check(("code", "0"))
    expect_equal([(one["item"], one["level"]) for one in found][0], ("discovery", "bad"), "the first finding")
    m.issuer.fault("token", times=1, row="invalid_client_secret")
    found, _ = check(("code", "0"))
    expect_equal((found[-1]["item"], found[-1]["level"]), ("client", "bad"), "the last finding")
    expect_in("Client Credentials", found[-1]["remedy"], "its remedy")


# ---- which account it would be ----

@test("a preview tells the account that the person then gets, and changes nothing", seconds=60)
def preview_then_signin(m):
    probe = Probe(m).run(approve="alice")
    files, state = m.account_files(), state_of("/var/lib/provisiond", "/home")
    for packet in (False, True):
        answer, status, errors = preview(m, probe.identity, packet=packet)
        expect_equal((status, errors), (0, ""), "the exit status and standard error")
        would = dict(answer)
        expect_equal((would["status"], would["account"], would["created"], would["home"], would["room"]), ("would", "alice", "1", "/home/alice", "0"), "the preview")
    m.expect_nothing_changed(files)
    expect_equal(state_of("/var/lib/provisiond", "/home"), state, "the record and the homes")
    expect_equal([name for name in os.listdir("/run") if name.startswith("provisiond-")], [], "what is left in /run")
    m.sign_in("alice")
    expect_equal(m.passwd("alice")[2], would["uid"], "alice's uid")
    # And once she has it, as the daemon's record says, which is in use.
    again = dict(preview(m, probe.identity)[0])
    expect_equal((again["account"], again["uid"], again["created"]), ("alice", would["uid"], "0"), "the preview of who is there")
    renamed = dict(preview(m, [(key, "alice.new@clinic.example" if key == "email" else value) for key, value in probe.identity])[0])
    expect_equal((renamed.get("account"), renamed.get("uid")), ("alice", would["uid"]), "the preview of somebody whose email was changed")
    other = dict(preview(m, [(key, "00uSomebodyElse" if key == "subject" else value) for key, value in probe.identity])[0])
    expect_equal((other["status"], other["reason"]), ("refused", "subject_changed"), "the preview of a successor")
    expect_in("provisionctl reassign alice", other["remedy"], "what the administrator reads")


@cases([
    ("a preview refuses another domain's email", {"email": "mallory@evil.example"}, "", "unknown_domain"),
    ("a preview refuses an email that is not verified", {"email_verified": "false"}, "", "email_unverified"),
    ("a preview refuses a local user's name", {"email": "localuser@clinic.example"}, "", "name_reserved"),
    ("a preview refuses a reserved name", {"email": "root@clinic.example"}, "", "name_reserved"),
    ("a preview refuses a name that does not fit", {"email": "o'brien@clinic.example"}, "", "name_unfit"),
    ("a preview refuses who has no email", {"email": None}, "", "email_invalid"),
    ("a preview refuses another client", {"client_id": "another"}, "", "wrong_tenant"),
    ("a preview refuses who is in no allowed group", {"group": ["Everyone"]}, "allowed_groups = Clinic IT\n", "group_missing"),
    ("a preview refuses an unknown tenant", {"tenant": "lab"}, "", "wrong_tenant"),
], **SETUP)
def preview_refuses(m, changes, tenant, reason):
    prepare(m, tenant=tenant)
    answer, status, errors = preview(m, identity_of(issuer=m.issuer.issuer, **changes))
    expect_equal(status, 0, f"the exit status ({errors})")
    refused = dict(answer)
    expect_equal((refused["status"], refused["reason"]), ("refused", reason), "the preview")
    expect(refused["text"], "a sentence")
    expect(not os.path.exists("/var/lib/provisiond/accounts.db"), "no record was made")


@test("a preview tells groups, rooms and homes as the configuration has them", **SETUP)
def preview_groups(m):
    prepare(m, tenant="local_groups = users\ngroup_map = Clinic IT:sudo, Radiology:games\nrooms = Exam 1, Exam 2\n")
    m.configure(m.config_text.replace("[accounts]\n", "[accounts]\nhome = /home/clinic/%u\n"))
    answer, status, errors = preview(m, identity_of(issuer=m.issuer.issuer, group=["Clinic IT", "Everyone"]))
    expect_equal(status, 0, f"the exit status ({errors})")
    expect_equal([value for key, value in answer if key == "group"], ["users", "sudo"], "the groups")
    would = dict(answer)
    expect_equal((would["room"], would["home"]), ("1", "/home/clinic/alice"), "room and home")


@test("a preview knows who is expected", seconds=60)
def preview_expected(m):
    m.run("provisionctl", "link", "localuser", "bob@clinic.example", check=True)
    answer, _, errors = preview(m, identity_of("bob", issuer=m.issuer.issuer))
    would = dict(answer)
    expect_equal((would["status"], would["account"], would["uid"], would["created"], would["home"]), ("would", "localuser", "1500", "0", "/home/localuser"), f"the preview ({errors})")


@test("a preview answers nothing to what is no identity, and nobody but root", **SETUP)
def preview_malformed(m):
    prepare(m)
    whole = identity_of(issuer=m.issuer.issuer)
    for fields in ([], whole[1:], whole + [("subject", "another")], [pair for pair in whole if pair[0] != "issuer"], [("tenant", "x" * 70000)]):
        answer, status, errors = preview(m, fields)
        expect_equal((answer, status), (None, 1), f"the answer to {fields!r:.200}")
        expect_in("one message", errors, "what it says")
    done = m.run("setpriv", "--reuid=localuser", "--regid=localuser", "--clear-groups", f"{PRODUCT}/provisiond", "--preview", input="")
    expect_equal(done.returncode, 1, "the exit status for a local user")
    expect_in("root", done.stderr, "what it says")


@test("a preview asks the other name services; who is known there, or what does not answer, is in the way", **SETUP)
def preview_sources(m):
    prepare(m)
    with open("/etc/ld.so.conf.d/sources.conf", "w") as file:
        file.write(f"{PRODUCT}/tests/sources\n")
    m.run("ldconfig", check=True)
    m.run("sed", "-i", "s/^passwd:.*/passwd: files first oidc/", "/etc/nsswitch.conf", check=True)
    for name, reason, remedy in (("alice", None, None), ("known", "name_reserved", "first"), ("down", "uid_taken", "first"), ("hangs", "uid_taken", "does not answer")):
        answer, status, errors = preview(m, identity_of(name, issuer=m.issuer.issuer))
        expect_equal(status, 0, f"the exit status for {name} ({errors})")
        told = dict(answer)
        expect_equal(told.get("reason"), reason, f"the reason for {name}: {told}")
        if reason:
            expect_in(remedy, told["remedy"], f"what the administrator reads of {name}")
