"""The question at the first sign-in: which room? Over SSH and at the console, answered, not answered and interrupted; and what the
session is told about its person, whatever way they came in."""

import os
import shutil
import subprocess

import pam
from harness import Skip, cases, expect, expect_equal, expect_in, expect_not_in, expect_once, test, wait_for
from machine import PRODUCT
from ssh_keys import KEYS, give_key, ssh_with_key
from test_su_sudo import local_shell

ROOMS = "rooms = Exam 1, Büro, Front desk"
QUESTION = "One question before your first session: which room is yours?"
ASKS = r"Type its number or its name: ?$"
AGAIN = r"Not in the list\. Type a number from 1 to \d+, or a name: "
UTF8 = {"LANG": "C.UTF-8"}


def start(m, rooms=ROOMS, **options):
    m.start_issuer()
    m.configure(m.standard_configuration(tenant=rooms, **options))
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd(*KEYS)


def approved_over_ssh(m, name="alice", count=1, **options):
    """Up to the question."""
    screen = m.ssh(name, environment=UTF8, **options)
    m.approve_on(screen, name, count)
    screen.enter()
    screen.wait_for(ASKS, 20)
    return screen


def state_of(m, name="alice"):
    return m.run("provisionctl", "show", name, check=True).stdout


def expect_incomplete(m, name="alice"):
    shadow = m.shadow(name)
    expect_equal(m.passwd(name)[4].split(",")[1:2] or [""], [""], "the room in GECOS")
    expect_equal(shadow[7], "1", f"the expiry of {name}, who has not answered")
    expect(shadow[1].startswith("!"), f"the password field {shadow[1]!r} is locked")


@test("over SSH the question follows the approval, and its answer is in GECOS, on the screen and in the session", start=False)
def over_ssh(m):
    start(m)
    screen = approved_over_ssh(m)
    expect_once(QUESTION, screen.text(), "the screen")
    expect_in(" 1  Exam 1\n 2  Büro\n 3  Front desk\n", screen.text(), "the list")
    screen.enter("2")
    m.wait_for_shell(screen, "alice")
    expect_in("Your room is Büro.", screen.text(), "the screen")
    expect_equal(m.passwd("alice")[4], "Alice Aranda,Büro", "GECOS")
    expect_equal(m.shadow("alice")[7], "", "the expiry")
    expect_equal(m.ask_in(screen, 'echo "$OIDC_ROOM/$OIDC_EMAIL/$PAM_OIDC_WELCOME."'), "Büro/alice@clinic.example/.", "the session")
    screen.enter("exit")
    screen.wait_for_end()
    again = m.sign_in("alice", environment=UTF8)
    expect_not_in("room", again.text(), "the screen of the second sign-in")
    expect_equal(m.ask_in(again, 'echo "$OIDC_ROOM"'), "Büro", "the second session")


@test("at the console the question can be answered by the room's name, and with an email typed at login:", start=False)
def at_the_console(m):
    start(m)
    screen = m.login("alice@clinic.example", environment=UTF8)
    m.approve_on(screen)
    screen.wait_for(ASKS, 20)
    screen.enter("Front desk")
    m.wait_for_shell(screen, "alice")
    expect_in("Your room is Front desk.", screen.text(), "the screen")
    expect_equal(m.ask_in(screen, 'echo "$OIDC_ROOM/$OIDC_EMAIL"'), "Front desk/alice@clinic.example", "the session")
    expect_equal(m.passwd("alice")[4], "Alice Aranda,Front desk", "GECOS")


@test("nonsense is told to be nonsense; the third answer may still be right", start=False)
def nonsense(m):
    start(m)
    screen = approved_over_ssh(m)
    screen.enter("4")
    screen.wait_for(AGAIN, 20)
    screen.enter("büro")
    screen.wait_for(AGAIN, 20, 2)
    screen.enter(" 3 ")
    m.wait_for_shell(screen, "alice")
    expect_equal(m.ask_in(screen, 'echo "$OIDC_ROOM"'), "Front desk", "the session")


@cases([("three wrong answers over SSH end the sign-in with a sentence, and the next one asks again", True),
        ("three wrong answers at the console end the sign-in with a sentence, and the next one asks again", False)], start=False)
def three_wrong(m, ssh):
    start(m)
    screen = approved_over_ssh(m) if ssh else m.login("alice")
    if not ssh:
        m.approve_on(screen)
        screen.wait_for(ASKS, 20)
    for number in range(3):
        screen.enter("9")
        if number < 2:
            screen.wait_for(AGAIN, 20, number + 1)
    screen.wait_for_sentence("No room was chosen, so you are not signed in. Start again to choose one.", 20)
    if ssh:
        expect_equal(screen.wait_for_end(20), 255, "ssh's exit status")
    else:
        m.wait_for_refused_login(screen)
    expect_equal(m.issuer.requests("device"), 1, "codes asked for")
    expect_not_in("assword", screen.text(), "the screen")
    expect_incomplete(m)
    second = approved_over_ssh(m)
    second.enter("1")
    m.wait_for_shell(second, "alice")
    expect_equal(m.passwd("alice")[4], "Alice Aranda,Exam 1", "GECOS")
    expect_equal(m.shadow("alice")[7], "", "the expiry")


@test("whoever interrupts the question has an account that nothing lets in, until they have answered", start=False)
def interrupted(m):
    start(m)
    screen = approved_over_ssh(m)
    screen.press("C-c")
    screen.wait_for_end(20)
    m.wait_for_idle()
    expect_incomplete(m)
    expect_in("incomplete", state_of(m), "provisionctl show")
    # A key, root's su, and the console's password: no way in.
    give_key(m, "alice")
    with_key = ssh_with_key(m, "alice")
    expect(with_key.returncode != 0 and with_key.stdout == "", f"the key let alice in: {with_key.stdout}")
    su = m.run("su", "-", "alice", "-c", "id -un")
    expect(su.returncode != 0 and su.stdout == "", f"su let root become alice: {su.stdout}")
    expect_in("Your account on this machine is not complete yet. Sign in with Okta once more to finish it.", su.stderr, "su")
    # The same name's next sign-in asks again; then all these ways are open.
    second = approved_over_ssh(m)
    second.enter("1")
    m.wait_for_shell(second, "alice")
    expect_equal(ssh_with_key(m, "alice").stdout, "alice\n", "with a key")
    expect_equal(m.run("su", "-", "alice", "-c", "id -un").stdout, "alice\n", "su by root")


@test("a client that goes while it is asked leaves the account incomplete", start=False)
def client_goes(m):
    start(m)
    screen = approved_over_ssh(m)
    os.kill(screen.process(), 9)
    screen.wait_for_end(20)
    m.wait_for_idle()
    expect_incomplete(m)


@test("an application that cannot ask ends cleanly, and the account stays incomplete", start=False)
def cannot_ask(m):
    start(m)
    with open("/etc/pam.d/kiosk", "w") as lines:
        lines.write(f"auth required {PRODUCT}/pam_oidc.so wait=info qr=none\n")

    def hear(style, text):
        if style == pam.TEXT_INFO and "and enter" in text:
            m.issuer.approve(text.split("and enter")[1].split()[0], "alice")
        return style not in (pam.PROMPT_ECHO_ON, pam.PROMPT_ECHO_OFF)

    done = pam.SignIn("kiosk", "alice", hear)
    expect_equal(done.result, 7, "the result, which is PAM_AUTH_ERR")
    expect_in(QUESTION, done.said[-1][2], "what was asked")
    expect_incomplete(m)
    m.log.wait_for(r"alice not signed in: the question for the room was not answered")


FORTY = [f"{word} {number}" for number in range(1, 11) for word in ("Exam", "Büro", "診察室", "Labor für MRT")]


@cases([("3 rooms fit 80 by 24, and stand below each other", ["Exam 1", "Büro", "Front desk"]),
        ("40 rooms fit 80 by 24, in columns that are straight in every language", FORTY),
        ("99 rooms fit 80 columns", [f"Behandlungszimmer Nr. {number}" for number in range(1, 100)])], start=False)
def on_the_screen(m, rooms):
    start(m, "rooms = " + ", ".join(rooms))
    for screen in (approved_over_ssh(m, columns=80, rows=24), m.login("bob", columns=80, rows=24, environment=UTF8)):
        if "login:" in screen.text():
            m.approve_on(screen, "bob")
            screen.wait_for(ASKS, 20)
        lines = screen.cells()
        first = max(number for number, line in enumerate(lines) if QUESTION in line)
        listed = lines[first + 1:-1]
        if len(rooms) < 99:
            expect(len(lines) - first <= 24, f"the question has {len(lines) - first} lines")
        for number, room in enumerate(rooms, 1):
            found = [line for line in listed if f"{number:2}  {room}" in line]
            expect_equal(len(found), 1, f"lines with {number:2}  {room}")
        # Where the second column begins, in cells of the terminal, each line has a number.
        if len(listed) < len(rooms):
            second = len(listed) + 1
            starts = {width(line[:line.index(f"{number:2}  {rooms[number - 1]}")])
                      for number, line in enumerate(listed[:len(rooms) - len(listed)], second)}
            expect_equal(len(starts), 1, f"columns in which the second column begins: {starts}")
        screen.enter(str(len(rooms)))
        screen.wait_for_sentence(f"Your room is {rooms[-1]}.", 20)


def width(text):
    """In cells; the tests' rooms have no others of two."""
    return sum(2 if "\u3000" <= letter <= "\u9fff" else 1 for letter in text)


# ---- what the session is told ----

TOLD = 'echo "<$OIDC_ROOM/$OIDC_EMAIL>"'


def told(text):
    return text.strip().split("\n")[-1]


def alice_has_come(m):
    screen = approved_over_ssh(m)
    screen.enter("1")
    m.wait_for_shell(screen, "alice")
    return screen


@test("a session over SSH with a key, by su - and by login(1) is told email and room", start=False)
def every_way(m):
    start(m)
    alice_has_come(m)
    expected = "<Exam 1/alice@clinic.example>"
    give_key(m, "alice")
    expect_equal(told(ssh_with_key(m, "alice", TOLD).stdout), expected, "with a key")
    expect_equal(told(m.run("su", "-", "alice", "-c", TOLD).stdout), expected, "root's su -")
    screen = local_shell(m)
    screen.enter("su - alice")
    m.approve_on(screen)
    m.wait_for_shell(screen, "alice")
    expect_equal(m.ask_in(screen, TOLD), expected, "su - by a local user")
    console = m.login("alice")
    m.approve_on(console)
    m.wait_for_shell(console, "alice")
    expect_equal(m.ask_in(console, TOLD), expected, "login")


@test("sudo tells a command who called it, whatever the caller's own environment says", start=False)
def sudo(m):
    start(m)
    alice = alice_has_come(m)
    alice.enter(f"export OIDC_ROOM=forged; sudo -k; sudo sh -c '{TOLD}'")
    m.approve_on(alice, count=2)
    alice.enter()
    expect_equal(alice.wait_for(r"^<.*>$", 20).group(0), "<Exam 1/alice@clinic.example>", "what root's command is told")
    alice.enter(f"sudo sh -c '{TOLD}'")
    expect_equal(alice.wait_for(r"^<.*>$", 20, 2).group(0), "<Exam 1/alice@clinic.example>", "without being asked again")


@test("a cron job is told email and room", start=False)
def by_cron(m):
    if not shutil.which("cron"):
        raise Skip("cron is not installed")
    start(m)
    alice_has_come(m)
    os.makedirs("/var/spool/cron/crontabs", exist_ok=True)
    table = "/var/spool/cron/crontabs/alice"
    with open(table, "w") as file:
        file.write(f"@reboot {TOLD} >/tmp/told.new; mv /tmp/told.new /tmp/told\n".replace("%", r"\%"))
    os.chmod(table, 0o600)
    os.chown(table, int(m.passwd("alice")[2]), -1)
    cron = subprocess.Popen(["cron", "-f"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for("cron to run alice's job", lambda: os.path.exists("/tmp/told"), 20)
    finally:
        cron.kill()
        cron.wait()
    expect_equal(told(open("/tmp/told").read()), "<Exam 1/alice@clinic.example>", "the job")


@test("without rooms a session is told the email alone, and a local user's nothing")
def without_rooms(m):
    screen = m.sign_in("alice")
    expect_equal(m.ask_in(screen, "env | grep ^OIDC_"), "OIDC_EMAIL=alice@clinic.example", "the environment")
    expect_equal(m.run("su", "-", "localuser", "-c", "env | grep -c ^OIDC_").stdout.strip(), "0", "variables of a local user's")


@test("a room that the admin changes is told to the next session", start=False)
def changed(m):
    start(m)
    alice_has_come(m)
    m.run("provisionctl", "room", "alice", "Front desk", check=True)
    expect_equal(told(m.run("su", "-", "alice", "-c", TOLD).stdout), "<Front desk/alice@clinic.example>", "the next session")
    expect_equal(m.passwd("alice")[4], "Alice Aranda,Front desk", "GECOS")


@test("rooms that come when people have accounts already ask nobody who has one", start=False)
def rooms_come_later(m):
    start(m, "")
    m.sign_in("alice")
    m.configure(m.standard_configuration(tenant=ROOMS))
    for daemon in (m.provisiond, m.pam_oidcd):
        daemon.signal(1)
    m.log.wait_for(r"provisiond.*reload|pam_oidcd.*reload|configuration", 20)
    again = m.sign_in("alice")
    expect_not_in(QUESTION, again.text(), "the screen of whoever had an account")
    bob = approved_over_ssh(m, "bob")
    bob.enter("3")
    m.wait_for_shell(bob, "bob")
