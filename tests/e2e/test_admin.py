"""What an administrator asks: is the configuration right, does Okta answer, who has an account, who is waiting."""

import json
import re

from harness import cases, expect, expect_equal, expect_in, expect_not_in, test
from machine import CONFIG, PRODUCT


def pam_oidcd(m, *arguments):
    return m.run("setpriv", "--reuid=_pam_oidc", "--regid=_pam_oidc", "--clear-groups", f"{PRODUCT}/pam_oidcd", *arguments)


@test("pam_oidcd -t and provisiond -t call a right configuration right and say nothing else")
def right(m):
    for done in (pam_oidcd(m, "-t"), m.run(f"{PRODUCT}/provisiond", "-t")):
        expect_equal(done.returncode, 0, f"exit status ({done.stdout}{done.stderr})")


@test("pam_oidcd check finds discovery, keys and a device code in order, and leaves the code to expire")
def dry_run(m):
    before = m.issuer.requests("device")
    done = pam_oidcd(m, "check")
    expect_equal(done.returncode, 0, f"exit status ({done.stdout}{done.stderr})")
    expect_equal(m.issuer.requests("device"), before + 1, "device codes asked for")
    expect_equal(m.issuer.requests("token"), 0, "polls")
    expect_in("clinic", done.stdout + done.stderr, "the findings")


@cases([(f"pam_oidcd check names what is wrong: {word}", fault, says) for word, fault, says in (
    ("the grant is not ticked", ("device", {"row": "unauthorized_client"}), "Device Authorization"),
    ("the client is not known", ("device", {"row": "invalid_client_id"}), "client_id"),
    ("a scope is not configured", ("device", {"row": "invalid_scope"}), "scope"),
    ("the keys are away", ("keys", {"row": "server_error_500"}), "keys"),
    ("the discovery document is away", ("discovery", {"row": "not_found"}), "openid-configuration"),
    ("the discovery document is no JSON", ("discovery", {"body": "<html>"}), "discovery"),
)])
def dry_run_finds(m, fault, says):
    endpoint, values = fault
    m.issuer.fault(endpoint, times=-1, **values)
    done = pam_oidcd(m, "check")
    expect_equal(done.returncode, 1, f"exit status ({done.stdout}{done.stderr})")
    expect_in(says, done.stdout + done.stderr, "the findings")


@test("provisionctl list and show tell what was made, as a table and as JSON")
def accounts(m):
    m.sign_in("alice")
    m.sign_in("bob")
    uid = m.passwd("alice")[2]
    listed = m.run("provisionctl", "list", check=True).stdout
    for word in ("alice", "bob", "alice@clinic.example", "Alice Aranda", "active"):
        expect_in(word, listed, "provisionctl list")
    shown = m.run("provisionctl", "show", "alice", check=True).stdout
    for word in (uid, "00u1alice0000000Clin", m.issuer.issuer, "/home/alice"):
        expect_in(word, shown, "provisionctl show alice")
    as_json = json.loads(m.run("provisionctl", "list", "--json", check=True).stdout)
    text = json.dumps(as_json)
    expect_in('"alice@clinic.example"', text, "provisionctl list --json")
    expect_equal(json.loads(m.run("provisionctl", "show", "alice", "--json", check=True).stdout)["name"], "alice", "the name in JSON")
    expect_equal(m.run("provisionctl", "show", "carol").returncode, 1, "the exit status for who is not on record")


@test("provisionctl pending shows who waits, from where, and nothing once they are gone")
def pending(m):
    expect_equal(m.run("provisionctl", "pending").returncode, 1, "the exit status when nobody waits")
    screen = m.ssh("alice")
    code = m.code_on(screen)
    shown = m.run("provisionctl", "pending", check=True).stdout
    for word in ("alice", "sshd", "127.0.0.1", "clinic"):
        expect_in(word, shown, "provisionctl pending")
    expect_not_in(code, shown, "provisionctl pending")
    screen.press("C-c")
    m.wait_for_idle()
    expect_equal(m.run("provisionctl", "pending").returncode, 1, "the exit status when nobody waits any more")


@test("provisionctl says who may use it, and that a daemon is not there")
def refusals(m):
    done = m.run("setpriv", "--reuid=localuser", "--regid=localuser", "--clear-groups", f"{PRODUCT}/provisionctl", "list")
    expect_equal(done.returncode, 4, f"the exit status for a local user ({done.stderr})")
    m.provisiond.stop()
    done = m.run("provisionctl", "list")
    expect_equal(done.returncode, 3, f"the exit status without provisiond ({done.stderr})")
    expect_in("provisiond", done.stderr, "what it says")


@test("the log tells who signed in, from where and as whom, and holds neither codes nor tokens")
def log(m):
    screen = m.ssh("alice")
    code = m.approve_on(screen)
    screen.enter()
    m.wait_for_shell(screen, "alice")
    (one,) = m.issuer.state()["codes"]
    m.log.wait_for("pam_oidcd.*alice.*127.0.0.1")
    m.log.wait_for("provisiond.*alice.*account made")
    text = m.log.text()
    expect_not_in(code, text, "the log")
    expect_not_in(one["device_code"], text, "the log")
    expect(not re.search(r"eyJ[A-Za-z0-9_-]{10}", text), "no token is in the log")


@test("an attacker's typed name reaches the log escaped")
def log_escapes(m):
    m.run("ssh", "-F", "/dev/null", "-o", "BatchMode=yes", "-l", "al\x1b[31mice\nprovisiond[1]: root: admitted", "localhost", "true")
    m.run("pamtester", "login", "al\x1b[31mice", "authenticate", input="x\n")
    for line in m.log.lines:
        expect(not re.match(r"(pam_oidcd|provisiond).*\x1b", line), f"no control character in {line!r}")
        expect(not line.startswith("provisiond[1]"), f"no forged line: {line!r}")


@test("the configuration and what is needed beside it are found where the manual says")
def places(m):
    expect_in(CONFIG, pam_oidcd(m, "--help").stdout, "pam_oidcd --help")
    expect_in(CONFIG, m.run(f"{PRODUCT}/provisiond", "--help").stdout, "provisiond --help")
