"""A host full of OpenID providers that misbehave, each in one way: in TLS, in HTTP, or in what they answer.

One listening socket serves them all; a provider is known by its host name. Without a fault each is a whole provider
that signs everybody in. Knows nothing of pam_oidc.
"""

import base64
import hashlib
import http.client
import json
import os
import re
import socket
import ssl
import struct
import subprocess
import threading
import time
import urllib.parse

DOMAIN = "hostile.example"
PORT = 8443
CLIENT = "hostile-app"
ENDPOINTS = {
    "/.well-known/openid-configuration": "discovery",
    "/keys": "keys",
    "/device": "device",
    "/token": "token",
    "/userinfo": "userinfo",
}


def openssl(*words, input=None):
    return subprocess.run(["openssl", *words], input=input, capture_output=True, check=True).stdout


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Authority:
    """A certificate authority of openssl's, and what it or somebody in its stead has signed."""

    def __init__(self, folder, name="Hostile CA"):
        self.folder = folder
        self.count = 0
        os.makedirs(folder, exist_ok=True)
        openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", f"{folder}/ca.key")
        openssl(
            "req",
            "-x509",
            "-new",
            "-key",
            f"{folder}/ca.key",
            "-subj",
            f"/CN={name}",
            "-days",
            "30",
            "-out",
            f"{folder}/ca.pem",
            "-addext",
            "basicConstraints=critical,CA:TRUE",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
        )
        self.pem = f"{folder}/ca.pem"

    def certificate(
        self,
        names,
        start=None,
        end=None,
        signer=None,
        extensions="",
        chain="",
        key=("ec", "prime256v1"),
        digest="sha256",
    ):
        """Paths of a key and a chain for these names. signer: (key, certificate) instead of the authority's own. start
        and end are YYYYMMDDHHMMSSZ."""
        self.count += 1
        place = f"{self.folder}/{self.count}"
        os.makedirs(f"{place}.db")
        open(f"{place}.db/index", "w").close()
        if key[0] == "ec":
            openssl("ecparam", "-genkey", "-name", key[1], "-noout", "-out", f"{place}.key")
        else:
            openssl("genrsa", "-out", f"{place}.key", key[1])
        signer_key, signer_certificate = signer or (f"{self.folder}/ca.key", self.pem)
        now = time.time()
        start = start or time.strftime("%Y%m%d%H%M%SZ", time.gmtime(now - 86400))
        end = end or time.strftime("%Y%m%d%H%M%SZ", time.gmtime(now + 20 * 86400))
        alternative = ",".join(f"DNS:{name}" for name in names)
        with open(f"{place}.cnf", "w") as file:
            file.write(f"""[ca]
default_ca = here
[here]
database = {place}.db/index
new_certs_dir = {place}.db
rand_serial = yes
default_md = {digest}
policy = any
unique_subject = no
[any]
commonName = optional
[extensions]
subjectAltName = {alternative}
{extensions}
""")
        openssl("req", "-new", "-key", f"{place}.key", "-subj", f"/CN={names[0]}", "-out", f"{place}.csr")
        openssl(
            "ca",
            "-batch",
            "-config",
            f"{place}.cnf",
            "-extensions",
            "extensions",
            "-notext",
            "-in",
            f"{place}.csr",
            "-out",
            f"{place}.crt",
            "-keyfile",
            signer_key,
            "-cert",
            signer_certificate,
            "-startdate",
            start,
            "-enddate",
            end,
        )
        with open(f"{place}.pem", "w") as file:
            file.write(open(f"{place}.crt").read() + chain)
        return f"{place}.key", f"{place}.pem"

    def self_signed(self, names):
        self.count += 1
        place = f"{self.folder}/{self.count}"
        openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", f"{place}.key")
        openssl(
            "req",
            "-x509",
            "-new",
            "-key",
            f"{place}.key",
            "-subj",
            f"/CN={names[0]}",
            "-days",
            "30",
            "-out",
            f"{place}.pem",
            "-addext",
            "subjectAltName=" + ",".join(f"DNS:{name}" for name in names),
        )
        return f"{place}.key", f"{place}.pem"


def tls(pair, lowest=ssl.TLSVersion.TLSv1_2, highest=ssl.TLSVersion.MAXIMUM_SUPPORTED, ciphers="ALL", parameters=None):
    """A server's context for the (key, chain), which has no scruples of its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = lowest, highest
    context.load_cert_chain(pair[1], pair[0])
    if parameters:
        context.load_dh_params(parameters)
    return context


class Signer:
    """One RSA key for the ID tokens of every provider."""

    def __init__(self, folder):
        self.key = f"{folder}/token.key"
        openssl("genrsa", "-out", self.key, "2048")
        modulus = openssl("rsa", "-in", self.key, "-noout", "-modulus").decode().strip().split("=")[1]
        self.jwk = {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": "one",
            "n": base64url(bytes.fromhex(modulus)),
            "e": "AQAB",
        }

    def token(self, claims, kid="one"):
        signed = ".".join(base64url(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": kid}, claims))
        return signed + "." + base64url(openssl("dgst", "-sha256", "-sign", self.key, input=signed.encode()))


class Exchange:
    """One request, and the connection on which its answer goes out. Counts what the other side was made to take."""

    def __init__(self, provider, connection, endpoint, form):
        self.provider, self.connection, self.endpoint, self.form = provider, connection, endpoint, form
        self.sent = 0

    def send(self, data):
        self.connection.sendall(data)
        self.sent += len(data)
        self.provider.most = max(self.provider.most, self.sent)

    def answer(self, body=b"", status=200, headers=(), length=True):
        """A whole answer; True, for the connection is kept."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        lines = [f"HTTP/1.1 {status} {http.client.responses.get(status, 'Odd')}"]
        if not any(name.lower() == "content-type" for name, _ in headers):
            lines.append("Content-Type: application/json")
        if length and status != 204:
            lines.append(f"Content-Length: {len(body)}")
        lines += [f"{name}: {value}" for name, value in headers]
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
        return True

    def right(self):
        """What a provider without a fault would answer, as an object."""
        return self.provider.right(self.endpoint)

    def wait(self, seconds):
        """Until the other side hangs up, at most so long."""
        self.connection.settimeout(seconds)
        try:
            while self.connection.recv(65536):
                pass
        except OSError:
            pass


class Provider:
    """One issuer. faults maps an endpoint to a function that gets the Exchange and answers it; it returns True to keep
    the connection. raw gets the TCP connection before TLS and takes it over."""

    def __init__(self, host, label, faults=None, context=None, raw=None, thin=False, port=PORT):
        self.host, self.label = host, label
        self.name = f"{label}.{DOMAIN}"
        self.issuer = f"https://{self.name}:{port}"
        self.kid = "one"
        self.faults, self.context, self.raw, self.thin = faults or {}, context, raw, thin
        self.requests = {}
        self.times = {}
        self.forms = {}
        self.met = 0  # how often the fault was in effect
        self.most = 0  # bytes of the longest answer, as far as the other side took it

    def right(self, endpoint):
        at = self.issuer
        if endpoint == "discovery":
            return {"issuer": at, "device_authorization_endpoint": f"{at}/device", "token_endpoint": f"{at}/token",
                    "jwks_uri": f"{at}/keys", "userinfo_endpoint": f"{at}/userinfo"}
        if endpoint == "keys":
            return {"keys": [self.host.signer.jwk]}
        if endpoint == "device":
            return {"device_code": "d" * 40, "user_code": "WDJB-MJHT", "verification_uri": f"{at}/activate",
                    "verification_uri_complete": f"{at}/activate?user_code=WDJB-MJHT", "expires_in": 600, "interval": 1}
        profile = {
            "sub": f"00u-{self.label}", "email": f"alice@{self.name}", "email_verified": True, "name": "Alice Aranda"
        }
        if endpoint == "userinfo":
            return profile
        now, access_token = int(time.time()), "a" * 30
        claims = {
            **({"sub": profile["sub"]} if self.thin else profile),
            "iss": at,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 3600,
            "auth_time": now,
            "jti": os.urandom(12).hex(),
            "amr": ["pwd"],
            "at_hash": base64url(hashlib.sha256(access_token.encode()).digest()[:16]),
        }
        return {
            "token_type": "Bearer",
            "expires_in": 3600,
            "access_token": access_token,
            "id_token": self.host.signer.token(claims, self.kid),
        }

    def serve(self, connection):
        stream = connection.makefile("rb")
        while True:
            line = stream.readline(65536)
            if not line:
                return
            _, path, _ = line.decode("latin-1").split(" ", 2)
            headers = http.client.parse_headers(stream)
            form = stream.read(int(headers.get("Content-Length", "0"))).decode("latin-1")
            endpoint = ENDPOINTS.get(urllib.parse.urlsplit(path).path, "other")
            self.requests[endpoint] = self.requests.get(endpoint, 0) + 1
            self.times.setdefault(endpoint, []).append(time.monotonic())
            self.forms[endpoint] = dict(urllib.parse.parse_qsl(form))
            exchange = Exchange(self, connection, endpoint, form)
            fault = self.faults.get(endpoint)
            if fault:
                self.met += 1
                if not fault(exchange):
                    return
            elif endpoint == "other":
                exchange.answer(b"", 404)
            else:
                exchange.answer(self.right(endpoint))


def server_name(hello):
    """The name that a TLS client asks for, from the bytes of its first record (RFC 8446, section 4.1.2), or ""."""
    try:
        at = 5 + 4 + 2 + 32
        at += 1 + hello[at]
        at += 2 + int.from_bytes(hello[at:at + 2], "big")
        at += 1 + hello[at]
        end = at + 2 + int.from_bytes(hello[at:at + 2], "big")
        at += 2
        while at + 4 <= end:
            kind, length = struct.unpack(">HH", hello[at:at + 4])
            if kind == 0:
                return hello[at + 9:at + 4 + length].decode()
            at += 4 + length
    except (IndexError, UnicodeDecodeError):
        pass
    return ""


class Host:
    """The machine on which they all are."""

    def __init__(self, folder="/run/sandbox/hostile"):
        self.authority = Authority(folder)
        self.signer = Signer(folder)
        self.context = tls(self.authority.certificate([f"*.{DOMAIN}"]))
        self.providers = {}
        self.plain_hits = 0
        self._listen(PORT, self._connection)

    def _listen(self, port, serve):
        listener = socket.create_server(("127.0.0.1", port), backlog=512)

        def accept():
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()

    def listen_plainly(self, port):
        """Counts who comes to a port without TLS, where nobody should."""

        def serve(connection):
            self.plain_hits += 1
            connection.close()

        self._listen(port, serve)

    def add(self, label, known=True, **options):
        """known: /etc/hosts has its name; else a name server is asked."""
        provider = Provider(self, label, **options)
        self.providers[provider.name] = provider
        if known:
            with open("/etc/hosts", "a") as file:
                file.write(f"127.0.0.1 {provider.name}\n")
        return provider

    def hang_name_server(self, provider):
        """From now on names that /etc/hosts does not have are asked of a server that never answers."""
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("127.0.0.1", 53))
        with open("/etc/resolv.conf", "w") as file:
            file.write("nameserver 127.0.0.1\n")
        with open("/etc/nsswitch.conf") as file:
            lines = [line for line in file if not line.startswith("hosts:")]
        with open("/etc/nsswitch.conf", "w") as file:
            file.write("".join(lines) + "hosts: files dns\n")

        def listen():
            while True:
                server.recv(4096)
                provider.met += 1

        threading.Thread(target=listen, daemon=True).start()

    def full_port(self, port):
        """A port that is listened to, and where connecting nevertheless hangs: its queue is full and nobody accepts."""
        self.kept = [socket.create_server(("127.0.0.1", port), backlog=0)]
        for _ in range(8):
            connection = socket.socket()
            connection.setblocking(False)
            connection.connect_ex(("127.0.0.1", port))
            self.kept.append(connection)

    def _connection(self, connection):
        try:
            connection.settimeout(60)
            hello = b""
            deadline = time.monotonic() + 20
            while len(hello) < 5 or len(hello) < 5 + int.from_bytes(hello[3:5], "big"):
                peeked = connection.recv(16384, socket.MSG_PEEK)
                if not peeked or time.monotonic() > deadline:
                    return
                if len(peeked) == len(hello):
                    time.sleep(0.01)
                hello = peeked
            provider = self.providers.get(server_name(hello))
            if provider is None:
                return
            if provider.raw:
                provider.met += 1
                provider.raw(provider, connection)
                return
            if provider.context:
                provider.met += 1
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
            with (provider.context or self.context).wrap_socket(connection, server_side=True) as wrapped:
                provider.serve(wrapped)
        except (OSError, ValueError):
            pass  # the other side had enough
        finally:
            connection.close()


# ---- faults: functions that answer an Exchange ----


def body(data, status=200, headers=()):
    """This body, bytes or an object."""
    return lambda exchange: exchange.answer(data, status, headers)


def members(**changes):
    """The right answer with these members set; None removes one."""

    def fault(exchange):
        answer = {**exchange.right(), **changes}
        return exchange.answer({name: value for name, value in answer.items() if value is not None})

    return fault


def text_of(change):
    """The right answer's text, changed by a function from bytes to bytes."""
    return lambda exchange: exchange.answer(change(json.dumps(exchange.right()).encode()))


def encoded(coding, encode, transfer=False):
    """The right answer in a content coding that nobody asked for, or a transfer coding."""

    def fault(exchange):
        data = encode(json.dumps(exchange.right()).encode())
        if transfer:
            header = f"HTTP/1.1 200 OK\r\nTransfer-Encoding: {coding}\r\nConnection: close\r\n\r\n"
            exchange.send(header.encode())
            exchange.send(data)
            return False
        return exchange.answer(data, headers=[("Content-Encoding", coding)])

    return fault


def flood(begin, piece, end=b"", limit=100 << 20, seconds=60):
    """The beginning of an answer, then one piece again and again, until the limit or until the other side hangs up."""

    def fault(exchange):
        exchange.send(begin)
        until = time.monotonic() + seconds
        sent = 0
        while sent < limit and time.monotonic() < until:
            exchange.send(piece)
            sent += len(piece)
        exchange.send(end)
        return False

    return fault


def drip(begin, piece, pause, seconds=60):
    """The same, piece by piece with pauses."""

    def fault(exchange):
        exchange.send(begin)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            exchange.send(piece)
            time.sleep(pause)
        return False

    return fault


def silent(exchange):
    exchange.wait(60)
    return False


def cut(keep, chunked=False, length=True):
    """The right answer ended in the middle, without a goodbye of TLS."""

    def fault(exchange):
        data = json.dumps(exchange.right()).encode()
        part = data[:keep]
        if chunked:
            head, part = "Transfer-Encoding: chunked", b"%x\r\n" % len(data) + part
        else:
            head = f"Content-Length: {len(data)}" if length else "Connection: close"
        exchange.send(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{head}\r\n\r\n".encode() + part)
        return False

    return fault
