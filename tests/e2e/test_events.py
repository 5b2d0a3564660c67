"""Each decision is one structured entry in the journal, with the fields that provisiond(8) lists."""

import os
import signal
import socket
import threading

import harness
from harness import expect, expect_equal, expect_in, test
from machine import CONFIG, PRODUCT

JOURNAL = "/run/systemd/journal/socket"


class Journal:
    """What journald would get from the daemons, as dictionaries."""

    def __init__(self):
        self.entries = []
        os.makedirs(os.path.dirname(JOURNAL), exist_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(JOURNAL)
        os.chmod(JOURNAL, 0o666)
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self):
        while True:
            lines = self.socket.recv(65536).decode().rstrip("\n").split("\n")
            self.entries.append(dict(line.split("=", 1) for line in lines))

    def wait_for(self, message):
        harness.wait_for(f"{message!r} in the journal", lambda: any(message in entry["MESSAGE"] for entry in self.entries))

    def events(self):
        """The events so far, in order: who tells, which event, and its fields."""
        return [
            (entry["SYSLOG_IDENTIFIER"], entry["OIDC_EVENT"], {name: value for name, value in entry.items() if name.startswith("OIDC_")})
            for entry in self.entries if "OIDC_EVENT" in entry
        ]

    def wait_for_event(self, name, count=1):
        """The fields of the count-th such event, once it is there."""
        def found():
            events = [fields for _, event, fields in self.events() if event == name]
            return events[count - 1] if len(events) >= count else None

        return harness.wait_for(f"the event {name} ({count})", found)


def start(m, **settings):
    journal = Journal()
    m.start(**settings)
    return journal


@test("a first sign-in is the events created and admitted, and a second one admitted alone", start=False, tags={"ssh"})
def admitted(m):
    journal = start(m)
    m.sign_in("alice")
    uid = m.passwd("alice")[2]
    person = {"OIDC_ACCOUNT": "alice", "OIDC_UID": uid, "OIDC_TENANT": "clinic", "OIDC_SUBJECT": "00u1alice0000000Clin",
              "OIDC_EMAIL": "alice@clinic.example"}
    expect_equal(journal.wait_for_event("created"), {"OIDC_EVENT": "created", **person}, "the event of the account")
    journal.wait_for_event("admitted")
    m.sign_in("alice")
    seen = journal.wait_for_event("admitted", 2)
    expect(seen.pop("OIDC_ADDRESS") in ("127.0.0.1", "::1"), "an event without the address that she came from")
    expect_equal(seen, {"OIDC_EVENT": "admitted", "OIDC_SERVICE": "sshd", **person}, "the event of the second sign-in")
    expect_equal([(who, event) for who, event, _ in journal.events()],
                 [("provisiond", "created"), ("provisiond", "admitted"), ("provisiond", "admitted")], "all events")


@test("a refusal is one event, told by whoever decides: Okta's by pam_oidcd, the rest by provisiond", start=False, tags={"ssh"})
def refused(m):
    journal = start(m)
    screen = m.ssh("alice")
    m.issuer.deny(m.code_on(screen))
    screen.enter()
    seen = journal.wait_for_event("refused")
    expect_equal((seen["OIDC_USER"], seen["OIDC_REASON"], seen["OIDC_TENANT"], seen["OIDC_SERVICE"]),
                 ("alice", "denied", "clinic", "sshd"), "Okta's refusal")
    screen = m.ssh("alice")
    m.approve_on(screen, "bob")
    screen.enter()
    seen = journal.wait_for_event("refused", 2)
    expect_equal((seen["OIDC_REASON"], seen["OIDC_EMAIL"], seen["OIDC_SERVICE"]), ("other_person", "bob@clinic.example", "sshd"),
                 "provisiond's refusal")
    journal.wait_for("refused: other_person")  # pam_oidcd's line about the same
    m.wait_for_idle()
    expect_equal([(who, event) for who, event, _ in journal.events()], [("pam_oidcd", "refused"), ("provisiond", "refused")], "all events")


@test("a group that is not there stops the start and provisiond -t, and at a reload all stays as it was", start=False)
def missing_group(m):
    m.start(provisiond=False, pam_oidcd=False)
    good = m.config_text
    m.configure(m.standard_configuration(tenant="group_map = Clinic IT:nowhere"))
    says = f"{CONFIG}: `group_map` in [tenant clinic] names the group nowhere, which /etc/group does not have; make it (groupadd nowhere)"
    for arguments in (("-t",), ("-d",)):
        done = m.run(f"{PRODUCT}/provisiond", *arguments)
        expect_equal(done.returncode, 1, f"the exit status of provisiond {arguments[0]}")
        expect_in(says, done.stdout + done.stderr, f"what provisiond {arguments[0]} says")
    m.configure(good)
    m.start_provisiond()
    m.start_pam_oidcd()
    m.configure(m.standard_configuration(tenant="local_groups = nowhere"))
    m.daemons["provisiond"].signal(signal.SIGHUP)
    m.log.wait_for(r"names the group nowhere")
    m.log.wait_for(r"what was read before stays in force")
    m.sign_in("alice")
    m.run("groupadd", "nowhere", check=True)
    m.daemons["provisiond"].signal(signal.SIGHUP)
    m.log.wait_for(r"the configuration was read again")
    m.sign_in("alice")
    expect("nowhere" in m.run("id", "-nG", "alice", check=True).stdout.split(), "alice is not in the group that the file names")
