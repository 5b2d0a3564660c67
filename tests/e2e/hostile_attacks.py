"""What a hostile issuer may try, one Attack each: tables of answers, and how a sign-in that meets them must end.

Nobody is attacked here; test_hostile_issuer.py does that.
"""

import base64
import gzip
import random
import re
import ssl
import time
import zlib

import hostile
from harness import PATIENCE
from hostile import DOMAIN, PORT, body, cut, drip, encoded, flood, members, silent, text_of
from machine import PAM_OIDCD_SOCKET
from wire import Connection

ENDPOINTS = ("discovery", "keys", "device", "token", "userinfo")


class Attempt:
    """One sign-in by way of the socket, as the module asks for it: every message that came, and when."""

    def __init__(self, name, timeout=25, on_show=None, linger=None):
        self.messages = []
        began = time.monotonic()
        self.shown_after = self.took = None
        with Connection(PAM_OIDCD_SOCKET, 40 * PATIENCE) as connection:
            connection.send(
                ("op", "login"),
                ("name", name),
                ("service", "su"),
                ("tty", "pts/0"),
                ("rhost", "198.51.100.7"),
                ("qr", "utf8"),
                ("wait", "info"),
                ("timeout", timeout),
            )
            while self.end is None:
                message = connection.receive()
                if message is None:
                    return
                self.messages.append(dict(message))
                self.took = time.monotonic() - began
                if self.messages[-1].get("status") != "show":
                    continue
                self.shown_after = self.took
                if on_show:
                    on_show(self.messages[-1])
                if linger is not None:
                    time.sleep(linger)
                    return

    @property
    def show(self):
        return next((message for message in self.messages if message.get("status") == "show"), None)

    @property
    def end(self):
        """"admitted", the reason of a refusal, or None."""
        last = self.messages[-1] if self.messages else {}
        return {"admitted": "admitted", "refused": last.get("reason")}.get(last.get("status"))

    @property
    def outcome(self):
        return self.end or ("shown" if self.show else "hung up")


class Attack:
    """One hostile provider, and how a sign-in there must go: `ends` are the outcomes that are right.

    check(attempt, provider) says what is wrong all the same, or None. requests = (endpoint, N): in one attempt it may
    be asked N times. linger: seconds to look on after the code is shown, instead of waiting for an end."""

    def __init__(self, sentence, ends, timeout=20, linger=None, check=None, requests=None, **options):
        self.sentence, self.ends, self.linger, self.check = sentence, set(ends.split()), linger, check
        self.timeout = round(timeout * PATIENCE / 3)
        self.requests, self.options = requests, options
        self.outcome = self.wrong = None
        self.attempts = 0

    def attack(self, tries=4):
        """On a busy machine an attempt may fail before it meets the attack; then there was none yet."""
        for _ in range(tries):
            self._attempt()
            if self.provider.met and (self.outcome in self.ends or self.outcome != "issuer_unreachable"):
                break
        if not self.provider.met:
            self.wrong = "the attack was never met"

    def _attempt(self):
        self.attempts += 1
        attempt = Attempt(f"alice@{self.provider.name}", self.timeout, linger=self.linger)
        self.outcome = attempt.outcome
        self.wrong = None if self.outcome in self.ends else f"ended with {self.outcome}: {attempt.messages}"
        for message in attempt.messages:
            for key, value in message.items():
                if not re.fullmatch(r"[ -~\n\u2580\u2584\u2588]*" if key == "qr" else r"[ -~]*", value):
                    self.wrong = f"{key} holds {value!r}"
        asked = self.provider.requests.get(self.requests[0], 0) if self.requests else 0
        if self.requests and asked > self.requests[1] * self.attempts:
            self.wrong = f"{self.requests[0]} was asked {asked} times in {self.attempts} attempts"
        if self.check and not self.wrong:
            self.wrong = self.check(attempt, self.provider)


def ends_of(
    endpoint,
    discovery="misconfigured",
    keys="issuer_unreachable expired",
    device="misconfigured",
    token="token_invalid",
    userinfo="token_invalid",
):
    """How a sign-in ends when this endpoint answers amiss. Keys that cannot be had are waited for until the end."""
    return {"discovery": discovery, "keys": keys, "device": device, "token": token, "userinfo": userinfo}[endpoint]


def at(endpoint, sentence, fault, ends, **options):
    """An attack by what one endpoint answers."""
    timeout = options.pop("timeout", 5 if endpoint == "keys" else 25)
    return Attack(
        f"{endpoint}: {sentence}",
        ends,
        timeout=timeout,
        faults={endpoint: fault},
        thin=endpoint == "userinfo",
        **options,
    )


# ---- redirects ----


def redirects():
    found = []
    for endpoint in ENDPOINTS:
        path = {value: key for key, value in hostile.ENDPOINTS.items()}[endpoint]
        for status in (301, 302, 307, 308):
            for where, target in (
                ("another host", f"https://trap.{DOMAIN}:{PORT}{path}"),
                ("http", f"http://trap.{DOMAIN}:8080{path}"),
                ("file:", "file:///etc/passwd"),
                ("itself", path),
            ):
                ends = ends_of(endpoint, token="misconfigured", userinfo="misconfigured")
                limit = None if endpoint == "keys" else (endpoint, 2 if endpoint == "discovery" else 1)
                found.append(
                    at(
                        endpoint,
                        f"HTTP {status} to {where}",
                        body(b"", status, [("Location", target)]),
                        ends,
                        requests=limit,
                    )
                )
    return found


# ---- TLS ----


def shake_no_hands(provider, connection):
    connection.settimeout(60)
    try:
        while connection.recv(65536):
            pass
    except OSError:
        pass


def say(data):
    """Says something else than TLS."""

    def raw(provider, connection):
        connection.recv(65536)
        connection.sendall(data)
        shake_no_hands(provider, connection)

    return raw


def wrong_certificates():
    names = [f"*.{DOMAIN}"]

    def issued(**options):
        return lambda host: hostile.tls(host.authority.certificate(options.pop("names", names), **options))

    def by_another(host):
        return hostile.tls(hostile.Authority(f"{host.authority.folder}/another").certificate(names))

    def by_namesake(host):
        return hostile.tls(hostile.Authority(f"{host.authority.folder}/namesake").certificate(names))

    def by_no_authority(host):
        signer = host.authority.certificate(["signer." + DOMAIN], extensions="basicConstraints=critical,CA:FALSE")
        return hostile.tls(host.authority.certificate(names, signer=signer, chain=open(signer[1]).read()))

    def by_unfit_authority(host):
        """It may certify authorities, but its key may sign no certificates."""
        signer = host.authority.certificate(
            ["signer." + DOMAIN], extensions="basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature"
        )
        return hostile.tls(host.authority.certificate(names, signer=signer, chain=open(signer[1]).read()))

    def too_deep(host):
        first = host.authority.certificate(
            ["first." + DOMAIN], extensions="basicConstraints=critical,CA:TRUE,pathlen:0"
        )
        second = host.authority.certificate(
            ["second." + DOMAIN], extensions="basicConstraints=critical,CA:TRUE", signer=first
        )
        chain = open(second[1]).read() + open(first[1]).read()
        return hostile.tls(host.authority.certificate(names, signer=second, chain=chain))

    def constrained(host):
        signer = host.authority.certificate(
            ["signer." + DOMAIN],
            extensions="basicConstraints=critical,CA:TRUE\nnameConstraints=critical,permitted;DNS:elsewhere.example",
        )
        return hostile.tls(host.authority.certificate(names, signer=signer, chain=open(signer[1]).read()))

    return {
        "a certificate of another name": issued(names=["other.example"]),
        "a certificate of the name's beginning": issued(names=["x." + DOMAIN]),
        "a certificate of the domain alone": issued(names=[DOMAIN]),
        "a certificate of every name of the last label": issued(names=["*.example"]),
        "an expired certificate": issued(start="20200101000000Z", end="20200201000000Z"),
        "a certificate that is not yet valid": issued(start="20480101000000Z", end="20490201000000Z"),
        "a certificate for clients": issued(extensions="extendedKeyUsage=clientAuth"),
        "a certificate signed over SHA-1": issued(digest="sha1"),
        "a self-signed certificate": lambda host: hostile.tls(host.authority.self_signed(names)),
        "a certificate of another authority": by_another,
        "a certificate of another authority of the same name": by_namesake,
        "a certificate of one who is no authority": by_no_authority,
        "a certificate of an authority whose key may not sign": by_unfit_authority,
        "a certificate of an authority too far down": too_deep,
        "a certificate of an authority for other names": constrained,
        "an RSA key of 1024 bits": lambda host: hostile.tls(host.authority.certificate(names, key=("rsa", "1024"))),
    }


def finite_field(host, bits):
    """A key exchange for which the client would have to raise numbers of so many bits to a power."""

    def integer(number):
        octets = number.to_bytes(number.bit_length() // 8 + 1, "big")
        return b"\x02" + (
            bytes([len(octets)]) if len(octets) < 128 else b"\x82" + len(octets).to_bytes(2, "big")
        ) + octets

    inner = integer(1 << (bits - 1) | random.Random(1).getrandbits(bits - 2) << 1 | 1) + integer(2)
    path = f"{host.authority.folder}/dh{bits}.pem"
    with open(path, "w") as file:
        file.write(
            "-----BEGIN DH PARAMETERS-----\n" + base64.encodebytes(
                b"\x30\x82" + len(inner).to_bytes(2, "big") + inner
            ).decode() + "-----END DH PARAMETERS-----\n"
        )
    pair = host.authority.certificate([f"*.{DOMAIN}"], key=("rsa", "2048"))
    return hostile.tls(pair, highest=ssl.TLSVersion.TLSv1_2, ciphers="DHE", parameters=path)


def old_version(version):
    def context(host):
        return hostile.tls(host.authority.certificate([f"*.{DOMAIN}"]), lowest=version, highest=version)

    return context


def transports():
    unreachable = "issuer_unreachable"
    found = [Attack(sentence, unreachable, context=context) for sentence, context in wrong_certificates().items()]
    found += [
        Attack("TLS 1.0 only", unreachable, context=old_version(ssl.TLSVersion.TLSv1)),
        Attack("TLS 1.1 only", unreachable, context=old_version(ssl.TLSVersion.TLSv1_1)),
        Attack(
            "a key exchange with numbers of 10,000 bits", unreachable, context=lambda host: finite_field(host, 10000)
        ),
        Attack(
            "a key exchange with numbers of 2,048 bits that the server chose",
            unreachable,
            context=lambda host: finite_field(host, 2048),
        ),
        Attack(
            "ciphers without forward secrecy",
            unreachable,
            context=lambda host: hostile.tls(
                host.authority.certificate([f"*.{DOMAIN}"], key=("rsa", "2048")),
                highest=ssl.TLSVersion.TLSv1_2,
                ciphers="kRSA",
            ),
        ),
        Attack("HTTP without TLS", unreachable, raw=say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")),
        Attack(
            "a redirect without TLS",
            unreachable,
            raw=say(f"HTTP/1.1 302 Found\r\nLocation: http://trap.{DOMAIN}:8080/\r\n\r\n".encode()),
        ),
        Attack("another protocol", unreachable, raw=say(b"220 mail.hostile.example ESMTP\r\n")),
        Attack("noise instead of TLS", unreachable, raw=say(bytes(range(256)) * 256)),
        Attack(
            "a record of TLS without an end", unreachable, raw=say(b"\x16\x03\x03\xff\xff" + b"\2\xff\xff\xff" * 20000)
        ),
        Attack("warnings of TLS without an end", unreachable, raw=say(b"\x15\x03\x03\x00\x02\x01\x5a" * 100000)),
        Attack("a handshake that never comes", unreachable, raw=shake_no_hands),
        Attack("a connection that is closed at once", unreachable, raw=lambda provider, connection: None),
    ]
    for endpoint in ENDPOINTS:
        ends = ends_of(endpoint, *["issuer_unreachable expired"] * 5)
        for sentence, fault in (
            ("cut in mid-body", cut(20)),
            ("cut in mid-chunk", cut(20, chunked=True)),
            ("cut where nothing says how long", cut(20, length=False)),
        ):
            wrong_as_well = " misconfigured token_invalid" if "nothing" in sentence else ""
            found.append(at(endpoint, sentence, fault, ends + wrong_as_well, timeout=5))
    return found


# ---- discovery ----

URLS = (
    ("http:", f"http://trap.{DOMAIN}:8080/x"),
    ("file:", "file:///etc/shadow"),
    ("ftp:", f"ftp://trap.{DOMAIN}:8080/x"),
    ("gopher:", f"gopher://trap.{DOMAIN}:8080/x"),
    ("dict:", f"dict://trap.{DOMAIN}:8080/x"),
    ("no scheme", f"trap.{DOMAIN}:{PORT}/x"),
    ("a path alone", "/keys"),
    ("a user in it", f"https://alice@trap.{DOMAIN}:{PORT}/x"),
    ("a user and a password in it", f"https://clinic.okta.example:x@trap.{DOMAIN}:{PORT}/x"),
    ("a newline in it", f"https://trap.{DOMAIN}:{PORT}/x\r\nHost: evil.example"),
    ("an escape sequence in it", f"https://trap.{DOMAIN}:{PORT}/\x1b[2J"),
    ("a space in it", f"https://trap.{DOMAIN}:{PORT}/a b"),
    ("a backslash in it", f"https://clinic.okta.example\\@trap.{DOMAIN}:{PORT}/"),
    ("a fragment in it", f"https://trap.{DOMAIN}:{PORT}/#x"),
    ("letters of other scripts in it", f"https://tr\u0430p.{DOMAIN}:{PORT}/x"),
    ("an escaped host", f"https://trap%2e{DOMAIN}:{PORT}/x"),
    ("a host that ends in an escaped NUL", f"https://trap.{DOMAIN}%00.x:{PORT}/x"),
    ("two ports", f"https://trap.{DOMAIN}:{PORT}:{PORT}/x"),
    ("a port that is none", f"https://trap.{DOMAIN}:99999/x"),
    ("no host", "https:///x"),
    ("4,096 bytes", f"https://trap.{DOMAIN}:{PORT}/" + "x" * 4096),
    ("nothing in it", ""),
)


def discoveries():
    members_of = {
        "device": "device_authorization_endpoint",
        "token": "token_endpoint",
        "keys": "jwks_uri",
        "userinfo": "userinfo_endpoint",
    }
    found = [at("discovery", f"{name} with {sentence}", members(**{name: url}), "misconfigured")
             for name in members_of.values() for sentence, url in URLS]
    found += [
        at("discovery", f"{name} that is {sentence}", members(**{name: value}), "misconfigured")
        for name in members_of.values()
        for sentence, value in (("a number", 7), ("a list", [f"https://trap.{DOMAIN}"]), ("an object", {}))
    ]
    found += [
        at("discovery", f"the issuer is {sentence}", members(issuer=value), "misconfigured")
        for sentence, value in (
            ("another", f"https://trap.{DOMAIN}:{PORT}"),
            ("missing", None),
            ("empty", ""),
            ("a number", 1),
            ("a list", ["https://x0.hostile.example:8443"]),
            ("the good tenant's", "https://clinic.okta.example"),
            ("http", f"http://x0.{DOMAIN}:{PORT}"),
            ("64 KiB long", "https://" + "x" * 65536),
        )
    ]
    found += [
        at(
            "discovery",
            f"the issuer with {sentence}",
            lambda exchange, change=change: exchange.answer(
                {**exchange.right(), "issuer": change(exchange.right()["issuer"])}
            ),
            "misconfigured",
        )
        for sentence, change in (
            ("a slash behind it", lambda issuer: issuer + "/"),
            ("another case", lambda issuer: issuer.upper()),
            ("a space behind it", lambda issuer: issuer + " "),
            ("a path behind it", lambda issuer: issuer + "/oauth2/default"),
        )
    ]
    # Endpoints may be on other hosts (Discovery 1.0, section 3; some providers' are), but TLS has to agree to each.
    for name in ("token_endpoint", "device_authorization_endpoint"):
        found.append(
            at(
                "discovery",
                f"{name} on a port without TLS",
                members(**{name: "https://localhost:22/x"}),
                "issuer_unreachable expired",
                timeout=6,
            )
        )
        found.append(
            at(
                "discovery",
                f"{name} at a name that the certificate does not hold",
                members(**{name: f"https://localhost:{PORT}/x"}),
                "issuer_unreachable expired",
                timeout=6,
            )
        )
    return found


# ---- sizes and times ----

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
MIB = 1 << 20
TAKEN_MAX = 24 * MIB


def bomb(compressor):
    """An object of 100 MB, most of it spaces."""
    made = compressor(b"{" + b" " * (100 * MIB) + b"}")
    return lambda data: made


def stored_brotli(data):
    """RFC 7932, section 9.2: one stored meta-block, then an empty last one."""
    bits = 0 | (len(data) - 1) << 4 | 1 << 20
    return bits.to_bytes(3, "little") + data + b"\x03"


def chunk(data):
    return b"%x\r\n" % len(data) + data + b"\r\n"


def sizes():
    found = []
    zipped = bomb(gzip.compress)

    def too_much(attempt, provider):
        """What fits into the buffers of both sockets counts as well."""
        return f"{provider.most >> 20} MiB were taken" if provider.most > TAKEN_MAX else None

    for endpoint in ENDPOINTS:
        ends = ends_of(endpoint, *["issuer_unreachable expired"] * 5)

        def big(sentence, fault, endpoint=endpoint, ends=ends, **options):
            found.append(at(endpoint, sentence, fault, ends, timeout=5, check=too_much, **options))

        big("100 MB", flood(OK + b"Content-Length: 104857600\r\n\r\n{", b" " * 65536))
        big("100 MB in chunks", flood(OK + b"Transfer-Encoding: chunked\r\n\r\n", chunk(b" " * 65536)))
        big("an endless body", flood(OK + b"Connection: close\r\n\r\n{", b" " * 65536, limit=1 << 40))
        big("an endless number of headers", flood(OK, b"X-One: two\r\n" * 4096, limit=1 << 40))
        big("an endless header", flood(OK + b"X-One: ", b"a" * 65536, limit=1 << 40))
        big(
            "endless interim answers",
            flood(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 1024, limit=1 << 40),
        )
        big(
            "an endless chunk extension",
            flood(OK + b"Transfer-Encoding: chunked\r\n\r\n1;x=", b"a" * 65536, limit=1 << 40),
        )
        big(
            "endless trailers",
            flood(
                OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"{}") + b"0\r\n",
                b"X-One: two\r\n" * 4096,
                limit=1 << 40,
            ),
        )
        # Some versions of libcurl decode it, up to our bound, others hand it over as it is, and later ones refuse it.
        found.append(
            at(
                endpoint,
                "a gzip bomb as a transfer coding",
                encoded("gzip, chunked", lambda data: chunk(zipped(data)) + b"0\r\n\r\n", True),
                ends + " " + ends_of(endpoint),
                timeout=5,
            )
        )
    undecoded = {"gzip": zipped, "x-gzip": zipped, "deflate": bomb(zlib.compress), "br": stored_brotli}
    for coding, encode in undecoded.items():
        for endpoint in ENDPOINTS:
            found.append(
                at(
                    endpoint,
                    f"a {coding} {'body' if coding == 'br' else 'bomb'}",
                    encoded(coding, encode),
                    ends_of(endpoint),
                )
            )
    found.append(
        at("discovery", "a gzip body of nine codings", encoded("gzip" + ", gzip" * 8, zipped), "misconfigured")
    )
    line = b"X-One: two\r\n"
    many = line * (100 * 1024 // len(line))
    for sentence, answer in (
        ("100 KiB of headers", OK + many + b"Content-Length: 2\r\n\r\n{}"),
        (
            "100 KiB of interim answers",
            b"HTTP/1.1 103 Early Hints\r\n" + many + b"\r\n" + OK + b"Content-Length: 2\r\n\r\n{}",
        ),
        ("100 KiB of trailers", OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"{}") + b"0\r\n" + many + b"\r\n"),
    ):
        found.append(
            at("device", sentence, lambda exchange, answer=answer: exchange.send(answer), "issuer_unreachable")
        )
    found.append(at("device", "HTTP/0.9", lambda exchange: exchange.send(b'{"user_code":"A"}'), "issuer_unreachable"))
    found.append(
        at(
            "device",
            "HTTP/2 without being asked",
            lambda exchange: exchange.send(b"HTTP/2 200\r\n\r\n{}"),
            "issuer_unreachable misconfigured",
        )
    )
    found.append(
        at(
            "device",
            "a negative length",
            lambda exchange: exchange.send(OK + b"Content-Length: -1\r\n\r\n{}"),
            "issuer_unreachable misconfigured",
        )
    )
    found.append(
        at(
            "device",
            "a length of 10^30",
            lambda exchange: exchange.send(OK + b"Content-Length: 1" + b"0" * 30 + b"\r\n\r\n{}"),
            "issuer_unreachable misconfigured",
        )
    )
    return found


SLOW = {
    "a byte a second": drip(OK + b"Content-Length: 1000\r\n\r\n{", b" ", 1),
    "a header line a second": drip(OK, b"X-One: two\r\n", 1),
    "an interim answer a second": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 1),
    "silence": silent,
}


# ---- JSON ----

BODIES = {
    "HTML": b"<!DOCTYPE html><html><body>Sign in</body></html>",
    "nothing": b"",
    "a list": b"[]",
    "null": b"null",
    "a number": b"1",
    "JSON nested 100,000 deep": b'{"a":' + b"[" * 100000 + b"]" * 100000 + b"}",
    "objects nested 20,000 deep": b'{"a":' * 20000 + b"1" + b"}" * 20000,
    "an open bracket 100,000 times": b"[" * 100000,
}
CHANGES = {
    "a member twice": lambda text: b'{"issuer":1,"keys":1,"device_code":"a","id_token":"a","sub":"a",' + text[1:],
    "a NUL in a string": lambda text: text[:-1] + b',"x":"a\\u0000b"}',
    "a NUL byte in a string": lambda text: text[:-1] + b',"x":"a\0b"}',
    "a NUL in a name": lambda text: text[:-1] + b',"a\\u0000b":1}',
    "bytes that are no UTF-8": lambda text: text[:-1] + b',"x":"\xff\xfe"}',
    "overlong UTF-8": lambda text: text[:-1] + b',"x":"\xc0\xaf"}',
    "a surrogate in UTF-8": lambda text: text[:-1] + b',"x":"\xed\xa0\x80"}',
    "half a surrogate pair": lambda text: text[:-1] + b',"x":"\\ud800"}',
    "a number of 400 digits": lambda text: text[:-1] + b',"x":' + b"9" * 400 + b"}",
    "a number beyond every exponent": lambda text: text[:-1] + b',"x":1e999999}',
    "something behind its end": lambda text: text + b"{}",
    "a byte order mark": lambda text: b"\xef\xbb\xbf" + text,
    "UTF-16": lambda text: text.decode().encode("utf-16"),
    "a comment": lambda text: b"/* */" + text,
    "its end missing": lambda text: text[:-1],
}


def with_status(status):
    """The right answer, where there may be one, under another status."""
    return lambda exchange: exchange.answer(b"" if status in (204, 304) else exchange.right(), status)


def bodies():
    found = []
    for endpoint in ENDPOINTS:
        for sentence, data in BODIES.items():
            # The longest of them are too long for a discovery document.
            too_long = " issuer_unreachable" if endpoint == "discovery" and len(data) > 100000 else ""
            found.append(at(endpoint, sentence, body(data), ends_of(endpoint) + too_long))
        for sentence, change in CHANGES.items():
            found.append(at(endpoint, sentence, text_of(change), ends_of(endpoint)))
        for status in (201, 204, 206, 304, 400, 404, 418):
            found.append(
                at(
                    endpoint,
                    f"HTTP {status}",
                    with_status(status),
                    ends_of(endpoint, token="misconfigured", userinfo="misconfigured"),
                )
            )
    return found


def jwk(exchange, **changes):
    return {**exchange.right()["keys"][0], **changes}


def key_sets():
    """What is published as keys. The token is signed with the right one: only the key set's faults keep it out."""

    def keys(make):
        return lambda exchange: exchange.answer({"keys": make(exchange)})

    wide = base64.urlsafe_b64encode(b"\xff" * 16384).rstrip(b"=").decode()
    rows = {
        "5,000 keys": lambda e: [jwk(e, kid=str(i)) for i in range(5000)],
        "65 keys": lambda e: [jwk(e, kid=str(i)) for i in range(64)] + [jwk(e)],
        "no key": lambda e: [],
        "no key that is one": lambda e: [1, None, "x", [], {}],
        "a modulus of 131,072 bits": lambda e: [jwk(e, n=wide)],
        "a modulus of 512 bits": lambda e: [jwk(e, n=jwk(e)["n"][:86])],
        "an empty modulus": lambda e: [jwk(e, n="")],
        "an exponent of 1": lambda e: [jwk(e, e="AQ")],
        "an even exponent": lambda e: [jwk(e, e="Ag")],
        "an exponent of 100,000 bits": lambda e: [jwk(e, e=wide[:16000] + "AQAB")],
        "a kid of 64 KiB": lambda e: [jwk(e, kid="k" * 65536)],
        "a kid that is a list": lambda e: [jwk(e, kid=["one"])],
        "the same kid twice": lambda e: [jwk(e), jwk(e, e="Aw")],
        "the same kid 60 times": lambda e: [jwk(e) for _ in range(60)],
        "keys for encryption": lambda e: [jwk(e, use="enc")],
        "a symmetric key": lambda e: [{"kty": "oct", "kid": "one", "k": jwk(e)["n"]}],
        "another key of that name": lambda e: [jwk(e, n=jwk(e)["n"][::-1][:-1] + "w")],
        "a key for another algorithm": lambda e: [jwk(e, alg="PS512")],
        "a published private part": lambda e: [jwk(e, d="AQAB")],
        "a modulus in padded base64": lambda e: [jwk(e, n=jwk(e)["n"] + "==")],
    }
    found = [
        at("keys", sentence, keys(make), "issuer_unreachable expired token_invalid") for sentence, make in rows.items()
    ]
    for sentence, value in (("an object", {}), ("a string", "x"), ("null", None), ("a number", 1)):
        found.append(at("keys", f"keys is {sentence}", body({"keys": value}), ends_of("keys")))
    return found


# ---- the device grant ----


def paced(first, later=0, polls=0):
    """The first poll comes so many seconds after the code, and later ones so many after the one before; so many come at
    least."""

    def check(attempt, provider):
        times = [time for time in provider.times.get("token", []) if time > provider.times["device"][-1]]
        gaps = [after - before for before, after in zip([provider.times["device"][-1], *times], times)]
        if any(gap < (later if number else first) for number, gap in enumerate(gaps)):
            return f"polled {', '.join(f'{gap:.1f}' for gap in gaps)} s apart"
        return None if len(times) >= polls else f"polled {len(times)} times"

    return check


def shows(field, right):
    """What is shown must be right."""
    return lambda attempt, provider: None if right(attempt.show) else f"{field} is {attempt.show[field]!r}"


def devices():
    found = []

    def refused(sentence, **changes):
        found.append(at("device", sentence, members(**changes), "misconfigured", requests=("token", 0)))

    pending = body({"error": "authorization_pending"}, 400)
    # Whatever is no whole number of seconds above 0 is 5 s (RFC 8628, section 3.2).
    for sentence, interval in (
        ("0", 0),
        ("-1", -1),
        ("-10^18", -(10**18)),
        ("1.5", 1.5),
        ("0.001", 0.001),
        ("a string", "1"),
        ("missing", None),
        ("10^9", 10**9),
        ("10^18", 10**18),
        ("a list", [1]),
        ("true", True),
    ):
        found.append(
            Attack(
                f"interval {sentence}",
                "shown",
                linger=6.5,
                check=paced(4.9),
                faults={"device": members(interval=interval), "token": pending},
            )
        )
    for sentence, life in (
        ("0", 0),
        ("-1", -1),
        ("1.5", 1.5),
        ("a string", "600"),
        ("missing", None),
        ("-10^18", -(10**18)),
        ("a list", [600]),
    ):
        refused(f"expires_in {sentence}", expires_in=life)
    found.append(Attack("expires_in 10^18", "shown", linger=0, faults={"device": members(expires_in=10**18)},
        check=shows("expires_in", lambda shown: int(shown["expires_in"]) <= 20 * PATIENCE / 3)))
    refused("expires_in 10^30", expires_in=10**30)
    for sentence, code in (
        ("empty", ""),
        ("of 5,000 bytes", "d" * 5000),
        ("of 200,000 bytes", "d" * 200000),
        ("a number", 5),
        ("missing", None),
        ("with a newline", "d\nX: y"),
        ("with a space", "d d"),
        ("of other scripts", "\u0430" * 20),
    ):
        refused(f"device_code {sentence}", device_code=code)
    for sentence, code in (
        ("empty", ""),
        ("of 33 bytes", "A" * 33),
        ("of 100,000 bytes", "A" * 100000),
        ("a list", ["A"]),
        ("missing", None),
    ):
        refused(f"user_code {sentence}", user_code=code)
    for name in ("verification_uri", "verification_uri_complete"):
        for sentence, url in (
            ("javascript:", "javascript:alert(document.cookie)//https://clinic.okta.example"),
            ("data:", "data:text/html,<script>"),
            *URLS[:-1],
        ):
            refused(f"{name} with {sentence}", **{name: url})
    # An address on another host is the issuer's choice (RFC 8628 knows no rule, and some have a short one); but what
    # the QR code holds leads where the address beside it does.
    found.append(Attack("verification_uri on another host", "shown", linger=0, faults={"device": members(
        verification_uri="https://short.example/go", verification_uri_complete=None)},
        check=shows("url", lambda shown: shown["url"] == shown["complete"] == "https://short.example/go")))
    for sentence, url in (
        ("another host", "https://evil.example/activate?user_code=WDJB-MJHT"),
        ("another port", f"https://x.{DOMAIN}:{PORT + 1}/"),
    ):
        found.append(Attack(f"verification_uri_complete on {sentence} than verification_uri", "shown", linger=0,
                            faults={"device": members(verification_uri_complete=url)},
                            check=shows("complete", lambda shown: shown["complete"] == shown["url"])))
    return found


def tokens():
    found = []

    def error(name, status=400, **headers):
        return body({"error": name}, status, [(key.replace("_", "-"), value) for key, value in headers.items()])

    found.append(at("token", "a storm of slow_down", error("slow_down"), "expired", timeout=15, check=paced(0.95, 5.9)))
    found.append(
        at(
            "token",
            "authorization_pending for ever",
            error("authorization_pending"),
            "expired",
            timeout=6,
            check=paced(0.95, 0.95),
        )
    )
    for sentence, headers in (
        ("Retry-After 0", {"Retry_After": "0"}),
        ("Retry-After -1", {"Retry_After": "-1"}),
        ("Retry-After 10^30", {"Retry_After": "1" + "0" * 30}),
        ("Retry-After 10^18", {"Retry_After": "1" + "0" * 18}),
        ("Retry-After in the year 9999", {"Retry_After": "Fri, 31 Dec 9999 23:59:59 GMT"}),
        ("X-Rate-Limit-Reset 10^18", {"X_Rate_Limit_Reset": "1" + "0" * 18}),
        ("X-Rate-Limit-Reset 0", {"X_Rate_Limit_Reset": "0"}),
        ("X-Rate-Limit-Reset -5", {"X_Rate_Limit_Reset": "-5"}),
        ("X-Rate-Limit-Reset that is no number", {"X_Rate_Limit_Reset": "soon"}),
    ):
        for status in (429, 503):
            found.append(
                at(
                    "token",
                    f"HTTP {status} with {sentence}",
                    error("x", status, **headers),
                    "expired",
                    timeout=6,
                    check=paced(0.95, 0.95),
                )
            )
    # However empty a bucket is said to be, the next poll comes after the interval of 1 s and 13 to 26 s. Whatever is odd counts
    # as absent.
    shared = {"X_Rate_Limit_Limit": "2000", "X_Rate_Limit_Remaining": "0"}
    for sentence, ease, headers in (
        ("a bucket that is always empty", 12, shared),
        ("a bucket that is empty for ever", 12, {**shared, "X_Rate_Limit_Reset": "9" * 12}),
        ("a bucket that was filled in 1970", 12, {**shared, "X_Rate_Limit_Reset": "1"}),
        ("a bucket and a Date in the year 9999",
         12, {**shared, "X_Rate_Limit_Reset": str(int(time.time()) + 30), "Date": "Fri, 31 Dec 9999 23:59:59 GMT"}),
        ("an empty bucket of 10^12 - 1", 12, {"X_Rate_Limit_Limit": "9" * 12, "X_Rate_Limit_Remaining": "0"}),
        ("an empty bucket of 10^18", 0, {"X_Rate_Limit_Limit": "1" + "0" * 18, "X_Rate_Limit_Remaining": "0"}),
        ("more than all remaining", 0, {"X_Rate_Limit_Limit": "2000", "X_Rate_Limit_Remaining": "2001"}),
        ("a bucket of nothing", 0, {"X_Rate_Limit_Limit": "0", "X_Rate_Limit_Remaining": "0"}),
        ("a bucket below nothing", 0, {"X_Rate_Limit_Limit": "-2000", "X_Rate_Limit_Remaining": "-5"}),
        ("two buckets in one header", 0, {"X_Rate_Limit_Limit": "2000, 2000", "X_Rate_Limit_Remaining": "0, 0"}),
        ("two buckets in two headers", 0, {**shared, "x_rate_limit_limit": "2000", "x_rate_limit_remaining": "0"}),
        ("a bucket that is no number", 0, {"X_Rate_Limit_Limit": "2e3", "X_Rate_Limit_Remaining": "0x0"}),
        ("a bucket without a size", 0, {"X_Rate_Limit_Remaining": "0"}),
    ):
        found.append(
            at(
                "token",
                f"authorization_pending with {sentence}",
                error("authorization_pending", **headers),
                "expired",
                timeout=45 if ease else 12,
                check=paced(0.95, 0.95 + ease, 2 if ease else 4),
            )
        )
    said = b'{"error":"authorization_pending"}'
    late = (
        b"HTTP/1.1 103 Early Hints\r\nX-Rate-Limit-Limit: 2000\r\nX-Rate-Limit-Remaining: 2000\r\n\r\n"
        b"HTTP/1.1 400 Bad Request\r\nX-Rate-Limit-Limit: 2000\r\nX-Rate-Limit-Remaining: 0\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(said), said)
    )
    found.append(
        at(
            "token",
            "authorization_pending with an empty bucket, behind an interim answer with a full one",
            lambda exchange: exchange.send(late),
            "expired",
            timeout=45,
            check=paced(0.95, 12.95, 2),
        )
    )
    pending = error("authorization_pending")
    drained = [(name.replace("_", "-"), value) for name, value in shared.items()]
    found.append(
        Attack(
            "device: a bucket that is always empty",
            "expired",
            timeout=45,
            check=paced(12.95, 0.95, 2),
            faults={"device": lambda exchange: exchange.answer(exchange.right(), headers=drained), "token": pending},
        )
    )
    found.append(
        at(
            "device",
            "HTTP 429 with Retry-After 10^18",
            error("x", 429, Retry_After="1" + "0" * 18),
            "too_many_codes issuer_unreachable",
        )
    )
    for sentence, changes in (
        ("token_type mac", {"token_type": "mac"}),
        ("token_type missing", {"token_type": None}),
        ("token_type a list", {"token_type": ["Bearer"]}),
        ("no ID token", {"id_token": None}),
        ("an ID token that is a list", {"id_token": ["x"]}),
        ("an ID token of 70,000 bytes", {"id_token": "e" * 70000}),
        ("an ID token with a newline", {"id_token": "e\ny"}),
        ("an access token of 20,000 bytes", {"access_token": "a" * 20000}),
        ("an access token with a newline", {"access_token": "a\r\nHost: evil.example"}),
        ("an access token with spaces", {"access_token": "a b"}),
        ("another access token than the ID token's", {"access_token": "b" * 30}),
    ):
        found.append(at("token", sentence, members(**changes), "token_invalid"))
    found.append(
        at("token", "a member of 300,000 bytes more", members(x="y" * 300000), "issuer_unreachable expired", timeout=5)
    )
    found.append(
        at(
            "token",
            "50,000 members more",
            lambda exchange: exchange.answer({**exchange.right(), **{f"m{i}": i for i in range(50000)}}),
            "issuer_unreachable expired",
            timeout=5,
        )
    )
    found.append(at("userinfo", "about somebody else", members(sub="00u-somebody-else"), "token_invalid"))
    found.append(at("userinfo", "about nobody", members(sub=None), "token_invalid"))
    found.append(
        at(
            "userinfo",
            "a member of 300,000 bytes more",
            members(x="y" * 300000),
            "issuer_unreachable expired",
            timeout=6,
        )
    )
    return found


# ---- text ----

TEXTS = {
    "ESC": "\x1b[2J\x1b[1;1H",
    "an eight-bit CSI": "\x9b2J",
    "a link (OSC 8)": "\x1b]8;;https://evil.example\x07WDJB\x1b]8;;\x07",
    "the clipboard (OSC 52)": "\x1b]52;c;ZWNobyBoZWxsbwo=\x07",
    "a title": "\x1b]0;root@ward3\x07",
    "an eight-bit OSC": "\x9d0;x\x9c",
    "DCS": "\x1bP$q\x1b\\",
    "a newline": "AB\nprovisiond[1]: root: admitted as root",
    "a carriage return": "AB\rApproved",
    "CR and LF": "AB\r\nX: y",
    "backspaces": "AB\b\b\b\bCD",
    "a bell": "A\x07",
    "a tab": "A\tB",
    "DEL": "A\x7f",
    "a bidi override": "\u202eABCD",
    "a bidi isolate": "\u2066AB\u2069",
    "a line separator": "A\u2028B",
    "no-break and zero-width spaces": "A\u00a0B\u200b",
    "look-alikes": "\u0410\u0412\u0421\u0415",
    "combining marks": "A\u0301" * 12,
    "tags": "A\U000e0041",
    "a byte order mark": "\ufeffAB",
    "100,000 letters": "A" * 100000,
}


def texts():
    """What an issuer says goes to a log, or comes to a person, as printable ASCII or not at all."""
    found = []
    for sentence, text in TEXTS.items():
        refused = [
            ("user_code", "device", members(user_code=text)),
            ("verification_uri", "device", members(verification_uri=f"https://clinic.okta.example/{text}")),
            (
                "verification_uri_complete",
                "device",
                members(verification_uri_complete=f"https://clinic.okta.example/?user_code={text}"),
            ),
            (
                "error_description instead of a code",
                "device",
                body({"error": "invalid_scope", "error_description": text}, 400),
            ),
            ("error instead of a code", "device", body({"error": text, "error_description": "x"}, 400)),
            ("errorSummary instead of a code", "device", body({"errorCode": text, "errorSummary": text}, 403)),
            (
                "error_description instead of a token",
                "token",
                body({"error": "invalid_client", "error_description": text}, 401),
            ),
            ("error instead of a token", "token", body({"error": text}, 400)),
            ("issuer", "discovery", members(issuer=f"https://{text}")),
            ("token_endpoint", "discovery", members(token_endpoint=f"https://{text}")),
        ]
        for field, endpoint, fault in refused:
            found.append(at(endpoint, f"{field} with {sentence}", fault, "misconfigured"))
        found.append(at("userinfo", f"sub with {sentence}", members(sub=text), "token_invalid"))
    for field in ("user_code", "verification_uri"):
        literal = "%s%n%99999d$(id)`id`" if field == "user_code" else "https://clinic.okta.example/%25s%25n$(id)"
        field_shown = "code" if field == "user_code" else "url"
        found.append(
            at(
                "device",
                f"{field} with formats and commands",
                members(**{field: literal, "verification_uri_complete": None}),
                "shown",
                linger=0,
                check=shows(field_shown, lambda shown, field=field_shown, literal=literal: shown[field] == literal),
            )
        )
    return found


# ---- slowness ----


def dawdlers():
    """Every way of being slow."""
    unreachable, ever = "issuer_unreachable", "issuer_unreachable expired"
    endless = flood(OK + b"Transfer-Encoding: chunked\r\n\r\n1;x=", b"a" * 65536, limit=1 << 40)
    trailers = flood(
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"{}") + b"0\r\n", b"X-One: two\r\n" * 4096, limit=1 << 40
    )
    found = [
        at(endpoint, sentence, fault, ever, timeout=12) for endpoint in ENDPOINTS for sentence, fault in SLOW.items()
    ]
    found += [at(endpoint, sentence, fault, ever, timeout=12) for endpoint in ENDPOINTS for sentence, fault in (
        ("an endless chunk extension", endless), ("endless trailers", trailers))]
    found += [
        Attack("a handshake that never comes", unreachable, raw=shake_no_hands),
        Attack(
            "a key exchange with numbers of 10,000 bits", unreachable, context=lambda host: finite_field(host, 10000)
        ),
        Attack("a connection that is never accepted", unreachable, port=PORT + 1),
        Attack("a name server that never answers", unreachable, known=False),
    ]
    return found
