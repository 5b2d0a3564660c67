"""Every way in which a sign-in ends without a session: the person reads one sentence, once, and nothing is created.

And every way in which the issuer may stumble without ending it.
"""

import os
import time

from harness import cases, expect, expect_equal, expect_in, expect_not_in, expect_once, figure, test, wait_for

SSH = {"tags": {"ssh"}}


def expect_refused(m, screen, sentence, before, press_enter=True):
    """The sign-in on this screen ends with the sentence, told once; no account, no home, no second question."""
    if press_enter:
        screen.enter()
    screen.wait_for_sentence(sentence, 20)
    screen.wait_for_end(20)
    expect_once(sentence, screen.text(), "the screen")
    expect_not_in("assword:", screen.text(), "the screen")
    expect_equal(screen.text().count("and enter "), 1, "times a code was shown")
    m.expect_nothing_changed(before)


# What a person or Okta decides: how it comes about, and what is read.


def deny(m, code):
    m.issuer.deny(code)


def approve_as(user):
    return lambda m, code: m.issuer.approve(code, user)


def answer_with(row):
    return lambda m, code: m.issuer.fault("token", row=row, times=1)


DECISIONS = [
    ("denied on the approval page", deny, "The request was refused on the approval page."),
    ("access_denied from the token endpoint", answer_with("denied"), "The request was refused on the approval page."),
    ("not assigned to the application", answer_with("not_assigned"), "You are not assigned to this application in Okta."),
    ("refused by Okta's policy", answer_with("policy"), "Your organization's policy refused this sign-in."),
    ("refused for the network", answer_with("network_zone"), "Your organization does not allow sign-ins from this network."),
    ("expired at the issuer", answer_with("expired_token"), "The code has expired before it was approved."),
    ("invalid_grant from the token endpoint", answer_with("invalid_grant"), "The code has expired before it was approved."),
    ("Bob approves Alice's code", approve_as("bob"), "The code was approved by somebody else"),
    ("approved by someone of another company", approve_as("alice-evil"), "Your email's domain is not one of the domains"),
    ("approved by someone of a subdomain", approve_as("alice-subdomain"), "Your email's domain is not one of the domains"),
    ("approved by someone of a domain that ends in ours", approve_as("alice-prefix"), "Your email's domain is not one of the domains"),
    ("approved by someone of a domain that begins with ours", approve_as("alice-suffix"), "Your email's domain is not one of the domains"),
]


@cases(DECISIONS, **SSH)
def decisions(m, decide, sentence):
    before = m.account_files()
    screen = m.ssh("alice")
    decide(m, m.code_on(screen))
    expect_refused(m, screen, sentence, before)


@cases([(f"{word}, with wait=retry", decide, sentence) for word, decide, sentence in DECISIONS[:3] + DECISIONS[7:8]], **SSH)
def decisions_retry(m, decide, sentence):
    m.set_pam_arguments("sshd", "wait=retry")
    before = m.account_files()
    screen = m.ssh("alice")
    decide(m, m.code_on(screen))
    expect_refused(m, screen, sentence, before, press_enter=False)


@cases([
    ("someone who is not assigned approves with an own account", "dave", "dave", "You are not assigned to this application in Okta."),
    ("someone whom the policy refuses approves", "frank", "frank", "Your organization's policy refused this sign-in."),
    ("an email that Okta calls unverified", "erin", "erin", "Okta has not verified your email address."),
    ("an email of which Okta does not say that it is verified", "grace", "grace", "Okta has not verified your email address."),
])
def people(m, name, user, sentence):
    before = m.account_files()
    screen = m.ssh(name)
    m.approve_on(screen, user)
    expect_refused(m, screen, sentence, before)


@cases([
    ("email_verified = if-present takes an email of which Okta says nothing", "grace", "if-present", True),
    ("email_verified = if-present refuses one that Okta calls unverified", "erin", "if-present", False),
    ("email_verified = ignore takes one that Okta calls unverified", "erin", "ignore", True),
], start=False)
def email_verified(m, name, policy, taken):
    m.start_issuer()
    m.configure(m.standard_configuration(tenant=f"email_verified = {policy}"))
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()
    before = m.account_files()
    screen = m.ssh(name)
    m.approve_on(screen, name)
    if taken:
        screen.enter()
        m.wait_for_shell(screen, name)
    else:
        expect_refused(m, screen, "Okta has not verified your email address.", before)


# Emails that look like the company's.


@cases([
    ("a Cyrillic letter in the domain", "alice@cl\u0456nic.example"),
    ("a look-alike in ASCII", "alice@c1inic.example"),
    ("two @", "alice@evil.example@clinic.example"),
    ("a space behind the domain", "alice@clinic.example "),
    ("a newline behind the domain", "alice@clinic.example\n"),
    ("a dot behind the domain", "alice@clinic.example."),
    ("a NUL's escape in the local part", "alice\\u0000@clinic.example"),
    ("a comment in the address", "alice(comment)@clinic.example"),
    ("a quoted local part", '"alice"@clinic.example'),
    ("an angle-bracketed address", "<alice@clinic.example>"),
    ("no @ at all", "alice.clinic.example"),
    ("an empty email", ""),
])
def lookalikes(m, email):
    m.issuer.control("users", impostor={"login": "impostor@evil.example", "email": email, "email_verified": True})
    before = m.account_files()
    screen = m.ssh("alice")
    m.approve_on(screen, "impostor")
    screen.enter()
    screen.wait_for_end(20)
    text = screen.text()
    sentences = ("Your email's domain is not one of", "Okta gave no usable email address", "approved by somebody else")
    expect(any("".join(sentence.split()) in "".join(text.split()) for sentence in sentences), f"a reason is given:\n{text}")
    m.expect_nothing_changed(before)


# Tokens that do not hold.


@cases([
    ("a token of another issuer", {"claims": {"iss": "https://evil.okta.example"}}),
    ("a token for another client", {"claims": {"aud": "another-app"}}),
    ("a token that has expired", {"claims": {"exp": 1000000000}}),
    ("a token signed by an unknown key", {"key": "other"}),
])
def bad_tokens(m, wrong):
    m.issuer.control("token", **wrong)
    before = m.account_files()
    screen = m.ssh("alice")
    m.approve_on(screen)
    expect_refused(m, screen, "Okta's answer could not be verified, so you were not signed in.", before)
    expect("error" in m.log.text("pam_oidcd") or m.log.text("pam_oidcd"), "the log says why")


# What the issuer answers instead of a code.


@cases([
    ("the client is unknown to the issuer", "invalid_client_id", "is not set up correctly on this machine"),
    ("the client's credentials are refused", "invalid_client", "is not set up correctly on this machine"),
    ("the device grant is not ticked for the application", "unauthorized_client", "is not set up correctly on this machine"),
    ("a scope is not configured", "invalid_scope", "is not set up correctly on this machine"),
    ("too many codes were asked for", "too_many_user_codes", "Okta gives out no more codes just now, because too many were asked for. Start again in"),
    ("the rate limit is reached before the code", "rate_limit", ""),
    ("the issuer has an internal error before the code", "server_error_500", "Okta cannot be reached from this machine right now."),
    ("the issuer is overloaded before the code", "unavailable_503", "Okta cannot be reached from this machine right now."),
])
def no_code(m, row, sentence):
    m.issuer.fault("device", row=row, times=1000)
    before = m.account_files()
    screen = m.ssh("alice", options=["NumberOfPasswordPrompts=1"])
    screen.wait_for(r"(?s)(assword: ?$|.)", 20)
    if sentence:
        screen.wait_for_sentence(sentence, 20)
        expect_once(sentence, screen.text(), "the screen")
    wait_for("an end or a question for the local password", lambda: screen.ended() is not None or "assword:" in screen.text(), 20)
    screen.press("C-c")
    screen.wait_for_end(20)
    m.expect_nothing_changed(before)
    m.log.wait_for(r"pam_oidcd.*" + {"invalid_client_id": "client_id", "unauthorized_client": "grant",
                                     "invalid_scope": "scope"}.get(row, "."))


@cases([
    ("the issuer does not answer at all", lambda m: m.issuer.process.kill()),
    ("the issuer resets every connection", lambda m: m.issuer.fault("device", reset=True, times=1000)),
    ("the issuer cuts its answer short", lambda m: m.issuer.fault("device", truncate=10, times=1000)),
    ("the issuer's answer is too large", lambda m: m.issuer.fault("device", oversize=20000000, times=1000)),
    ("the issuer's answer is no JSON", lambda m: m.issuer.fault("device", body="<html>", times=1000)),
    ("the issuer's discovery document names another issuer",
     lambda m: m.issuer.settings(discovery={"issuer": "https://evil.okta.example"})),
    ("the issuer's discovery document is away", lambda m: m.issuer.fault("discovery", row="server_error_500", times=1000)),
], start=False)
def out_of_reach(m, break_issuer):
    m.start_issuer()
    break_issuer(m)
    m.configure(m.standard_configuration())
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()
    before = m.account_files()
    screen = m.ssh("alice", options=["NumberOfPasswordPrompts=1"])
    wait_for("a sentence", lambda: "Okta cannot be reached" in screen.text() or "is not set up correctly" in screen.text()
             or "could not be verified" in screen.text(), 30)
    wait_for("an end or a question for the local password", lambda: screen.ended() is not None or "assword:" in screen.text(), 20)
    screen.press("C-c")
    screen.wait_for_end(20)
    m.expect_nothing_changed(before)
    if m.issuer.process.poll() is not None:
        m.issuers.clear()


# What the issuer may do while somebody waits, without ending it.


@cases([
    ("slow_down makes the polls 5 s slower and the sign-in still works", {"row": "slow_down", "times": 1}, 6),
    ("429 while waiting is no refusal", {"row": "rate_limit", "times": 2, "reset_in": 2}, 1),
    ("temporarily_unavailable while waiting is no refusal", {"row": "temporarily_unavailable", "times": 2}, 1),
    ("500 while waiting is no refusal", {"row": "server_error_500", "times": 2}, 1),
    ("502 with a page of HTML while waiting is no refusal", {"row": "bad_gateway_502", "times": 2}, 1),
    ("503 while waiting is no refusal", {"row": "unavailable_503", "times": 2}, 1),
    ("504 while waiting is no refusal", {"row": "gateway_timeout_504", "times": 2}, 1),
    ("connection resets while waiting are no refusal", {"reset": True, "times": 2}, 1),
    ("an answer cut short while waiting is no refusal", {"truncate": 5, "times": 2}, 1),
    ("a slow answer while waiting is no refusal", {"delay_ms": 1500, "times": 2}, 1),
], **SSH)
def stumbles(m, fault, gap):
    screen = m.ssh("alice")
    code = m.code_on(screen)
    m.issuer.fault("token", **fault)
    polled = m.issuer.requests("token")
    wait_for("polls that met the fault", lambda: m.issuer.requests("token") >= polled + fault["times"], 30)
    m.issuer.approve(code, "alice")
    screen.enter()
    m.wait_for_shell(screen, "alice", 40)
    if gap > 1:
        times = m.issuer.state()["codes"][0]["poll_times"]
        expect_equal(len(m.issuer.state()["codes"]), 1, "codes asked for")
        expect(times[-1] - times[-2] >= gap * 1000 - 100, f"the last polls came {times[-1] - times[-2]} ms apart")


@test("a rate limit that others have nearly used up makes the polls slower, and the approval is taken all the same", **SSH)
def crowd(m):
    """The polls come each second, and up to 13 s later, and as much again by chance."""

    def let_in(code, screen):
        """Approves; seconds until the shell's prompt."""
        approved = time.monotonic()
        m.issuer.approve(code, "alice")
        screen.enter()
        m.wait_for_shell(screen, "alice", 60)
        return time.monotonic() - approved

    m.sign_in("alice")
    screen = m.ssh("alice")
    plenty = let_in(m.code_on(screen), screen)
    m.issuer.settings(rate_limit=2000, rate_limit_others=1980, enforce_rate_limit=True)
    screen = m.ssh("alice")
    code = m.code_on(screen)
    seen = lambda: next(found for found in m.issuer.state()["codes"] if found["user_code"] == code)
    wait_for("the first poll", lambda: seen()["poll_times"], 60)
    scarce = let_in(code, screen)
    times = [seen()["created"], *seen()["poll_times"]]
    pauses = [(after - before) / 1000 for before, after in zip(times, times[1:])]
    expect(len(pauses) >= 2 and min(pauses) >= 13, f"the pauses before two polls: {pauses} s")
    for name, seconds in (("plenty", plenty), ("1 in 100", scarce)):
        figure(f"from approval to the prompt, {name} left of the rate limit, polls each second", seconds, "s")


@test("keys that are away for a while delay the sign-in", start=False)
def keys_away(m):
    m.start_issuer()
    m.issuer.fault("keys", row="server_error_500", times=4)
    m.configure(m.standard_configuration())
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()
    m.sign_in("alice")
    expect(m.issuer.requests("keys") >= 5, "the keys were asked for until they came")


@test("keys that stay away end the sign-in at its deadline with a sentence", start=False)
def no_keys(m):
    m.start_issuer()
    m.issuer.fault("keys", row="server_error_500", times=-1)
    m.configure(m.standard_configuration())
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()
    m.set_pam_arguments("sshd", "timeout=8")
    before = m.account_files()
    screen = m.ssh("alice", options=["NumberOfPasswordPrompts=1"])
    m.approve_on(screen)
    screen.enter()
    wait_for("an end", lambda: screen.ended() is not None or "assword:" in screen.text(), 30)
    screen.press("C-c")
    screen.wait_for_end()
    expect_not_in("@ward3", screen.text(), "the screen")
    expect(screen.text().count(".") > 3, "a sentence is shown")
    m.expect_nothing_changed(before)


@cases([
    ("userinfo with another subject gives no session", {"sub": "00u2bob00000000Clin0"}),
    ("userinfo without an email gives no session", {"email": None}),
])
def bad_userinfo(m, claims):
    m.issuer.settings(thin=True)
    m.issuer.control("token", userinfo=claims)
    before = m.account_files()
    screen = m.ssh("alice")
    m.approve_on(screen)
    screen.enter()
    screen.wait_for_end(20)
    m.expect_nothing_changed(before)


# What this machine decides.


@test("a person who waits too long reads that the code has expired, before sshd's own limit", **SSH)
def deadline(m):
    m.set_pam_arguments("sshd", "timeout=6")
    before = m.account_files()
    screen = m.ssh("alice")
    code = m.code_on(screen)
    screen.wait_for(r"\([1-6] seconds?, until")  # what is left after the start, which a slow machine takes longer for
    m.wait_for_idle(20)
    time.sleep(0.5)
    polls = m.issuer.requests("token")
    expect_refused(m, screen, "The code has expired before it was approved. Start again for a new one.", before)
    m.issuer.approve(code, "alice")
    expect_equal(m.issuer.requests("token"), polls, "polls after the end")


@test("the code's own life is never exceeded, and the screen says how long there is")
def code_life(m):
    m.issuer.settings(expires_in=4)
    before = m.account_files()
    screen = m.ssh("alice")
    screen.wait_for(r"\([1-4] seconds?, until", 20)
    expect_refused(m, screen, "The code has expired before it was approved.", before)


@test("an account whose home exists already is not made, and the home stays as it was")
def home_exists(m):
    os.makedirs("/home/alice")
    with open("/home/alice/old", "w") as file:
        file.write("a predecessor's\n")
    before = m.account_files()
    screen = m.ssh("alice")
    screen.wait_for_sentence("No account could be made: its home directory already exists.", 20)
    screen.press("C-c")
    m.expect_nothing_changed(before)
    expect_equal(m.issuer.requests("device"), 0, "codes asked for")
    expect_equal((os.stat("/home/alice/old").st_uid, open("/home/alice/old").read()), (0, "a predecessor's\n"), "the old file")


@test("a local user of the same name is never touched: the local password goes on, an approval gives nothing")
def local_name(m):
    m.issuer.control("users", localuser={"login": "localuser@clinic.example", "email": "localuser@clinic.example",
                                         "email_verified": True})
    before = m.account_files()
    screen = m.ssh("localuser")
    screen.wait_for(r"assword: ?$", 20)
    screen.press("C-c")
    screen = m.login("localuser@clinic.example")
    m.wait_for_refused_login(screen)
    expect_not_in("and enter", screen.text(), "the console's screen")
    expect_in("belongs to the system or to a local user", screen.text(), "the console's screen")
    m.expect_nothing_changed(before)


@cases([(f"{word} is given to nobody, before anything is sent", name) for word, name in
        (("a system group's name", "disk"), ("a built-in reserved name", "admin"), ("a name from reserved_names", "frontdesk"),
         ("root's name", "root"))], start=False)
def reserved(m, name):
    m.start_issuer()
    m.configure(m.standard_configuration(accounts="reserved_names = frontdesk"))
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()
    m.issuer.control("users", **{name: {"login": f"{name}@clinic.example", "email": f"{name}@clinic.example", "email_verified": True}})
    before = m.account_files()
    screen = m.login(f"{name}@clinic.example")
    m.wait_for_refused_login(screen)
    expect_not_in("and enter", screen.text(), "the console's screen")
    expect_in("belongs to the system or to a local user", screen.text(), "the console's screen")
    expect_equal(m.issuer.requests("device"), 0, "codes asked for")
    m.expect_nothing_changed(before)


@test("a local part that can be no account name is refused with the reason, before anything is sent")
def unfit(m):
    before = m.account_files()
    screen = m.login("o'brien@clinic.example")
    m.wait_for_refused_login(screen)
    expect_in("cannot be an account", screen.text(), "the screen")
    expect_equal(m.issuer.requests("device"), 0, "codes asked for")
    m.expect_nothing_changed(before)


@test("username = claim: lets the O'Briens in under the name of the claim", start=False)
def claim(m):
    m.start_issuer()
    m.configure(m.standard_configuration(tenant="username = claim:linux_name"))
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()
    m.sign_in("sobrien", user="obrien")


@cases([
    ("allowed_groups refuses who is in none of them", "allowed_groups = Radiology", "alice", "You are in none of the Okta groups"),
    ("allowed_groups compares exactly", "allowed_groups = clinic it", "alice", "You are in none of the Okta groups"),
    ("allowed_groups lets in who is in one of them", "allowed_groups = Radiology, Clinic IT", "alice", None),
    ("required_amr refuses a sign-in without it", "required_amr = hwk", "alice", "requires a stronger way of signing in to Okta"),
    ("required_amr lets in who used it", "required_amr = mfa", "alice", None),
    ("max_auth_age refuses a sign-in that is too old", "max_auth_age = 1h", "alice", "You signed in to Okta too long ago."),
], start=False)
def tenant_rules(m, line, name, sentence):
    m.start_issuer()
    groups = "scopes = openid profile email groups\n" if "groups" in line else ""
    m.configure(m.standard_configuration(tenant=f"{groups}{line}"))
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()
    if "max_auth_age" in line:
        m.issuer.control("token", claims={"auth_time": int(time.time()) - 7200})
    before = m.account_files()
    screen = m.ssh(name)
    m.approve_on(screen, name)
    if sentence is None:
        screen.enter()
        m.wait_for_shell(screen, name)
    else:
        expect_refused(m, screen, sentence, before)


@test("someone who was given Alice's address is refused, and Alice keeps her account")
def successor(m):
    screen = m.sign_in("alice")
    uid = m.ask_in(screen, "id -u")
    before = m.account_files()
    screen = m.ssh("alice")
    m.approve_on(screen, "alice-again")
    expect_refused(m, screen, "This account belongs to somebody who had your address before you.", before)
    screen = m.sign_in("alice")
    expect_equal(m.ask_in(screen, "id -u"), uid, "Alice's uid")


@test("an approval that was used once does not serve a second sign-in")
def used_once(m):
    m.sign_in("alice")
    screen = m.ssh("alice")
    m.code_on(screen)
    wait_for("polls", lambda: m.issuer.requests("token") >= 4)
    expect(screen.ended() is None and "$" not in screen.text().splitlines()[-1], "the second sign-in still waits")


@test("the limit of sign-ins for one account is told in a sentence and ends when one of them is given up", start=False)
def limit(m):
    m.start_issuer()
    m.configure(m.standard_configuration(login="max_pending_per_account = 2"))
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()
    waiting = [m.ssh("alice") for _ in range(2)]
    for screen in waiting:
        m.code_on(screen)
    before = m.account_files()
    third = m.ssh("alice")
    third.wait_for_sentence("Too many sign-ins are waiting just now.", 20)
    third.wait_for_end(20)
    expect_once("Too many sign-ins are waiting just now.", third.text(), "the screen")
    m.expect_nothing_changed(before)
    waiting[0].press("C-c")
    wait_for("one waiting", lambda: len(m.pending()) == 1)
    m.sign_in("alice")
