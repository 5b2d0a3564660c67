"""Hostile issuers: whatever an issuer, or the network in front of it, answers, it gets nobody in and nothing out, it takes no more
of the daemon's time and memory than the bounds allow, and who signs in elsewhere does not notice.

Each attack is a tenant of its own in one configuration, so that they run at once, in one daemon, while somebody signs in at a
good one.
"""

import base64
import concurrent.futures
import copy
import gzip
import os
import pty
import random
import re
import select
import signal
import ssl
import subprocess
import threading
import time
import zlib

import hostile
import pam
from harness import PATIENCE, count, expect, expect_equal, figure, test
from hostile import DOMAIN, PORT, body, cut, drip, encoded, flood, members, silent, text_of
from machine import PAM_OIDCD_SOCKET, PRODUCT
from wire import Connection, Server

SECTION = "hostile issuer"
ENDPOINTS = ("discovery", "keys", "device", "token", "userinfo")
AT_ONCE = 100


class Attempt:
    """One sign-in by way of the socket, as the module asks for it: every message that came, and when."""

    def __init__(self, name, timeout=25, on_show=None, linger=None):
        self.messages = []
        began = time.monotonic()
        self.shown_after = self.took = None
        with Connection(PAM_OIDCD_SOCKET, 40 * PATIENCE) as connection:
            connection.send(("op", "login"), ("name", name), ("service", "su"), ("tty", "pts/0"), ("rhost", "198.51.100.7"),
                            ("qr", "utf8"), ("wait", "info"), ("timeout", timeout))
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
    """One hostile provider, and how a sign-in there must go: `ends` are the outcomes that are right. check(attempt, provider) says
    what is wrong all the same. linger: seconds to look on after the code is shown, instead of waiting for an end."""

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
        text = m.standard_configuration(login="max_pending = 1000\nunlimited_from = 198.51.100.0/24", tenant="username = %l.%t")
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
        attempt = Attempt("alice@clinic.example", 110, on_show=lambda show: self.m.issuer.approve(show["code"], "alice"))
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


def ends_of(endpoint, discovery="misconfigured", keys="issuer_unreachable expired", device="misconfigured", token="token_invalid", userinfo="token_invalid"):
    """How a sign-in ends when this endpoint answers amiss. Keys that cannot be had are waited for until the end."""
    return {"discovery": discovery, "keys": keys, "device": device, "token": token, "userinfo": userinfo}[endpoint]


def at(endpoint, sentence, fault, ends, **options):
    """An attack by what one endpoint answers."""
    timeout = options.pop("timeout", 5 if endpoint == "keys" else 25)
    return Attack(f"{endpoint}: {sentence}", ends, timeout=timeout, faults={endpoint: fault}, thin=endpoint == "userinfo", **options)


# ---- redirects ----


def redirects():
    found = []
    for endpoint in ENDPOINTS:
        path = {value: key for key, value in hostile.ENDPOINTS.items()}[endpoint]
        for status in (301, 302, 307, 308):
            for where, target in (("another host", f"https://trap.{DOMAIN}:{PORT}{path}"), ("http", f"http://trap.{DOMAIN}:8080{path}"),
                                  ("file:", "file:///etc/passwd"), ("itself", path)):
                ends = ends_of(endpoint, token="misconfigured", userinfo="misconfigured")
                limit = None if endpoint == "keys" else (endpoint, 2 if endpoint == "discovery" else 1)
                found.append(at(endpoint, f"HTTP {status} to {where}", body(b"", status, [("Location", target)]), ends, requests=limit))
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
        signer = host.authority.certificate(["signer." + DOMAIN], extensions="basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature")
        return hostile.tls(host.authority.certificate(names, signer=signer, chain=open(signer[1]).read()))

    def too_deep(host):
        first = host.authority.certificate(["first." + DOMAIN], extensions="basicConstraints=critical,CA:TRUE,pathlen:0")
        second = host.authority.certificate(["second." + DOMAIN], extensions="basicConstraints=critical,CA:TRUE", signer=first)
        chain = open(second[1]).read() + open(first[1]).read()
        return hostile.tls(host.authority.certificate(names, signer=second, chain=chain))

    def constrained(host):
        signer = host.authority.certificate(["signer." + DOMAIN],
                                            extensions="basicConstraints=critical,CA:TRUE\nnameConstraints=critical,permitted;DNS:elsewhere.example")
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


def big_numbers(host):
    """A key exchange for which the client would have to raise numbers of 10,000 bits to a power."""

    def integer(number):
        octets = number.to_bytes(number.bit_length() // 8 + 1, "big")
        return b"\x02" + (bytes([len(octets)]) if len(octets) < 128 else b"\x82" + len(octets).to_bytes(2, "big")) + octets

    inner = integer((1 << 9999) | random.Random(1).getrandbits(9998) << 1 | 1) + integer(2)
    path = f"{host.authority.folder}/dh.pem"
    with open(path, "w") as file:
        file.write("-----BEGIN DH PARAMETERS-----\n" + base64.encodebytes(b"\x30\x82" + len(inner).to_bytes(2, "big") + inner).decode() +
                   "-----END DH PARAMETERS-----\n")
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
        Attack("a key exchange with numbers of 10,000 bits", unreachable, context=big_numbers),
        Attack("ciphers without forward secrecy", unreachable, context=lambda host: hostile.tls(
            host.authority.certificate([f"*.{DOMAIN}"], key=("rsa", "2048")), highest=ssl.TLSVersion.TLSv1_2, ciphers="kRSA")),
        Attack("HTTP without TLS", unreachable, raw=say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")),
        Attack("a redirect without TLS", unreachable, raw=say(f"HTTP/1.1 302 Found\r\nLocation: http://trap.{DOMAIN}:8080/\r\n\r\n".encode())),
        Attack("another protocol", unreachable, raw=say(b"220 mail.hostile.example ESMTP\r\n")),
        Attack("noise instead of TLS", unreachable, raw=say(bytes(range(256)) * 256)),
        Attack("a record of TLS without an end", unreachable, raw=say(b"\x16\x03\x03\xff\xff" + b"\2\xff\xff\xff" * 20000)),
        Attack("warnings of TLS without an end", unreachable, raw=say(b"\x15\x03\x03\x00\x02\x01\x5a" * 100000)),
        Attack("a handshake that never comes", unreachable, raw=shake_no_hands),
        Attack("a connection that is closed at once", unreachable, raw=lambda provider, connection: None),
    ]
    for endpoint in ENDPOINTS:
        ends = ends_of(endpoint, *["issuer_unreachable expired"] * 5)
        for sentence, fault in (("cut in mid-body", cut(20)), ("cut in mid-chunk", cut(20, chunked=True)), ("cut where nothing says how long", cut(20, length=False))):
            wrong_as_well = " misconfigured token_invalid" if "nothing" in sentence else ""
            found.append(at(endpoint, sentence, fault, ends + wrong_as_well, timeout=5))
    return found


# ---- discovery ----

URLS = (
    ("http:", f"http://trap.{DOMAIN}:8080/x"), ("file:", "file:///etc/shadow"), ("ftp:", f"ftp://trap.{DOMAIN}:8080/x"),
    ("gopher:", f"gopher://trap.{DOMAIN}:8080/x"), ("dict:", f"dict://trap.{DOMAIN}:8080/x"), ("no scheme", f"trap.{DOMAIN}:{PORT}/x"),
    ("a path alone", "/keys"), ("a user in it", f"https://alice@trap.{DOMAIN}:{PORT}/x"),
    ("a user and a password in it", f"https://clinic.okta.example:x@trap.{DOMAIN}:{PORT}/x"),
    ("a newline in it", f"https://trap.{DOMAIN}:{PORT}/x\r\nHost: evil.example"), ("an escape sequence in it", f"https://trap.{DOMAIN}:{PORT}/\x1b[2J"),
    ("a space in it", f"https://trap.{DOMAIN}:{PORT}/a b"), ("a backslash in it", f"https://clinic.okta.example\\@trap.{DOMAIN}:{PORT}/"),
    ("a fragment in it", f"https://trap.{DOMAIN}:{PORT}/#x"), ("letters of other scripts in it", f"https://tr\u0430p.{DOMAIN}:{PORT}/x"),
    ("an escaped host", f"https://trap%2e{DOMAIN}:{PORT}/x"), ("a host that ends in an escaped NUL", f"https://trap.{DOMAIN}%00.x:{PORT}/x"),
    ("two ports", f"https://trap.{DOMAIN}:{PORT}:{PORT}/x"), ("a port that is none", f"https://trap.{DOMAIN}:99999/x"), ("no host", "https:///x"),
    ("4,096 bytes", f"https://trap.{DOMAIN}:{PORT}/" + "x" * 4096), ("nothing in it", ""),
)


def discoveries():
    members_of = {"device": "device_authorization_endpoint", "token": "token_endpoint", "keys": "jwks_uri", "userinfo": "userinfo_endpoint"}
    found = [at("discovery", f"{name} with {sentence}", members(**{name: url}), "misconfigured")
             for name in members_of.values() for sentence, url in URLS]
    found += [at("discovery", f"{name} that is {sentence}", members(**{name: value}), "misconfigured")
              for name in members_of.values() for sentence, value in (("a number", 7), ("a list", [f"https://trap.{DOMAIN}"]), ("an object", {}))]
    found += [at("discovery", f"the issuer is {sentence}", members(issuer=value), "misconfigured") for sentence, value in (
        ("another", f"https://trap.{DOMAIN}:{PORT}"), ("missing", None), ("empty", ""), ("a number", 1), ("a list", ["https://x0.hostile.example:8443"]),
        ("the good tenant's", "https://clinic.okta.example"), ("http", f"http://x0.{DOMAIN}:{PORT}"), ("64 KiB long", "https://" + "x" * 65536))]
    found += [at("discovery", f"the issuer with {sentence}", lambda exchange, change=change: exchange.answer(
        {**exchange.right(), "issuer": change(exchange.right()["issuer"])}), "misconfigured") for sentence, change in (
        ("a slash behind it", lambda issuer: issuer + "/"), ("another case", lambda issuer: issuer.upper()), ("a space behind it", lambda issuer: issuer + " "),
        ("a path behind it", lambda issuer: issuer + "/oauth2/default"))]
    # Endpoints may be on other hosts (Discovery 1.0, section 3, and some providers' are), but TLS has to agree to each of them.
    for name in ("token_endpoint", "device_authorization_endpoint"):
        found.append(at("discovery", f"{name} on a port without TLS", members(**{name: "https://localhost:22/x"}), "issuer_unreachable expired", timeout=6))
        found.append(at("discovery", f"{name} at a name that the certificate does not hold", members(**{name: f"https://localhost:{PORT}/x"}),
                        "issuer_unreachable expired", timeout=6))
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
        big("endless interim answers", flood(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 1024, limit=1 << 40))
        big("an endless chunk extension", flood(OK + b"Transfer-Encoding: chunked\r\n\r\n1;x=", b"a" * 65536, limit=1 << 40))
        big("endless trailers", flood(OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"{}") + b"0\r\n", b"X-One: two\r\n" * 4096, limit=1 << 40))
        # Some versions of libcurl decode it, up to our bound, others hand it over as it is, and later ones refuse it.
        found.append(at(endpoint, "a gzip bomb as a transfer coding", encoded("gzip, chunked", lambda data: chunk(zipped(data)) + b"0\r\n\r\n", True),
                        ends + " " + ends_of(endpoint), timeout=5))
    undecoded = {"gzip": zipped, "x-gzip": zipped, "deflate": bomb(zlib.compress), "br": stored_brotli}
    for coding, encode in undecoded.items():
        for endpoint in ENDPOINTS:
            found.append(at(endpoint, f"a {coding} {'body' if coding == 'br' else 'bomb'}", encoded(coding, encode), ends_of(endpoint)))
    found.append(at("discovery", "a gzip body of nine codings", encoded("gzip" + ", gzip" * 8, zipped), "misconfigured"))
    found.append(at("device", "HTTP/0.9", lambda exchange: exchange.send(b'{"user_code":"A"}'), "issuer_unreachable"))
    found.append(at("device", "HTTP/2 without being asked", lambda exchange: exchange.send(b"HTTP/2 200\r\n\r\n{}"), "issuer_unreachable misconfigured"))
    found.append(at("device", "a negative length", lambda exchange: exchange.send(OK + b"Content-Length: -1\r\n\r\n{}"), "issuer_unreachable misconfigured"))
    found.append(at("device", "a length of 10^30", lambda exchange: exchange.send(OK + b"Content-Length: 1" + b"0" * 30 + b"\r\n\r\n{}"),
                    "issuer_unreachable misconfigured"))
    return found


SLOW = {
    "a byte a second": drip(OK + b"Content-Length: 1000\r\n\r\n{", b" ", 1),
    "a header line a second": drip(OK, b"X-One: two\r\n", 1),
    "an interim answer a second": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 1),
    "silence": silent,
}


# ---- JSON ----

BODIES = {
    "HTML": b"<!DOCTYPE html><html><body>Sign in</body></html>", "nothing": b"", "a list": b"[]", "null": b"null", "a number": b"1",
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
            fault = lambda exchange, status=status: exchange.answer(exchange.right(), status) if status not in (204, 304) else exchange.answer(b"", status)
            found.append(at(endpoint, f"HTTP {status}", fault, ends_of(endpoint, token="misconfigured", userinfo="misconfigured")))
    return found


def jwk(exchange, **changes):
    return {**exchange.right()["keys"][0], **changes}


def key_sets():
    """What is published as keys. The token is signed with the right one, so that only the key set's faults keep it out."""

    def keys(make):
        return lambda exchange: exchange.answer({"keys": make(exchange)})

    wide = base64.urlsafe_b64encode(b"\xff" * 16384).rstrip(b"=").decode()
    rows = {
        "5,000 keys": lambda e: [jwk(e, kid=str(i)) for i in range(5000)],
        "65 keys": lambda e: [jwk(e, kid=str(i)) for i in range(64)] + [jwk(e)],
        "no key": lambda e: [], "no key that is one": lambda e: [1, None, "x", [], {}],
        "a modulus of 131,072 bits": lambda e: [jwk(e, n=wide)], "a modulus of 512 bits": lambda e: [jwk(e, n=jwk(e)["n"][:86])],
        "an empty modulus": lambda e: [jwk(e, n="")], "an exponent of 1": lambda e: [jwk(e, e="AQ")], "an even exponent": lambda e: [jwk(e, e="Ag")],
        "an exponent of 100,000 bits": lambda e: [jwk(e, e=wide[:16000] + "AQAB")], "a kid of 64 KiB": lambda e: [jwk(e, kid="k" * 65536)],
        "a kid that is a list": lambda e: [jwk(e, kid=["one"])], "the same kid twice": lambda e: [jwk(e), jwk(e, e="Aw")],
        "the same kid 60 times": lambda e: [jwk(e) for _ in range(60)], "keys for encryption": lambda e: [jwk(e, use="enc")],
        "a symmetric key": lambda e: [{"kty": "oct", "kid": "one", "k": jwk(e)["n"]}], "another key of that name": lambda e: [jwk(e, n="z" + jwk(e)["n"][1:])],
        "a key for another algorithm": lambda e: [jwk(e, alg="PS512")], "a published private part": lambda e: [jwk(e, d="AQAB")],
        "a modulus in padded base64": lambda e: [jwk(e, n=jwk(e)["n"] + "==")],
    }
    found = [at("keys", sentence, keys(make), "issuer_unreachable expired token_invalid") for sentence, make in rows.items()]
    for sentence, value in (("an object", {}), ("a string", "x"), ("null", None), ("a number", 1)):
        found.append(at("keys", f"keys is {sentence}", body({"keys": value}), ends_of("keys")))
    return found


# ---- the device grant ----


def paced(first, later=0):
    """The first poll comes so many seconds after the code, and later ones so many after the one before."""

    def check(attempt, provider):
        times = [time for time in provider.times.get("token", []) if time > provider.times["device"][-1]]
        gaps = [after - before for before, after in zip([provider.times["device"][-1], *times], times)]
        if any(gap < (later if number else first) for number, gap in enumerate(gaps)):
            return f"polled {', '.join(f'{gap:.1f}' for gap in gaps)} s apart"
        return None

    return check


def devices():
    found = []

    def refused(sentence, **changes):
        found.append(at("device", sentence, members(**changes), "misconfigured", requests=("token", 0)))

    pending = body({"error": "authorization_pending"}, 400)
    # Whatever is no whole number of seconds above 0 is 5 s (RFC 8628, section 3.2).
    for sentence, interval in (("0", 0), ("-1", -1), ("-10^18", -(10**18)), ("1.5", 1.5), ("0.001", 0.001), ("a string", "1"), ("missing", None), ("10^9", 10**9),
                               ("10^18", 10**18), ("a list", [1]), ("true", True)):
        found.append(Attack(f"interval {sentence}", "shown", linger=6.5, check=paced(4.9), faults={"device": members(interval=interval), "token": pending}))
    for sentence, life in (("0", 0), ("-1", -1), ("1.5", 1.5), ("a string", "600"), ("missing", None), ("-10^18", -(10**18)), ("a list", [600])):
        refused(f"expires_in {sentence}", expires_in=life)
    found.append(Attack("expires_in 10^18", "shown", linger=0, faults={"device": members(expires_in=10**18)}, timeout=20, check=lambda attempt, provider: None if int(
        attempt.show["expires_in"]) <= 20 else f"{attempt.show['expires_in']} s are shown"))
    refused("expires_in 10^30", expires_in=10**30)
    for sentence, code in (("empty", ""), ("of 5,000 bytes", "d" * 5000), ("of 200,000 bytes", "d" * 200000), ("a number", 5), ("missing", None),
                           ("with a newline", "d\nX: y"), ("with a space", "d d"), ("of other scripts", "\u0430" * 20)):
        refused(f"device_code {sentence}", device_code=code)
    for sentence, code in (("empty", ""), ("of 33 bytes", "A" * 33), ("of 100,000 bytes", "A" * 100000), ("a list", ["A"]), ("missing", None)):
        refused(f"user_code {sentence}", user_code=code)
    for name in ("verification_uri", "verification_uri_complete"):
        for sentence, url in (("javascript:", "javascript:alert(document.cookie)//https://clinic.okta.example"), ("data:", "data:text/html,<script>"), *URLS[:-1]):
            refused(f"{name} with {sentence}", **{name: url})
    # An address on another host is the issuer's choice (RFC 8628 knows no rule, and some have a short one); but what the QR code
    # holds leads where the address beside it does.
    found.append(Attack("verification_uri on another host", "shown", linger=0, faults={"device": members(
        verification_uri="https://short.example/go", verification_uri_complete=None)},
        check=lambda attempt, provider: None if (attempt.show["url"], attempt.show["complete"]) == ("https://short.example/go",) * 2 else str(attempt.show)))
    for sentence, url in (("another host", "https://evil.example/activate?user_code=WDJB-MJHT"), ("another port", f"https://x.{DOMAIN}:{PORT + 1}/")):
        found.append(Attack(f"verification_uri_complete on {sentence} than verification_uri", "shown", linger=0,
                            faults={"device": members(verification_uri_complete=url)},
                            check=lambda attempt, provider: None if attempt.show["complete"] == attempt.show["url"] else f"shown: {attempt.show['complete']}"))
    return found


def tokens():
    found = []

    def error(name, status=400, **headers):
        return body({"error": name}, status, [(key.replace("_", "-"), value) for key, value in headers.items()])

    found.append(at("token", "a storm of slow_down", error("slow_down"), "expired", timeout=15, check=paced(0.95, 5.9)))
    found.append(at("token", "authorization_pending for ever", error("authorization_pending"), "expired", timeout=6, check=paced(0.95, 0.95)))
    for sentence, headers in (("Retry-After 0", {"Retry_After": "0"}), ("Retry-After -1", {"Retry_After": "-1"}), ("Retry-After 10^30", {"Retry_After": "1" + "0" * 30}),
                              ("Retry-After 10^18", {"Retry_After": "1" + "0" * 18}), ("Retry-After in the year 9999", {"Retry_After": "Fri, 31 Dec 9999 23:59:59 GMT"}),
                              ("X-Rate-Limit-Reset 10^18", {"X_Rate_Limit_Reset": "1" + "0" * 18}), ("X-Rate-Limit-Reset 0", {"X_Rate_Limit_Reset": "0"}),
                              ("X-Rate-Limit-Reset -5", {"X_Rate_Limit_Reset": "-5"}), ("X-Rate-Limit-Reset that is no number", {"X_Rate_Limit_Reset": "soon"})):
        for status in (429, 503):
            found.append(at("token", f"HTTP {status} with {sentence}", error("x", status, **headers), "expired", timeout=6, check=paced(0.95, 0.95)))
    found.append(at("device", "HTTP 429 with Retry-After 10^18", error("x", 429, Retry_After="1" + "0" * 18), "too_many_codes issuer_unreachable"))
    for sentence, changes in (
        ("token_type mac", {"token_type": "mac"}), ("token_type missing", {"token_type": None}), ("token_type a list", {"token_type": ["Bearer"]}),
        ("no ID token", {"id_token": None}), ("an ID token that is a list", {"id_token": ["x"]}), ("an ID token of 70,000 bytes", {"id_token": "e" * 70000}),
        ("an ID token with a newline", {"id_token": "e\ny"}), ("an access token of 20,000 bytes", {"access_token": "a" * 20000}),
        ("an access token with a newline", {"access_token": "a\r\nHost: evil.example"}), ("an access token with spaces", {"access_token": "a b"}),
        ("another access token than the ID token's", {"access_token": "b" * 30}),
    ):
        found.append(at("token", sentence, members(**changes), "token_invalid"))
    found.append(at("token", "a member of 300,000 bytes more", members(x="y" * 300000), "issuer_unreachable expired", timeout=5))
    found.append(at("token", "50,000 members more", lambda exchange: exchange.answer({**exchange.right(), **{f"m{i}": i for i in range(50000)}}),
                    "issuer_unreachable expired", timeout=5))
    found.append(at("userinfo", "about somebody else", members(sub="00u-somebody-else"), "token_invalid"))
    found.append(at("userinfo", "about nobody", members(sub=None), "token_invalid"))
    found.append(at("userinfo", "a member of 300,000 bytes more", members(x="y" * 300000), "issuer_unreachable expired", timeout=6))
    return found


# ---- text ----

TEXTS = {
    "ESC": "\x1b[2J\x1b[1;1H", "an eight-bit CSI": "\x9b2J", "a link (OSC 8)": "\x1b]8;;https://evil.example\x07WDJB\x1b]8;;\x07",
    "the clipboard (OSC 52)": "\x1b]52;c;ZWNobyBoZWxsbwo=\x07", "a title": "\x1b]0;root@ward3\x07", "an eight-bit OSC": "\x9d0;x\x9c", "DCS": "\x1bP$q\x1b\\",
    "a newline": "AB\nprovisiond[1]: root: admitted as root", "a carriage return": "AB\rApproved", "CR and LF": "AB\r\nX: y", "backspaces": "AB\b\b\b\bCD",
    "a bell": "A\x07", "a tab": "A\tB", "DEL": "A\x7f", "a bidi override": "\u202eABCD", "a bidi isolate": "\u2066AB\u2069", "a line separator": "A\u2028B",
    "no-break and zero-width spaces": "A\u00a0B\u200b", "look-alikes": "\u0410\u0412\u0421\u0415", "combining marks": "A\u0301" * 12, "tags": "A\U000e0041",
    "a byte order mark": "\ufeffAB", "100,000 letters": "A" * 100000,
}


def texts():
    """What an issuer says goes to a log, or comes to a person, as printable ASCII or not at all."""
    found = []
    for sentence, text in TEXTS.items():
        refused = [
            ("user_code", "device", members(user_code=text)), ("verification_uri", "device", members(verification_uri=f"https://clinic.okta.example/{text}")),
            ("verification_uri_complete", "device", members(verification_uri_complete=f"https://clinic.okta.example/?user_code={text}")),
            ("error_description instead of a code", "device", body({"error": "invalid_scope", "error_description": text}, 400)),
            ("error instead of a code", "device", body({"error": text, "error_description": "x"}, 400)),
            ("errorSummary instead of a code", "device", body({"errorCode": text, "errorSummary": text}, 403)),
            ("error_description instead of a token", "token", body({"error": "invalid_client", "error_description": text}, 401)),
            ("error instead of a token", "token", body({"error": text}, 400)), ("issuer", "discovery", members(issuer=f"https://{text}")),
            ("token_endpoint", "discovery", members(token_endpoint=f"https://{text}")),
        ]
        for field, endpoint, fault in refused:
            found.append(at(endpoint, f"{field} with {sentence}", fault, "misconfigured"))
        found.append(at("userinfo", f"sub with {sentence}", members(sub=text), "token_invalid"))
    for field in ("user_code", "verification_uri"):
        literal = "%s%n%99999d$(id)`id`" if field == "user_code" else "https://clinic.okta.example/%25s%25n$(id)"
        shown = "code" if field == "user_code" else "url"
        found.append(at("device", f"{field} with formats and commands", members(**{field: literal, "verification_uri_complete": None}), "shown", linger=0,
                        check=lambda attempt, provider, shown=shown, literal=literal: None if attempt.show[shown] == literal else attempt.show[shown]))
    return found


# ---- the tests ----


def wave(m, name, attacks):
    scene = Scene(m, attacks)
    alone = [scene.sign_in() for _ in range(3)]
    before = m.pam_oidcd.private_kib()
    scene.turn_hostile()
    beside = scene.attack()
    figure(f"hostile issuers ({name}, {len(attacks)} at once): the code of a good tenant, alone", median(shown for shown, _ in alone) * 1000, "ms")
    figure(f"hostile issuers ({name}, {len(attacks)} at once): the code of a good tenant, beside them", median(shown for shown, _ in beside) * 1000, "ms",
           extra=f"  (median of {len(beside)}; worst {max(shown for shown, _ in beside) * 1000:.0f} ms)")
    figure(f"hostile issuers ({name}): memory of pam_oidcd before, afterwards", before / 1024, "MiB",
           extra=f" -> {m.pam_oidcd.private_kib() / 1024:.4g} MiB; {peak_kib(m) / 1024:.4g} MiB at most")
    scene.judge()
    return scene


@test("redirects, false certificates, old TLS, none at all, and answers that are cut: nobody gets in", start=False, seconds=240)
def transport(m):
    wave(m, "transport", redirects() + transports())


@test("discovery documents with other issuers and with endpoints at odd places: nobody gets in, and nothing goes there", start=False, seconds=240)
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
    figure("hostile issuers: what an endless answer brought at most, socket buffers included", max(attack.provider.most for attack in attacks) / MIB, "MiB",
           TAKEN_MAX / MIB)
    expect(peak_kib(m) < 1 << 20 or os.environ.get("E2E_SSHD_ASAN"), f"pam_oidcd had {peak_kib(m)} KiB at most")


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


@test("text with escape sequences, controls and other scripts reaches neither a person nor the log", start=False, seconds=300)
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
        if not re.fullmatch(rb"[ -~\r\n]*", written) or b"Sign-in with Okta is not set up correctly" not in written.replace(b"\r\n", b" "):
            problems.append(f"{attack.sentence}, on the console: {written!r}")

    some = [attack for attack in scene.attacks if attack.sentence.startswith(("device", "discovery"))]
    together([(converse, attack) for attack in scene.attacks if attack.ends != {"shown"}] +
             [(sit_at_console, attack) for attack in some if attack.sentence.endswith(("ESC", "(OSC 52)", "a newline", "CSI"))], 24)
    expect(not problems, "\n".join(problems))
    for command in (["setpriv", "--reuid=_pam_oidc", "--regid=_pam_oidc", "--clear-groups", f"{PRODUCT}/pam_oidcd", "check"],
                    ["provisionctl", "list"]):
        done = subprocess.run(command, capture_output=True, timeout=60 * PATIENCE)
        expect(re.fullmatch(rb"[ -~\n]*", done.stdout + done.stderr), f"{' '.join(command)} prints {done.stdout + done.stderr!r}")
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
    usual = {"url": "https://clinic.okta.example/activate", "complete": "https://clinic.okta.example/activate?user_code=A", "code": "WDJBMJHT",
             "expires_in": 60, "tenant": "clinic", "host": "ward3", "resumed": 0, "qr": "\u2588\n"}
    lies = [(field, text) for field in ("url", "complete", "code", "tenant", "host", "qr", "text") for text in TEXTS.values() if len(text) < 1000]

    def lie():
        for field, text in lies:
            with server.accept() as connection:
                connection.receive()
                if field != "text":
                    connection.send(("status", "show"), *{**usual, field: text}.items())
                connection.send(("status", "refused"), ("reason", "denied"), ("text", text if field == "text" else "Refused."), ("quiet", 0))
                connection.receive()

    threading.Thread(target=lie, daemon=True).start()
    for field, text in lies:
        said = conversation("sudo", "alice@clinic.example")
        expect(re.fullmatch(SHOWABLE, said), f"{field} = {text!r} reaches the application as {said!r}")
        expect(field == "text" or "Refused." in said, f"{field} = {text!r} does not hide the refusal: {said!r}")
    for line in m.log.lines:
        expect(re.fullmatch(r"[ -~]*", line), f"only printable ASCII is in the log: {line!r}")


def dawdlers():
    """Every way of being slow."""
    unreachable, ever = "issuer_unreachable", "issuer_unreachable expired"
    endless = flood(OK + b"Transfer-Encoding: chunked\r\n\r\n1;x=", b"a" * 65536, limit=1 << 40)
    trailers = flood(OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"{}") + b"0\r\n", b"X-One: two\r\n" * 4096, limit=1 << 40)
    found = [at(endpoint, sentence, fault, ever, timeout=12) for endpoint in ENDPOINTS for sentence, fault in SLOW.items()]
    found += [at(endpoint, sentence, fault, ever, timeout=12) for endpoint in ENDPOINTS for sentence, fault in (
        ("an endless chunk extension", endless), ("endless trailers", trailers))]
    found += [
        Attack("a handshake that never comes", unreachable, raw=shake_no_hands),
        Attack("a key exchange with numbers of 10,000 bits", unreachable, context=big_numbers),
        Attack("a connection that is never accepted", unreachable, port=PORT + 1),
        Attack("a name server that never answers", unreachable, known=False),
    ]
    return found


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
    figure(f"slow tenants: the code of a good tenant, beside {len(attacks)} of them", median(shown for shown, _ in beside.values()) * 1000, "ms",
           extra=f"  (median of {len(beside)}; worst {beside[worst][0] * 1000:.1f} ms beside {worst})")
    figure("slow tenants: a whole sign-in, without them", median(took for _, took in alone), "s")
    figure("slow tenants: a whole sign-in, beside them", median(took for _, took in beside.values()), "s",
           extra=f"  (worst {max(took for _, took in beside.values()):.2f} s)")
    figure("slow tenants: memory of pam_oidcd before, afterwards", before / 1024, "MiB", extra=f" -> {m.pam_oidcd.private_kib() / 1024:.4g} MiB")
    scene.judge()


@test("keys that are withdrawn, and a discovery document that changes under way, let nobody in by the old ones", start=False, seconds=400)
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
    # A document that names another place is followed (it is the issuer that says so); one that names a forbidden one is not.
    changes = [Attack(f"discovery: a document that changes to {sentence}", "admitted", timeout=110, faults={"discovery": document(**change), "token": until_asked})
               for sentence, change in (("a token endpoint of http", {"token_endpoint": f"http://trap.{DOMAIN}:8080/token"}),
                                        ("a token endpoint in a file", {"token_endpoint": "file:///etc/shadow"}),
                                        ("another issuer", {"issuer": trap, "token_endpoint": f"{trap}/token", "jwks_uri": f"{trap}/keys"}),
                                        ("keys without TLS", {"jwks_uri": f"http://trap.{DOMAIN}:8080/keys"}),
                                        ("nothing", {"token_endpoint": None, "jwks_uri": None}))]
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
