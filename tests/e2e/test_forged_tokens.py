"""Forged tokens against the real daemons: the issuer sends what an attacker would, and nobody gets in, nothing is made.

A sample of what tests/forged_tokens tries in great number in front of the judges alone. Here each goes the whole way, over HTTPS and
the sockets, from a PAM application and back to it: it must end in PAM_PERM_DENIED and the right sentence, with a line in the log that
says what was wrong, without an account, without a home.
"""

import base64
import hashlib
import hmac
import json
import re
import time
import urllib.parse

import pam
from harness import Failure, count, expect, expect_equal, expect_in, test
from machine import HOST

PERM_DENIED = 6
ACCESS_TOKEN = "an.opaque-access_token"
SUBJECT = "00u1alice0000000Clin"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
OPTIONS = {"start": False, "seconds": 120}

NOT_VERIFIED = "Okta's answer could not be verified, so you were not signed in."
NO_EMAIL = "Okta gave no usable email address for you."
WRONG_DOMAIN = "Your email's domain is not one of the domains that may sign in here."
UNVERIFIED = "Okta has not verified your email address."
SOMEBODY_ELSE = "The code was approved by somebody else than the person signing in."
NO_GROUP = "You are in none of the Okta groups that may sign in here."
NO_MFA = "This machine requires a stronger way of signing in to Okta than you used."
TOO_OLD = "You signed in to Okta too long ago."
HAD_ADDRESS = "This account belongs to somebody who had your address before you."


# ---- the machine and one sign-in at it ----


def start(m):
    m.start_issuer()
    m.configure(m.standard_configuration(
        login="max_starts_per_minute = 1000",
        tenant="required_amr = mfa\nmax_auth_age = 1h\nallowed_groups = Clinic IT\nscopes = openid profile email groups\n",
    ))
    m.start_provisiond()
    m.start_pam_oidcd()
    with open("/etc/pam.d/forged", "w") as service:
        service.write("auth required /run/sandbox/product/pam_oidc.so wait=info\naccount required pam_permit.so\n")


def sign_in(m, user="alice"):
    """One sign-in as alice, approved at once by `user`: PAM's result and all that was said after the code."""
    said = []

    def hear(_, text):
        code = re.search(r"^and enter +([A-Z0-9-]{8,})$", text, re.M)
        if code:
            m.issuer.approve(code.group(1), user)
        else:
            said.append(text)

    result = pam.SignIn("forged", "alice", hear).result
    return result, "\n".join(said)


def expect_refused(m, name, sentence, because, before):
    """One attack; what the issuer sends was set before."""
    lines = len(m.log.lines)
    result, said = sign_in(m)
    what = f"{name}: "
    expect_equal(result, PERM_DENIED, what + f"PAM's result; said was {said!r}")
    expect_in(sentence, said, what + "what the person is told")
    m.expect_nothing_changed(before)
    pattern = re.escape(because)
    try:
        m.log.wait_for(rf"(?s)\A(?:[^\n]*\n){{{lines}}}.*clinic.*{pattern}")
    except Failure as failure:
        raise Failure(what + str(failure)) from None


def expect_all_refused(m, attacks):
    before = m.account_files()
    for name, wrong, sentence, because in attacks:
        m.issuer.control("token")
        m.issuer.control("token", **(wrong(m) if callable(wrong) else wrong))
        expect_refused(m, name, sentence, because, before)
    m.issuer.control("token")
    count("forged tokens", len(attacks), len(attacks))
    # Without this the refusals above might have another reason.
    expect_admitted(m)


def expect_admitted(m):
    result, said = sign_in(m)
    expect_equal(result, pam.SUCCESS, f"PAM's result for a sound token; said was {said!r}")
    expect(m.passwd("alice"), "alice has an account")
    count("forged tokens, control", 1, 0, 1)


# ---- making tokens ----


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def published_key(m):
    """The issuer's key that signs now."""
    return json.loads(m.issuer.exchange("GET", "/oauth2/v1/keys")[2])["keys"][0]


def at_hash(access_token=ACCESS_TOKEN):
    return encoded(hashlib.sha256(access_token.encode()).digest()[:16])


def claims(m, **changes):
    """What the issuer says of Alice, in words of our own."""
    now = int(time.time())
    made = {
        "iss": m.issuer.issuer, "aud": "clinic-app", "sub": SUBJECT, "iat": now, "exp": now + 3600, "auth_time": now, "amr": ["mfa"],
        "jti": f"ID.{time.monotonic_ns()}", "at_hash": at_hash(), "email": "alice@clinic.example", "email_verified": True,
        "groups": ["Clinic IT"],
    }
    made.update(changes)
    return made


def raw_claims(change):
    """Claims as text, changed by the function, and signed."""
    return lambda m: {"access_token": ACCESS_TOKEN, "raw_claims": change(json.dumps(claims(m)))}


def raw_header(change):
    return lambda m: {"raw_header": change(json.dumps({"alg": "RS256", "kid": published_key(m)["kid"]}))}


def more(member):
    """The object with one more member at its end."""
    return lambda text: text[:-1] + "," + member + "}"


def fetched_tokens(m, path="/oauth2/v1", client="clinic-app", secret=None):
    """The tokens of a device grant of our own, approved by alice."""

    def post(endpoint, **fields):
        fields["client_id"] = client
        if secret:
            fields["client_secret"] = secret
        form = urllib.parse.urlencode(fields)
        status, _, text = m.issuer.exchange("POST", f"{path}/{endpoint}", form, {"Content-Type": "application/x-www-form-urlencoded"})
        expect_equal(status, 200, f"the issuer's answer at {path}/{endpoint}: {text}")
        return json.loads(text)

    device = post("device/authorize", scope="openid profile email groups")
    m.issuer.approve(device["user_code"], "alice")
    return post("token", grant_type=DEVICE_GRANT, device_code=device["device_code"])


def sent_on(tokens):
    """These tokens in place of new ones."""
    return {"raw_id_token": tokens["id_token"], "access_token": tokens["access_token"]}


def reassembled(m, change):
    """A fresh sound token, its three segments given to the function."""
    tokens = fetched_tokens(m)
    return {"raw_id_token": change(*tokens["id_token"].split(".")), "access_token": tokens["access_token"]}


def hmac_with_key(m, algorithm):
    """HS256 with the published key as the secret."""
    header = encoded(json.dumps({"alg": "HS256", "kid": published_key(m)["kid"]}).encode())
    text = f"{header}.{encoded(json.dumps(claims(m)).encode())}"
    secret = {"jwk": json.dumps(published_key(m)), "modulus": published_key(m)["n"]}[algorithm]
    signature = encoded(hmac.new(secret.encode(), text.encode(), "sha256").digest())
    return {"raw_id_token": f"{text}.{signature}", "access_token": ACCESS_TOKEN}


# ---- the attacks ----


def header(**members):
    return {"header": members}


def claim(**members):
    return {"claims": members}


NO_PUBLIC_ALG = "alg: is not an algorithm with a public key that we know"

HEADERS = [
    ("alg none", {"key": "none"}, NOT_VERIFIED, NO_PUBLIC_ALG),
    ("alg None", {"header": {"alg": "None"}, "mangle": "no_signature"}, NOT_VERIFIED, NO_PUBLIC_ALG),
    ("HS256 with the public key in PEM", {"key": "hs256-with-public-key"}, NOT_VERIFIED, NO_PUBLIC_ALG),
    ("HS256 with the public key as JWK", lambda m: hmac_with_key(m, "jwk"), NOT_VERIFIED, NO_PUBLIC_ALG),
    ("HS256 with the modulus", lambda m: hmac_with_key(m, "modulus"), NOT_VERIFIED, NO_PUBLIC_ALG),
    ("alg missing", header(alg=None), NOT_VERIFIED, "alg: is missing"),
    ("alg in an array", header(alg=["RS256"]), NOT_VERIFIED, "alg: is missing or no string"),
    ("ES256 with an RSA key", header(alg="ES256"), NOT_VERIFIED, "alg: ES256 is not among the allowed"),
    ("ES256 with an EC key", lambda m: m.issuer.settings(keys={"ec": True}) or {"key": "ec"}, NOT_VERIFIED, "alg: ES256 is not among"),
    ("PS256", header(alg="PS256"), NOT_VERIFIED, "alg: PS256 is not among the allowed"),
    ("RS512", header(alg="RS512"), NOT_VERIFIED, "alg: RS512 is not among the allowed"),
    ("another key under the issuer's kid", {"key": "other"}, NOT_VERIFIED, "the signature is wrong"),
    ("a key of 512 bits", lambda m: m.issuer.settings(keys={"weak512": True}) or {"key": "weak512"}, NOT_VERIFIED, "does not publish"),
    ("kid missing", header(kid=None), NOT_VERIFIED, "kid: is missing"),
    ("kid unknown", header(kid="another"), NOT_VERIFIED, "signed with a key that the issuer does not publish"),
    ("kid with a path", header(kid="../../../../dev/null"), NOT_VERIFIED, "signed with a key that the issuer does not publish"),
    ("kid huge", header(kid="k" * 20000), NOT_VERIFIED, "signed with a key that the issuer does not publish"),
    ("kid twice", raw_header(more('"kid":"another"')), NOT_VERIFIED, "the header has a member twice"),
    ("alg twice, once in escapes", raw_header(more('"al\\u0067":"none"')), NOT_VERIFIED, "the header has a member twice"),
    ("crit", header(crit=["exp"]), NOT_VERIFIED, "crit: must not be in"),
    ("b64", header(b64=False, crit=["b64"]), NOT_VERIFIED, "must not be in"),
    ("zip", header(zip="DEF"), NOT_VERIFIED, "zip: must not be in"),
    ("jku", header(jku="https://evil.example/keys"), NOT_VERIFIED, "jku: must not be in"),
    ("x5u", header(x5u="https://evil.example/cert"), NOT_VERIFIED, "x5u: must not be in"),
    ("jwk", lambda m: {"key": "other", "header": {"jwk": published_key(m)}}, NOT_VERIFIED, "jwk: must not be in"),
    ("typ at+jwt", header(typ="at+jwt"), NOT_VERIFIED, "typ: this is another kind of token"),
    ("typ logout+jwt", header(typ="logout+jwt"), NOT_VERIFIED, "typ: this is another kind of token"),
]

CLAIMS = [
    ("iss of another issuer", claim(iss="https://evil.okta.example"), NOT_VERIFIED, "iss: is not the configured issuer"),
    ("iss with a slash", lambda m: claim(iss=m.issuer.issuer + "/"), NOT_VERIFIED, "iss: is not the configured issuer"),
    ("iss over http", claim(iss=f"http://{HOST}"), NOT_VERIFIED, "iss: is not the configured issuer"),
    ("iss missing", claim(iss=None), NOT_VERIFIED, "iss: is missing"),
    ("aud another client", claim(aud="another-app"), NOT_VERIFIED, "aud: is another client"),
    ("aud empty", claim(aud=[]), NOT_VERIFIED, "aud: this client is not among the audiences"),
    ("aud two, without azp", claim(aud=["clinic-app", "another-app"]), NOT_VERIFIED, "azp: is missing"),
    ("azp another client", claim(azp="another-app"), NOT_VERIFIED, "azp: the token was issued to another client"),
    ("exp past", claim(exp="now-600", iat="now-700"), NOT_VERIFIED, "exp: expired"),
    ("exp missing", claim(exp=None), NOT_VERIFIED, "exp: is missing"),
    ("exp in quotes", claim(exp="1999999999"), NOT_VERIFIED, "exp: is missing or no time"),
    ("exp a float", claim(exp=1999999999.5), NOT_VERIFIED, "exp: is missing or no time"),
    ("exp in a thousand years", claim(exp="now+31536000000"), NOT_VERIFIED, "exp: is more than 30 days after iat"),
    ("iat in the future", claim(iat="now+900"), NOT_VERIFIED, "iat: issued"),
    ("iat an hour ago", claim(iat="now-3600"), NOT_VERIFIED, "iat: issued"),
    ("nbf in the future", claim(nbf="now+900"), NOT_VERIFIED, "nbf: valid only in"),
    ("nonce", claim(nonce="n-0S6_WzA2Mj"), NOT_VERIFIED, "nonce: none was sent"),
    ("at_hash of another access token", claim(at_hash=at_hash("another")), NOT_VERIFIED, "at_hash: is not that of"),
    ("at_hash missing", claim(at_hash=None), NOT_VERIFIED, "at_hash: is missing"),
    ("amr without the second factor", claim(amr=["pwd"]), NO_MFA, "required method mfa"),
    ("amr missing", claim(amr=None), NO_MFA, "required method mfa"),
    ("amr as a string", claim(amr="mfa"), NOT_VERIFIED, "amr: is no array"),
    ("auth_time two hours ago", claim(auth_time="now-7200"), TOO_OLD, "auth_time: the person signed in"),
    ("auth_time missing", claim(auth_time=None), NOT_VERIFIED, "auth_time: is missing"),
    ("jti a number", claim(jti=1), NOT_VERIFIED, "jti: is no string"),
    ("sub missing", claim(sub=None), NOT_VERIFIED, "sub: is missing"),
    ("sub too long", claim(sub="s" * 256), NOT_VERIFIED, "sub: is not 1 to 255"),
    ("sub with an escape sequence", claim(sub="\x1b[2J"), NOT_VERIFIED, "sub: is not 1 to 255"),
    ("email twice", raw_claims(more('"email":"mallory@evil.example"')), NOT_VERIFIED, "the payload has a member twice"),
    ("email twice, once in escapes", raw_claims(more('"\\u0065mail":"x"')), NOT_VERIFIED, "the payload has a member twice"),
    ("a claim nested 1,000 deep", raw_claims(more('"x":' + "[" * 1000 + "]" * 1000)), NOT_VERIFIED, "is nested deeper than 16"),
    ("a number beyond all", raw_claims(more('"x":1e999')), NOT_VERIFIED, "has a number that is too large"),
    ("a NUL in a string", raw_claims(more('"x":"\\u0000"')), NOT_VERIFIED, "has a NUL character"),
    ("something behind the claims", raw_claims(lambda text: text + "{}"), NOT_VERIFIED, "goes on after its end"),
    ("a byte order mark", raw_claims(lambda text: "\ufeff" + text), NOT_VERIFIED, "the payload is not JSON"),
]

PEOPLE = [
    ("email missing", {"claims": {"email": None}, "userinfo": {"email": None}}, NO_EMAIL, "email_invalid"),
    ("email of another domain", claim(email="alice@evil.example"), WRONG_DOMAIN, "wrong_domain"),
    ("email of a subdomain", claim(email="alice@sub.clinic.example"), WRONG_DOMAIN, "wrong_domain"),
    ("email with more behind the domain", claim(email="alice@clinic.example.evil.example"), WRONG_DOMAIN, "wrong_domain"),
    ("email of another person", claim(email="bob@clinic.example"), SOMEBODY_ELSE, "other_person"),
    ("email with a Cyrillic letter", claim(email="\u0430lice@clinic.example"), NO_EMAIL, "email_invalid"),
    ("email with two @", claim(email="alice@clinic.example@evil.example"), NO_EMAIL, "email_invalid"),
    ("email with a newline", claim(email="alice@clinic.example\n"), NO_EMAIL, "email_invalid"),
    ("email with a dot behind", claim(email="alice@clinic.example."), NO_EMAIL, "email_invalid"),
    ("email with a quoted local part", claim(email='"alice"@clinic.example'), NO_EMAIL, "email_invalid"),
    ("email in an array", claim(email=["alice@clinic.example"]), NO_EMAIL, "email_invalid"),
    ("email_verified false", claim(email_verified=False), UNVERIFIED, "email_unverified"),
    ("email_verified in quotes", claim(email_verified="true"), UNVERIFIED, "email_unverified"),
    ("email_verified 1", claim(email_verified=1), UNVERIFIED, "email_unverified"),
    ("groups of another spelling", claim(groups=["clinic it", "Clinic IT "]), NO_GROUP, "group_missing"),
    ("groups as a string", claim(groups="Clinic IT"), NOT_VERIFIED, "groups: is no array"),
    ("userinfo about somebody else", {"claims": {"email": None}, "userinfo": {"sub": "00u9mallory"}}, NOT_VERIFIED,
     "userinfo's sub is not the ID token's"),
    ("userinfo about nobody", {"claims": {"email": None}, "userinfo": {"sub": None}}, NOT_VERIFIED, "userinfo's sub is missing"),
    ("verified in the token, unverified email in userinfo",
     {"claims": {"email": None, "email_verified": True}, "userinfo": {"email_verified": False}}, UNVERIFIED, "email_unverified"),
    ("email in the token, another one verified in userinfo",
     {"claims": {"email_verified": None}, "userinfo": {"email": "mallory@evil.example"}}, WRONG_DOMAIN, "wrong_domain"),
]

SERIALIZATIONS = [
    ("no signature", {"mangle": "no_signature"}, NOT_VERIFIED, "the signature is 0 bytes long"),
    ("a wrong signature", {"mangle": "corrupt_signature"}, NOT_VERIFIED, "the signature is wrong"),
    ("base64 with padding", {"mangle": "padded"}, NOT_VERIFIED, "not canonical base64url"),
    ("two segments", {"mangle": "two_segments"}, NOT_VERIFIED, "fewer than three segments"),
    ("four segments", {"mangle": "four_segments"}, NOT_VERIFIED, "more than three segments"),
    ("a space behind", lambda m: reassembled(m, lambda h, p, s: f"{h}.{p}.{s} "), NOT_VERIFIED, "has no ID token"),
    ("claims exchanged", lambda m: reassembled(m, lambda h, p, s: f"{h}.{encoded(json.dumps(claims(m)).encode())}.{s}"), NOT_VERIFIED,
     "the signature is wrong"),
    ("flattened JSON", lambda m: reassembled(m, lambda h, p, s: json.dumps({"payload": p, "protected": h, "signature": s},
                                                                           separators=(",", ":"))),
     NOT_VERIFIED, "fewer than three segments"),
    ("general JSON", lambda m: reassembled(m, lambda h, p, s: json.dumps(
        {"payload": p, "signatures": [{"protected": h, "signature": s}]}, separators=(",", ":"))), NOT_VERIFIED, "fewer than three"),
    ("no ID token", {"answer": {"id_token": None}}, NOT_VERIFIED, "has no ID token"),
    ("another access token than at_hash speaks of", {"answer": {"access_token": "another"}}, NOT_VERIFIED, "at_hash: is not that of"),
    ("no access token, though at_hash speaks of one", {"answer": {"access_token": None}}, NOT_VERIFIED, "at_hash: speaks of"),
    ("an access token that is no bearer's", {"answer": {"token_type": "mac"}}, NOT_VERIFIED, "no bearer token"),
    ("a token for another client of this issuer", lambda m: sent_on(fetched_tokens(m, client="clinic-post",
                                                                                   secret="p+q r%s:t/u=v&w")),
     NOT_VERIFIED, "aud: is another client"),
    ("a token of an issuer with the same keys", lambda m: sent_on(fetched_tokens(m, path="/oauth2/default/v1")), NOT_VERIFIED,
     "iss: is not the configured issuer"),
    ("an access token in place of the ID token", lambda m: {"raw_id_token": fetched_tokens(m, path="/oauth2/default/v1")["access_token"]},
     NOT_VERIFIED, "iss: is not the configured issuer"),
]


@test("a token with a forged header lets nobody in", **OPTIONS)
def headers(m):
    start(m)
    expect_all_refused(m, HEADERS)


@test("a token with claims that do not hold lets nobody in", **OPTIONS)
def wrong_claims(m):
    start(m)
    expect_all_refused(m, CLAIMS)


@test("a token about somebody else lets nobody in", **OPTIONS)
def people(m):
    start(m)
    expect_all_refused(m, PEOPLE)


@test("a token in another form, or of another sign-in, lets nobody in", **OPTIONS)
def serializations(m):
    start(m)
    expect_all_refused(m, SERIALIZATIONS)


@test("a token that was used lets nobody in again", **OPTIONS)
def replayed(m):
    start(m)
    tokens = fetched_tokens(m)
    m.issuer.control("token", **sent_on(tokens))
    expect_admitted(m)
    before = m.account_files()
    for turn in ("at once", "once more"):
        expect_refused(m, f"a used token, {turn}", NOT_VERIFIED, "this ID token has made a sign-in before", before)
    count("forged tokens", 2, 2)


@test("a token with alice's email and another subject does not open alice's account", **OPTIONS)
def other_subjects(m):
    start(m)
    expect_admitted(m)
    attacks = [(f"sub {sub!r}", claim(sub=sub), HAD_ADDRESS, "subject_changed")
               for sub in ("00u9mallory", SUBJECT.upper(), SUBJECT + " ", SUBJECT[:-1], SUBJECT + "' OR '1'='1", "%", "root")]
    before = m.account_files()
    for name, wrong, sentence, because in attacks:
        m.issuer.control("token", **wrong)
        expect_refused(m, name, sentence, because, before)
    count("forged tokens", len(attacks), len(attacks))
