"""provisionctl setup: from a Client ID to a sign-in, at a terminal and in scripts; what is wrong is said, and nothing is left behind."""

import os
import re
import shutil

import harness
import installed
import picture
import service_manager
import test_qr
from harness import cases, expect, expect_equal, expect_in, expect_not_in, test
from machine import CONFIG, PASSWORD, PRODUCT

FOLDER = "/run/pam_oidc-setup"
SECRET = "basic-secret-0123456789"
TAGS = {"setup"}


# ---- a machine with the packages' files and nothing configured ----


def as_packaged(m):
    """The files where packages put them, PAM, nsswitch and sshd as the distribution has them, and an issuer."""
    m.start_issuer()
    shutil.copy(m.issuer.ca, "/etc/ssl/clinic-ca.pem")
    os.chmod("/etc/ssl/clinic-ca.pem", 0o644)
    installed.install()
    service_manager.install()
    for name in os.listdir("/etc/pam.d"):
        strip(f"/etc/pam.d/{name}", lambda line: "pam_oidc.so" not in line)
    with open("/etc/nsswitch.conf") as file:
        text = file.read()
    with open("/etc/nsswitch.conf", "w") as file:
        file.write(re.sub(r" oidc\b", "", text))
    drop_in = "/etc/ssh/sshd_config.d/00-pam_oidc.conf"
    strip(drop_in, lambda line: "KbdInteractive" not in line)
    os.rename(drop_in, "/etc/ssh/sshd_config.d/99-test.conf")
    m.run("systemctl", "start", "ssh.service", check=True)


def running():
    """The names of all processes here."""
    names = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm") as comm:
                names.append(comm.read().strip())
        except (FileNotFoundError, ProcessLookupError):
            pass
    return names


def strip(path, keep):
    with open(path) as file:
        lines = file.readlines()
    with open(path, "w") as file:
        file.writelines(line for line in lines if keep(line))


def state():
    """Everything that setup may change, and what it must leave."""
    found = {}
    for top in ("/etc", "/var/lib/provisiond", "/run/pam_oidc-setup", "/run/pam_oidc", "/run/provisiond"):
        for folder, _, names in os.walk(top):
            for name in names:
                path = f"{folder}/{name}"
                status = os.lstat(path)
                if os.path.isfile(path) and not os.path.islink(path):
                    with open(path, "rb") as file:
                        found[path] = (status.st_mode, status.st_uid, status.st_gid, file.read())
                else:
                    found[path] = (status.st_mode, status.st_uid, status.st_gid, None)
            found[folder] = None
    return found


def expect_unchanged(before, what):
    now = state()
    differing = sorted(path for path in before.keys() | now.keys() if before.get(path, 0) != now.get(path, 0))
    expect(not differing, f"{what} left these changed: {differing}")


def options(m, **more):
    """The options for the test issuer's public client."""
    words = {"issuer": m.issuer.issuer, "client-id": "clinic-app", "domain": "clinic.example", "ca-file": "/etc/ssl/clinic-ca.pem"}
    words.update({key.replace("_", "-"): value for key, value in more.items()})
    return [word for key, value in words.items() if value is not None for word in (f"--{key}", value)]


def setup(m, *words, status=0, input=None, seconds=60):
    done = m.run("/usr/sbin/provisionctl", "setup", *words, input=input, seconds=seconds)
    expect_equal(done.returncode, status, f"the exit status of setup {' '.join(words)}:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def at_terminal(m, *words, columns=100, rows=50):
    return m.screen("/usr/sbin/provisionctl", "setup", *words, columns=columns, rows=rows)


def answer(screen, question, text=""):
    screen.wait_for(rf"{question}[^\n]*: ?$", 20)
    screen.enter(text)


def approve(m, screen, user="alice", count=1):
    code = screen.wait_for(r"and enter +([A-Z0-9-]{8,})", 30, count).group(1)
    m.issuer.approve(code, user)
    return code


def answer_company(m, screen):
    answer(screen, "Okta domain, or issuer URL", m.issuer.issuer)
    answer(screen, "Client ID", "clinic-app")
    answer(screen, "Client authentication")
    answer(screen, "Email domains", "clinic.example")
    answer(screen, "go on taking passwords")


# ---- tests ----


@test("an interactive session asks, shows the code, the person and the changes, and ends with a sign-in that works", start=False, tags=TAGS, seconds=120)
def interactive(m):
    as_packaged(m)
    screen = at_terminal(m, "--ca-file", "/etc/ssl/clinic-ca.pem")
    answer_company(m, screen)
    approve(m, screen)
    screen.wait_for("alice@clinic.example \\(verified\\)", 30)
    answer(screen, "Apply these changes", "yes")
    screen.wait_for("Keep this terminal open", 60)
    m.sign_in("alice")
    expect_equal(screen.wait_for_end(60), 0, "the exit status")
    text = screen.text()
    for sentence in ("Alice Aranda", "Clinic IT", "+client_id = clinic-app", "A sign-in with Okta has worked", "provisionctl setup --undo"):
        expect_in(sentence, text, "the session")
    done = m.run("/usr/sbin/provisionctl", "check")
    expect(done.returncode == 0, f"provisionctl check finds everything good (it ended with {done.returncode}):\n{done.stdout}{done.stderr}")
    expect(not os.path.exists(FOLDER), f"{FOLDER} is gone")


@test("with options alone and --yes it sets up, waits for the approval, and people can sign in", start=False, tags=TAGS, seconds=120)
def options_only(m):
    as_packaged(m)
    screen = m.screen("sh", "-c", "/usr/sbin/provisionctl setup \"$@\" </dev/null 2>&1 | cat", "sh", *options(m), "--yes")
    approve(m, screen, "bob")
    screen.wait_for("(?m)^Done", 60)
    text = screen.text()
    expect_in("Nobody has signed in with Okta yet", text, "what a script reads")
    expect_not_in("\x1b", text, "what a script reads")
    with open(CONFIG) as file:
        expect_in("client_id = clinic-app", file.read(), CONFIG)
    expect_equal(os.stat(CONFIG).st_mode & 0o777, 0o644, f"the mode of {CONFIG}")
    m.sign_in("alice")


@test("with --no-code nothing waits, and a second run with the same options finds nothing to change", start=False, tags=TAGS, seconds=120)
def again(m):
    as_packaged(m)
    setup(m, *options(m), "--no-code", "--yes")
    expect_equal(m.issuer.requests("device"), 0, "codes asked for")
    before = state()
    text = setup(m, *options(m), "--no-code", "--yes")
    expect_in("There is nothing to change", text, "the second run")
    expect_unchanged(before, "the second run")
    m.sign_in("alice")


@test("a secret comes from standard input or a file, and is shown nowhere", start=False, tags=TAGS, seconds=120)
def secrets(m):
    as_packaged(m)
    more = {"client_id": "clinic-basic"}
    text = setup(m, *options(m, **more), "--secret-file", "-", "--no-code", "--yes", input=SECRET + "\n")
    expect_not_in(SECRET, text, "what setup says")
    status = os.stat("/etc/pam_oidc/clinic.secret")
    expect_equal(oct(status.st_mode & 0o7777), oct(0o640), "the mode of the secret")
    expect_equal(status.st_uid, 0, "its owner")
    expect_equal(oct(os.stat("/etc/pam_oidc").st_mode & 0o7777), oct(0o750), "the mode of the folder")
    with open("/etc/pam_oidc/clinic.secret") as file:
        expect_equal(file.read().strip(), SECRET, "the secret")
    m.sign_in("alice")
    with open("/tmp/secret", "w") as file:
        file.write("another secret 987654321\n")
    os.chmod("/tmp/secret", 0o644)
    before = state()
    text = setup(m, *options(m, **more), "--secret-file", "/tmp/secret", "--dry-run", status=6)
    expect_in("others on this machine can read that file", text, "what setup says of a file that others can read")
    expect_in("secret", text, "what setup says of a wrong secret")
    expect_unchanged(before, "a wrong secret")
    # Without one, the one that is there goes on.
    text = setup(m, *options(m, **more), "--client-auth", "basic", "--no-code", "--yes")
    expect_in("There is nothing to change", text, "a run that keeps the secret")


@test("typing a client secret shows nothing of it", start=False, tags=TAGS, seconds=120)
def typed_secret(m):
    as_packaged(m)
    screen = at_terminal(m, "--ca-file", "/etc/ssl/clinic-ca.pem", "--dry-run")
    answer(screen, "Okta domain, or issuer URL", m.issuer.issuer)
    answer(screen, "Client ID", "clinic-basic")
    answer(screen, "Client authentication", "secret")
    answer(screen, "Client secret")
    screen.wait_for("The client secret is empty", 20)
    screen.wait_for(r"(?s)empty.*Client secret[^\n]*: ?$", 20)
    screen.enter(SECRET)
    answer(screen, "Email domains", "clinic.example")
    answer(screen, "go on taking passwords")
    approve(m, screen)
    expect_equal(screen.wait_for_end(60), 0, f"the exit status of a dry run:\n{screen.text()}")
    expect_not_in(SECRET, screen.text(), "the screen")
    expect(not os.path.exists(CONFIG), "nothing was written")


WRONG = (
    ("Okta domain, or issuer URL", "clinic-admin.okta.com", 'without "-admin": clinic.okta.com'),
    ("Okta domain, or issuer URL", "http://clinic.okta.com", "An issuer begins with https://"),
    ("Okta domain, or issuer URL", None, None),
    ("Client ID", "", "The Client ID is missing"),
    ("Client ID", "clinic-app", None),
    ("Client authentication", "maybe", "The choice is between"),
    ("Client authentication", "", None),
    ("Email domains", "alice@clinic.example", "stands behind the @: clinic.example"),
    ("Email domains", "clinic.example", None),
    ("go on taking passwords", "perhaps", "Type yes or no"),
    ("go on taking passwords", "", None),
)


@test("a bad answer is told in a sentence, and asked for again", start=False, tags=TAGS, seconds=120)
def bad_answers(m):
    as_packaged(m)
    before = state()
    screen = at_terminal(m, "--ca-file", "/etc/ssl/clinic-ca.pem", "--no-code")
    for count, (question, text, says) in enumerate(WRONG):
        asked = sum(1 for other, _, _ in WRONG[:count + 1] if other == question)
        screen.wait_for(rf"{question}[^\n]*:", 20, asked)
        screen.wait_for(rf"{question}[^\n]*: ?$", 20)
        screen.enter(m.issuer.issuer if text is None else text)
        if says:
            screen.wait_for_sentence(says)
    answer(screen, "Apply these changes", "no")
    expect_equal(screen.wait_for_end(60), 1, "the exit status")
    expect_in("nothing was changed", screen.text(), "the end")
    expect_unchanged(before, "a no")


# ---- failures ----


@cases([(f"{word}: the page and field in Okta are named, and nothing is changed", more, fault, says) for word, more, fault, says in (
    ("Device Authorization is not ticked", {}, ("device", {"row": "unauthorized_client"}), ("Device Authorization", "General")),
    ("the Client ID is wrong", {"client_id": "0oa1wrong"}, None, ("Client ID", "General")),
    ("a scope is not there", {"client_id": "clinic-narrow"}, ("device", {"row": "invalid_scope"}), ("Scopes",)),
    ("the discovery document has no device grant", {}, ("discovery", {"body": "{}"}), ("issuer",)),
    ("the certificate is not trusted", {"ca_file": None}, None, ("certificate", "ca_file")),
    ("the host is not there", {"issuer": "https://nowhere.okta.example"}, None, ("nowhere.okta.example",)),
)], start=False, tags=TAGS, seconds=90)
def failure(m, more, fault, says):
    as_packaged(m)
    if fault:
        endpoint, values = fault
        m.issuer.fault(endpoint, times=-1, **values)
    before = state()
    text = setup(m, *options(m, **more), "--yes", status=6)
    for sentence in says:
        expect_in(sentence, text, "what setup says")
    expect_unchanged(before, "a failure")


@cases([(f"{word}, and nothing is changed", user, domain, says) for word, user, domain, says in (
    ("who is not assigned reads the page in Okta", "dave", "clinic.example", "Assignments"),
    ("another email domain than the one given is refused", "mallory", "clinic.example", "domain"),
    ("an email that is not verified is told with what to do", "erin", "clinic.example", "email_verified"),
)], start=False, tags=TAGS, seconds=90)
def refused_person(m, user, domain, says):
    as_packaged(m)
    before = state()
    screen = m.screen("sh", "-c", "/usr/sbin/provisionctl setup \"$@\" </dev/null", "sh", *options(m), "--yes")
    approve(m, screen, user)
    expect_equal(screen.wait_for_end(60), 6, f"the exit status:\n{screen.text()}")
    expect_in(says, screen.text(), "what setup says")
    expect_unchanged(before, "a refusal")


@test("a local user of the admin's own name stops nobody", start=False, tags=TAGS, seconds=120)
def own_name(m):
    as_packaged(m)
    m.run("useradd", "-m", "alice", check=True)
    screen = at_terminal(m, *options(m, client_auth="none"), "--ssh-passwords", "keep")
    approve(m, screen)
    screen.wait_for_sentence("This concerns the account of whoever approved", 30)
    answer(screen, "Go on", "no")
    expect_equal(screen.wait_for_end(30), 1, "the exit status of a no")
    screen = m.screen("sh", "-c", "/usr/sbin/provisionctl setup \"$@\" </dev/null", "sh", *options(m), "--yes")
    approve(m, screen)
    expect_equal(screen.wait_for_end(60), 0, f"the exit status:\n{screen.text()}")
    expect_in("provisionctl link", screen.text(), "what to do")
    m.sign_in("bob")


@test("what was mended in Okta meanwhile is tried again, and answers can be changed", start=False, tags=TAGS, seconds=120)
def mended(m):
    as_packaged(m)
    m.issuer.fault("device", times=-1, row="unauthorized_client")
    screen = at_terminal(m, *options(m, client_auth="none"), "--ssh-passwords", "keep", "--dry-run")
    screen.wait_for_sentence("Enter tries again", 60)
    m.issuer.control("clear_faults")
    screen.enter()
    approve(m, screen, "mallory")
    screen.wait_for(r"(?s)Enter tries again.*Enter tries again[^\n]*: ?$", 60)
    screen.enter("c")
    answer(screen, "Okta domain, or issuer URL")
    answer(screen, "Client ID")
    answer(screen, "Client authentication")
    answer(screen, "Email domains", "evil.example")
    approve(m, screen, "mallory", 2)
    screen.wait_for_sentence("Nothing was changed", 60)
    expect_equal(screen.wait_for_end(60), 0, f"the exit status:\n{screen.text()}")


@cases([(f"options that are wrong are refused with a sentence: {word}", words, input, says) for word, words, input, says in (
    ("no terminal and no --yes", ["--issuer", "https://clinic.okta.example"], None, "--yes"),
    ("a missing Client ID", ["--org", "clinic.okta.com", "--domain", "clinic.example", "--yes"], None, "--client-id"),
    ("both issuer and org", ["--org", "a.b", "--issuer", "https://a.b", "--client-id", "x", "--domain", "c.example", "--yes"], None, "two ways"),
    ("an email as a domain", ["--org", "a.b", "--client-id", "x", "--domain", "alice@c.example", "--yes"], None, "behind the @"),
    ("a secret for none", ["--org", "a.b", "--client-id", "x", "--client-auth", "none", "--secret-file", "-", "--domain", "c.example", "--yes"], "s", "does not go with"),
    ("an empty secret", ["--org", "a.b", "--client-id", "x", "--secret-file", "-", "--domain", "c.example", "--yes"], "\n", "is empty"),
    ("a file that is not there", ["--org", "a.b", "--client-id", "x", "--secret-file", "/none", "--domain", "c.example", "--yes"], None, "cannot be read"),
    ("a relative CA file", ["--org", "a.b", "--client-id", "x", "--ca-file", "ca.pem", "--domain", "c.example", "--yes"], None, "absolute"),
    ("an argument", ["now"], None, "usage"),
    ("an option of another command", ["--subject", "x"], None, "has no option"),
)], start=False, tags=TAGS)
def wrong_options(m, words, input, says):
    before = state()
    done = m.run(f"{PRODUCT}/provisionctl", "setup", *words, input=input or "")
    expect_equal(done.returncode, 2, f"the exit status:\n{done.stdout}{done.stderr}")
    expect_in(says, done.stdout + done.stderr, "what setup says")
    expect_unchanged(before, "wrong usage")


# ---- the screen ----


@test("the QR code of a setup decodes on a dark terminal, and in LANG=C there is none", start=False, tags=TAGS, seconds=120)
def qr(m):
    test_qr.needs_zbar(m)
    as_packaged(m)
    words = [*options(m, client_auth="none"), "--ssh-passwords", "keep", "--dry-run"]
    screen = at_terminal(m, *words)
    code = screen.wait_for(r"and enter +([A-Z0-9-]{8,})", 30).group(1)
    screen.wait_for("Enter goes on without it", 20)
    found = test_qr.decode(m, picture.draw(screen.cells()))
    expect_equal(found, [f"{m.issuer.issuer}/activate?user_code={code}"], f"what the QR code says on\n{screen.text()}")
    screen.press("C-c")
    screen.wait_for_end(20)
    plain = m.screen("/usr/sbin/provisionctl", "setup", *words, environment={"LANG": "C", "LC_ALL": "C"})
    plain.wait_for("Enter goes on without it", 30)
    expect(re.fullmatch(r"[\n -~]*", plain.text()), f"plain ASCII:\n{plain.text()}")
    plain.press("C-c")
    plain.wait_for_end(20)


@test("a narrow terminal shows everything but a QR code that does not fit", start=False, tags=TAGS, seconds=90)
def narrow(m):
    as_packaged(m)
    screen = at_terminal(m, *options(m, client_auth="none"), "--ssh-passwords", "keep", "--dry-run", columns=36)
    screen.wait_for_sentence("Enter goes on without it", 30)
    for block in ("\u2588", "\u2580", "\u2584"):
        expect_not_in(block, screen.text(), "the screen")
    screen.press("C-c")
    screen.wait_for_end(20)


# ---- what is there already ----


@test("a second company is added, and the rest of the file stays byte for byte", start=False, tags=TAGS, seconds=120)
def second_company(m):
    as_packaged(m)
    setup(m, *options(m), "--no-code", "--yes")
    with open(CONFIG) as file:
        first = file.read()
    refused = setup(m, *options(m, domain="lab.example", client_id="clinic-post"), "--no-code", "--yes", status=2)
    expect_in("--tenant NAME", refused, "what setup says without a name for it")
    setup(m, *options(m, domain="lab.example", tenant="lab", issuer=m.issuer.issuer + "/oauth2/lab", ca_file=None), "--no-code", "--yes")
    with open(CONFIG) as file:
        both = file.read()
    expect(both.startswith(first), f"the first company's text is as it was:\n{both}")
    expect_in("[tenant lab]", both, CONFIG)
    expect_in("default_tenant = clinic", both, CONFIG)
    m.sign_in("alice")


@test("a key of the configuration is changed where it stands, by what is given alone", start=False, tags=TAGS, seconds=120)
def changed(m):
    as_packaged(m)
    setup(m, *options(m), "--no-code", "--yes")
    with open(CONFIG) as file:
        before = file.read()
    with open(CONFIG, "w") as file:
        file.write(before.replace("domains", "# ours\nmax_auth_age = 12h\ndomains"))
    setup(m, "--client-id", "clinic-narrow", "--scopes", "openid profile", "--no-code", "--yes", "--email-verified", "if-present")
    with open(CONFIG) as file:
        now = file.read()
    for line in ("# ours", "max_auth_age = 12h", "client_id = clinic-narrow", "scopes = openid profile", "email_verified = if-present"):
        expect(line in now.split("\n"), f"{line!r} is in:\n{now}")


# ---- nothing is left behind ----


POINTS = (
    ("at the first question", "Okta domain, or issuer URL", 0),
    ("while a secret is typed", "Client secret", 3),
    ("while the code waits", "and enter", 6),
    ("at the diff", "Apply these changes", 7),
)


@cases([(f"Ctrl-C {word} leaves nothing behind", pattern, steps) for word, pattern, steps in POINTS], start=False, tags=TAGS, seconds=90)
def interrupted(m, pattern, steps):
    as_packaged(m)
    before = state()
    screen = at_terminal(m, "--ca-file", "/etc/ssl/clinic-ca.pem")
    answers = (
        ("Okta domain, or issuer URL", m.issuer.issuer), ("Client ID", "clinic-basic"), ("Client authentication", "secret"),
        ("Client secret", SECRET), ("Email domains", "clinic.example"), ("go on taking passwords", ""),
    )
    for question, text in answers[:steps]:
        answer(screen, question, text)
    if steps > 6:
        approve(m, screen)
    screen.wait_for(pattern, 60)
    screen.press("C-c")
    expect_equal(screen.wait_for_end(30), 130, f"the exit status:\n{screen.text()}")
    expect(not os.path.exists(FOLDER), f"{FOLDER} is gone")
    expect_unchanged(before, "Ctrl-C")
    harness.wait_for("the probe to end", lambda: "pam_oidcd" not in running(), 20)


@cases([(f"{word} while the sign-in is waited for takes everything back", keys, status) for word, keys, status in (
    ("Ctrl-C", ["C-c"], 130), ("u and Enter", ["u", "Enter"], 1),
)], start=False, tags=TAGS, seconds=120)
def taken_back(m, keys, status):
    as_packaged(m)
    before = {path: what for path, what in state().items() if path.startswith("/etc")}
    screen = at_terminal(m, *options(m, client_auth="none"), "--ssh-passwords", "keep")
    approve(m, screen)
    answer(screen, "Apply these changes", "yes")
    screen.wait_for("Keep this terminal open", 60)
    screen.press(*keys)
    expect_equal(screen.wait_for_end(60), status, f"the exit status:\n{screen.text()}")
    now = {path: what for path, what in state().items() if path.startswith("/etc")}
    differing = sorted(path for path in before.keys() | now.keys() if before.get(path, 0) != now.get(path, 0))
    expect(not differing, f"these are left changed: {differing}")


@test("Enter goes on without an approval only after it was said what that means", start=False, tags=TAGS, seconds=90)
def skipped(m):
    as_packaged(m)
    screen = at_terminal(m, *options(m, client_auth="none"), "--ssh-passwords", "keep", "--dry-run")
    screen.wait_for("Enter goes on without it", 60)
    screen.enter()
    screen.wait_for_sentence("Press Enter once more", 20)
    screen.enter()
    expect_equal(screen.wait_for_end(60), 0, f"the exit status:\n{screen.text()}")
    expect_not_in("What Okta says about", screen.text(), "the session")


@test("a second setup is told of the first", start=False, tags=TAGS, seconds=90)
def two_at_once(m):
    as_packaged(m)
    screen = at_terminal(m)
    screen.wait_for("Okta domain, or issuer URL", 20)
    text = setup(m, *options(m), "--no-code", "--yes", status=7)
    expect_in("another setup is under way", text, "the second one")
    expect_in("another setup is under way", setup(m, "--undo", "--yes", status=7), "an undo meanwhile")
    screen.press("C-c")
    expect_equal(screen.wait_for_end(20), 130, "the exit status of the first")


@test("--undo gives everything back, and says when there is nothing", start=False, tags=TAGS, seconds=120)
def undone(m):
    as_packaged(m)
    setup(m, "--undo", "--yes", status=1)
    setup(m, "--undo", status=2)
    setup(m, "--undo", "--dry-run", status=2)
    before = {path: what for path, what in state().items() if path.startswith("/etc")}
    setup(m, *options(m), "--no-code", "--yes")
    setup(m, "--undo", "--yes")
    now = {path: what for path, what in state().items() if path.startswith("/etc")}
    differing = sorted(path for path in before.keys() | now.keys() if before.get(path, 0) != now.get(path, 0))
    expect(not differing, f"undo left these changed: {differing}")
    m.run("pamtester", "login", "localuser", "authenticate", input=f"{PASSWORD}\n", check=True)
