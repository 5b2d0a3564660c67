"""What setup changes in PAM, nsswitch.conf and sshd: applied as a whole or not at all, harmless to root and local users at every
moment, and taken back to the byte. With the distribution's own PAM files, pam-auth-update and sshd."""

import os
import re
import shutil
import subprocess
import time

import harness
from harness import cases, expect, expect_equal, expect_in, expect_not_in, test
from machine import PASSWORD, PRODUCT

CHANGES = f"{PRODUCT}/tests/e2e/changes"
STATE = "/var/lib/provisiond/setup"
DROP_IN = "/etc/ssh/sshd_config.d/10-pam_oidc.conf"
SECRET = b"not-to-be-seen-anywhere"
TAGS = {"setup"}
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


# ---- a machine as packages leave it ----


def cover(folder):
    """A folder whose changes are in memory."""
    work = f"/run/sandbox/cover{folder}"
    for name in ("upper", "work"):
        os.makedirs(f"{work}/{name}")
    options = f"lowerdir={folder},upperdir={work}/upper,workdir={work}/work"
    done = subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", folder], capture_output=True, text=True)
    if done.returncode != 0:
        raise harness.Skip(f"no overlay over {folder} can be made here: {done.stderr.strip()}")


def pam_folder():
    """Where the distribution's PAM modules are."""
    for top, _, names in os.walk("/usr/lib"):
        if "pam_unix.so" in names:
            return top
    for top in ("/lib64/security", "/usr/lib64/security"):
        if os.path.exists(f"{top}/pam_unix.so"):
            return top
    raise harness.Skip("no folder with PAM modules")


def edit(path, change):
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(change(text))


def prepare(m, profile=True):
    """Modules where packages put them; PAM, nsswitch and sshd as the distribution has them."""
    if not os.path.exists(CHANGES):
        raise harness.Skip("tests/e2e/changes is not built here")
    folder = pam_folder()
    cover(folder)
    shutil.copy(f"{PRODUCT}/pam_oidc.so", f"{folder}/pam_oidc.so")
    if os.path.isdir("/usr/share/pam-configs"):
        cover("/usr/share/pam-configs")
        if profile:
            shutil.copy(f"{SOURCE}/debian/pam-configs/oidc", "/usr/share/pam-configs/oidc")
    elif profile:
        raise harness.Skip("there is no pam-auth-update here")
    for name in os.listdir("/etc/pam.d"):
        edit(f"/etc/pam.d/{name}", lambda text: re.sub(r"^.*pam_oidc\.so.*\n", "", text, flags=re.M))
    edit("/etc/nsswitch.conf", lambda text: re.sub(r" oidc\b", "", text))
    drop_in = "/etc/ssh/sshd_config.d/00-pam_oidc.conf"
    edit(drop_in, lambda text: re.sub(r"^(KbdInteractive|UseDNS|UsePAM|MaxStartups).*\n", "", text, flags=re.M) + "PermitRootLogin yes\n")
    os.rename(drop_in, "/etc/ssh/sshd_config.d/99-test.conf")
    m.start_sshd()


def files(*tops):
    """Every file below with its content, owner, mode and extended attributes; folders and links, too."""
    found = {}
    for top in tops or ("/etc", "/var/lib/pam"):
        for folder, folders, names in os.walk(top):
            for path in [folder] + [f"{folder}/{name}" for name in names + folders]:
                status = os.lstat(path)
                attributes = sorted((name, os.getxattr(path, name, follow_symlinks=False)) for name in os.listxattr(path, follow_symlinks=False))
                what = None
                if os.path.islink(path):
                    what = os.readlink(path)
                elif os.path.isfile(path):
                    with open(path, "rb") as file:
                        what = file.read()
                found[path] = (status.st_mode, status.st_uid, status.st_gid, attributes, what)
    return found


def expect_same(before, what):
    now = files()
    differing = sorted(path for path in before.keys() | now.keys() if before.get(path) != now.get(path))
    expect(not differing, f"{what}: these are not as before: {differing}")


def changes(m, *words, status=0):
    done = m.run(CHANGES, *words, seconds=60)
    expect_equal(done.returncode, status, f"the exit status of changes {' '.join(map(str, words))}:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def read(path):
    with open(path) as file:
        return file.read()


def reload_sshd(m):
    """As a service manager would."""
    m.stop_sshd()
    m.start_sshd()


# ---- who gets in ----


def password_over_ssh(m, name, prompt):
    screen = m.ssh(name)
    screen.wait_for(r"assword: ?$", 20)
    screen.enter(PASSWORD)
    screen.wait_for(prompt, 20)
    expect_not_in("Okta", screen.text(), "the screen")
    return screen


def expect_everybody_in(m):
    """root and local people: ssh with a password, login, su and sudo; and a wrong password stays out."""
    reload_sshd(m)
    for name, prompt in (("localuser", r"localuser@ward3.*\$ ?$"), ("root", r"root@ward3.*# ?$")):
        password_over_ssh(m, name, prompt).close()
        screen = m.login(name)
        screen.wait_for(r"^Password: ?$", 20)
        screen.enter(PASSWORD)
        screen.wait_for(prompt, 20)
        if name == "localuser":
            screen.enter("su - sudoer")
            screen.wait_for(r"^Password: ?$", 20, count=2)
            screen.enter(PASSWORD)
            m.wait_for_shell(screen, "sudoer")
            screen.enter("sudo id -un")
            screen.wait_for(r"password for sudoer: ?$", 20)
            screen.enter(PASSWORD)
            screen.wait_for(r"^root$", 20)
        screen.close()
    screen = m.login("localuser")
    screen.wait_for(r"^Password: ?$", 20)
    screen.enter("wrong horse")
    m.wait_for_refused_login(screen)
    screen.close()


def pam_says(m, *users):
    """The quick form: how far PAM takes people in sshd and login, asked of the real stacks."""
    return "".join(changes(m, "ways", user) for user in users)


ALL_IN = "".join(
    f"{service} {name} asked=1 authenticated=-1 account=0\n" for service in ("sshd", "login") for name in ("root", "localuser")
)


# ---- tests ----


@test("applied with the distribution's files, root and local users still get in; taken back, all is as before to the byte",
      start=False, tags=TAGS, seconds=120)
def there_and_back(m):
    prepare(m)
    before = files()
    shown = changes(m, "print")
    expect_same(before, "showing what would change")
    sources = re.findall(r"^(?:passwd|group):.*$", read("/etc/nsswitch.conf"), re.M)
    for sentence in ("+++ /etc/pam.d/common-auth", f"+{sources[0]} oidc", "+KbdInteractiveAuthentication yes",
                     "/etc/pam_oidc/clinic.secret: a new secret, 23 bytes, mode 0640, owner root:_pam_oidc"):
        expect_in(sentence, shown, "what is shown")
    expect_not_in(SECRET.decode(), shown, "what is shown")
    changes(m, "apply")
    expect_equal(changes(m, "history").strip(), "applied", "the record")
    for part in ("auth", "account", "session"):
        expect_in("pam_oidc.so", read(f"/etc/pam.d/common-{part}"), f"common-{part}")
    expect_equal(re.findall(r"^(?:passwd|group):.*$", read("/etc/nsswitch.conf"), re.M), [f"{line} oidc" for line in sources], "nsswitch.conf")
    status = os.stat("/etc/pam_oidc/clinic.secret")
    expect_equal((status.st_mode & 0o7777, status.st_uid, status.st_gid), (0o640, 0, 990), "the secret's mode and owner")
    expect_equal(os.stat(STATE).st_mode & 0o7777, 0o700, "the mode of the record")
    expect(not any(SECRET in (row[4] or b"") for row in files(STATE).values() if not isinstance(row[4], str)), "the record holds the secret")
    expect_equal(changes(m, "print", status=2).count("+++"), 0, "diffs that a second time would bring")
    expect_everybody_in(m)
    changes(m, "undo")
    expect_same(before, "after undo")
    expect_equal(changes(m, "history").strip(), "none", "the record")
    expect_equal(os.listdir(STATE), [], "what is left of the record")
    expect_everybody_in(m)
    expect_equal(changes(m, "undo"), "", "what a second undo says")
    expect_same(before, "after a second undo")


@test("the files have what pam-auth-update itself would have written, and it takes the lines out again", start=False, tags=TAGS)
def as_pam_auth_update(m):
    prepare(m)
    kept = {path: row[4] for path, row in files("/etc/pam.d", "/var/lib/pam").items()}
    changes(m, "apply")
    ours = {path: row[4] for path, row in files("/etc/pam.d", "/var/lib/pam").items()}
    changes(m, "undo")
    cover("/var/cache/debconf")
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"}
    m.run("pam-auth-update", "--package", "--enable", "oidc", check=True, environment=environment)
    theirs = {path: row[4] for path, row in files("/etc/pam.d", "/var/lib/pam").items()}
    differing = [path for path in ours.keys() | theirs.keys() if ours.get(path) != theirs.get(path)]
    expect(not differing, f"pam-auth-update writes others: {differing}")
    m.run("pam-auth-update", "--package", "--remove", "oidc", check=True, environment=environment)
    changes(m, "apply")
    m.run("pam-auth-update", "--package", "--remove", "oidc", check=True, environment=environment)
    changes(m, "undo")
    for path in (path for path in kept if "/common-" in path):
        with open(path, "rb") as file:
            expect_equal(file.read(), kept[path], path)


@test("without pam-auth-update the lines go into each service's own file, and out of it again", start=False, tags=TAGS, seconds=120)
def line_by_line(m):
    prepare(m, profile=False)
    before = files()
    changes(m, "apply")
    for service in ("sshd", "login", "su", "sudo"):
        text = read(f"/etc/pam.d/{service}")
        expect(re.search(r"^auth\t\[success=done .*pam_oidc\.so\n(#.*\n|\n)*@include common-auth", text, re.M), f"{service} has:\n{text}")
    expect_in("account\t[success=ok", read("/etc/pam.d/passwd") + read("/etc/pam.d/sshd"), "passwd")
    expect("pam_oidc" not in read("/etc/pam.d/common-auth"), "common-auth was edited")
    expect_everybody_in(m)
    changes(m, "undo")
    expect_same(before, "after undo")


@test("where common files were edited by hand, pam-auth-update is not used, and that is said", start=False, tags=TAGS)
def edited_by_hand(m):
    prepare(m)
    edit("/etc/pam.d/common-auth", lambda text: text.replace(
        "# here's the fallback", "auth [success=ok default=ignore] pam_echo.so\n# here's the fallback"))
    before = files()
    expect_in("edited by hand", changes(m, "print"), "what is shown")
    changes(m, "apply")
    expect_in("pam_oidc.so", read("/etc/pam.d/sshd"), "/etc/pam.d/sshd")
    expect_equal(pam_says(m, "localuser"), ALL_IN, "how far people get")
    changes(m, "undo")
    expect_same(before, "after undo")


@test("of files that were edited since, only what setup had put in is taken out", start=False, tags=TAGS)
def edited_since(m):
    prepare(m)
    before = files()
    changes(m, "apply")
    edit("/etc/nsswitch.conf", lambda text: text.replace(" oidc\n", " oidc sss\n").replace("hosts:", "# edited\nhosts:"))
    edit("/etc/pam.d/common-auth", lambda text: text.replace("[success=2 user", "[success=3 user").replace(
        "auth\t[success=1 default=ignore]", "auth [success=2 default=ignore] pam_deny.so\nauth\t[success=1 default=ignore]"))
    edit(DROP_IN, lambda text: text.replace("UsePAM yes\n", "UsePAM yes\nPrintMotd no\n"))
    edit("/etc/pam_oidc.conf", lambda text: text + "rooms = Radiology\n")
    told = changes(m, "undo")
    for path in ("/etc/nsswitch.conf", "/etc/pam.d/common-auth", DROP_IN, "/etc/pam_oidc.conf"):
        expect_in(f"{path} was changed since", told, "what undo says")
    as_edited = re.sub(r"^((?:passwd|group):.*)$", r"\1 sss", before["/etc/nsswitch.conf"][4].decode(), flags=re.M)
    expect_equal(read("/etc/nsswitch.conf"), as_edited.replace("hosts:", "# edited\nhosts:"), "nsswitch.conf")
    auth = read("/etc/pam.d/common-auth")
    expect_not_in("pam_oidc", auth, "common-auth")
    expect_in("auth [success=2 default=ignore] pam_deny.so", auth, "common-auth")
    expect_equal(read(DROP_IN), "PrintMotd no\n", "the drop-in")
    expect(not os.path.exists("/etc/pam_oidc.conf"), "the configuration is still there")
    expect_in("rooms = Radiology", read("/etc/pam_oidc.conf.undone"), "what is kept of the configuration")
    expect(not os.path.exists("/etc/pam_oidc"), "the folder of secrets is still there")
    expect_equal(pam_says(m, "localuser"), ALL_IN, "how far people get")


@test("a secret that was replaced since stays, and so does its folder", start=False, tags=TAGS)
def secret_replaced(m):
    prepare(m)
    changes(m, "apply")
    with open("/etc/pam_oidc/clinic.secret", "w") as file:
        file.write("rotated")
    told = changes(m, "undo")
    expect_in("/etc/pam_oidc is not empty and stays", told, "what undo says")
    expect_equal(read("/etc/pam_oidc/clinic.secret"), "rotated", "the secret")


@test("a step that fails takes everything back and says which, why and what to do", start=False, tags=TAGS)
def failing_step(m):
    prepare(m)
    before = files()
    told = changes(m, "apply", "--fail", status=3)
    expect_in("fault: fail: /bin/false failed with status 1. Do not.", told, "what is said")
    expect_same(before, "after a step that failed")
    expect_equal(changes(m, "history").strip(), "none", "the record")


def read_only(m):
    m.run("mount", "--bind", "/etc/pam.d", "/etc/pam.d", check=True)
    m.run("mount", "-o", "remount,bind,ro", "/etc/pam.d", check=True)
    return "read-only", "/etc/pam.d"


def full(m):
    """No byte of the new file has room, and the folder is the last one that changes."""
    os.makedirs("/run/copy")
    m.run("cp", "-a", "/etc/pam.d/.", "/run/copy", check=True)
    m.run("mount", "-t", "tmpfs", "-o", "size=256k,mode=0755", "tmpfs", "/etc/pam.d", check=True)
    m.run("cp", "-a", "/run/copy/.", "/etc/pam.d", check=True)
    try:
        with open("/etc/pam.d/ballast", "wb", buffering=0) as ballast:
            while True:
                ballast.write(b"x" * 4096)
    except OSError:
        pass
    return "the disk is full", "/etc/pam.d"


def no_room_for_record(m):
    m.run("mount", "-t", "tmpfs", "-o", "size=16k,mode=0700", "tmpfs", "/var/lib/provisiond", check=True)
    return "record for undo", "/var/lib/provisiond"


@cases([("a read-only folder", read_only), ("a full disk", full), ("no room for the record", no_room_for_record)],
       start=False, tags=TAGS)
def fault(m, break_it):
    prepare(m)
    sentence, place = break_it(m)
    before = files()
    told = changes(m, "apply", status=3)
    expect_in("fault:", told, "what is said")
    expect_in(sentence, told, "what is said")
    expect_same(before, "after a fault")
    expect_equal(changes(m, "history").strip(), "none", "the record")
    m.run("umount", place, check=True)
    before = files()
    changes(m, "apply")
    changes(m, "undo")
    expect_same(before, "after applying without the fault, and undo")


@test("killed after each of its changes: everybody gets in at once, and undo brings everything back", start=False, tags=TAGS, seconds=180)
def killed_at_every_step(m):
    prepare(m)
    before = files()
    done = 0
    while True:
        done += 1
        status = m.run(CHANGES, "apply", "--kill-after", done, seconds=60).returncode
        if status == 0:
            break
        expect_equal(status, -9, f"the end after {done} changes")
        expect_equal(changes(m, "history").strip(), "unfinished", f"the record after {done} changes")
        expect_equal(pam_says(m, "localuser"), ALL_IN, f"how far people get after {done} changes")
        m.run("/usr/sbin/sshd", "-t", check=True)
        changes(m, "undo")
        expect_same(before, f"undo after {done} changes")
        expect_equal(changes(m, "history").strip(), "none", "the record")
    expect(done > 12, f"only {done} changes")
    # The same on the way back.
    for undone in range(1, done):
        status = m.run(CHANGES, "undo", "--kill-after", undone, seconds=60).returncode
        if status == 0:
            break
        expect_equal(status, -9, f"the end of undo after {undone} changes")
        expect_equal(pam_says(m, "localuser"), ALL_IN, f"how far people get after {undone} changes of undo")
        changes(m, "undo")
        expect_same(before, f"undo that was killed after {undone} changes, once more")
        changes(m, "apply")
    changes(m, "undo")
    expect_same(before, "the last undo")


@test("killed before and behind each renaming, forwards and back, undo brings everything back and leaves nothing beside", start=False,
      tags=TAGS, seconds=240)
def killed_at_each_renaming(m):
    prepare(m)
    before = files()

    def kill_at(word, where, number):
        return m.run(CHANGES, word, f"--kill-{where}-rename", number, seconds=60).returncode

    for where in ("before", "behind"):
        number = 1
        while kill_at("apply", where, number) == -9:
            changes(m, "undo")
            expect_same(before, f"undo after a kill {where} the renaming number {number}")
            number += 1
        expect(number > 12, f"only {number} files were renamed")
        for number in range(1, number, 3):
            expect_equal(kill_at("undo", where, number), -9, "the end of undo")
            changes(m, "undo")
            expect_same(before, f"undo that was killed {where} the renaming number {number}, once more")
            changes(m, "apply")
        changes(m, "undo")
    expect_same(before, "the last undo")


@test("killed at any moment, files are whole and undo brings everything back", start=False, tags=TAGS, seconds=180)
def killed_at_any_moment(m):
    prepare(m)
    before = files()
    began = time.monotonic()
    changes(m, "apply")
    whole = time.monotonic() - began
    changes(m, "undo")
    for number in range(10):
        process = subprocess.Popen([CHANGES, "apply"], stdout=subprocess.DEVNULL)
        time.sleep(whole * (0.3 + 0.7 * number / 10))
        process.kill()
        process.wait()
        now = files()
        for path in ("/etc/nsswitch.conf", "/etc/pam.d/common-auth", "/etc/ssh/sshd_config"):
            expect(now[path][4].endswith(b"\n") and len(now[path][4]) >= len(before[path][4]), f"{path} is not whole")
        changes(m, "undo")
        expect_same(before, f"undo after the kill number {number}")


@test("two sets in a row are both taken back, the last one first", start=False, tags=TAGS)
def two_sets(m):
    prepare(m)
    before = files()
    changes(m, "apply")
    between = files()
    changes(m, "apply", "--ssh-passwords-off")
    expect_in("PasswordAuthentication no", read(DROP_IN), "the drop-in")
    changes(m, "undo-last")
    expect_same(between, "after undoing the last")
    changes(m, "apply", "--ssh-passwords-off")
    changes(m, "undo")
    expect_same(before, "after undoing all")


@test("owner, mode, ACL and other attributes of files stay", start=False, tags=TAGS)
def attributes(m):
    prepare(m)
    os.chmod("/etc/nsswitch.conf", 0o664)
    os.chown("/etc/nsswitch.conf", 0, 42)
    os.setxattr("/etc/nsswitch.conf", "trusted.test", b"kept")
    before = files()
    changes(m, "apply")
    status = os.stat("/etc/nsswitch.conf")
    expect_equal((status.st_mode & 0o7777, status.st_uid, status.st_gid), (0o664, 0, 42), "mode and owner of nsswitch.conf")
    expect_equal(os.getxattr("/etc/nsswitch.conf", "trusted.test"), b"kept", "the attribute")
    changes(m, "undo")
    expect_same(before, "after undo")


@test("a link is followed: what it leads to changes, and it stays a link", start=False, tags=TAGS)
def link(m):
    prepare(m)
    os.makedirs("/etc/elsewhere")
    os.rename("/etc/nsswitch.conf", "/etc/elsewhere/nsswitch.conf")
    os.symlink("elsewhere/nsswitch.conf", "/etc/nsswitch.conf")
    before = files()
    changes(m, "apply")
    expect(os.path.islink("/etc/nsswitch.conf"), "the link is gone")
    expect_in(" oidc\n", read("/etc/elsewhere/nsswitch.conf"), "what it leads to")
    changes(m, "undo")
    expect_same(before, "after undo")


def blocked_nsswitch(m):
    edit("/etc/nsswitch.conf", lambda text: re.sub(r"^(passwd:\s*files)", r"\1 [NOTFOUND=return]", text, flags=re.M))
    return "[NOTFOUND=return]", "Put oidc before it by hand"


def contradicting_drop_in(m):
    with open("/etc/ssh/sshd_config.d/05-other.conf", "w") as file:
        file.write("# other\nKbdInteractiveAuthentication no\n")
    return "KbdInteractiveAuthentication yes", "/etc/ssh/sshd_config.d/05-other.conf:2 says otherwise first"


def broken_sshd(m):
    edit("/etc/ssh/sshd_config", lambda text: text + "NoSuchThing yes\n")
    return "sshd does not accept its configuration", "NoSuchThing"


def no_module(m):
    os.unlink(f"{pam_folder()}/pam_oidc.so")
    return "pam_oidc.so is not there", "libpam-oidc"


def locked_out_by_hand(m):
    # pam_unix takes only a password that a module before it has asked for; with pam_oidc's lines nobody would.
    for name in os.listdir("/usr/share/pam-configs"):
        if name == "oidc":
            edit(f"/usr/share/pam-configs/{name}", lambda text: text.replace("user_unknown=ignore ", "", 1))
    return "locked out", "put the lines in by hand"


@cases([("nsswitch.conf ends the search before oidc", blocked_nsswitch), ("a drop-in that sshd reads first says otherwise", contradicting_drop_in),
        ("sshd's configuration is broken already", broken_sshd), ("the module is missing", no_module),
        ("lines that would lock local users out", locked_out_by_hand)], start=False, tags=TAGS)
def not_fit(m, spoil):
    prepare(m)
    sentences = spoil(m)
    before = files()
    told = changes(m, "apply", status=1)
    for sentence in sentences:
        expect_in(sentence, told, "what is said")
    expect_same(before, "after refusing")


@test("without an Include, one is put at the top of sshd_config; other drop-ins do not come to life by it", start=False, tags=TAGS)
def include(m):
    prepare(m)
    edit("/etc/ssh/sshd_config", lambda text: "".join(line for line in text.splitlines(True) if not line.startswith("Include")) +
         read("/etc/ssh/sshd_config.d/99-test.conf"))
    os.unlink("/etc/ssh/sshd_config.d/99-test.conf")
    with open("/etc/ssh/sshd_config.d/50-asleep.conf", "w") as file:
        file.write("Banner /etc/issue\n")
    before = files()
    changes(m, "apply")
    expect_equal(read("/etc/ssh/sshd_config").splitlines()[0], f"Include {DROP_IN}", "the first line of sshd_config")
    says = m.run("/usr/sbin/sshd", "-T", check=True).stdout
    expect(re.search(r"^kbdinteractiveauthentication yes$", says, re.M | re.I), says)
    expect(re.search(r"^banner none$", says, re.M | re.I), says)
    changes(m, "undo")
    expect_same(before, "after undo")


@test("LoginGraceTime and MaxStartups are raised where they are too low, and kept where they are not", start=False, tags=TAGS)
def numbers(m):
    prepare(m)
    with open("/etc/ssh/sshd_config.d/60-numbers.conf", "w") as file:
        file.write("LoginGraceTime 30\nMaxStartups 200:30:400\n")
    changes(m, "apply")
    says = m.run("/usr/sbin/sshd", "-T", check=True).stdout
    expect(re.search(r"^logingracetime 120$", says, re.M | re.I), says)
    expect(re.search(r"^maxstartups 200:30:400$", says, re.M | re.I), says)
    changes(m, "undo")
    with open("/etc/ssh/sshd_config.d/60-numbers.conf", "w") as file:
        file.write("LoginGraceTime 600\n")
    changes(m, "apply", "--ssh-passwords-off")
    says = m.run("/usr/sbin/sshd", "-T", check=True).stdout
    expect(re.search(r"^logingracetime 600$", says, re.M | re.I), says)
    expect(re.search(r"^maxstartups 100:30:300$", says, re.M | re.I), says)
    expect(re.search(r"^passwordauthentication no$", says, re.M | re.I), says)


@test("the ways of root and local users are compared with before, and a closed one is named", start=False, tags=TAGS)
def ways(m):
    prepare(m)
    changes(m, "ways", "localuser", "/run/ways")
    changes(m, "apply")
    expect_equal(changes(m, "ways", "localuser", "/run/ways").count("as before"), 4, "ways that are open")
    expect_not_in("authentication failure", m.log.text(), "the system's log")
    edit("/etc/pam.d/sshd", lambda text: "account required pam_deny.so\n" + text)
    expect_in("through sshd, root was let in before, and is not any more", changes(m, "ways", "localuser", "/run/ways", status=1), "sshd")
    edit("/etc/pam.d/sshd", lambda text: "auth requisite pam_deny.so\n" + text)
    expect_in("through sshd, root was asked for a password before, and is not any more",
              changes(m, "ways", "localuser", "/run/ways", status=1), "sshd")
