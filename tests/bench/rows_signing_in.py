"""From the start of PAM to the code on the screen, and how often the issuer is asked for a sign-in."""

import peers
from bench import measure, pairs_of, pairs_row, ratio_at_most

SERVICE = "measured"


def start(m, interval=1):
    """Everything but sshd, with limits that do not stand in the way, and a PAM service with nothing but our module."""
    m.start_issuer()
    m.issuer.settings(interval=interval)
    m.configure(m.standard_configuration(login="max_pending = 4096\nmax_pending_per_address = 1000\nmax_pending_per_account = 1000\n"
                                               "max_starts_per_minute = 1000"))
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
        peers.OIDC_CHILD, what, f"--device-auth-endpoint={endpoint(m, 'device/authorize')}", f"--token-endpoint={endpoint(m, 'token')}",
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
