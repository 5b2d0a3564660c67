"""What people are called and belong to changes, and their account stays theirs: new emails and surnames, successors, people who come
back, groups that follow Okta's."""

import os
import time

from harness import cases, expect, expect_equal, expect_in, flat, test, wait_for

ALICE = {
    "login": "alice@clinic.example", "email": "alice@clinic.example", "email_verified": True, "name": "Alice Aranda",
    "sub": "00u1alice0000000Clin", "groups": ["Everyone", "Clinic IT"],
}


def alice_is(m, **changes):
    """What the issuer says of Alice from now on."""
    m.issuer.control("users", alice={**ALICE, **changes})


def start(m, local_groups=(), **configuration):
    """Like m.start(), with local groups that the configuration may name."""
    for name in local_groups:
        m.run("groupadd", name, check=True)
    m.start_issuer()
    m.configure(m.standard_configuration(**configuration))
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()


def comes_and_goes(m, name="alice", user=None, account=None):
    """Signs in, and leaves again; what `id` said of the account, with its groups in order."""
    screen = m.sign_in(name, user, account)
    said = m.ask_in(screen, "id -u; id -Gn")
    screen.enter("exit")
    screen.wait_for_end()
    uid, groups = said.splitlines()
    return int(uid), sorted(groups.split())


def is_refused(m, name, user, sentence):
    """Signs in with an approval, which is refused with the sentence."""
    screen = m.ssh(name)
    m.approve_on(screen, user)
    screen.enter()
    screen.wait_for_end()
    expect_in(sentence, flat(screen.text()), "the screen")


# ---- names that change ----

@test("a new email and surname of the same person change email and full name, and nothing else of the account", tags={"ssh"})
def new_name(m):
    uid, groups = comes_and_goes(m)
    home = m.passwd("alice")[5]
    with open(f"{home}/diary", "w") as diary:
        diary.write("dear diary\n")
    alice_is(m, login="alice.jones@clinic.example", email="alice.jones@clinic.example", name="Alice Jones")
    expect_equal(comes_and_goes(m), (uid, groups), "uid and groups")
    name, _, after, _, gecos, after_home, _ = m.passwd("alice")
    expect_equal((int(after), gecos, after_home), (uid, "Alice Jones", home), "the row of alice")
    expect(os.path.exists(f"{home}/diary"), "her files are hers")
    expect_in("alice.jones@clinic.example", m.run("provisionctl", "show", "alice", check=True).stdout, "provisionctl show")
    # By her new email at the console she is told her name; the log says nothing of a second account.
    is_refused(m, "alice.jones", "alice", "You have an account here under another name. Start again as alice.")
    expect_equal(m.passwd("alice.jones"), None, "a second account")


@test("a new email that would be another account's name changes nothing of either", tags={"ssh"})
def new_name_of_somebody(m):
    comes_and_goes(m)
    bobs = comes_and_goes(m, "bob")
    alice_is(m, email="bob@clinic.example", name="Alice Bob")
    before = m.passwd("bob")
    is_refused(m, "bob", "alice", "The code was approved by somebody else than the person signing in.")
    expect_equal(m.passwd("bob"), before, "bob's row")
    expect_equal(comes_and_goes(m, "bob"), bobs, "bob's account")


@test("the same email with another subject is refused, and the log tells the admin what to say", tags={"ssh"})
def successor(m):
    alices = comes_and_goes(m)
    before = m.account_files()
    is_refused(m, "alice", "alice-again", "This account belongs to somebody who had your address before you.")
    m.log.wait_for("provisiond.*provisionctl reassign alice")
    m.expect_nothing_changed(before)
    expect_equal(comes_and_goes(m), alices, "alice's account")


# ---- coming back ----

@test("somebody who was removed and comes back has the same uid, and the home that was kept", tags={"ssh"})
def comes_back(m):
    uid, groups = comes_and_goes(m)
    with open("/home/alice/diary", "w") as diary:
        diary.write("dear diary\n")
    os.chown("/home/alice/diary", uid, uid)
    m.run("provisionctl", "remove", "alice", check=True)
    wait_for("alice's row to go", lambda: m.passwd("alice") is None)
    expect_equal(m.promised_uid("alice"), uid, "the uid that her name stands for while she is away")
    is_refused(m, "alice", "alice-again", "This account was removed.")
    expect_equal(comes_and_goes(m), (uid, groups), "uid and groups of alice who came back")
    expect_equal(os.stat("/home/alice/diary").st_uid, uid, "the owner of her diary")


@test("somebody who was removed finds no home that somebody else has made in their place", tags={"ssh"})
def comes_back_to_a_foreign_home(m):
    comes_and_goes(m)
    m.run("provisionctl", "remove", "alice", check=True)
    wait_for("alice's row to go", lambda: m.passwd("alice") is None)
    os.rename("/home/alice", "/home/alice.old")
    os.mkdir("/home/alice", 0o700)
    screen = m.ssh("alice")
    screen.wait_for_end()
    expect_equal(m.passwd("alice"), None, "an account of alice")
    m.log.wait_for("provisiond.*alice.*home_exists")


# ---- groups ----

MAP = "local_groups = radiology\ngroup_map = Clinic IT:wardens, Surgeons:theatre"
NAMED = ("radiology", "wardens", "theatre")


@test("memberships follow Okta's groups at each sign-in, as `id` in the session says", start=False, tags={"ssh"})
def follow(m):
    start(m, NAMED, tenant=MAP)
    uid, groups = comes_and_goes(m)
    expect_equal(groups, ["alice", "radiology", "wardens"], "the groups of the first sign-in")
    alice_is(m, groups=["Everyone", "Surgeons"])
    expect_equal(comes_and_goes(m), (uid, ["alice", "radiology", "theatre"]), "the account after the Okta groups changed")
    alice_is(m, groups=["Everyone"])
    expect_equal(comes_and_goes(m), (uid, ["alice", "radiology"]), "the account without the Okta groups")
    alice_is(m, groups=["Clinic IT", "Surgeons"])
    expect_equal(comes_and_goes(m), (uid, ["alice", *sorted(NAMED)]), "the account with both")
    for program in ("pwck", "grpck"):
        done = m.run(program, "-r", "-q")
        expect("alice" not in done.stdout + done.stderr, f"{program} has nothing to say of alice: {done.stdout}{done.stderr}")


@test("a group that no rule names is not touched, whoever put her into it", start=False, tags={"ssh"})
def untouched(m):
    start(m, (*NAMED, "choir"), tenant=MAP)
    comes_and_goes(m)
    m.run("gpasswd", "-a", "alice", "choir", check=True)
    alice_is(m, groups=["choir", "Choir"])
    expect_equal(comes_and_goes(m)[1], ["alice", "choir", "radiology"], "groups")
    alice_is(m, groups=[])
    expect_equal(comes_and_goes(m)[1], ["alice", "choir", "radiology"], "groups without any at Okta")


@cases([
    ("an Okta group called sudo", ["sudo"]), ("an Okta group called root", ["root"]),
    ("an Okta group with a comma in its name", ["Everyone,wardens", "Clinic IT,Surgeons"]),
    ("an Okta group that differs in case", ["clinic it", "SURGEONS"]),
    ("an Okta group that begins like a mapped one", ["Clinic IT ", "Clinic", "Clinic IT:wardens"]),
    ("an Okta group with the name of a local one", ["wardens", "theatre"]),
], start=False, tags={"ssh"})
def gives_nothing(m, groups):
    """It gives nothing: neither at the first sign-in nor later."""
    start(m, NAMED, tenant=MAP)
    alice_is(m, groups=groups)
    before = [line for line in open("/etc/group") if not line.startswith("radiology:")]
    uid, seen = comes_and_goes(m)
    expect_equal(seen, ["alice", "radiology"], "groups of the first sign-in")
    expect_equal(comes_and_goes(m), (uid, seen), "groups of the second sign-in")
    after = [line for line in open("/etc/group") if not line.startswith(("radiology:", "alice:"))]
    expect_equal(after, before, "the other rows of /etc/group")


@test("a membership of sudo is given by the file that names sudo, and taken away again", start=False, tags={"ssh"})
def named_sudo(m):
    m.run("groupadd", "-f", "sudo", check=True)
    start(m, tenant="group_map = Clinic IT:sudo")
    expect_equal(comes_and_goes(m)[1], ["alice", "sudo"], "groups")
    alice_is(m, groups=["Everyone"])
    expect_equal(comes_and_goes(m)[1], ["alice"], "groups after she left Clinic IT")


@test("a mapped group that vanishes later is said in the log at each sign-in, and keeps nobody out", start=False, tags={"ssh"})
def vanishes(m):
    start(m, NAMED, tenant=MAP)
    m.run("groupdel", "wardens", check=True)
    expect_equal(comes_and_goes(m)[1], ["alice", "radiology"], "groups")
    m.log.wait_for("provisiond.*alice.*wardens")
    expect_equal(comes_and_goes(m)[1], ["alice", "radiology"], "groups of the second sign-in")


# ---- two companies ----

@test("two companies' people are kept apart: names, groups, successors and leaving", start=False, tags={"ssh"})
def two_tenants(m):
    for name in ("radiology", "chemists"):
        m.run("groupadd", name, check=True)
    m.start_issuer()
    lab = m.start_issuer("lab.okta.example", 8443)
    labs_alice = {"login": "alice@lab.example", "email": "alice@lab.example", "email_verified": True, "name": "Alice Lab",
                  "sub": ALICE["sub"], "groups": ["Clinic IT"]}
    lab.control("users", alice=labs_alice)
    more = (f"[tenant lab]\nissuer = {lab.issuer}\nclient_id = clinic-app\ndomains = lab.example\nusername = %l.%t\n"
            "local_groups = chemists\n")
    m.configure(m.standard_configuration(tenant="group_map = Clinic IT:radiology", more=more)
                .replace(f"ca_file = {m.issuer.ca}", "ca_file = /tmp/both.pem"))
    with open("/tmp/both.pem", "w") as both:
        both.write(open(m.issuer.ca).read() + open(lab.ca).read())
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()
    uid, groups = comes_and_goes(m)
    expect_equal(groups, ["alice", "radiology"], "the clinic's alice")

    def labs_alice_comes():
        screen = m.ssh("alice.lab")
        lab.approve(m.code_on(screen), "alice")
        screen.enter()
        m.wait_for_shell(screen, "alice.lab")
        said = m.ask_in(screen, "id -u; id -Gn")
        screen.enter("exit")
        screen.wait_for_end()
        return int(said.splitlines()[0]), sorted(said.splitlines()[1].split())

    labs_uid, labs_groups = labs_alice_comes()
    expect(labs_uid != uid, "the same subject at two issuers is two people")
    expect_equal(labs_groups, ["alice.lab", "chemists"], "the lab's alice: the clinic's rules are not hers")
    # Whoever has the lab's issuer approve gets no account of the clinic's.
    lab.control("users", alice={**labs_alice, "email": "alice@clinic.example"})
    screen = m.ssh("alice.lab")
    lab.approve(m.code_on(screen), "alice")
    screen.enter()
    screen.wait_for_end()
    expect_in("Your email's domain is not one of the domains that may sign in here.", flat(screen.text()), "the screen")
    lab.control("users", alice=labs_alice)
    m.run("provisionctl", "remove", "alice.lab", check=True)
    wait_for("the row of alice.lab to go", lambda: m.passwd("alice.lab") is None)
    expect_equal(comes_and_goes(m), (uid, groups), "the clinic's alice, when the lab's is gone")
    expect_equal(labs_alice_comes(), (labs_uid, labs_groups), "the lab's alice who came back")


# ---- an editor ----

@test("while an editor holds the lock, whoever has an account signs in, and what changed follows later", tags={"ssh"})
def editor(m):
    comes_and_goes(m)
    comes_and_goes(m, "bob")
    holder = m.screen("python3", "-c", "import fcntl, time; f = open('/etc/.pwd.lock', 'w'); fcntl.lockf(f, fcntl.LOCK_EX); "
                      "print('held', flush=True); time.sleep(600)")
    holder.wait_for("held")
    began = time.monotonic()
    comes_and_goes(m, "bob")
    alice_is(m, name="Alice Jones")
    comes_and_goes(m)
    expect_equal(m.passwd("alice")[4], "Alice Aranda", "the full name while the lock is held")
    m.log.wait_for("provisiond.*alice.*full name")
    expect(time.monotonic() - began < 600, "nobody waited for the editor to end")
    holder.press("C-c")
    wait_for("the full name to be brought up to date", lambda: m.passwd("alice")[4] == "Alice Jones", 30)
