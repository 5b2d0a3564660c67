"""Many sign-ins at once, from strangers and from one's own people: who is told to come back later, who still gets in, and how
often the issuer is asked.
"""

import os
import re
import signal
import time

from flood import Flood
from harness import count, expect, expect_equal, expect_in, figure, test, wait_for
from machine import PAM_OIDCD_SOCKET
from wire import Connection

SECTION = "floods and phishing"
FULL = "Too many sign-ins are waiting just now. Try again in a minute."
NO_MORE_CODES = "Okta gives out no more codes just now, because too many were asked for. Start again in "


class Waiting:
    """A sign-in as sshd asks for one, held open; or the refusal that came instead."""

    def __init__(self, m, name, rhost, service="sshd"):
        promised = m.lookup(name).get("uid")
        self.connection = Connection(PAM_OIDCD_SOCKET, 30)
        fields = [("op", "login"), ("name", name), ("service", service), ("tty", "ssh" if rhost else "tty1"), ("rhost", rhost)]
        fields += [("uid", promised)] if promised else []
        self.connection.send(*fields, ("qr", "none"), ("wait", "enter"), ("timeout", 110))
        self.answer = dict(self.connection.receive() or ())
        self.shown = self.answer.get("status") == "show"

    def hang_up(self):
        self.connection.close()


def begin(m, name, rhost, times=1):
    return [Waiting(m, name, rhost) for _ in range(times)]


def shown(sign_ins):
    return sum(sign_in.shown for sign_in in sign_ins)


def expect_full(sign_ins):
    for sign_in in sign_ins:
        expect_equal(sign_in.answer.get("reason"), "limit", f"the answer {sign_in.answer}")
        expect_equal(sign_in.answer.get("text"), FULL, "what is read")


def start(m, login="", *sshd, **settings):
    m.start_issuer(**settings)
    m.configure(m.standard_configuration(login))
    m.start_provisiond()
    m.start_pam_oidcd()
    m.start_sshd(*sshd)


# ---- places ----


@test("three strangers who hold sign-ins in Alice's name do not keep her out", tags={"ssh"})
def three_strangers(m):
    held = []
    for number in range(3):
        mine = begin(m, "alice", f"198.51.100.{number}", 4)
        expect_equal(shown(mine), 3, "places that one stranger gets in her name")
        expect_full([sign_in for sign_in in mine if not sign_in.shown])
        held += mine
    m.sign_in("alice")
    # Their codes are still theirs alone: what she approved let nobody else in.
    expect_equal(len([entry for entry in m.pending() if entry["name"] == "alice"]), 9, "strangers who still wait")
    for sign_in in held:
        sign_in.hang_up()
    m.wait_for_idle()
    count(SECTION, len(held), len(held))


@test("a machine full of remote sign-ins keeps the console's places, and tells the others", start=False, tags={"ssh"})
def console_places(m):
    start(m, "max_pending = 30\nmax_pending_per_account = 10\n")
    held = []
    for number in range(4):
        held += begin(m, f"guest{number}", f"2001:db8:{number}::1", 10)
    expect_equal(shown(held), 30, "remote places")
    refused = [sign_in for sign_in in held if not sign_in.shown]
    expect_full(refused)
    screen = m.ssh("alice")
    screen.wait_for_sentence(FULL, 20)
    screen.wait_for_end(20)
    console = m.login("alice")
    m.approve_on(console)
    m.wait_for_shell(console, "alice")
    for sign_in in held:
        sign_in.hang_up()
    wait_for("room over SSH", lambda: not m.pending(), 10)
    m.sign_in("alice")
    count(SECTION, len(held) + 1, len(held) + 1)


@test("a bastion is spared, and its neighbour is not", start=False, tags={"ssh"})
def bastion(m):
    start(m, "unlimited_from = 127.0.0.9/32, 2001:db8:9::/48\nmax_starts_per_minute = 12\n")
    spared = begin(m, "alice", "127.0.0.9", 15) + begin(m, "alice", "2001:db8:9:7::1", 15)
    expect_equal(shown(spared), 30, "sign-ins from the bastions")
    neighbours = begin(m, "alice", "127.0.0.10", 5) + begin(m, "alice", "2001:db8:a::1", 5)
    expect_equal(shown(neighbours), 6, "sign-ins from their neighbours")
    expect_full([sign_in for sign_in in neighbours if not sign_in.shown])
    m.sign_in("alice", options=["BindAddress=127.0.0.9"])
    for sign_in in spared + neighbours:
        sign_in.hang_up()
    count(SECTION, 4, 4)


@test("whoever has a whole IPv6 network has the places of one address", start=False, tags={"ssh"})
def ipv6_network(m):
    for address in ("2001:db8:7::5/128", "2001:db8:8::5/128"):
        m.run("ip", "addr", "add", address, "dev", "lo", check=True)
    start(m, "", "ListenAddress=::1")
    held = []
    for number in range(16):
        held += begin(m, f"guest{number}", f"2001:db8:7::{number + 256:x}:{number:x}")
    expect_equal(shown(held), 10, "places of the network")
    expect_full([sign_in for sign_in in held if not sign_in.shown])
    v6 = ["HostName=::1", "HostKeyAlias=localhost"]
    screen = m.ssh("alice", options=[*v6, "BindAddress=2001:db8:7::5"])
    screen.wait_for_sentence(FULL, 20)
    screen.wait_for_end(20)
    m.sign_in("alice", options=[*v6, "BindAddress=2001:db8:8::5"])
    for sign_in in held:
        sign_in.hang_up()
    count(SECTION, 7, 7)


# ---- starts ----


def begin_and_go(m, name, rhost, times):
    """Sign-ins that are given up as soon as there is an answer; how many got a code."""
    codes = 0
    for _ in range(times):
        sign_in = Waiting(m, name, rhost)
        codes += sign_in.shown
        if not sign_in.shown:
            expect_full([sign_in])
        sign_in.hang_up()
    return codes


@test("an address gets so many codes a minute and no more, whatever the date, a reload or a crash in between", start=False)
def starts_a_minute(m):
    m.use_own_clock(0)
    m.start_issuer()
    m.configure(m.standard_configuration("max_starts_per_minute = 7"))
    m.start_provisiond()
    m.start_pam_oidcd()
    began = time.monotonic()
    names = [f"guest{number}" for number in range(20)]
    codes = sum(begin_and_go(m, name, "198.51.100.7", 1) for name in names)
    tried = 20
    for seconds in (3600, -3600, 10**9, 0):
        m.set_clock(seconds)
        codes += begin_and_go(m, "alice", "198.51.100.7", 3)
        tried += 3
    m.pam_oidcd.signal(signal.SIGHUP)
    m.log.wait_for("took up .* anew")
    codes += begin_and_go(m, "alice", "198.51.100.7", 3)
    tried += 3
    if time.monotonic() - began < 55:
        expect_equal(codes, 7, "codes for one address")
    expect_equal(m.issuer.requests("device"), codes, "how often the issuer was asked")
    # The console and others are none of its business.
    expect_equal(begin_and_go(m, "alice", "198.51.100.8", 1), 1, "codes for another address")
    expect_equal(begin_and_go(m, "alice", "", 20), 20, "codes at the console")
    # Nobody can bring a crash about at will; should there be one, it gives the address one more minute's worth.
    m.pam_oidcd.kill()
    asked = m.issuer.requests("device")
    m.start_pam_oidcd()
    codes = begin_and_go(m, "alice", "198.51.100.7", 20)
    expect_equal(codes, 7, "codes for one address after a crash")
    expect_equal(m.issuer.requests("device") - asked, 7, "how often the issuer was asked")
    count(SECTION, tried + 20, tried + 20)


@test("a code from before a crash of pam_oidcd lets nobody in afterwards", tags={"ssh"})
def crash(m):
    before = m.account_files()
    screen = m.ssh("alice")
    code = m.code_on(screen)
    m.pam_oidcd.kill()
    screen.enter()
    screen.wait_for_sentence("The sign-in service of this machine was restarted just now: please start again.", 20)
    m.start_pam_oidcd()
    m.issuer.approve(code, "alice")
    expect_equal(m.pending(), [], "sign-ins that wait")
    polls = m.issuer.requests("token")
    time.sleep(2.5)  # two intervals: a poll would be seen
    expect_equal(m.issuer.requests("token"), polls, "polls for it")
    m.expect_nothing_changed(before)
    count(SECTION, 1, 1)


# ---- the issuer has had enough ----


@test("too_many_user_codes: whoever waits gets in, nobody else asks for a code for a while, and all read when to come back",
      tags={"ssh"}, seconds=90)
def too_many_codes(m):
    bob = m.ssh("bob")
    code = m.code_on(bob)
    m.issuer.fault("device", row="too_many_user_codes", times=1, headers={"X-Rate-Limit-Reset": None})
    alice = m.ssh("alice")
    alice.wait_for_sentence(NO_MORE_CODES + "15 seconds.", 20)
    alice.wait_for_end(20)
    began = time.monotonic()
    expect_equal(m.issuer.requests("device"), 2, "codes asked for")
    tried = 0
    for number in range(30):
        sign_in = Waiting(m, f"guest{number}", f"198.51.100.{number}")
        if time.monotonic() - began > 14:
            break
        expect_equal(sign_in.answer.get("reason"), "too_many_codes", f"the answer {sign_in.answer}")
        expect_in(NO_MORE_CODES, sign_in.answer["text"], "what is read")
        tried += 1
    if time.monotonic() - began < 14:
        expect_equal(m.issuer.requests("device"), 2, "codes asked for")
    m.issuer.approve(code, "bob")
    bob.enter()
    m.wait_for_shell(bob, "bob")
    m.log.wait_for(re.escape("tenant clinic: the issuer was asked for too many codes; its tenant asks for none: for the next 15 s"))

    def again():
        sign_in = Waiting(m, "alice", "198.51.100.99")
        sign_in.hang_up()
        return sign_in.shown

    wait_for("codes to be asked for again", again, 30, 0.5)
    m.log.wait_for(re.escape("the issuer gives codes again"))
    m.sign_in("alice")
    count(SECTION, tried, tried)


# ---- the flood ----

FLOOD_SECONDS = 16
FLOOD_RATE = 200
STARTS = 3


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"^VmRSS:\s+(\d+)", status.read(), re.M).group(1))


@test("200 sign-ins a second at pam_oidcd itself, as if sshd had no limits: the issuer is asked as often as configured", start=False,
      seconds=120)
def flood_inside(m):
    m.start_issuer()
    m.configure(m.standard_configuration("max_starts_per_minute = 5\nmax_pending = 40\n"))
    m.start_provisiond()
    m.start_pam_oidcd()
    addresses = [f"198.51.100.{number}" for number in range(10)] + [f"2001:db8:{number:x}::1" for number in range(10)]
    names = ["alice", "carol", "nobody-of-that-name", "root", "o'brien", "mallory@evil.example", "x" * 300]
    before = {daemon.name: resident_kib(daemon.pid) for daemon in (m.pam_oidcd, m.provisiond)}
    promised = {name: m.lookup(name).get("uid") for name in names}
    held, ends, console = [], {}, None
    began, number = time.monotonic(), 0
    while number < 2000 and time.monotonic() - began < 40:
        # No faster than 200 a second; slower on a machine that is busy.
        time.sleep(max(0.0, began + number / 200 - time.monotonic()))
        name, address = names[number % len(names)], addresses[number % len(addresses)]
        # Everybody from one more place each time: an IPv6 network has many.
        address = address[:-1] + f"{number:x}" if ":" in address else address
        connection = Connection(PAM_OIDCD_SOCKET, 30)
        uid = [("uid", promised[name])] if promised[name] else []
        connection.send(("op", "login"), ("name", name), ("service", "sshd"), ("tty", "ssh"), ("rhost", address), *uid,
                        ("qr", "none"), ("wait", "enter"), ("timeout", 110))
        held.append(connection)
        if len(held) >= 60:
            ended = held.pop(0)
            answer = dict(ended.receive() or ())
            end = answer.get("reason", answer.get("status"))
            ends[end] = ends.get(end, 0) + 1
            ended.close()
        number += 1
        if number == 300:
            console = m.login("bob")
    lasted = time.monotonic() - began
    for connection in held:
        connection.close()
    m.approve_on(console, "bob")
    m.wait_for_shell(console, "bob")
    asked = m.issuer.requests("device")
    figure("flood inside: sign-ins asked of pam_oidcd", number / lasted, "1/s", extra=f"  ({number}; ends: {ends})")
    expect(ends.get("limit", 0) > 0 and ends.get("not_ours", 0) > 0, f"sign-ins were refused: {ends}")
    most = 1 + 5 * len(addresses)  # one at the console; in less than a minute
    expect(asked <= most, f"the issuer was asked {asked} times, at most {most} are configured")
    figure("flood inside: how often the issuer was asked for a code", asked, "times", most)
    for daemon in (m.pam_oidcd, m.provisiond):
        grown = resident_kib(daemon.pid) - before[daemon.name]
        figure(f"flood inside: memory that {daemon.name} grew by (resident)", grown, "KiB")
        # AddressSanitizer keeps what was freed.
        expect(grown < 16 * 1024 or os.environ.get("E2E_SSHD_ASAN"), f"{daemon.name} grew by {grown} KiB")
    m.wait_for_idle()
    for name in ("alice", "carol", "mallory"):
        expect(m.passwd(name) is None, f"no account for {name}")
    count(SECTION, number, number)


@test("200 SSH connections a second, for names that exist and that do not: a person at the console signs in", start=False,
      alone=True, tags={"alone", "figures"}, seconds=180)
def flood(m):
    # The distribution's own limits, which the other tests lift.
    with open("/etc/ssh/sshd_config.d/00-pam_oidc.conf") as drop_in:
        lines = [line for line in drop_in if not line.startswith(("MaxStartups", "PerSourcePenalties"))]
    with open("/etc/ssh/sshd_config.d/00-pam_oidc.conf", "w") as drop_in:
        drop_in.writelines(lines)
    start(m, f"max_starts_per_minute = {STARTS}\n")
    limits = re.findall(r"^(?:maxstartups|persource).*", m.run("/usr/sbin/sshd", "-T", check=True).stdout, re.M | re.I)
    penalties = any("persourcepenalties" in line.lower() for line in limits)
    m.sign_in("carol")  # somebody who has an account, and whom the flood asks for, too
    m.wait_for_idle()
    memory = {daemon.name: (daemon.pss_kib(), resident_kib(daemon.pid)) for daemon in (m.pam_oidcd, m.provisiond)}
    peak = {name: rss for name, (_, rss) in memory.items()}
    asked = m.issuer.requests("device")
    addresses = [f"127.0.0.{number + 2}" for number in range(8)]
    names = ["carol", "alice", "root", "localuser", "nobody-of-that-name", "o'brien", "mallory@evil.example"]
    flood = Flood(addresses, names, FLOOD_RATE, FLOOD_SECONDS)
    began = time.monotonic()
    flood.start()
    console = None
    try:
        wait_for("the flood to be under way", lambda: flood.progress()["connects"] > FLOOD_RATE, 10)
        console = m.login("bob")
        typed = time.monotonic()
        m.approve_on(console, "bob")
        m.wait_for_shell(console, "bob", 30)
        took = time.monotonic() - typed
        still = flood.running()
        while flood.running():
            for daemon in (m.pam_oidcd, m.provisiond):
                peak[daemon.name] = max(peak[daemon.name], resident_kib(daemon.pid))
            time.sleep(0.1)
    finally:
        figures = flood.stop()
    lasted = time.monotonic() - began

    figure("flood: connections begun a second", figures["connects"] / figures["seconds"], "1/s",
           extra=f"  ({figures['connects']} in {figures['seconds']:.1f} s from {len(addresses)} addresses)")
    second = figures["seconds"]
    plain = figures["connects"] - figures["clients"]
    figure("flood: of them, plain TCP connections", plain / second, "1/s",
           extra=f"  ({plain}: {figures['banners']} got sshd's banner, {figures['dropped']} were turned away by MaxStartups, "
                 f"{figures['penalised']} by a penalty, {figures['closed']} got no word in 5 s)")
    figure("flood: of them, ssh clients", figures["clients"] / second, "1/s",
           extra=f"  ({figures['clients']}: {figures['asked']} came to keyboard-interactive, {figures['codes']} were shown a code)")
    figure("flood: a sign-in at the console meanwhile, from the name to the prompt", took, "s")
    for name, (pss, rss) in memory.items():
        figure(f"flood: memory of {name} (resident, before and at its peak)", peak[name], "KiB", extra=f"  (before: {rss})")
    expect(still or figures["seconds"] >= FLOOD_SECONDS - 1, "the console's sign-in was during the flood")

    for name, (_, rss) in memory.items():
        expect(peak[name] < rss + 16 * 1024, f"{name} grew from {rss} to {peak[name]} KiB")
    # One at the console, and for each address what the configuration says, for each minute begun.
    most = 1 + len(addresses) * STARTS * (1 + int(lasted // 60))
    codes = m.issuer.requests("device") - asked
    expect(codes <= most, f"the issuer was asked {codes} times, at most {most} are configured")
    figure("flood: how often the issuer was asked for a code", codes, "times", most)
    per_address = {}
    for line in m.log.text("pam_oidcd").splitlines():
        match = re.search(r"\(sshd from ([\d.]+)\), tenant clinic: waiting for approval", line)
        if match:
            per_address[match.group(1)] = per_address.get(match.group(1), 0) + 1
    for address in addresses:
        expect(per_address.get(address, 0) <= STARTS * (1 + int(lasted // 60)), f"{address} got {per_address.get(address)} codes")
    expect(figures["sessions"] == 0, "nobody of the flood got a session")
    # Nobody but bob came into being, and nothing is left behind.
    for name in ("alice", "mallory"):
        expect(m.passwd(name) is None, f"no account for {name}")
    m.wait_for_idle(30)

    log = m.log.text("sshd")
    drops = re.findall(r"(?:beginning MaxStartups throttling|drop connection [^\n]*MaxStartups)", log)
    punished = re.findall(r"(?:drop connection [^\n]*penalt[^\n]*|[^\n]*srclimit_penali[^\n]*)", log, re.I)
    expect(drops or punished, "sshd says in its log that a limit of its own acted")
    acted = [f"MaxStartups: {len(drops)} lines in its log, such as {drops[0]!r}" if drops else "MaxStartups: did not act"]
    acted.append("per-source penalties: this sshd has none" if not penalties else
                 f"per-source penalties: {len(punished)} lines in its log, such as {punished[-1]!r}" if punished else
                 "per-source penalties: did not act")
    acted += [line for line in limits if "exempt" not in line.lower()]
    for what in acted:
        print(f"figure: flood: sshd's own limits: {what}", flush=True)
    # Afterwards all is as it was.
    m.stop_sshd()
    m.start_sshd("PerSourcePenalties=no") if penalties else m.start_sshd()
    m.sign_in("alice")
    count(SECTION, figures["clients"], figures["clients"] - figures["sessions"], figures["sessions"])
