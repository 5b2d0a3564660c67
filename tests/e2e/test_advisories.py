"""What others' public advisories tell of: for each of them the attack, as it was, against this product.

A test's name begins with the advisory's. Where its facts are known from the advisory alone, the comment says what went wrong there.
"""

import base64
import contextlib
import hashlib
import itertools
import json
import os
import pwd
import re
import stat
import sys
import threading
import time

import harness
import pam
from harness import cases, count, expect, expect_equal, expect_in, test, wait_for
from hostile_local import as_user, uid_of
from machine import CONFIG, PAM_OIDCD_SOCKET, PASSWORD, PRODUCT, PROVISIOND_SOCKET
from test_forged_tickets import FakePamOidcd, admitted, ask_provisiond_as_pam_oidc
from test_forged_tokens import SUBJECT, encoded, fetched_tokens
from wire import Connection

SECTION = "advisories"
STAGED = {"start": False, "seconds": 90}
OTHER_PERSON = "The code was approved by somebody else than the person signing in."


class Tally:
    """The attacks of one test: each is judged, and the test fails at its end when one got through."""

    def __init__(self):
        self.tried = 0
        self.through = []

    def judge(self, harmless, what):
        self.tried += 1
        if not harmless:
            self.through.append(what)

    def close(self):
        count(SECTION, self.tried, self.tried - len(self.through), len(self.through))
        shown = "\n".join(self.through)
        expect(not self.through, f"{len(self.through)} of {self.tried} attacks had an effect:\n{shown}")


@contextlib.contextmanager
def tally():
    counted = Tally()
    yield counted
    counted.close()


def become(uid):
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]


def start(m, sshd=False, **configuration):
    m.start_issuer()
    m.configure(m.standard_configuration(**configuration))
    m.start_provisiond()
    m.start_pam_oidcd()
    if sshd:
        m.start_sshd()


def user(login, **members):
    """One of the company's people, as the test issuer keeps them."""
    email = f"{login}@clinic.example"
    usual = {"login": email, "email": email, "email_verified": True, "name": login, "groups": ["Everyone"], "amr": ["pwd", "mfa"],
             "assigned": True, "policy_denied": False, "listed": False, "claims": {}}
    return {login: {**usual, **members}}


class Attempt:
    """One sign-in on pam_oidcd's socket, as the module at a console would ask for it."""

    lines = itertools.count(1)

    def __init__(self, m, name):
        self.m, self.name, self.answer = m, name, None
        self.connection = Connection(PAM_OIDCD_SOCKET, 60 * harness.PATIENCE)
        tty = f"tty{next(self.lines)}"
        self.connection.send(("op", "login"), ("name", name), ("service", "login"), ("tty", tty), ("qr", "none"), ("timeout", 300))
        shown = dict(self.connection.receive() or ())
        self.code = shown.get("code")
        if not self.code:
            self.answer = shown

    def approve(self, who=None):
        if self.code:
            self.m.issuer.approve(self.code, who or self.name)
        return self

    def end(self):
        """The answer that ends it: status, account, reason, text."""
        if self.answer is None:
            self.answer = dict(self.connection.receive() or ())
        self.connection.close()
        return self.answer

    def reason(self):
        """`admitted`, or why it was refused."""
        answer = self.end()
        return answer.get("reason", answer.get("status"))


def have_account(m, *names):
    attempts = [Attempt(m, name).approve() for name in names]
    for attempt in attempts:
        expect_equal(attempt.reason(), "admitted", f"the sign-in of {attempt.name}: {attempt.answer}")


def write_service(name, text):
    with open(f"/etc/pam.d/{name}", "w") as file:
        file.write(text.replace("pam_oidc.so", f"{PRODUCT}/pam_oidc.so"))


def rows(path):
    with open(path) as file:
        return [line.rstrip("\n").split(":") for line in file]


# ---- authd ----

# authd computed uids from names into a small range and gave out what came of it: whoever could register a name that came to the
# same uid was the other person.

FIRST, LAST = 2000200001, 2000201000
SMALL = {"accounts": f"uid_range = {FIRST}-{LAST}"}


def computed_uid(name):
    return FIRST + int.from_bytes(hashlib.sha256(b"clinic.example\0" + name.encode()).digest(), "big") % (LAST - FIRST + 1)


def same_uid_as(name, prefix):
    """A name that anybody may register, with the other name's uid."""
    return next(other for number in itertools.count() if computed_uid(other := f"{prefix}{number}") == computed_uid(name))


UID_TAKEN = "its user id is already in use here"


@test("CVE-2024-9312: a name that was chosen for its uid gets neither the other's uid nor an account", **STAGED)
def uid_collision(m):
    start(m, sshd=True, **SMALL)
    names = {prefix: same_uid_as("alice", prefix) for prefix in ("m", "n", "o")}
    for name in names.values():
        m.issuer.control("users", **user(name))
    expect_equal(m.promised_uid("alice"), computed_uid("alice"), "the uid that an attacker would compute")
    m.sign_in("alice").enter("echo 'bed 4' > notes; exit")
    uid = int(m.passwd("alice")[2])
    before = m.account_files()
    with tally() as t:
        screen = m.ssh(names["m"], options=["NumberOfPasswordPrompts=1"])
        wait_for("an answer", lambda: screen.ended() is not None or "assword:" in screen.text() or UID_TAKEN in screen.text(), 30)
        screen.press("C-c")
        screen.wait_for_end(20)
        t.judge("@ward3" not in screen.text() and m.account_files() == before, "over SSH")
        t.judge(Attempt(m, names["n"]).approve().reason() == "uid_taken", "at the console")
        t.judge(Attempt(m, f"{names['n']}@clinic.example").approve().reason() == "uid_taken", "at the console by email")
        m.expect_nothing_changed(before)
        expect_in(f"{uid}", m.log.text("provisiond"), "the log names the uid")
        # The admin deletes the account in the usual way; what Alice left elsewhere on the machine still has her uid.
        m.run("userdel", "alice", check=True)
        m.run("groupdel", "alice")
        t.judge(Attempt(m, names["o"]).approve().reason() == "uid_taken", "after the account's rows were deleted")
        m.provisiond.stop()
        m.start_provisiond()
        t.judge(Attempt(m, names["o"]).approve().reason() == "uid_taken", "after the rows were deleted and provisiond started anew")
        t.judge(not [row for row in rows("/etc/passwd") if row[2] == str(uid)], "a row with Alice's uid")


@test("CVE-2024-9312: whoever comes first, two names of one uid are never one person; nor is a local user or group", **STAGED)
def uid_collision_first_comer(m):
    start(m, **SMALL)
    mallory = same_uid_as("alice", "m")
    pair = [same_uid_as("zoe", "p"), same_uid_as("zoe", "q")]
    for name in (mallory, *pair):
        m.issuer.control("users", **user(name))
    with tally() as t:
        have_account(m, mallory)
        t.judge(Attempt(m, "alice").approve().reason() == "uid_taken", "Alice, after somebody came to her uid before her")
        t.judge(m.passwd("alice") is None and not os.path.exists("/home/alice"), "an account for Alice of another's uid")
        waiting = [Attempt(m, name) for name in pair]
        for attempt in waiting:
            attempt.approve()
        ends = sorted(attempt.reason() for attempt in waiting)
        t.judge(ends == ["admitted", "uid_taken"], f"both approved at once: {ends}")
        uids = [row[2] for row in rows("/etc/passwd")]
        t.judge(len(uids) == len(set(uids)), f"a uid twice in /etc/passwd: {uids}")
        m.run("useradd", "-M", "-u", str(computed_uid("bob")), "-g", "localuser", "keeper", check=True)
        t.judge(Attempt(m, "bob").approve().reason() == "uid_taken", "Bob, whose uid a local user has")
        m.run("groupadd", "-g", str(computed_uid("carol")), "keepers", check=True)
        t.judge(Attempt(m, "carol").approve().reason() == "uid_taken", "Carol, whose gid a local group has")


# authd's module let whoever was signed in at the broker perform PAM operations as any other of its users, `su` among them.


@test("CVE-2024-9313: somebody of the same company does not become Alice by approving with an own account", **STAGED)
def same_provider(m):
    start(m, sshd=True)
    have_account(m, "alice")
    screen = m.sign_in("bob")
    alice, bob = uid_of("alice"), uid_of("bob")
    before = m.account_files()
    with tally() as t:
        for number, command in enumerate(("su - alice", "su alice -c id", "ssh -F /dev/null alice@localhost"), 2):
            screen.enter(command)
            m.approve_on(screen, "bob", count=number)
            if command.startswith("ssh"):
                screen.enter()
            screen.wait_for(r"approved by somebody else(.|\n)*bob@ward3.*\$ ?$", 30)
            t.judge(m.ask_in(screen, "id -u") == str(bob), f"{command}, approved by Bob")
        console = m.login("alice")
        m.approve_on(console, "bob")
        m.wait_for_refused_login(console)
        t.judge("@ward3" not in console.text(), "the console, approved by Bob")
        t.judge(Attempt(m, "alice").approve("bob").reason() == "other_person", "Alice's name, approved by Bob")
        t.judge(Attempt(m, "alice@clinic.example").approve("bob").reason() == "other_person", "Alice's email, approved by Bob")
        t.judge(Attempt(m, "carol").approve("bob").reason() == "other_person", "a name without an account, approved by Bob")
        t.judge(m.passwd("carol") is None, "an account for Carol")
        t.judge(Attempt(m, "alice").approve("alice-again").reason() == "subject_changed", "another person of Alice's address")
        m.expect_nothing_changed(before)
        for path, fields in (
            (PAM_OIDCD_SOCKET, (("op", "login"), ("name", "alice"), ("service", "su"), ("qr", "none"))),
            (PROVISIOND_SOCKET, (("op", "standing"), ("name", "alice"))),
            (PROVISIOND_SOCKET, (("op", "redeem"), ("name", "alice"), ("ticket", "A" * 43))),
            (PROVISIOND_SOCKET, (("op", "lookup"), ("name", "alice"), ("purpose", "login"), ("service", "su"))),
        ):
            answer = as_user(bob, ask, path, fields)
            t.judge(answer is None or answer.get("status") in ("no", "refused"), f"{fields} asked by Bob: {answer}")
        for operations in (["authenticate"], ["acct_mgmt"], ["chauthtok"], ["authenticate", "setcred", "open_session"]):
            done = m.run(*become(bob), "pamtester", "login", "alice", *operations, input="\n\n\n", seconds=60)
            t.judge(done.returncode != 0, f"pamtester {operations} by Bob: {done.stdout}")
    expect_equal(Attempt(m, "alice").approve().end().get("uid"), str(alice), "Alice herself")


def ask(path, fields):
    try:
        with Connection(path, 20 * harness.PATIENCE) as connection:
            return connection.ask(*fields)
    except OSError:
        return None


# The temporary record that authd gave sshd before the first sign-in had gid 0, and sshd kept it for the session.


IDENTITY = "id -u; id -g; id -G; grep -E '^[UG]id:|^Groups:' /proc/self/status; touch made; mkdir there; stat -c '%u %g' made there ~"


def output_of(screen):
    """What a command over SSH printed, below the question to press Enter."""
    text = screen.text()
    return text[text.index(", until "):].partition("\n")[2].strip("\n")


def expect_no_root(t, m, name, text, door):
    uid = m.passwd(name)[2]
    lines = text.split("\n")
    wanted = [uid, uid, uid, "Uid:" + f"\t{uid}" * 4, "Gid:" + f"\t{uid}" * 4, f"Groups:\t{uid}", *[f"{uid} {uid}"] * 3]
    t.judge([re.sub(r"\s+", " ", line).strip() for line in lines] == [re.sub(r"\s+", " ", line) for line in wanted],
            f"{name}, {door}: {lines}, not {wanted}")


@test("CVE-2025-5689: the very first session over SSH is in no group of root's, and makes no file of root's group", **STAGED)
def first_session(m):
    start(m, sshd=True, accounts="email_over_ssh = yes")
    people = {name: user(name) for name in ("dora", "ella", "finn")}
    for person in people.values():
        m.issuer.control("users", **person)
    with tally() as t:
        for name in ("alice", "bob", *people):
            entry = m.lookup(name)
            t.judge(entry["gid"] == entry["uid"] and int(entry["gid"]) > 1000 and "group" not in entry, f"what was promised: {entry}")
        screen = m.sign_in("alice")
        expect_no_root(t, m, "alice", m.ask_in(screen, IDENTITY), "a shell")
        commands = {name: m.ssh(name, IDENTITY) for name in ("bob", "dora@clinic.example@localhost")}
        for name, screen in commands.items():
            m.approve_on(screen, name.split("@")[0])
            screen.enter()
        for name, screen in commands.items():
            screen.wait_for_end(40)
            expect_no_root(t, m, name.split("@")[0], output_of(screen), name)
        # Two first sessions at once: the second one began when there was no account either.
        both = [m.ssh("ella", "cd $(mktemp -d); " + IDENTITY) for _ in range(2)]
        for screen in both:
            m.approve_on(screen, "ella")
        for screen in both:
            screen.enter()
        for screen in both:
            screen.wait_for_end(40)
            expect_no_root(t, m, "ella", output_of(screen), "two at once")
        with open("/tmp/xray.txt", "w") as file:
            file.write("chest\n")
        screen = m.screen("scp", "-F", "/dev/null", "/tmp/xray.txt", "finn@localhost:")
        m.approve_on(screen, "finn")
        screen.enter()
        screen.wait_for_end(40)
        copied = os.stat("/home/finn/xray.txt")
        t.judge([str(copied.st_uid), str(copied.st_gid)] == m.passwd("finn")[2:4], f"a file copied by scp: {copied}")
        for name in ("alice", "bob", *people):
            root = next(row for row in rows("/etc/group") if row[2] == "0")
            t.judge(name not in root[3].split(","), f"{name} among root's group: {root}")


# authd put the primary group back to the uid when the identity provider's record had changed, whatever the admin had set; by then
# a group of that number might have been somebody else's.


@test("CVE-2026-6970: the admin's primary group for an account stays, whatever Okta's record says later", **STAGED)
def primary_group(m):
    start(m, sshd=True, accounts="email_over_ssh = yes")
    m.sign_in("alice").enter("exit")
    uid = m.passwd("alice")[2]
    m.run("groupadd", "-g", "5000", "ward", check=True)
    m.run("usermod", "-g", "ward", "-c", "Ward Three", "-s", "/bin/sh", "alice", check=True)
    m.run("groupdel", "alice", check=True)
    m.run("groupadd", "-g", uid, "radiology", check=True)

    def files():
        """The account files but for alice's full name, which does follow Okta's."""
        state = m.account_files()
        state["/etc/passwd"] = re.sub(r"(?m)^(alice:.*?:.*?:.*?:).*?:", r"\1:", state["/etc/passwd"])
        return state

    before = files()
    changes = [
        {"name": "Alice Changed-Name"}, {"groups": ["Radiology", "root", "sudo"]}, {"email": "alice.changed@clinic.example"},
        {"claims": {"gid": 0, "gidNumber": 0, "uid": 0, "uidNumber": 0, "primary_group": "root", "home": "/root", "shell": "/bin/x"}},
    ]
    alice = user("alice", sub=SUBJECT)["alice"]
    with tally() as t:
        for turn, change in enumerate(changes):
            if turn == 2:
                m.provisiond.stop()
                m.start_provisiond()
            alice.update(change)
            m.issuer.control("users", alice=alice)
            for name in ["alice", "alice@clinic.example@localhost"][:2 if turn < 2 else 1]:
                screen = m.ssh(name, "id -u; id -g; id -G; touch ~/made; stat -c %g ~/made; rm ~/made")
                m.approve_on(screen)
                screen.enter()
                screen.wait_for_end(40)
                seen = output_of(screen).split()
                t.judge(seen == [uid, "5000", "5000", "5000"], f"{name}, after {change}: {seen}")
            t.judge(files() == before, f"after {change}: the account files changed")
    expect_equal(m.passwd("alice")[2:], [uid, "5000", "Alice Changed-Name", "/home/alice", "/bin/sh"], "the row in /etc/passwd")


# ---- himmelblau ----

# himmelblau compared the configured groups with display names, which people can give to groups of their own.

ALLOWED = "Clinic IT"
ALLOWED_ID = "00g1clinicit000Clin0"
LIKE_IT = [
    ["clinic it"], ["CLINIC IT"], ["Clinic IT "], [" Clinic IT"], ["Clinic  IT"], ["Clinic\u00a0IT"],
    ["Clinic\u2009IT"], ["Clinic\tIT"], ["Clinic-IT"], ["Clinic_IT"], ["ClinicIT"], ["Clinic I"], ["Clinic ITs"],
    ["Clinic"], ["IT"], ["The Clinic IT"], ["Clinic IT,Everyone"], ["Clinic", "IT"], ["Clinic IT\n"],
    ["Clinic IT\u200b"], ["\u0421linic IT"], ["Clinic I\u0422"], ["\uff23linic IT"], ["Clini\u0063\u0327 IT"],
    ["Clinic IT\u0301"], ["Clinic \u0399T"], ["Clinic I\u0307T"], ["Clinic %49T"], ["Clinic&#32;IT"],
    ["clinic/Clinic IT"], ["Clinic IT@clinic"], ["*"], ["Clinic*"], ["Clinic .."], [".*"], ["Clinic IT;Everyone"],
    ["\"Clinic IT\""], ["'Clinic IT'"], ["cn=Clinic IT"], [""], [ALLOWED_ID], [ALLOWED_ID + " Clinic IT"],
    [ALLOWED_ID, "Everyone"],
]
NOT_A_LIST = [
    "Clinic IT", {"Clinic IT": True}, [["Clinic IT"]], [{"displayName": "Clinic IT"}],
    [{"name": "Clinic IT", "id": ALLOWED_ID}], 7, True, ["Clinic IT", None], [7, "Clinic IT"],
]
ELSEWHERE = [
    "roles", "group", "Groups", "memberOf", "wids", "groups_name", "https://clinic.example/groups", "_claim_names",
    "allowed_groups",
]


def ends_of(m, users):
    """All of these people sign in at once; {name: how it ended}."""
    m.issuer.control("users", **users)
    ends, names = {}, list(users)
    while names:
        attempts = [Attempt(m, name) for name in names[:24]]
        del names[:24]
        for attempt in attempts:
            attempt.approve()
        ends.update({attempt.name: attempt.reason() for attempt in attempts})
    return ends


@cases([
    ("CVE-2025-49012: a group is allowed by its exact name in the ID token's groups and by nothing like it", {}),
    ("CVE-2025-49012: a group is allowed by its exact name in userinfo's groups and by nothing like it", {"thin": True}),
], **STAGED)
def group_by_name(m, settings):
    start(m, tenant=f"scopes = openid profile email groups\nallowed_groups = {ALLOWED}\n")
    m.issuer.settings(**settings)
    before = m.account_files()
    people = {}
    for number, groups in enumerate(LIKE_IT):
        people.update(user(f"like{number}", groups=groups))
    for number, groups in enumerate(NOT_A_LIST):
        people.update(user(f"wrong{number}", groups=[], claims={"groups": groups}))
    for number, claim in enumerate(ELSEWHERE):
        people.update(user(f"else{number}", groups=[], claims={claim: [ALLOWED]}))
    ends = ends_of(m, people)
    with tally() as t:
        for name, end in ends.items():
            allowed = ("token_invalid", "group_missing") if name.startswith("wrong") else ("group_missing",)
            t.judge(end in allowed, f"groups {people[name]['groups'] or people[name]['claims']}: {end}")
        t.judge(m.account_files() == before, "an account")
    expect_equal(ends_of(m, user("really", groups=["Everyone", ALLOWED])), {"really": "admitted"}, "a member of the group")


@test("CVE-2025-49012: where a group's id is allowed, a group of somebody's own that is called so does not count", **STAGED)
def group_by_id(m):
    start(m, tenant=f"scopes = openid profile email groups\nallowed_groups = {ALLOWED_ID}\n")
    people = {
        **user("called", groups=[ALLOWED]), **user("folded", groups=[ALLOWED_ID.upper()]),
        **user("cut", groups=[ALLOWED_ID[:-1]]), **user("longer", groups=[ALLOWED_ID + "0"]),
        **user("object", groups=[], claims={"groups": [{"id": ALLOWED_ID}]}),
        **user("keyed", groups=[], claims={"groups": {ALLOWED_ID: ALLOWED}}),
    }
    ends = ends_of(m, people)
    with tally() as t:
        for name, end in ends.items():
            t.judge(end in ("group_missing", "token_invalid"), f"groups {people[name]['groups'] or people[name]['claims']}: {end}")
    expect_equal(ends_of(m, user("really", groups=[ALLOWED_ID])), {"really": "admitted"}, "a member of the group")


# himmelblau took any PIN for right when the machine was offline.

PINS = ["", "1234", "000000", PASSWORD, "*", "!", "alice", SUBJECT]
LOCKER = """\
auth [success=done user_unknown=ignore authinfo_unavail=ignore module_unknown=ignore default=die] pam_oidc.so qr=none
@include common-auth
account [success=ok user_unknown=ignore authinfo_unavail=ignore module_unknown=ignore default=die] pam_oidc.so
@include common-account
"""


def type_at(m, service, name, typed, uid=0):
    """What pamtester's authenticate ends with when these lines are typed: True when it lets in."""
    done = m.run(*(become(uid) if uid else ()), "pamtester", service, name, "authenticate", "acct_mgmt", input=(typed + "\n") * 4, seconds=60)
    return done.returncode == 0


def issuer_gone(m):
    m.issuer.process.kill()
    m.issuer.process.wait()
    m.issuers.clear()


def pam_oidcd_gone(m):
    m.pam_oidcd.stop()


def provisiond_gone(m):
    m.pam_oidcd.stop()
    m.provisiond.stop()


@cases([
    ("CVE-2025-53013: with Okta out of reach nothing that is typed lets anybody in", issuer_gone),
    ("CVE-2025-53013: with the sign-in service away nothing that is typed lets anybody in", pam_oidcd_gone),
    ("CVE-2025-53013: with both daemons away nothing that is typed lets anybody in", provisiond_gone),
], **STAGED)
def offline(m, go_offline):
    start(m, sshd=True)
    write_service("locker", LOCKER)
    m.sign_in("alice").enter("exit")
    go_offline(m)
    before = m.account_files()
    alice = uid_of("alice")
    rounds = [(service, name, typed, uid) for typed in PINS for service, name, uid in (
        ("sshd", "alice", 0), ("login", "alice", 0), ("login", "bob", 0), ("su", "alice", 1500), ("sudo", "alice", 1500),
        ("locker", "alice", alice))]
    with tally() as t:
        ended = {}

        def run(share):
            for one in share:
                ended[one] = type_at(m, *one)

        threads = [threading.Thread(target=run, args=(rounds[start::8],)) for start in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for one in rounds:
            t.judge(ended.get(one) is False, f"{one}: {ended.get(one)}")
        screen = m.ssh("alice", options=["PreferredAuthentications=keyboard-interactive"])
        for number, typed in enumerate(PINS[1:4], 1):
            screen.wait_for(r"assword: ?$", 40, count=number)
            screen.enter(typed)
        screen.wait_for_end(60)
        t.judge("@ward3" not in screen.text(), "over SSH")
        m.expect_nothing_changed(before)
    expect(type_at(m, "login", "localuser", PASSWORD), "a local user with the right password")


# himmelblau's ticket caches, cookies and tokens were files that everybody could read.

SECRETS = ("basic-secret-0123456789", "an-access-token-of-alices", "eyJ")


def look_around(began):
    """As whoever runs it: what can be read of newer files that hold secrets, and what of ours can be written to."""
    readable, writable = [], []
    not_ours = ("/run/sandbox", "/var/log/tests", os.environ["SANDBOX"])
    for top in ("/run", "/var/lib/provisiond", "/var/log", "/var/tmp", "/var/mail", "/etc", "/home", "/tmp", "/dev/shm", "/root"):
        for folder, folders, files in os.walk(top):
            folders[:] = [name for name in folders if f"{folder}/{name}" not in not_ours]
            for path in [folder, *(f"{folder}/{name}" for name in files)]:
                ours = re.search(r"oidc|provisiond|/(passwd|shadow|group|gshadow)-?$|/home/alice|\.pwd\.lock", path)
                if ours and os.access(path, os.W_OK) and not stat.S_ISSOCK(os.lstat(path).st_mode):
                    writable.append(path)
                with contextlib.suppress(OSError):
                    if stat.S_ISREG(os.lstat(path).st_mode) and os.lstat(path).st_ctime >= began:
                        text = open(path, errors="replace").read(1 << 20)  # lastlog(8) has a hole of gigabytes
                        readable += [f"{word} in {path}" for word in SECRETS if word in text]
    return readable, writable


def opens(path, flags):
    try:
        os.close(os.open(path, flags))
        return True
    except OSError:
        return False


def process_opens(pid):
    return [name for name in ("environ", "mem", "maps", "fd/0", "auxv") if opens(f"/proc/{pid}/{name}", os.O_RDONLY)]


FILES = {  # path: type and mode, owner, group
    "/etc/pam_oidc.conf": (0o100644, "root", "root"), "/etc/pam_oidc.secret": (0o100640, "root", "_pam_oidc"),
    "/var/lib/provisiond": (0o40700, "root", "root"), "/var/lib/provisiond/accounts.db": (0o100600, "root", "root"),
    "/run/pam_oidc": (0o40755, "_pam_oidc", "_pam_oidc"), "/run/provisiond": (0o40755, "root", "root"),
    "/run/pam_oidc/socket": (0o140666, "_pam_oidc", "_pam_oidc"), "/run/provisiond/socket": (0o140666, "root", "root"),
    "/home/alice": (0o40700, "alice", "alice"), "/home/alice/.bashrc": (None, "alice", "alice"),
    "/etc/passwd": (0o100644, "root", "root"), "/etc/group": (0o100644, "root", "root"),
    "/etc/shadow": (0o100640, "root", "shadow"), "/etc/gshadow": (0o100640, "root", "shadow"),
}


@cases([(f"CVE-2025-54882: nothing of a sign-in can be read by other users, the daemons having started with umask {mask:04o}", mask)
        for mask in (0o000, 0o022)], **STAGED)
def file_modes(m, mask):
    began = time.time() - 1
    os.umask(mask)
    m.start_issuer()
    m.issuer.control("token", access_token="an-access-token-of-alices")
    m.write_secret("/etc/pam_oidc.secret", "basic-secret-0123456789\n")
    before = {path: os.stat(path) for path in FILES if os.path.exists(path)}
    m.configure(m.standard_configuration(tenant="client_auth = basic\nclient_secret_file = /etc/pam_oidc.secret\n").replace(
        "client_id = clinic-app", "client_id = clinic-basic"))
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()
    os.umask(0o022)
    m.sign_in("alice")
    waiting = Attempt(m, "bob")
    expect(waiting.code, "Bob's sign-in waits meanwhile")
    with tally() as t:
        for path, (mode, owner, group) in FILES.items():
            seen = os.lstat(path)
            if path in before and path.startswith("/etc/"):
                mode = before[path].st_mode
            t.judge(mode is None and not seen.st_mode & 0o022 or seen.st_mode == mode, f"{path} has mode {seen.st_mode:o}")
            names = pwd.getpwuid(seen.st_uid).pw_name, next(row[0] for row in rows("/etc/group") if row[2] == str(seen.st_gid))
            t.judge(names == (owner, group), f"{path} belongs to {names}")
        for place in ("/var/lib/provisiond", "/home/alice"):
            for folder, folders, files in os.walk(place):
                for name in [*folders, *files]:
                    seen = os.lstat(f"{folder}/{name}")
                    private = seen.st_mode & (0o077 if place.startswith("/var") else 0o022) == 0 or stat.S_ISLNK(seen.st_mode)
                    t.judge(private, f"{folder}/{name} has mode {seen.st_mode:o}")
        for who in ("localuser", "_pam_oidc"):
            readable, writable = as_user(uid_of(who), look_around, began)
            if who == "_pam_oidc":  # it keeps the secret, and its own folder
                readable = [one for one in readable if "/etc/pam_oidc.secret" not in one]
                writable = [one for one in writable if not one.startswith("/run/pam_oidc")]
            t.judge(not readable, f"{who} reads {readable}")
            t.judge(not writable, f"{who} writes to {writable}")
        for path in ("/etc/pam_oidc.secret", "/var/lib/provisiond/accounts.db", "/etc/shadow", "/home/alice/.bashrc"):
            t.judge(not as_user(1500, opens, path, os.O_RDONLY), f"{path} opened by a local user")
        for daemon in (m.pam_oidcd, m.provisiond):
            for who in ("localuser", "alice"):
                seen = as_user(uid_of(who), process_opens, daemon.pid)
                t.judge(not seen, f"{daemon.name}'s {seen} opened by {who}")
    waiting.connection.close()


# ---- what several had ----

TRAVERSALS = [
    "../root", "../../etc/cron.d/x", "..", ".", "...", "/", "/root", "/etc/passwd", "a/../../root", "alice/../bob",
    "alice/", "./alice", "alice/.", "a//b", "..\\..\\root", "%2e%2e%2froot", "..%2froot", "%u", "%h", "~", "~root",
    "$HOME", "$(id)", "`id`", "alice;id", "alice|id", "alice&", "alice\u2215..", "\uff0e\uff0e\uff0froot",
    "alice\0/../root", "-rf", "--", "-", ".ssh", ".alice", "al ice", "alice\t", "alice*", "{a,b}", "[a]", "a" * 33,
    "a" * 255, "a" * 4097, "\u0430lice", "1alice", "1000", "0", "root", "toor/..", "+", "+alice", "alice$",
    "alice,bob", "",
]


def identity(m, typed, **changes):
    """What pam_oidcd says of somebody whom it has verified; a taken-over one would say anything."""
    fields = {
        "name": typed, "tenant": "clinic", "issuer": m.issuer.issuer, "client_id": "clinic-app", "subject": f"00u{typed[:40]}",
        "email": f"{typed}@clinic.example", "email_verified": "true", "full_name": typed[:60], "service": "login", "rhost": "",
        "tty": "tty1",
    }
    fields.update(changes)
    return [("op", "admit"), *fields.items()]


def everything(m):
    """The folders that a path out of /home would lead to, with what is in them."""
    passing = (".status", ".db-wal", ".db-shm", ".lock")
    m.settle()
    found = {}
    for place in ("/", "/root", "/etc", "/etc/cron.d", "/var", "/tmp", "/usr", "/home", "/run", "/var/lib"):
        names = [name for name in os.listdir(place) if not name.endswith(passing)]
        found[place] = [(name, os.lstat(f"{place}/{name}").st_uid, os.lstat(f"{place}/{name}").st_mode) for name in names]
    return found


@cases([
    ("path traversal: no user name leads out of /home, typed, as an email or from a taken-over pam_oidcd", ""),
    ("path traversal: no user name leads out of /home that comes from a claim", "username = claim:linux_name\n"),
], **STAGED)
def path_traversal(m, tenant):
    start(m, tenant=tenant)
    # The control: what is a name does make an account.
    m.issuer.control("users", **user("sam", claims={"linux_name": "sam"}))
    expect_equal(Attempt(m, "sam").approve().reason(), "admitted", "a good name")
    before, files = everything(m), m.account_files()
    with tally() as t:
        for number, name in enumerate(TRAVERSALS):
            for form in (name, f"{name}@clinic.example"):
                with contextlib.suppress(ValueError):
                    answer = ask(PROVISIOND_SOCKET, (("op", "lookup"), ("name", form), ("purpose", "login"), ("service", "login")))
                    # Where a claim gives the name, an email tells none yet.
                    nameless = tenant and form.count("@") and answer and not answer.keys() & {"account", "uid", "gid", "home"}
                    t.judge(answer is None or answer["status"] != "entry" or nameless, f"lookup of {form!r}: {answer}")
            if "\0" in name:
                continue  # a message's field ends there
            email = f"{name}@clinic.example"
            for fields in (identity(m, name), identity(m, "carol", username=name), identity(m, email, username=name),
                           identity(m, "carol", username="carol", email=email, subject=f"00u{number}")):
                answer = ask_provisiond_as_pam_oidc(*fields)
                refused = answer is None or answer["status"] == "refused" or answer["account"] == "carol"
                t.judge(refused, f"admit {fields}: {answer}")
        now = everything(m)
        new = [one for place in now for one in now[place] if one not in before[place] and one[0] != "carol"]
        t.judge(not new, f"files outside: {new}")
        names = {row[0] for row in rows("/etc/passwd")}
        t.judge(names - {"carol"} == {line.split(":")[0] for line in files["/etc/passwd"].splitlines()}, f"accounts: {names}")


@test("path traversal: a home that somebody put there before, or a link in its place, is neither taken nor changed", **STAGED)
def planted_home(m):
    start(m)
    os.makedirs("/tmp/trap")
    os.symlink("/tmp/trap", "/home/alice")
    os.symlink("/nowhere", "/home/bob")
    with open("/home/carol", "w") as file:
        file.write("a file\n")
    before = m.account_files()
    with tally() as t:
        for name in ("alice", "bob", "carol"):
            t.judge(Attempt(m, name).approve().reason() == "home_exists", f"a planted home of {name}'s")
        t.judge(os.listdir("/tmp/trap") == [] and os.stat("/tmp/trap").st_uid == 0 and not os.path.exists("/nowhere"), "the trap")
        m.expect_nothing_changed(before)


INJECTED = [
    "Alice\nmallory:x:0:0::/root:/bin/sh", "Alice\r\nmallory:x:0:0::/root:/bin/sh", "Alice:/root:/bin/sh",
    "Alice:x:0:0", "\nroot2::0:0:::", "Alice\u0085root2::0:0:::", "Alice\u2028root2::0:0:::", "Alice\u2029x",
    "Alice\x0bx", "Alice\x0cx", "Alice\x1b[2J", "Alice,room,0,0", "Alice=&", "umask=000", "pri=-20", "ulimit=0",
    "Alice\u202eecila", ":" * 200, "\n" * 200, "A" * 5000, "Alice\\nmallory", "%0aroot2::0:0:::", "\x7f",
]


FIELDS = ["email", "name", "subject", "username", "tenant", "issuer", "client_id", "email_verified", "auth_time", "group", "amr"]


def grown_rows(before, name):
    """What the account files have more than before, and whether it is this name's rows alone and well formed."""
    faults = []
    for path, fields in (("/etc/passwd", 7), ("/etc/shadow", 9), ("/etc/group", 4), ("/etc/gshadow", 4)):
        if before[path] is None:
            continue
        new = [line for line in open(path, newline="\n").read().split("\n") if line not in before[path].split("\n")]
        if not (len(new) == 1 and new[0].startswith(f"{name}:") and new[0].count(":") == fields - 1 and new[0].isprintable()):
            faults.append(f"{path}: {new}")
    return faults


def identity_files():
    return {path: open(path, newline="\n").read() if os.path.exists(path) else None
            for path in ("/etc/sudoers", "/etc/hosts", "/etc/nsswitch.conf", "/etc/login.defs")}


@test("newline and colon injection: whatever is said of somebody, the account files get that account's rows alone", **STAGED)
def injection(m):
    for path in ("/etc/subuid", "/etc/subgid"):
        with open(path, "w") as file:
            file.write("localuser:100000:65536\n")
    start(m)
    others = identity_files()
    with tally() as t:
        people = {}
        for number, text in enumerate(INJECTED):
            claims = {"given_name": text, "linux_name": text, "zoneinfo": text}
            people.update(user(f"n{number}", name=text, groups=[text], claims=claims))
        m.issuer.control("users", **people)
        for number, text in enumerate(INJECTED):
            before = m.account_files()
            end = Attempt(m, f"n{number}").approve().reason()
            faults = grown_rows(before, f"n{number}")
            t.judge(end == "admitted" and not faults, f"the name {text!r} of somebody who was {end}: {faults}")
        before = m.account_files()
        for number, text in enumerate(INJECTED):
            for key in FIELDS:
                value = {"email": f"{text}@clinic.example", "name": f"e{number}{text}"}.get(key, text)
                answer = ask_provisiond_as_pam_oidc(*identity(m, f"e{number}", **{key: value}))
                harmless = m.account_files() == before
                if answer and answer["status"] == "admitted":
                    harmless = not grown_rows(before, answer["account"])
                    # Away with it, so that the next one is seen by itself.
                    for path in ("passwd", "shadow", "group", "gshadow"):
                        if before[f"/etc/{path}"] is not None:
                            open(f"/etc/{path}", "w").write(before[f"/etc/{path}"])
                    m.run("rm", "-rf", f"/home/{answer['account']}")
                t.judge(harmless, f"{key} = {value!r}: {answer}")
        t.judge(identity_files() == others, "another file of the system's")
        for path in ("/etc/subuid", "/etc/subgid"):
            rest = [line for line in open(path, newline="\n").read().split("\n") if not re.fullmatch(r"[ne]\d+:\d+:65536", line)]
            t.judge(rest == ["localuser:100000:65536", ""], f"{path}, besides the ranges of people who were admitted: {rest}")
        t.judge(m.run("pwck", "-rq").stdout.count("invalid") == 0, "pwck finds something invalid")
        for line in m.log.lines:
            if not line.isprintable():
                t.judge(False, f"a line of the log: {line!r}")


# Whoever has an account at the same company walks up to the locked screen and approves with an own phone.


@test("the colleague who unlocks your screen: only Alice's own approval opens Alice's locked screen", **STAGED)
def locked_screen(m):
    start(m)
    write_service("locker", LOCKER)
    have_account(m, "alice", "bob")
    alice, bob = uid_of("alice"), uid_of("bob")
    m.issuer.control("users", **user("alice2", email="Alice@clinic.example"), **user("alice3", email="alice@evil.example"))

    def unlock(who, uid=alice, name="alice"):
        screen = m.screen(*become(uid), "pamtester", "locker", name, "authenticate", "acct_mgmt")
        wait_for("a code, a question or an end", lambda: re.search(r"and enter|assword|pamtester:", screen.text()), 30)
        if "and enter" in screen.text():
            m.issuer.approve(m.code_on(screen), who) if who else m.issuer.deny(m.code_on(screen))
        wait_for("a question or an end", lambda: screen.ended() is not None or "assword:" in screen.text(), 40)
        if screen.ended() is None:
            screen.enter(PASSWORD)
        return screen.wait_for_end(60), screen.text()

    with tally() as t:
        for who in ("bob", "carol", "mallory", "alice-again", "alice-evil", "alice2", "alice3", None):
            status, text = unlock(who)
            t.judge(status != 0, f"approved by {who}: {text}")
        expect_in(OTHER_PERSON, unlock("bob")[1], "what the colleague reads")
        t.judge(unlock("bob", uid=bob)[0] != 0, "Bob's own process asks for Alice")
        t.judge(unlock("bob", uid=1500)[0] != 0, "a local user's process asks for Alice")
        m.provisiond.stop()
        t.judge(unlock("bob")[0] != 0, "with provisiond away")
        m.start_provisiond()
        m.pam_oidcd.stop()
        t.judge(unlock("bob")[0] != 0, "with pam_oidcd away")
        m.start_pam_oidcd()
    status, text = unlock("alice")
    expect_equal(status, 0, f"Alice herself: {text}")


# ---- opkssh ----

# OpenPubkey verified one form of a token and read another: a signature that was good for one payload vouched for another.


def confused(kind, genuine, forged_payload):
    """A genuine token's parts and a payload that nobody signed, put together."""
    header, payload, signature = genuine.split(".")
    none = encoded(json.dumps({"alg": "none"}).encode())
    signatures = [{"protected": header, "signature": signature}]
    forged = f"{header}.{forged_payload}.{signature}"
    as_json = {
        "general JSON": {"payload": forged_payload, "signatures": signatures},
        "general JSON with two signatures": {
            "payload": forged_payload, "signatures": [*signatures, {"protected": none, "signature": ""}]},
        "flattened JSON": {"payload": forged_payload, "protected": header, "signature": signature},
        "flattened JSON with an unprotected header": {"payload": forged_payload, "protected": header, "header": {"alg": "none"},
                                                     "signature": signature},
    }
    if kind in as_json:
        return json.dumps(as_json[kind], separators=(",", ":"))
    return {
        "a genuine signature behind another payload": forged,
        "alg none and a genuine signature": f"{none}.{forged_payload}.{signature}",
        "four segments, the genuine payload last": f"{header}.{forged_payload}.{signature}.{payload}",
        "five segments, genuine and forged": f"{header}.{payload}.{signature}.{forged_payload}.{signature}",
        "five segments, forged and genuine": f"{header}.{forged_payload}.{header}.{payload}.{signature}",
        "segments joined by colons": f"{forged_payload}:{header}:{signature}:{none}:",
        "payload, header and signature in another order": f"{forged_payload}.{header}.{signature}",
        "two tokens joined by a comma": f"{genuine},{forged}",
        "two tokens, the forged one first": f"{forged}~{genuine}",
        "two tokens joined by a dot": f"{genuine}.{forged}",
        "an empty payload with the forged one in front": f"{forged_payload}.{header}..{signature}",
        "a detached payload": f"{header}..{signature}",
        "the forged payload in the header's place": f"{forged_payload}.{payload}.{signature}",
        "padding in the payload": f"{header}.{payload}=.{signature}",
        "a newline's escape in the signature": f"{header}.{forged_payload}.{signature}%0a",
    }[kind]


CONFUSIONS = [
    "general JSON", "general JSON with two signatures", "flattened JSON", "flattened JSON with an unprotected header",
    "a genuine signature behind another payload", "alg none and a genuine signature",
    "four segments, the genuine payload last", "five segments, genuine and forged",
    "five segments, forged and genuine", "segments joined by colons",
    "payload, header and signature in another order", "two tokens joined by a comma",
    "two tokens, the forged one first", "two tokens joined by a dot", "an empty payload with the forged one in front",
    "a detached payload", "the forged payload in the header's place", "padding in the payload",
    "a newline's escape in the signature",
]


@test("CVE-2025-4658: a signature is good for the one payload that it was made for, in the one form that a token has", **STAGED)
def confused_signatures(m):
    start(m)
    before = m.account_files()
    with tally() as t:
        for kind in CONFUSIONS:
            m.issuer.control("token")
            # Mallory's part is played by Alice, whose genuine token it is; the forged payload says that she is Bob.
            tokens = fetched_tokens(m)
            payload = tokens["id_token"].split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            claims.update(sub="00u2bob00000000Clin0", email="bob@clinic.example", email_verified=True, name="Bob", jti=f"ID.{kind}")
            token = confused(kind, tokens["id_token"], encoded(json.dumps(claims).encode()))
            m.issuer.control("token", raw_id_token=token, access_token=tokens["access_token"])
            t.judge(Attempt(m, "bob").approve("alice").reason() == "token_invalid", kind)
        for kind, answer in (
            ("an object", {"id_token": {"payload": "x", "signatures": []}}), ("an array", {"id_token": ["a.b.c"]}),
            ("null", {"id_token": None}), ("a number", {"id_token": 7}),
            ("in another member", {"id_token": None, "pk_token": "a.b.c", "jwt": "a.b.c"}),
        ):
            m.issuer.control("token", answer=answer)
            t.judge(Attempt(m, "bob").approve("bob").reason() == "token_invalid", f"the ID token as {kind}")
        m.issuer.control("token", key="other", header={"jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}})
        t.judge(Attempt(m, "bob").approve("bob").reason() == "token_invalid", "a key that the token brings along")
        m.expect_nothing_changed(before)
    m.issuer.control("token")
    expect_equal(Attempt(m, "bob").approve("bob").reason(), "admitted", "Bob himself")


# ---- Keycloak ----

# Keycloak took the email from userinfo and email_verified from the ID token, of whatever email that one spoke.

ALICE, EVIL, CAROL = "alice@clinic.example", "mallory@evil.example", "carol@clinic.example"
PAIRS = [  # (email, verified) in the ID token, the same in userinfo; None: absent
    ((None, True), (ALICE, None)), ((None, True), (ALICE, False)), ((EVIL, True), (ALICE, None)),
    ((EVIL, True), (ALICE, False)), ((CAROL, True), (ALICE, None)), ((CAROL, True), (ALICE, True)),
    ((EVIL, True), (ALICE, True)), ((ALICE, None), (EVIL, True)), ((ALICE, None), (CAROL, True)),
    ((ALICE, None), (None, True)), ((ALICE, False), (ALICE, True)), ((ALICE, False), (None, True)),
    ((ALICE, False), (EVIL, True)), ((ALICE, None), (ALICE, None)), ((ALICE, None), (ALICE, False)),
    ((ALICE, "true"), (ALICE, True)), ((ALICE, 1), (ALICE, True)), (("", True), (ALICE, None)),
    (("", True), (ALICE, False)), ((None, None), (ALICE, "true")), ((None, None), (ALICE, 1)),
    ((None, None), (ALICE, None)), (([ALICE], True), (ALICE, True)), (([ALICE], True), (ALICE, None)),
    ((ALICE + "\n", True), (ALICE, True)), ((None, True), (None, True)), ((ALICE, [True]), (ALICE, True)),
]


@test("CVE-2026-14781: the flag of one source never verifies the email of another", **STAGED)
def mixed_sources(m):
    start(m)
    before = m.account_files()

    def end_with(token, userinfo):
        m.issuer.control("token", claims=dict(zip(("email", "email_verified"), token)),
                         userinfo=dict(zip(("email", "email_verified"), userinfo)))
        return Attempt(m, "alice").approve("alice").reason()

    with tally() as t:
        for token, userinfo in PAIRS:
            end = end_with(token, userinfo)
            refusals = ("email_unverified", "wrong_domain", "other_person", "email_invalid")
            t.judge(end in refusals and m.account_files() == before, f"the token says {token}, userinfo {userinfo}: {end}")
    for token, userinfo in (((None, None), (ALICE, True)), ((ALICE, None), (ALICE, True)), ((ALICE, True), (EVIL, False))):
        expect_equal(end_with(token, userinfo), "admitted", f"the token says {token}, userinfo {userinfo}")


# ---- pam-u2f ----

# pam-u2f returned PAM_IGNORE when it could not allocate memory or learn its host's name: a second factor was simply left out.

RESULTS = "user_unknown=ignore authinfo_unavail=ignore module_unknown=ignore default=die"
STACKS = {
    "required": "{type} required pam_oidc.so\n",
    "requisite": "{type} requisite pam_oidc.so\n",
    "sufficient": "{type} sufficient pam_oidc.so\n",
    "optional, alone": "{type} optional pam_oidc.so\n",
    "required, behind another factor": "{type} required pam_permit.so\n{type} required pam_oidc.so\n",
    "required, before another factor": "{type} required pam_oidc.so\n{type} required pam_permit.so\n",
    "requisite, before another factor": "{type} requisite pam_oidc.so\n{type} required pam_permit.so\n",
    "sufficient, before a denial": "{type} sufficient pam_oidc.so\n{type} required pam_deny.so\n",
    "as shipped, alone": "{type} [success=ok " + RESULTS + "] pam_oidc.so\n",
    "as shipped, before a denial": "{type} [success=done " + RESULTS + "] pam_oidc.so\n{type} required pam_deny.so\n",
    "a jump over a denial":
        "{type} [success=1 default=ignore] pam_oidc.so\n{type} requisite pam_deny.so\n{type} required pam_permit.so\n",
}


def write_stacks():
    for number, text in enumerate(STACKS.values()):
        write_service(f"auth{number}", text.format(type="auth") + "account required pam_deny.so\n")
        write_service(f"account{number}", "auth required pam_deny.so\n" + text.format(type="account"))


libpam = pam.libpam
libpam.pam_acct_mgmt.argtypes = libpam.pam_authenticate.argtypes


class Phase(pam.SignIn):
    """pam_acct_mgmt in pam_authenticate's place."""

    def __init__(self, service, name):
        real = libpam.pam_authenticate
        libpam.pam_authenticate = libpam.pam_acct_mgmt
        try:
            super().__init__(service, name, lambda *_: True)
        finally:
            libpam.pam_authenticate = real


def results(name):
    """{(phase, stack): PAM's result} for this person, nobody approving."""
    found = {}
    for number, stack in enumerate(STACKS):
        found["auth", stack] = pam.SignIn(f"auth{number}", name, lambda *_: True).result
        found["account", stack] = Phase(f"account{number}", name).result
    return found


PAM_IGNORE = 25


def nothing_runs(m):
    m.pam_oidcd.stop()
    m.provisiond.stop()


def sockets_gone(m):
    nothing_runs(m)
    m.run("rm", "-rf", "/run/pam_oidc", "/run/provisiond")


def only_provisiond(m):
    m.pam_oidcd.stop()


def broken_configuration(m):
    nothing_runs(m)
    m.configure("[login]\nnonsense = yes\n")
    for name in ("pam_oidcd", "provisiond"):
        expect(m.run(name, seconds=30).returncode != 0, f"{name} does not start")


def no_configuration(m):
    nothing_runs(m)
    os.unlink(CONFIG)


def wrong_arguments(m):
    for number in range(len(STACKS)):
        for phase in ("auth", "account"):
            path = f"/etc/pam.d/{phase}{number}"
            text = open(path).read()
            open(path, "w").write(text.replace("pam_oidc.so", "pam_oidc.so nouserok wait=never timeout=-1"))


def unreadable_folders(m):
    os.chmod("/run/pam_oidc", 0)
    os.chmod("/run/provisiond", 0o777)
    m.provisiond.kill()


def closing_daemon(m):
    m.pam_oidcd.stop()
    FakePamOidcd(lambda question: [("status", "")])


def lying_daemon(m):
    m.pam_oidcd.stop()
    FakePamOidcd(lambda question: admitted("alice", uid_of("alice"), "A" * 43))


@cases([(f"CVE-2025-23013: in no stack does the module let in {word}", break_it) for word, break_it in (
    ("with neither daemon running", nothing_runs), ("with the sockets gone", sockets_gone), ("without pam_oidcd", only_provisiond),
    ("with a broken configuration", broken_configuration), ("without a configuration", no_configuration),
    ("with wrong arguments", wrong_arguments), ("with folders that cannot be trusted", unreadable_folders),
    ("with a daemon that says nothing of use", closing_daemon), ("with a daemon that lies", lying_daemon),
)], **STAGED)
def never_ignored(m, break_it):
    start(m)
    have_account(m, "alice")
    write_stacks()
    break_it(m)
    standing_is_known = break_it in (only_provisiond, wrong_arguments, closing_daemon, lying_daemon)
    with tally() as t:
        for name in ("alice", "bob", "root", "localuser"):
            for (phase, stack), result in results(name).items():
                # With provisiond running, the account phase knows Alice, and is right to let her pass.
                if phase == "account" and name == "alice" and standing_is_known and break_it is not wrong_arguments:
                    continue
                t.judge(result not in (pam.SUCCESS, PAM_IGNORE), f"{name}, {phase}, {stack}: {result}")


FAILING = """
import ctypes, sys
sys.path.insert(0, sys.argv[1])
import test_advisories as a
failing = ctypes.CDLL(None)
services = [(phase, number, stack) for number, stack in enumerate(a.STACKS) for phase in ("auth", "account")]
found = []
for phase, number, stack in services:
    run = (lambda: a.pam.SignIn(f"auth{number}", "alice", lambda *_: True)) if phase == "auth" else (
        lambda: a.Phase(f"account{number}", "alice"))
    for n in range(1, 500):
        failing.failing_arm(n)
        result = run().result
        if failing.failing_made() < n:
            break
        found.append((phase, stack, n, result))
print(found)
"""


@test("CVE-2025-23013: in no stack does the module let in when any one of its calls fails", **STAGED)
def failing_calls(m):
    preload = f"{PRODUCT}/tests/e2e/failing_module.so"
    if not os.path.exists(preload):
        raise harness.Skip("failing_module.so was not built into this build folder")
    start(m)
    have_account(m, "alice")
    write_stacks()
    lying_daemon(m)
    folder = os.path.dirname(os.path.abspath(__file__))
    done = m.run("env", f"LD_PRELOAD={preload} libpam.so.0", sys.executable, "-c", FAILING, folder, seconds=90)
    expect(done.returncode == 0, f"the PAM application ended with {done.returncode}: {done.stderr[-3000:]}")
    found = eval(done.stdout)
    with tally() as t:
        for phase, stack, n, result in found:
            # The standing of Alice's account is good; a call that does not matter may fail then.
            if phase == "account" and result == pam.SUCCESS:
                continue
            t.judge(result not in (pam.SUCCESS, PAM_IGNORE), f"{phase}, {stack}, call {n}: {result}")
    expect(len(found) > 50, f"only {len(found)} calls failed")
