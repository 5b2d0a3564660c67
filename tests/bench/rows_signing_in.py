"""From the start of PAM to the code on the screen, and how often the issuer is asked for a sign-in."""

import subprocess

import peers
from bench import EQUAL, Row, measure, pairs_of, pairs_row, ratio_at_most

SERVICE = "measured"


def start(m, interval=1):
    """Everything but sshd, with limits that do not stand in the way, and a PAM service with nothing but our module."""
    m.start_issuer()
    m.issuer.settings(interval=interval)
    limits = "max_pending = 4096\nmax_pending_per_address = 1000\nmax_pending_per_account = 1000\nmax_starts_per_minute = 1000"
    m.configure(m.standard_configuration(login=limits))
    m.start_provisiond()
    m.start_pam_oidcd()
    with open(f"/etc/pam.d/{SERVICE}", "w") as service:
        service.write("".join(f"{phase} required /run/sandbox/product/pam_oidc.so{' wait=info' if phase == 'auth' else ''}\n"
                              for phase in ("auth", "account", "session")))


def endpoint(m, name):
    return f"{m.issuer.issuer}/oauth2/v1/{name}"


def curl(m):
    """One device code, whole process, no discovery: the endpoint is known to it."""
    return [
        "curl", "-q", "-s", "-f", "--cacert", m.issuer.ca, "-d", "client_id=clinic-app", "-d", "scope=openid profile email",
        endpoint(m, "device/authorize"),
    ]


def oidc_child(m, what):
    """With its endpoints told, so that it needs no discovery."""
    return [
        peers.OIDC_CHILD, what,
        f"--device-auth-endpoint={endpoint(m, 'device/authorize')}", f"--token-endpoint={endpoint(m, 'token')}",
        f"--userinfo-endpoint={endpoint(m, 'userinfo')}", f"--jwks-uri={endpoint(m, 'keys')}", "--client-id=clinic-app",
        "--scope=openid profile email", f"--ca-db={m.issuer.ca}",
    ]


@measure("sign-in", ["code on screen, warm, against oidc_child", "code on screen, warm, against curl"], needs_peers=True)
def code_warm(m, quick):
    start(m)
    rounds = 15 if quick else 200
    for name, command in (("oidc_child", oidc_child(m, "--get-device-code")), ("curl", curl(m))):
        pairs_of("code_on_screen", SERVICE, "alice", 3, *command)  # discovery, and everybody's files in memory
        pairs = pairs_of("code_on_screen", SERVICE, "alice", rounds, *command)
        yield pairs_row(f"code on screen, warm, against {name}", pairs, "ms", ratio_at_most(0.25), scale=0.001)


def curl_with_discovery(m):
    """Discovery and the device code in one process and over one connection."""
    usual = ["-q", "-s", "-f", "--cacert", m.issuer.ca]
    return [
        "curl", *usual, f"{m.issuer.issuer}/.well-known/openid-configuration?client_id=clinic-app",
        "--next", *curl(m)[2:],
    ]


def oidc_child_with_discovery(m):
    return [
        peers.OIDC_CHILD, "--get-device-code", f"--issuer-url={m.issuer.issuer}", "--client-id=clinic-app",
        "--scope=openid profile email", f"--ca-db={m.issuer.ca}",
    ]


FIRST_CURL = "code on screen, first since the start, against curl with discovery"
FIRST_CHILD = "code on screen, first since the start, against oidc_child with discovery"


@measure("sign-in", [FIRST_CURL, FIRST_CHILD], needs_peers=True)
def code_first(m, quick):
    start(m)
    rounds = 5 if quick else 40
    peers_rows = (
        (FIRST_CURL, curl_with_discovery(m), ratio_at_most(1.5)),
        (FIRST_CHILD, oidc_child_with_discovery(m), None),
    )
    for name, command, goal in peers_rows:
        pairs = []
        for _ in range(rounds):
            m.pam_oidcd.stop()
            m.start_pam_oidcd()
            pairs += pairs_of("code_on_screen", SERVICE, "alice", 1, *command)
        yield pairs_row(name, pairs, "ms", goal, scale=0.001)


class SignIn:
    """One sign-in through PAM in a process of its own."""

    def __init__(self, user):
        self.process = subprocess.Popen(
            ["/run/sandbox/product/tests/bench/sign_in", SERVICE, user], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        )
        self.code = self._told("code")

    def _told(self, what):
        line = self.process.stdout.readline()
        if not line.startswith(f"{what} "):
            raise RuntimeError(f"the sign-in said {line!r} instead of its {what}")
        return line.split(" ", 1)[1].strip()

    def session_us(self):
        """When the session was open, on CLOCK_MONOTONIC."""
        when = float(self._told("session"))
        self.process.wait()
        return when


TRIPS = (("before the code", 1), ("after the approval", 1), ("after the approval, thin token", 2))


def trips(what):
    return f"round trips to the issuer, warm, {what}"


@measure("sign-in", [trips(what) for what, _ in TRIPS])
def round_trips(m, quick):
    """What the protocol cannot do without: the device code; the poll that brings the token; userinfo for a thin token."""
    start(m)
    once(m)  # discovery and keys
    for thin in (False, True):
        m.issuer.settings(thin=thin)
        for part, (what, least) in zip(once(m), TRIPS[2:] if thin else TRIPS):
            yield Row(trips(what), "requests", part, least, goal=EQUAL)


def asked(m):
    """How often the issuer was asked so far, the test's own control left out."""
    return sum(count for endpoint, count in m.issuer.requests().items() if endpoint not in ("control", "other"))


def once(m):
    """How many requests one sign-in costs: (before the code, after the approval); only the latter when the token is thin."""
    before = asked(m)
    signin = SignIn("alice")
    shown = asked(m)
    m.issuer.approve(signin.code, "alice")
    signin.session_us()
    done = asked(m)
    return (done - shown,) if m.issuer.state()["settings"].get("thin") else (shown - before, done - shown)
