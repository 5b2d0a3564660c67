"""What an administrator orders with provisionctl: each order in earnest and as a dry run, on a terminal and in a script."""

import glob
import hashlib
import json
import os
import pwd
import shutil
import sqlite3
import tarfile
import time

from harness import expect, expect_equal, expect_in, expect_not_in, figure, test, wait_for
from machine import PASSWORD

DATABASE = "/var/lib/provisiond/accounts.db"
AGEING = "19000:1:90:7:10:30000:"


def ctl(m, *words, status=0, **options):
    """What provisionctl prints, both streams; its exit status is what it should be."""
    done = m.run("provisionctl", *words, **options)
    expect_equal(done.returncode, status, f"the exit status of provisionctl {' '.join(words)} ({done.stdout}{done.stderr})")
    return done.stdout + done.stderr


def ctl_json(m, *words, status=0):
    done = m.run("provisionctl", *words, "--json")
    expect_equal(done.returncode, status, f"the exit status of provisionctl {' '.join(words)} ({done.stdout}{done.stderr})")
    return json.loads(done.stdout)


def everything(m):
    """All that an order could change: account files, homes, what runs, and every byte of the database."""
    state = m.account_files()
    for path in sorted(glob.glob("/var/lib/provisiond/*") + glob.glob("/etc/sub?id")):
        with open(path, "rb") as file:
            state[path] = hashlib.sha256(file.read()).hexdigest()
    state["/home/*"] = sorted((path, os.lstat(path).st_uid) for path in glob.glob("/home/*"))
    return state


def changes_nothing(m, *words, status=0):
    before = everything(m)
    said = ctl(m, *words, "--dry-run", status=status)
    after = everything(m)
    for path, content in before.items():
        expect_equal(after[path], content, f"{path} after provisionctl {' '.join(words)} --dry-run")
    if status == 0:
        expect_in("Nothing was changed. Without --dry-run", said, "what a dry run says")
    return said


def has_come(m, name="alice", **options):
    """Makes the account, and leaves again."""
    screen = m.sign_in(name, **options)
    screen.enter("exit")
    screen.wait_for_end()


def set_shadow(name, behind_hash):
    """Gives the local user this ageing; the row as it is then."""
    with open("/etc/shadow") as file:
        rows = file.read().split("\n")
    for place, row in enumerate(rows):
        if row.startswith(f"{name}:"):
            rows[place] = ":".join(row.split(":")[:2]) + f":{behind_hash}"
            changed = rows[place]
    with open("/etc/shadow", "w") as file:
        file.write("\n".join(rows))
    return changed


def shadow_row(name):
    with open("/etc/shadow") as file:
        return next(row.rstrip("\n") for row in file if row.startswith(f"{name}:"))


@test("a local user with password and ageing is linked, signs in with Okta, and is given back byte for byte", tags={"ssh"})
def link_and_unlink(m):
    before = set_shadow("localuser", AGEING)
    files = m.account_files()
    said = ctl(m, "link", "localuser", "carol@clinic.example")
    expect_in("The next sign-in with Okta as carol@clinic.example takes localuser (uid 1500)", said, "provisionctl link")
    m.expect_nothing_changed(files)
    expect_in("expected", ctl(m, "list"), "provisionctl list")
    expect_in("linked at a sign-in until", ctl(m, "show", "localuser"), "provisionctl show")
    screen = m.ssh("localuser")
    screen.wait_for_sentence("Press Enter to sign in with Okta, or type your password", 20)
    screen.enter()
    m.approve_on(screen, "carol")
    screen.enter()
    m.wait_for_shell(screen, "localuser")
    shown = ctl_json(m, "show", "localuser")
    expect_equal((shown["state"], shown["linked"], shown["uid"], shown["subject"]),
                 ("active", True, 1500, "00u3carol0000000Clin"), "what is on record")
    expect(shadow_row("localuser").startswith("localuser:!$6$"), "the password is locked by one ! before it")
    expect_in("linked", ctl(m, "list"), "provisionctl list")
    screen.enter("exit")
    screen.wait_for_end()
    said = ctl(m, "remove", "localuser", status=6)
    expect_in("Give it back first (provisionctl unlink localuser)", said, "provisionctl remove")
    said = changes_nothing(m, "unlink", "localuser")
    expect_in("localuser (uid 1500) is a local user again", said, "the dry run")
    ctl(m, "unlink", "localuser")
    expect_equal(shadow_row("localuser"), before, "the row in /etc/shadow")
    m.expect_nothing_changed(files)
    ctl(m, "show", "localuser", status=1)
    done = m.run("pamtester", "login", "localuser", "authenticate", input=f"{PASSWORD}\n")
    expect_equal(done.returncode, 0, f"the local password ({done.stdout}{done.stderr})")


@test("a link that is taken back before anybody took it leaves no trace")
def link_taken_back(m):
    files = m.account_files()
    ctl(m, "link", "localuser", "carol@clinic.example", "--subject", "00u3carol0000000Clin")
    expect_equal(ctl_json(m, "show", "localuser")["subject"], "00u3carol0000000Clin", "the subject that is expected")
    said = changes_nothing(m, "unlink", "localuser")
    expect_in("carol@clinic.example is no longer expected under the name localuser.", said, "the dry run")
    ctl(m, "unlink", "localuser")
    expect_equal(ctl(m, "list", "--names", status=1), "", "who is on record or expected")
    m.expect_nothing_changed(files)


@test("add gives somebody whose address fits no name an account under the name that was chosen", tags={"ssh"})
def add(m):
    changes_nothing(m, "add", "sean", "o'brien@clinic.example")
    ctl(m, "show", "sean", status=1)
    ctl(m, "add", "sean", "o'brien@clinic.example")
    expect_equal(ctl_json(m, "list")[0]["state"], "expected", "the state in the list")
    has_come(m, "sean", user="obrien")
    shown = ctl_json(m, "show", "sean")
    expect_equal((shown["state"], shown["email"]), ("active", "o'brien@clinic.example"), "what is on record")


@test("reserve gives a new account the uid that the admin chose", tags={"ssh"})
def reserve(m):
    promised = m.promised_uid("alice")
    changes_nothing(m, "reserve", "alice", "--uid", "2100000001")
    expect_equal(m.promised_uid("alice"), promised, "the promise after the dry run")
    ctl(m, "reserve", "--uid=2100000001", "alice")
    has_come(m)
    expect_equal(m.passwd("alice")[2:4], ["2100000001", "2100000001"], "uid and gid in /etc/passwd")
    said = ctl(m, "reserve", "bob", "--uid", "2100000001", status=6)
    expect_in("uid 2100000001 is the local user alice. Choose another one.", said, "provisionctl reserve")


@test("deactivate and reactivate say what they did, also the second time, and as a dry run change nothing", tags={"ssh"})
def deactivate(m):
    has_come(m)
    row = shadow_row("alice")
    changes_nothing(m, "deactivate", "alice")
    expect_in("alice is deactivated: sign-ins, SSH keys, cron", ctl(m, "deactivate", "alice"), "provisionctl deactivate")
    expect_in("alice is deactivated already.", ctl(m, "deactivate", "alice"), "the second time")
    expect_equal(ctl_json(m, "show", "alice")["state"], "deactivated", "the state")
    changes_nothing(m, "reactivate", "alice")
    expect_in("alice is active again.", ctl(m, "reactivate", "alice"), "provisionctl reactivate")
    expect_in("alice is not deactivated: it is active.", ctl(m, "reactivate", "alice"), "the second time")
    expect_equal(shadow_row("alice"), row, "the row in /etc/shadow")
    m.log.wait_for(r"provisiond.*deactivate by root \(pid \d+\).*: alice is deactivated")


@test("room changes the room on record and in GECOS, and only to one that there is", start=False, tags={"ssh"})
def room(m):
    m.start_issuer()
    m.configure(m.standard_configuration(tenant="rooms = Exam 1, Exam 2"))
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd()
    screen = m.ssh("alice")
    m.approve_on(screen)
    screen.enter()
    screen.wait_for("Exam 2", 20)
    expect_equal(ctl_json(m, "show", "alice")["state"], "incomplete", "the state while the question is open")
    screen.press("C-c")
    screen.wait_for_end()
    changes_nothing(m, "room", "alice", "Exam 2")
    said = ctl(m, "room", "alice", "Exam 2")
    expect_in("alice has the room Exam 2 now.", said, "provisionctl room")
    expect_in("The account is complete", said, "provisionctl room")
    expect_equal(m.passwd("alice")[4], "Alice Aranda,Exam 2", "GECOS")
    expect_in("Exam 2", ctl(m, "list"), "provisionctl list")
    expect_in("Choose one of: Exam 1, Exam 2", ctl(m, "room", "alice", "Cellar", status=6), "a room that there is not")


@test("reassign asks on a terminal, does nothing on a no, and ends the account on a yes", tags={"ssh"})
def reassign(m):
    has_come(m)
    uid = m.passwd("alice")[2]
    before = everything(m)
    said = changes_nothing(m, "reassign", "alice")
    screen = m.screen("provisionctl", "reassign", "alice")
    screen.wait_for("Type yes or no: ", 20)
    expect_in("Its home is kept as", screen.text(), "what it says before")
    screen.enter("no")
    expect_equal(screen.wait_for_end(), 1, "the exit status after a no")
    expect_equal(everything(m), before, "what there is after a no")
    screen = m.screen("provisionctl", "reassign", "alice")
    screen.wait_for("Type yes or no: ", 20)
    screen.enter("yes")
    expect_equal(screen.wait_for_end(), 0, "the exit status after a yes")
    for sentence in [line[4:] for line in said.splitlines()[1:]]:
        expect_in(sentence, screen.text(), "what it did is what the dry run said")
    expect_equal(m.passwd("alice"), None, "alice in /etc/passwd")
    expect_equal(str(os.stat(f"/home/alice.{uid}").st_uid), uid, "the owner of the old home")
    expect(m.promised_uid("alice") != int(uid), "a successor gets another uid")


@test("reassign asks back when the owner was renamed: in a script it needs --yes", tags={"ssh"})
def reassign_renamed(m):
    has_come(m)
    m.provisiond.stop()
    with sqlite3.connect(DATABASE) as database:
        database.execute("UPDATE accounts SET email = 'alice.jones@clinic.example' WHERE name = 'alice'")
    m.start_provisiond()
    before = everything(m)
    said = ctl(m, "reassign", "alice", status=6)
    expect_in("looks like a new name of the same person", said, "the question")
    expect_in("If it is meant so, add --yes.", said, "the way out")
    expect_equal(everything(m), before, "what there is without --yes")
    screen = m.screen("provisionctl", "reassign", "alice")
    screen.wait_for("for good.*Type yes or no: ", 20)
    screen.enter("y")
    expect_equal(screen.wait_for_end(), 1, "the exit status after y, which is no yes")
    expect_equal(everything(m), before, "what there is after y")
    ctl(m, "reassign", "alice", "--yes")
    expect_equal(m.passwd("alice"), None, "alice in /etc/passwd")


@test("remove keeps the home; later it is archived, 0600 and whole, and only then deleted", tags={"ssh"})
def remove_and_archive(m):
    screen = m.sign_in("alice")
    m.ask_in(screen, "echo report > report.txt; ln -s /etc/shadow trap; mkdir -p 'a b/c'; echo x > 'a b/c/--checkpoint-action=exec=id'")
    uid = m.passwd("alice")[2]
    screen.enter("exit")
    screen.wait_for_end()
    changes_nothing(m, "remove", "alice")
    changes_nothing(m, "remove", "alice", "--delete-home")
    changes_nothing(m, "remove", "alice", "--archive-home", "/tmp/alice.tar")
    expect(not os.path.exists("/tmp/alice.tar"), "a dry run writes no archive")
    said = ctl(m, "remove", "alice")
    expect_in(f"alice is removed from the account files; uid {uid} stays its owner's", said, "provisionctl remove")
    expect_equal(m.passwd("alice"), None, "alice in /etc/passwd")
    os.umask(0o777)
    said = ctl(m, "remove", "alice", "--archive-home", "/tmp/alice.tar")
    os.umask(0o022)
    expect_in("Its home was archived in /tmp/alice.tar.", said, "provisionctl remove --archive-home")
    expect_in("Its home /home/alice is deleted.", said, "provisionctl remove --archive-home")
    expect(not os.path.exists("/home/alice"), "the home is gone")
    status = os.stat("/tmp/alice.tar")
    expect_equal((status.st_mode & 0o7777, status.st_uid), (0o600, 0), "mode and owner of the archive")
    with tarfile.open("/tmp/alice.tar") as archive:
        names = archive.getnames()
        expect("./alice/report.txt" in names and "./alice/a b/c/--checkpoint-action=exec=id" in names, f"all is in: {names}")
        expect(archive.getmember("./alice/trap").issym(), "a link is archived as one")
        expect_equal(archive.getmember("./alice/report.txt").uid, int(uid), "the owner in the archive")
        expect_equal(archive.extractfile("./alice/report.txt").read(), b"report\n", "the file in the archive")
    expect_equal(ctl_json(m, "show", "alice")["state"], "removed", "the state")


@test("when a home cannot be archived, it stays where it is, and no half archive is left", tags={"ssh"})
def archive_fails(m):
    has_come(m)
    with open("/tmp/there.tar", "w") as file:
        file.write("precious")
    before = everything(m)
    said = ctl(m, "remove", "alice", "--archive-home", "/tmp/there.tar", "--yes", status=6)
    expect_in("/tmp/there.tar exists already. Nothing was changed", said, "a file that exists")
    said = ctl(m, "remove", "alice", "--archive-home", "/home/alice/alice.tar", status=6)
    expect_in("lies in the home that is to be deleted", said, "a file in the home")
    said = ctl(m, "remove", "alice", "--archive-home", "/nowhere/alice.tar", status=5)
    expect_in("/nowhere/alice.tar cannot be written: No such file or directory", said, "a folder that is not there")
    expect_equal(everything(m), before, "what there is after all that")
    expect_equal(open("/tmp/there.tar").read(), "precious", "the file that was there")
    os.makedirs("/tmp/bin", exist_ok=True)
    with open("/tmp/bin/tar", "w") as file:
        file.write("#!/bin/sh\necho half\nexit 1\n")
    os.chmod("/tmp/bin/tar", 0o755)
    environment = {**os.environ, "PATH": f"/tmp/bin:{os.environ['PATH']}"}
    said = ctl(m, "remove", "alice", "--archive-home", "/tmp/alice.tar", status=5, environment=environment)
    expect_in("tar did not archive all of it. The home was kept, in /home/alice.", said, "a tar that fails")
    expect(not os.path.exists("/tmp/alice.tar"), "no half archive is left")
    expect(os.path.exists("/home/alice/.profile") or os.listdir("/home/alice") is not None, "the home is there")
    expect_equal(m.passwd("alice"), None, "alice in /etc/passwd")
    ctl(m, "remove", "alice", "--archive-home", "/tmp/alice.tar")
    expect(not os.path.exists("/home/alice"), "the home is gone once it was archived")


@test("remove asks on a terminal, and what runs as the account ends before its home is archived", tags={"ssh"})
def remove_on_a_terminal(m):
    session = m.sign_in("alice")
    session.enter("sleep 1000 & disown")
    before = m.account_files()
    screen = m.screen("provisionctl", "remove", "alice", "--archive-home", "/tmp/alice.tar")
    screen.wait_for("This will be done:(?s:.*)Type yes or no: ", 20)
    screen.enter("no")
    expect_equal(screen.wait_for_end(), 1, "the exit status after a no")
    m.expect_nothing_changed(before)
    screen = m.screen("provisionctl", "remove", "alice", "--archive-home", "/tmp/alice.tar")
    screen.wait_for("Type yes or no: ", 20)
    screen.enter("yes")
    expect_equal(screen.wait_for_end(60), 0, f"the exit status after a yes ({screen.text()})")
    expect(not os.path.exists("/home/alice"), "the home is gone")
    expect(tarfile.is_tarfile("/tmp/alice.tar"), "there is an archive")
    session.wait_for_end(20)


def write(path, text):
    with open(path, "w") as file:
        file.write(text)
    return path


@test("deactivate --all-but deactivates whom the list does not name, after it has shown them", tags={"ssh"})
def all_but(m):
    for name in ("alice", "bob", "carol"):
        has_come(m, name)
    staff = write("/tmp/staff", "\ufeff# staff of November\r\nAlice@Clinic.Example  # at the desk\r\n\r\nbobb\r\nnobody-else\n")
    said = changes_nothing(m, "deactivate", "--all-but", staff)
    expect_in("2 accounts are not in the list, 1 stays", said, "the dry run")
    expect_in('line 4 of the list, "bobb", is no account\'s name or email.', said, "the dry run")
    expect_in('line 5 of the list, "nobody-else", is no account\'s', said, "the dry run")
    before = everything(m)
    screen = m.screen("provisionctl", "deactivate", "--all-but", staff)
    screen.wait_for("Deactivate 2 accounts\\? Type yes or no: ", 20)
    expect_in("carol@clinic.example", screen.text(), "whom it shows")
    screen.enter("no")
    expect_equal(screen.wait_for_end(), 1, "the exit status after a no")
    expect_equal(everything(m), before, "what there is after a no")
    report = ctl_json(m, "deactivate", "--all-but", write("/tmp/two", "alice\nbob@clinic.example\nbobb\n"), "--yes")
    expect_equal([(one["name"], one["status"]) for one in report["accounts"]], [("carol", "done")], "what it reports")
    expect_equal(report["unknown_lines"], [{"line": 3, "text": "bobb"}], "the lines that it does not know")
    states = {one["name"]: one["state"] for one in ctl_json(m, "list")}
    expect_equal(states, {"alice": "active", "bob": "active", "carol": "deactivated"}, "the states")
    said = ctl(m, "deactivate", "--all-but", staff, "--yes")
    expect_in("1 of 1 account was deactivated.", said, "the second list")
    expect_in("Everybody who is active is in the list.", ctl(m, "deactivate", "--all-but", staff), "the second time")


@test("a wrong file for deactivate --all-but deactivates nobody", tags={"ssh"})
def all_but_wrong(m):
    has_come(m)
    before = everything(m)
    for what, path, status, says in (
        ("empty", write("/tmp/empty", ""), 6, "the list is empty"),
        ("comments only", write("/tmp/comments", "# nobody\n\n   \n#alice\n"), 6, "the list is empty"),
        ("another list", write("/tmp/other", "milk\neggs\nroot\nlocaluser\n"), 6, "it is not the right list"),
        ("missing", "/tmp/missing", 5, "the list cannot be read: No such file or directory"),
        ("a folder", "/tmp", 5, "the list cannot be read: Is a directory"),
        ("no text", write("/tmp/binary", "alice\n\0\n"), 6, "the list is no text"),
        ("endless", "/dev/zero", 6, "the list is no text"),
    ):
        said = ctl(m, "deactivate", "--all-but", path, "--yes", status=status)
        expect_in(says, said, what)
        expect_in("Nobody was deactivated", said, what)
    expect_equal(everything(m), before, "what there is after all that")


@test("a refusal by Okta stands in the list", tags={"ssh"})
def refusal_in_list(m):
    has_come(m)
    screen = m.ssh("alice")
    m.approve_on(screen, "dave")
    wait_for("the refusal in provisionctl list", lambda: "refused by Okta: " in ctl(m, "list"), 20)
    expect_in("just now", ctl(m, "list"), "when")
    screen.close()


@test("status counts, and tells of a lock that another program holds", tags={"ssh"})
def status(m):
    has_come(m)
    ctl(m, "link", "localuser", "carol@clinic.example")
    shown = ctl_json(m, "status")
    expect_equal((shown["accounts"], shown["active"], shown["expected"], shown["lock"], shown["recovery"]),
                 (1, 1, 1, "free", "none"), "provisionctl status --json")
    expect_in("not locked", ctl(m, "status"), "provisionctl status")
    holder = m.screen("python3", "-c", "import fcntl, time; f = open('/etc/.pwd.lock', 'w'); fcntl.lockf(f, fcntl.LOCK_EX); time.sleep(1000)")
    wait_for("the lock", lambda: ctl_json(m, "status")["lock"] == "held", 20)
    expect_in("locked by another program", ctl(m, "status"), "provisionctl status")
    screen = m.screen("provisionctl", "deactivate", "alice")
    screen.wait_for(r"waiting for provisiond, \d+ s \.\.\.", 20)
    holder.close()
    expect_equal(screen.wait_for_end(30), 0, f"the exit status once the lock is free ({screen.text()})")
    expect_not_in("waiting for", screen.text(), "the screen afterwards")


def fill(count):
    """So many accounts on record; provisiond is not running."""
    with sqlite3.connect(DATABASE) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(accounts)")]
        (alice,) = database.execute("SELECT * FROM accounts WHERE name = 'alice'")
        for n in range(count):
            row = dict(zip(columns, alice))
            row.update(name=f"person{n}", uid=2100000000 + n, gid=2100000000 + n, subject=f"00u{n}",
                       email=f"person{n}@clinic.example", home=f"/home/person{n}", first_subid=0)
            database.execute(f"INSERT INTO accounts VALUES ({','.join('?' * len(columns))})", [row[key] for key in columns])


@test("10,000 accounts are listed", alone=True, tags={"ssh"})
def large_list(m):
    has_come(m)
    m.provisiond.stop()
    fill(9999)
    m.start_provisiond()
    began = time.monotonic()
    listed = ctl(m, "list")
    took = time.monotonic() - began
    expect_equal(len(listed.splitlines()), 10001, "lines")
    expect_equal(len(ctl(m, "list", "--names").splitlines()), 10000, "names")
    expect_equal(ctl_json(m, "status")["active"], 10000, "active accounts")
    figure("provisionctl list with 10,000 accounts", took, "s", 1)


COMPLETE = """
source {file}
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_provisionctl 2>/dev/null
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def completions(m, *words):
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    script = COMPLETE.format(file=f"{top}/etc/bash_completion/provisionctl", words=" ".join(f"'{word}'" for word in words))
    return m.run("bash", "-c", script, check=True).stdout.split()


@test("bash completes commands, options and names", tags={"ssh"})
def completion(m):
    has_come(m)
    helps = ctl(m, "--help")
    commands = [line.split()[0] for line in helps.split("Commands:\n")[1].split("\n\n")[0].splitlines()]
    expect_equal(sorted(completions(m, "provisionctl", "")), sorted(commands), "the commands")
    expect_equal(completions(m, "provisionctl", "dea"), ["deactivate"], "a command")
    for command in commands:
        options = [line.split()[0] for line in ctl(m, command, "--help").split("Options:\n")[1].split("\n\n")[0].splitlines()]
        options.remove("--version")
        expect_equal(sorted(completions(m, "provisionctl", command, "-")), sorted(options), f"the options of {command}")
    expect_equal(completions(m, "provisionctl", "show", "al"), ["alice"], "a name")
    expect_equal(completions(m, "provisionctl", "remove", "--yes", ""), ["alice"], "a name behind an option")
    expect_equal(completions(m, "provisionctl", "room", "alice", ""), [], "what stands behind the name")
    expect_equal(completions(m, "provisionctl", "link", "local"), ["localuser"], "a local user")
    write("/tmp/staff-list", "alice\n")
    expect_equal(completions(m, "provisionctl", "deactivate", "--all-but", "/tmp/staff-l"), ["/tmp/staff-list"], "a file")


@test("what provisionctl prints for programs is JSON, whatever becomes of the order", tags={"ssh"})
def as_json(m):
    has_come(m)
    refused = ctl_json(m, "remove", "ghost", status=1)
    expect_equal((refused["status"], refused["reason"]), ("refused", "not_found"), "an order about nobody")
    refused = ctl_json(m, "link", "alice", "x@clinic.example", status=6)
    expect_equal((refused["status"], refused["reason"]), ("refused", "conflict"), "an order against a rule")
    done = ctl_json(m, "deactivate", "alice", "--dry-run")
    expect_equal((done["status"], done["account"], done["dry_run"], len(done["did"])), ("done", "alice", True, 2), "a dry run")
    done = ctl_json(m, "remove", "alice", "--archive-home", "/tmp/alice.tar")
    expect_equal(done["status"], "done", "an order with an archive")
    expect(os.path.exists("/tmp/alice.tar"), "there is an archive")
