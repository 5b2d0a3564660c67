"""Signing in over SSH: the first time, again, by email, without a key pressed; what the account is then."""

import os
import stat

from harness import cases, expect, expect_equal, expect_in, expect_not_in, test, wait_for
from machine import PASSWORD

SSH = {"tags": {"ssh"}}


def openssh_version(machine):
    text = machine.run("ssh", "-V").stderr
    major, minor = text.split("OpenSSH_")[1].split("p")[0].split(",")[0].split(".")[:2]
    return int(major), int(minor)


@test("a first sign-in by short name ends in a shell of the person's own new account", **SSH)
def first_sign_in(m):
    expect(m.passwd("alice") is None, "alice has no account before")
    os.makedirs("/etc/skel/Documents/forms")
    with open("/etc/skel/Documents/forms/intake.txt", "w") as form:
        form.write("name:\n")
    with open("/etc/skel/start.sh", "w") as script:
        script.write("#!/bin/sh\n")
    os.chmod("/etc/skel/start.sh", 0o755)
    os.symlink("/etc/hostname", "/etc/skel/outside")
    promised = m.promised_uid("alice")
    screen = m.ssh("alice")
    m.approve_on(screen)
    screen.enter()
    m.wait_for_shell(screen, "alice")

    row = m.passwd("alice")
    expect_equal([row[2], row[3]], [str(promised)] * 2, "uid and gid in /etc/passwd")
    expect(2000200001 <= promised <= 2147352575, f"the uid {promised} lies in uid_range")
    expect_equal(row[5:], ["/home/alice", "/bin/bash"], "home and shell")
    expect_in(f"uid={promised}(alice) gid={promised}(alice) groups={promised}(alice)", m.ask_in(screen, "id"), "id")
    expect_equal(m.ask_in(screen, "id -u; id -un; pwd").split(), [str(promised), "alice", "/home/alice"], "who and where")
    expect_equal(m.ask_in(screen, "echo $USER $LOGNAME $HOME"), "alice alice /home/alice", "the environment")
    expect_equal(m.ask_in(screen, "getent passwd alice"), ":".join(row), "getent passwd")
    expect_equal(m.ask_in(screen, f"getent group {promised}").rstrip(":"), f"alice:x:{promised}", "getent group")

    home = os.stat("/home/alice")
    expect_equal((stat.S_IMODE(home.st_mode), home.st_uid, home.st_gid), (0o700, promised, promised), "the home directory")
    for name in (".bashrc", ".profile", "Documents", "Documents/forms", "Documents/forms/intake.txt", "start.sh"):
        is_there = os.lstat(f"/home/alice/{name}")
        was_there = os.lstat(f"/etc/skel/{name}")
        expect_equal((is_there.st_uid, is_there.st_gid), (promised, promised), f"the owner of ~/{name}")
        expect_equal(is_there.st_mode & ~0o077, was_there.st_mode & ~0o077, f"the type and the owner's mode of ~/{name}")
    expect_equal(open("/home/alice/Documents/forms/intake.txt").read(), "name:\n", "a skeleton file's content")
    expect_equal(os.readlink("/home/alice/outside"), "/etc/hostname", "a link of the skeleton stays a link")
    listing = m.ask_in(screen, "ls -lan ~")
    expect_in("start.sh", listing, "ls -l ~")
    expect_not_in(" root ", m.ask_in(screen, "ls -la ~ | grep -v ' \\.\\.$'"), "everything in ~ is the person's own")

    shadow = m.shadow("alice")
    expect_equal(shadow[1], "*", "the password field in /etc/shadow")
    expect_equal(shadow[4:8], ["", "", "", ""], "ageing in /etc/shadow")
    expect_equal(m.run("pwck", "-rq").stdout.count("alice"), 0, "pwck's complaints about alice")
    expect_equal(m.run("grpck", "-rq").stdout.count("alice"), 0, "grpck's complaints about alice")


@test("the second sign-in finds the same account and its files", **SSH)
def second_sign_in(m):
    screen = m.sign_in("alice")
    uid = m.ask_in(screen, "id -u")
    m.ask_in(screen, "echo 'bed 4' > ~/notes; chmod 600 ~/notes")
    screen.enter("exit")
    screen.wait_for_end()
    before = m.account_files()
    screen = m.sign_in("alice")
    expect_equal(m.ask_in(screen, "id -u; cat ~/notes").split("\n"), [uid, "bed 4"], "uid and notes")
    m.expect_nothing_changed(before)
    expect_equal(len(m.issuer.state()["codes"]), 2, "each sign-in had a code of its own")


@test("the first attempt is enough: the ssh client asks nothing but this one prompt", **SSH)
def one_prompt(m):
    screen = m.sign_in("alice")
    text = screen.text()
    expect_equal(text.count("Press Enter once you have approved"), 1, "prompts")
    expect_not_in("assword", text, "the exchange")
    expect_not_in("denied", text, "the exchange")


@test("Enter pressed before the approval waits for it", **SSH)
def early_enter(m):
    screen = m.ssh("alice")
    m.code_on(screen)
    screen.enter()
    wait_for("two polls", lambda: m.issuer.requests("token") >= 2)
    expect(screen.ended() is None, "the sign-in is still waiting")
    m.approve_on(screen)
    m.wait_for_shell(screen, "alice")


@test("with email_over_ssh the first and the second sign-in by email reach the account, under its own name", **SSH, start=False)
def by_email(m):
    m.start_issuer()
    m.configure(m.standard_configuration(accounts="email_over_ssh = yes"))
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()
    promised = m.promised_uid("alice")
    for turn in ("first", "second"):
        screen = m.ssh("alice@clinic.example@localhost")
        m.approve_on(screen)
        screen.enter()
        m.wait_for_shell(screen, "alice")
        expect_equal(m.ask_in(screen, "id -u; id -un").split(), [str(promised), "alice"], f"the {turn} time: id")
        expect_equal(m.ask_in(screen, "echo $USER $LOGNAME $HOME"), "alice alice /home/alice", f"the {turn} time: environment")
        expect_equal(m.ask_in(screen, "id -G").split(), [str(promised)], f"the {turn} time: groups")
        screen.enter("exit")
        screen.wait_for_end()
    expect_equal(len([line for line in open("/etc/passwd") if line.startswith("alice")]), 1, "accounts of alice's")


@test("a typed email is told the short name to use, and costs Okta nothing", **SSH)
def email_refused(m):
    before = m.account_files()
    screen = m.ssh("alice@clinic.example@localhost")
    screen.wait_for_end(40)
    m.expect_nothing_changed(before)
    expect_equal(m.issuer.requests("device"), 0, "codes asked for")


@test("wait=retry signs in with no key pressed", **SSH)
def wait_retry(m):
    m.set_pam_arguments("sshd", "wait=retry")
    screen = m.ssh("alice")
    m.approve_on(screen)
    m.wait_for_shell(screen, "alice", 30)
    expect_equal(m.issuer.requests("device"), 1, "codes asked for")
    expect_equal(screen.text().count("and enter "), 1, "times that the code was shown")


@test("wait=retry takes its time: nothing is lost while the person looks for the phone", **SSH)
def wait_retry_slowly(m):
    m.set_pam_arguments("sshd", "wait=retry")
    screen = m.ssh("alice")
    code = m.code_on(screen)
    wait_for("five polls", lambda: m.issuer.requests("token") >= 5)
    m.issuer.approve(code, "alice")
    m.wait_for_shell(screen, "alice", 30)
    expect_equal(m.issuer.requests("device"), 1, "codes asked for")


@test("wait=info signs in with no key pressed; from OpenSSH 10.3 the code is on the screen at once", **SSH)
def wait_info(m):
    m.set_pam_arguments("sshd", "wait=info")
    screen = m.ssh("alice")
    if openssh_version(m) >= (10, 3):
        m.approve_on(screen)
    else:
        # This sshd sends the text only with the result, so the code has to come from elsewhere.
        codes = wait_for("a code", lambda: m.issuer.state()["codes"], 20)
        m.issuer.approve(codes[0]["user_code"], "alice")
    m.wait_for_shell(screen, "alice")
    m.code_on(screen)


@test("scp and sftp work, a first time as well", **SSH)
def file_transfer(m):
    with open("/tmp/xray.txt", "w") as file:
        file.write("chest, lateral\n")
    screen = m.screen("scp", "-F", "/dev/null", "/tmp/xray.txt", "alice@localhost:")
    m.approve_on(screen)
    screen.enter()
    expect_equal(screen.wait_for_end(30), 0, "scp's exit status")
    expect_equal(open("/home/alice/xray.txt").read(), "chest, lateral\n", "the copied file")
    expect_equal(os.stat("/home/alice/xray.txt").st_uid, int(m.passwd("alice")[2]), "its owner")
    screen = m.screen("sftp", "-F", "/dev/null", "alice@localhost")
    m.approve_on(screen)
    screen.enter()
    screen.wait_for(r"^sftp> $", 20)
    screen.enter("rename xray.txt moved.txt")
    screen.enter("ls")
    screen.wait_for(r"^moved\.txt")
    screen.enter("bye")
    expect_equal(screen.wait_for_end(), 0, "sftp's exit status")


@test("a command without a terminal runs, and its exit status comes back", **SSH)
def remote_command(m):
    screen = m.ssh("alice", "id -un; exit 7")
    m.approve_on(screen)
    screen.enter()
    expect_equal(screen.wait_for_end(30), 7, "the exit status")
    screen.wait_for(r"^alice$")


@test("alice and bob sign in at the same time, each into an own account", **SSH)
def two_people(m):
    screens = {name: m.ssh(name) for name in ("alice", "bob")}
    for name, screen in screens.items():
        m.approve_on(screen, name)
    for name, screen in screens.items():
        screen.enter()
        m.wait_for_shell(screen, name)
    uids = {m.ask_in(screen, "id -u") for screen in screens.values()}
    expect_equal(len(uids), 2, "different uids")


@test("a local user's password works over SSH as before", **SSH)
def local_password(m):
    screen = m.ssh("localuser")
    screen.wait_for(r"assword: ?$", 20)
    screen.enter(PASSWORD)
    m.wait_for_shell(screen, "localuser")
    expect_not_in("Okta", screen.text(), "the exchange")
    expect_equal(m.issuer.requests("device"), 0, "codes asked for")


@test("the screen says which machine, which account, which way in and where from", **SSH)
def what_the_screen_says(m):
    screen = m.ssh("alice")
    code = m.code_on(screen)
    text = screen.text()
    expect_in("Sign in to ward3 as alice with Okta (ssh from 127.0.0.1)", text, "the screen")
    expect_in("Approve only if you yourself started this just now.", text, "the screen")
    expect_in(f"{m.issuer.issuer}/activate", text, "the screen")
    expect_in(f"{m.issuer.issuer}/activate?user_code={code}", text, "the screen")
    screen.wait_for(r"\(1 minute (4\d|50) seconds, until \d\d:\d\d:\d\d\)")


@test("an account of a bound person is found under its name by everybody, a promised one only by sshd", **SSH)
def names_elsewhere(m):
    expect_equal(m.run("getent", "passwd", "alice").returncode, 2, "getent for a promised name")
    m.sign_in("alice")
    expect_equal(m.run("getent", "passwd", "alice").returncode, 0, "getent for an account")
    expect_equal(m.run("getent", "passwd", "bob").returncode, 2, "getent for another promised name")


@cases([
    ("a thin ID token is completed from userinfo", {"thin": True}, 1),
    ("an answer without interval is polled every 5 seconds", {"interval": None}, 5),
    ("token_type in lower case is taken", {"token_type": "bearer"}, 1),
    ("a missing verification_uri_complete leaves URL and code", {"verification_uri_complete": None}, 1),
], **SSH)
def issuers_differ(m, settings, interval):
    m.issuer.settings(**settings)
    screen = m.ssh("alice")
    code = m.code_on(screen)
    wait_for("a poll", lambda: m.issuer.requests("token") >= 1)
    m.issuer.approve(code, "alice")
    screen.enter()
    m.wait_for_shell(screen, "alice", 30)
    (one,) = m.issuer.state()["codes"]
    gaps = [later - earlier for earlier, later in zip(one["poll_times"], one["poll_times"][1:])]
    expect(all(gap >= interval * 1000 - 100 for gap in gaps), f"polls at least {interval} s apart; they came after {gaps} ms")


@cases([
    ("client_secret_basic is accepted by the issuer", "clinic-basic", "basic", "basic-secret-0123456789"),
    ("client_secret_basic encodes both halves", "clinic basic:3+", "basic", "a+b c%d:e/f=g&h?i~"),
    ("client_secret_post is accepted by the issuer", "clinic-post", "post", "p+q r%s:t/u=v&w"),
], start=False)
def client_secrets(m, client_id, method, secret):
    m.start_issuer()
    m.issuer.control("clients", **{client_id: {"auth": method, "secret": secret}})
    m.write_secret("/etc/pam_oidc.secret", secret + "\n")
    m.configure(m.standard_configuration(tenant=f"client_auth = {method}\nclient_secret_file = /etc/pam_oidc.secret\n").replace(
        "client_id = clinic-app", f"client_id = {client_id}"))
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()
    m.sign_in("alice")


@cases([("private_key_jwt with an RSA key", ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
        ("private_key_jwt with a P-256 key", ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"])], start=False)
def client_assertion(m, algorithm):
    m.start_issuer()
    m.run("openssl", "genpkey", "-algorithm", *algorithm, "-out", "/tmp/key.pem", check=True)
    m.run("openssl", "pkey", "-in", "/tmp/key.pem", "-pubout", "-out", f"{m.issuer.folder}/client-jwt.pem", check=True)
    m.write_secret("/etc/pam_oidc.key", open("/tmp/key.pem").read())
    m.configure(m.standard_configuration(tenant="client_auth = private_key_jwt\nprivate_key_file = /etc/pam_oidc.key\n").replace(
        "client_id = clinic-app", "client_id = clinic-jwt"))
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()
    m.sign_in("alice")


@cases([
    ("a custom authorization server is an issuer", "issuer = {}/oauth2/default"),
    ("org = names the org's own authorization server", "org = {}"),
], start=False)
def issuer_forms(m, line):
    m.start_issuer()
    host = m.issuer.issuer if "issuer" in line else m.issuer.issuer.removeprefix("https://")
    m.configure(m.standard_configuration().replace(f"issuer = {m.issuer.issuer}", line.format(host)))
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()
    m.sign_in("alice")


@test("after a key rotation the next sign-in fetches the new keys and works")
def key_rotation(m):
    m.sign_in("alice")
    m.issuer.control("rotate_keys")
    fetched = m.issuer.requests("keys")
    m.sign_in("bob")
    expect_equal(m.issuer.requests("keys"), fetched + 1, "fetches of the keys")


@test("discovery and keys are fetched once for many sign-ins, and connections are kept alive")
def warm(m):
    for name in ("alice", "bob", "carol"):
        m.sign_in(name)
    state = m.issuer.state()
    expect_equal((state["requests"]["discovery"], state["requests"]["keys"]), (1, 1), "fetches of discovery and keys")


@test("two tenants: the email's domain decides, short names belong to the default one", start=False)
def two_tenants(m):
    m.start_issuer()
    lab = m.start_issuer("lab.okta.example", 8443)
    lab.control("users", bob={"login": "bob@lab.example", "email": "bob@lab.example", "email_verified": True})
    m.configure(m.standard_configuration(
        accounts="email_over_ssh = yes",
        more=f"[tenant lab]\nissuer = {lab.issuer}\nclient_id = clinic-app\ndomains = lab.example\nusername = %l.%t\n",
    ).replace(f"ca_file = {m.issuer.ca}", "ca_file = /tmp/both.pem"))
    with open("/tmp/both.pem", "w") as both:
        both.write(open(m.issuer.ca).read() + open(lab.ca).read())
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()
    m.sign_in("bob")
    screen = m.ssh("bob@lab.example@localhost")
    lab.approve(m.code_on(screen), "bob")
    screen.enter()
    m.wait_for_shell(screen, "bob.lab")
    expect(m.passwd("bob")[2] != m.passwd("bob.lab")[2], "two people have two uids")
