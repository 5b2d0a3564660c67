"""The QR code as it is on the screen: captured from the terminal, drawn as a picture, decoded by zbarimg."""

import picture
from harness import Skip, cases, expect, expect_equal, expect_not_in


def decode(m, png):
    """What zbarimg reads in the picture; an empty list when nothing."""
    with open("/tmp/screen.png", "wb") as file:
        file.write(png)
    done = m.run("zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", "/tmp/screen.png")
    return done.stdout.split()


def needs_zbar(m):
    if m.run("which", "zbarimg").returncode != 0:
        raise Skip("zbarimg is not installed (package zbar-tools)")


def sign_in_screen(m, way, arguments, **options):
    service = "sshd" if way == "ssh" else "login"
    m.set_pam_arguments(service, arguments)
    return m.ssh("alice", **options) if way == "ssh" else m.login("alice@clinic.example", **options)


ROWS = []
for way in ("ssh", "console"):
    ROWS += [
        (f"qr=utf8 over {way} decodes on a dark terminal", way, "qr=utf8", picture.draw, [True]),
        (f"qr=dual over {way} decodes on a dark and on a light terminal", way, "qr=dual", picture.draw, [True, False]),
        (f"qr=ascii over {way} decodes on a dark terminal", way, "qr=ascii", picture.blurred, [True]),
        (f"the default over {way} decodes on a dark terminal", way, "", picture.draw, [True]),
    ]


@cases(ROWS, tags={"ssh"})
def decodes(m, way, arguments, draw, terminals):
    needs_zbar(m)
    screen = sign_in_screen(m, way, arguments)
    code = m.code_on(screen)
    (one,) = m.issuer.state()["codes"]
    expect_equal(one["user_code"], code, "the code on the screen")
    screen.wait_for(r"(once|until) you have approved")
    for dark in terminals:
        found = decode(m, draw(screen.cells(), dark))
        expect(found, f"zbarimg finds a code on a {'dark' if dark else 'light'} terminal:\n{screen.text()}")
        expect_equal(set(found), {f"{m.issuer.issuer}/activate?user_code={code}"}, "what the QR code says")


@cases([("qr=none over ssh shows URL and code without a QR code", "ssh"),
        ("qr=none at the console shows URL and code without a QR code", "console")])
def none(m, way):
    screen = sign_in_screen(m, way, "qr=none")
    m.code_on(screen)
    for block in ("\u2588", "\u2580", "\u2584", "##"):
        expect_not_in(block, screen.text(), "the screen")


@cases([("qr=utf8 fits 80 columns", "qr=utf8"), ("qr=dual fits 80 columns", "qr=dual"), ("qr=ascii fits 80 columns", "qr=ascii")])
def fits(m, arguments):
    needs_zbar(m)
    screen = sign_in_screen(m, "ssh", arguments, columns=80)
    m.code_on(screen)
    screen.wait_for("once you have approved")
    draw = picture.blurred if "ascii" in arguments else picture.draw
    expect(decode(m, draw(screen.cells())), f"it decodes on 80 columns:\n{screen.text()}")


@cases([("in LANG=C the client escapes the blocks, and URL and code stand in plain ASCII", "LANG")])
def plain_locale(m, _):
    screen = m.ssh("alice", environment={"LANG": "C", "LC_ALL": "C"})
    m.approve_on(screen)
    screen.enter()
    m.wait_for_shell(screen, "alice")
