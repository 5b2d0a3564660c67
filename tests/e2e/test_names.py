"""Public keys, and names that were only promised: sshd sees an entry, but nobody gets in by it."""

from harness import cases, expect, expect_equal, expect_not_in, test
from ssh_keys import KEYS, give_key, ssh_with_key

@test("a public key for a name that was only promised is refused", sshd=KEYS, tags={"ssh"})
def promised(m):
    give_key(m, "alice")
    before = m.account_files()
    done = ssh_with_key(m, "alice")
    expect(done.returncode != 0, f"ssh with a key for a promised name fails; it said {done.stdout}")
    expect_not_in("alice\n", done.stdout, "the output")
    m.log.wait_for("sshd.*alice")
    m.expect_nothing_changed(before)
    expect_equal(m.issuer.requests("device"), 0, "codes asked for")


@test("a public key for an account works, and asks nobody at Okta", sshd=KEYS, tags={"ssh"})
def account(m):
    m.sign_in("alice")
    give_key(m, "alice")
    codes = m.issuer.requests("device")
    done = ssh_with_key(m, "alice")
    expect_equal((done.returncode, done.stdout), (0, "alice\n"), f"ssh with a key ({done.stderr})")
    expect_equal(m.issuer.requests("device"), codes, "codes asked for")


@test("with provisiond stopped a key for a promised name gives nothing, one for an account still works", sshd=KEYS, tags={"ssh"})
def without_provisiond(m):
    m.sign_in("alice")
    give_key(m, "alice", "bob")
    m.provisiond.stop()
    expect(ssh_with_key(m, "bob").returncode != 0, "bob, who was only promised, is refused")
    done = ssh_with_key(m, "alice")
    expect_equal((done.returncode, done.stdout), (0, "alice\n"), f"alice's key ({done.stderr})")


@cases([
    ("a name with a slash", "../../etc/passwd"), ("a name with a colon", "alice:x:0:0"), ("a name with a percent sign", "%l"),
    ("a name with a space", "alice bob"), ("a name of 33 bytes", "a" * 33), ("a name in upper case", "ALICE"),
    ("a name with a newline", "alice\nroot"), ("a name that begins with a dash", "-alice"),
    ("a name in another script", "\u0430lice"), ("a name of 300 bytes", "a" * 300), ("a name of 60000 bytes", "a" * 60000),
    ("an email of 60000 bytes", "a" * 60000 + "@clinic.example"),
], tags={"ssh"})
def strange(m, name):
    """Typed at ssh: no code, no account, no crash; and the next person signs in."""
    before = m.account_files()
    done = m.run("ssh", "-F", "/dev/null", "-o", "BatchMode=yes", "-l", name, "localhost", "true")
    expect(done.returncode != 0, "ssh fails")
    m.expect_nothing_changed(before)
    expect_equal(m.issuer.requests("device"), 0, "codes asked for")
    expect(m.provisiond.running() and m.pam_oidcd.running(), "both daemons are there")
    m.sign_in("alice")


@test("nobody but sshd sees a promised name", tags={"ssh"})
def only_sshd(m):
    for command in (["getent", "passwd", "alice"], ["id", "alice"], ["getent", "passwd", str(m.promised_uid("alice"))]):
        done = m.run(*command)
        expect(done.returncode != 0 and not done.stdout, f"{command} finds nothing: {done.stdout}")
