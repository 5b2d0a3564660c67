"""The same product with an OpenID provider that others wrote and that is certified: npm's oidc-provider, with its device grant.

Its answers differ from Okta's where a client must not care: no `interval`, an ID token without email and without `jti`, keys of
several kinds side by side, a code with a dash, other endpoint names. What the product refuses with Okta it refuses here.
"""

import os

from harness import cases, count, expect, expect_equal, expect_in, expect_not_in, expect_once, flat, test, wait_for
from oidc_provider import PREPARE, OidcProvider, make_certificate

HOST = "id.clinic.example"
PORT = 8444
SETUP = {"start": False, "prepare": PREPARE, "seconds": 90}
APP = {"client_id": "clinic-app"}

CONFIGURATION = """\
[login]
ca_file = {ca}

[tenant clinic]
issuer = {issuer}
client_id = clinic-app
domains = clinic.example
"""


def start_provider(m, host=HOST, port=PORT, clients=(APP,), **settings):
    m.issuers[host] = OidcProvider(f"/run/sandbox/provider-{host}", port, host, clients=list(clients), **settings)
    return m.issuers[host]


def configure(m, tenant="", **replaced):
    """The plain configuration, with further lines for the tenant; `replaced` gives keys other values."""
    text = CONFIGURATION.format(ca=m.issuer.ca, issuer=m.issuer.issuer) + tenant + "\n"
    for key, value in replaced.items():
        (line,) = [line for line in text.splitlines() if line.startswith(f"{key} = ")]
        text = text.replace(line, f"{key} = {value}")
    m.configure(text)


def start(m, tenant="", replaced=(), **settings):
    """Everything: provider, daemons, sshd."""
    start_provider(m, **settings)
    configure(m, tenant, **dict(replaced))
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()


def control(admitted):
    """Sign-ins that must succeed; each was seen to."""
    count("interoperability, control", admitted, 0, admitted)


def refused(tried):
    """Attempts that must not; each was seen refused."""
    count("interoperability", tried, tried)


def expect_refused(screen, sentence):
    screen.wait_for_sentence(sentence, 40)
    screen.wait_for_end(40)
    expect_once(sentence, screen.text(), "the screen")
    expect_not_in("@ward3", screen.text(), "the screen")


def check(m):
    """`pam_oidcd check`, as an administrator would run it after set-up; its exit status and what it says."""
    done = m.run("pam_oidcd", "check", seconds=60)
    return done.returncode, done.stdout + done.stderr


# ---- who belongs gets in ----


@test("a first sign-in ends in a new account; its ID token is thin, and userinfo completes it", **SETUP)
def first_sign_in(m):
    start(m)
    screen = m.ssh("alice")
    code = m.code_on(screen)
    expect_in("-", code, "the user code")
    expect_in(f"{m.issuer.issuer}/device?user_code={code}", screen.text(), "the screen")
    wait_for("two answers that the sign-in is pending", lambda: len(m.issuer.asked("/token", "authorization_pending")) >= 2, 40)
    m.issuer.approve(code, "alice", complete=True)
    screen.enter()
    m.wait_for_shell(screen, "alice", 40)
    expect_equal(m.ask_in(screen, "id -un; pwd").split(), ["alice", "/home/alice"], "who and where")
    expect_in("Alice Example", m.passwd("alice")[4], "the full name in /etc/passwd")
    expect_equal(len(m.issuer.asked("/me")), 1, "times userinfo was asked")
    polls = [one["at"] for one in m.issuer.asked("/token")]
    expect(all(later - earlier >= 4900 for earlier, later in zip(polls, polls[1:])),
           f"an answer without interval means polls 5 s apart; they came at {polls}")
    screen.enter("exit")
    screen.wait_for_end(20)
    uid = m.passwd("alice")[2]
    screen = m.sign_in("alice")
    expect_equal(m.ask_in(screen, "id -u"), uid, "the uid at the second sign-in")
    expect_equal(len(m.issuer.asked("/.well-known/openid-configuration")), 1, "fetches of the discovery document")
    control(2)


SECRET = "a+b c%d:e/f=g&h?i~0123456789"
BASIC = {**APP, "token_endpoint_auth_method": "client_secret_basic", "client_secret": SECRET}
POST = {**APP, "token_endpoint_auth_method": "client_secret_post", "client_secret": SECRET}
SECRET_FILE = "client_secret_file = /etc/pam_oidc.secret"


def write_secret(m, text=SECRET):
    m.write_secret("/etc/pam_oidc.secret", text + "\n")


@cases([(f"a sign-in ends well with {what}", *rest) for what, *rest in [
    ("client_secret_basic", f"client_auth = basic\n{SECRET_FILE}", BASIC, {}),
    ("client_secret_post", f"client_auth = post\n{SECRET_FILE}", POST, {}),
    ("an ID token with all claims in it", "", APP, {"configuration": {"conformIdTokenClaims": False}}),
    ("an ID token signed with ES256", "id_token_signing_algs = ES256", {**APP, "id_token_signed_response_alg": "ES256"}, {}),
    ("an ID token signed with PS256", "id_token_signing_algs = RS256, PS256", {**APP, "id_token_signed_response_alg": "PS256"}, {}),
    ("auth_time in the token, and max_auth_age", "max_auth_age = 1h", {**APP, "require_auth_time": True}, {}),
]], **SETUP)
def providers_differ(m, tenant, client, settings):
    write_secret(m)
    start(m, tenant, clients=[client], **settings)
    m.sign_in("alice")
    control(1)


@test("a user code of digits, in groups with spaces between them", **SETUP)
def code_in_groups(m):
    start(m, deviceFlow={"charset": "digits", "mask": "*** *** ***"})
    screen = m.ssh("alice")
    code = screen.wait_for(r"^and enter +(\d{3} \d{3} \d{3})$", 20).group(1)
    m.issuer.approve(code, "alice")
    screen.enter()
    m.wait_for_shell(screen, "alice", 40)
    control(1)


def key_client(key, alg):
    """A client of private_key_jwt, of which the provider knows the public half of this key."""
    return {**APP, "token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": alg,
            "pem": open(f"{key}.pub").read()}


RSA = ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
P256 = ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]


@cases([
    ("a sign-in ends well with private_key_jwt and an RSA key", RSA, "RS256"),
    ("a sign-in ends well with private_key_jwt and a P-256 key", P256, "ES256"),
], **SETUP)
def client_assertion(m, algorithm, alg):
    key = make_key(m, algorithm)
    start(m, f"client_auth = private_key_jwt\nprivate_key_file = {key}", clients=[key_client(key, alg)])
    m.sign_in("alice")
    control(1)


def make_key(m, algorithm, path="/etc/pam_oidc.key"):
    """A key pair: the private one as an administrator keeps it, the public one beside it."""
    m.run("openssl", "genpkey", "-algorithm", *algorithm, "-out", "/tmp/key.pem", check=True)
    m.run("openssl", "pkey", "-in", "/tmp/key.pem", "-pubout", "-out", f"{path}.pub", check=True)
    m.write_secret(path, open("/tmp/key.pem").read())
    return path


@test("after the provider got other keys, and lost what was under way, the next sign-in works", **SETUP)
def other_keys(m):
    start(m)
    screen = m.ssh("carol")
    code = m.code_on(screen)
    m.sign_in("alice")
    m.issuer.restart()
    screen.enter()
    expect_refused(screen, "The code has expired before it was approved.")
    expect(m.passwd("carol") is None, "carol has no account")
    expect_not_in("Confirm Device", m.issuer.type_code(code).page, "the page where carol types her code")
    m.sign_in("bob")
    expect_equal(len(m.issuer.asked("/jwks")), 2, "fetches of the keys")
    control(2)
    refused(1)


@test("at the console by email, and then with sudo", **SETUP)
def other_ways_in(m):
    start(m)
    screen = m.login("alice@clinic.example")
    m.approve_on(screen)
    screen.enter()
    m.wait_for_shell(screen, "alice", 40)
    screen.enter("sudo id -u")
    m.approve_on(screen, count=2)
    screen.enter()
    screen.wait_for(r"^0$", 40)
    control(2)


@test("slow_down in front of the provider: polls come 5 s further apart, and the sign-in ends well", **SETUP)
def slow_down(m):
    start(m, slowDown=1)
    m.sign_in("alice")
    times = [one["at"] for one in m.issuer.asked("/token")]
    expect_equal(len(m.issuer.asked("/token", "slow_down")), 1, "answers that said slow_down")
    expect(times[1] - times[0] >= 9900, f"polls {times[1] - times[0]} ms apart after slow_down")
    control(1)


@test("groups from userinfo: allowed_groups lets Alice in and refuses Bob", **SETUP)
def groups(m):
    start(m, "scopes = openid profile email groups\nallowed_groups = Clinic IT")
    bob = m.ssh("bob")
    m.approve_on(bob, "bob")
    m.sign_in("alice")
    bob.enter()
    expect_refused(bob, "You are in none of the Okta groups that may sign in here.")
    expect(m.passwd("bob") is None, "bob has no account")
    control(1)
    refused(1)


@test("pam_oidcd check finds a good set-up good", **SETUP)
def check_good(m):
    start_provider(m)
    configure(m)
    m.start_provisiond()
    m.start_pam_oidcd()
    status, text = check(m)
    expect_equal(status, 0, f"its exit status; it said:\n{text}")
    for sentence in ("offers the device grant", "2 keys that can verify a token", f"gives codes for {m.issuer.issuer}/device"):
        expect_in(sentence, text, "what it said")
    control(1)


# ---- who does not belong stays out ----


def approve_as(login):
    return lambda provider, code: provider.approve(code, login)


DECISIONS = [
    ("alice", OidcProvider.deny, "The request was refused on the approval page."),
    ("bob", OidcProvider.deny_at_login, "The request was refused on the approval page."),
    ("carol", approve_as("bob"), "The code was approved by somebody else"),
    ("erin", approve_as("erin"), "Okta has not verified your email address."),
    ("grace", approve_as("grace"), "Okta has not verified your email address."),
    ("mallory", approve_as("mallory"), "Your email's domain is not one of the domains"),
    ("alice", approve_as("alice-suffix"), "Your email's domain is not one of the domains"),
    ("alice", approve_as("alice-cyrillic"), "Okta gave no usable email address"),
]


@cases([
    ("what people may do wrong on the provider's pages, and people who do not belong, completed from userinfo", {}),
    ("the same with all claims in the ID token", {"configuration": {"conformIdTokenClaims": False}}),
], **SETUP)
def decisions(m, settings):
    start(m, **settings)
    before = m.account_files()
    screens = []
    for name, decide, sentence in DECISIONS:
        screen = m.ssh(name)
        decide(m.issuer, m.code_on(screen))
        screen.enter()
        screens.append((screen, sentence))
    for screen, sentence in screens:
        expect_refused(screen, sentence)
    m.expect_nothing_changed(before)
    refused(len(DECISIONS))


@test("somebody else of the same address and another subject does not get Alice's account", **SETUP)
def successor(m):
    start(m)
    m.sign_in("alice")
    before = m.account_files()
    screen = m.ssh("alice")
    m.approve_on(screen, "alice-again")
    screen.enter()
    expect_refused(screen, "This account belongs to somebody who had your address before you.")
    m.expect_nothing_changed(before)
    refused(1)


@test("a code that was mistyped, or typed too late, or typed twice, signs nobody in", **SETUP)
def wrong_code(m):
    start(m, codeLife=25)
    screens = {name: m.ssh(name) for name in ("alice", "bob", "carol")}
    codes = {name: m.code_on(screen) for name, screen in screens.items()}
    incorrect = "The code you entered is incorrect. Try again"
    m.issuer.type_code("BBBB-BBBB").expect_page(incorrect)
    m.issuer.approve(codes["bob"], "bob")
    m.issuer.type_code(codes["bob"]).expect_page(incorrect)
    screens["alice"].enter()
    screens["carol"].enter()
    for name in ("alice", "carol"):
        expect_refused(screens[name], "The code has expired before it was approved.")
    wait_for("the end of Carol's code", lambda: incorrect in m.issuer.type_code(codes["carol"]).page, 30)
    expect([m.passwd(name) for name in screens] == [None] * 3, "nobody has an account; Bob's approval waits for his Enter")
    refused(3)


def encrypted_client(m):
    key = make_key(m, RSA)
    return {**APP, "id_token_encrypted_response_alg": "RSA-OAEP", "pem": open(f"{key}.pub").read()}


UNVERIFIED = "Okta's answer could not be verified, so you were not signed in."


@cases([(f"an approval gives nothing with {what}", *rest) for what, *rest in [
    ("an ID token for another client", lambda m: APP, "", {"tokensOf": "another-app"}, UNVERIFIED, "aud"),
    ("an ID token that is signed with the client's secret (HS256)", lambda m: {**BASIC, "id_token_signed_response_alg": "HS256"},
     f"client_auth = basic\n{SECRET_FILE}", {}, UNVERIFIED, "alg"),
    ("an ID token with an algorithm that is not allowed (ES256)", lambda m: {**APP, "id_token_signed_response_alg": "ES256"},
     "", {}, UNVERIFIED, "alg"),
    ("an ID token with an algorithm that we do not know (EdDSA)", lambda m: {**APP, "id_token_signed_response_alg": "EdDSA"},
     "", {}, UNVERIFIED, "alg"),
    ("an encrypted ID token", encrypted_client, "", {}, UNVERIFIED, "segments"),
    ("an ID token that has expired", lambda m: APP, "", {"idTokenLife": -600}, UNVERIFIED, "exp"),
    ("userinfo as a signed JWT", lambda m: {**APP, "userinfo_signed_response_alg": "RS256"}, "", {}, UNVERIFIED, "userinfo"),
    ("no email, because no scope asks for it", lambda m: APP, "scopes = openid profile", {}, "Okta gave no usable email", "email"),
    ("no amr, where mfa is required", lambda m: APP, "required_amr = mfa", {}, "requires a stronger way of signing in", "amr"),
    ("no auth_time, where it must be fresh", lambda m: APP, "max_auth_age = 1h", {}, UNVERIFIED, "auth_time"),
]], **SETUP)
def wrong_tokens(m, client, tenant, settings, sentence, word):
    write_secret(m)
    start(m, tenant, clients=[client(m), {**APP, "client_id": "another-app"}], **settings)
    before = m.account_files()
    screen = m.ssh("alice")
    m.approve_on(screen)
    screen.enter()
    expect_refused(screen, sentence)
    m.log.wait_for(rf"^pam_oidcd.*alice .*refused.*{word}")
    m.expect_nothing_changed(before)
    refused(1)


# ---- what an administrator got wrong: the person reads one sentence, the log and `pam_oidcd check` say what it is ----


MISCONFIGURED = "Sign-in with Okta is not set up correctly on this machine."
CLIENTS = [
    BASIC,
    {**APP, "client_id": "public-app"},
    {**POST, "client_id": "web-app", "grant_types": ["authorization_code"], "response_types": ["code"],
     "redirect_uris": ["https://clinic.example/back"], "application_type": "web"},
    {**APP, "client_id": "narrow-app", "scope": "openid profile"},
]
MISTAKES = [
    ("a wrong secret", "another secret", {}, f"client_auth = basic\n{SECRET_FILE}", "invalid_client", "client_auth is"),
    ("no secret where there is one", SECRET, {}, "", "invalid_client", "client_auth is"),
    ("a client that is not known", SECRET, {"client_id": "no-app"}, "", "invalid_client", "General > Client Credentials"),
    ("a client without the device grant", SECRET, {"client_id": "web-app"}, f"client_auth = post\n{SECRET_FILE}",
     "invalid_request", "device_code is not allowed for this client"),
    ("a scope that the client may not have", SECRET, {"client_id": "narrow-app"}, "scopes = openid profile email", "invalid_scope",
     "Take the scope out of scopes"),
]


@test("mistakes in the client's set-up: the person, the log and pam_oidcd check are told", **SETUP)
def mistakes(m):
    start_provider(m, clients=CLIENTS)
    configure(m)
    m.start_provisiond()
    m.start_sshd()
    before = m.account_files()
    for what, secret, replaced, tenant, error, remedy in MISTAKES:
        write_secret(m, secret)
        configure(m, tenant, **replaced)
        m.start_pam_oidcd()
        status, text = check(m)
        expect(status != 0, f"{what}: pam_oidcd check fails; it said:\n{text}")
        expect_in(error, text, f"{what}: what pam_oidcd check says")
        expect_in(remedy, text, f"{what}: what pam_oidcd check says")
        screen = m.ssh("alice", options=["NumberOfPasswordPrompts=1"])
        screen.wait_for_sentence(MISCONFIGURED, 20)
        screen.press("C-c")
        screen.wait_for_end(20)
        m.log.wait_for(rf"^pam_oidcd.*tenant clinic.*{error}")
        m.pam_oidcd.stop()
        m.log.lines.clear()
    m.expect_nothing_changed(before)
    expect_equal(len(m.issuer.asked("/token")), 0, "polls")
    refused(len(MISTAKES))


@test("nobody gets in with a private key that is not the client's", **SETUP)
def wrong_key(m):
    right, wrong = make_key(m, P256, "/etc/right.key"), make_key(m, P256)
    start(m, f"client_auth = private_key_jwt\nprivate_key_file = {wrong}", clients=[key_client(right, "ES256")])
    status, text = check(m)
    expect(status != 0 and "invalid_client" in text, f"pam_oidcd check fails with invalid_client; it said:\n{text}")
    screen = m.ssh("alice", options=["NumberOfPasswordPrompts=1"])
    screen.wait_for_sentence(MISCONFIGURED, 20)
    m.log.wait_for(r"^pam_oidcd.*tenant clinic.*invalid_client")
    expect(m.passwd("alice") is None, "alice has no account")
    refused(1)


UNREACHABLE = "Okta cannot be reached from this machine right now."


@cases([
    ("nobody gets in with a slash at the issuer's end that the provider does not have", lambda m: {"issuer": m.issuer.issuer + "/"},
     "letter for letter"),
    ("nobody gets in with an issuer by another host name", lambda m: {"issuer": f"https://localhost:{PORT}"}, ""),
    ("nobody gets in with another certificate authority", lambda m: {"ca_file": "/etc/other/ca.pem"}, "certificate"),
], **SETUP)
def wrong_issuer(m, replaced, word):
    start_provider(m)
    os.makedirs("/etc/other")
    make_certificate("/etc/other", HOST)
    configure(m, **replaced(m))
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()
    status, text = check(m)
    expect(status != 0, f"pam_oidcd check fails; it said:\n{text}")
    expect_in(word, text, "what pam_oidcd check says")
    screen = m.ssh("alice", options=["NumberOfPasswordPrompts=1"])
    wait_for("a sentence", lambda: any(sentence in flat(screen.text()) for sentence in (UNREACHABLE, MISCONFIGURED)), 20)
    m.log.wait_for(r"^pam_oidcd.*tenant clinic.*discovery")
    expect(m.passwd("alice") is None, "alice has no account")
    expect_equal(len(m.issuer.asked("/device/auth")), 0, "codes asked for")
    refused(1)
