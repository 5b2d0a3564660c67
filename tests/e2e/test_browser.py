"""The approval as a phone's browser makes it: the address from the screen, plain forms, no scripts."""

import html.parser
import urllib.parse

from harness import expect, expect_equal, expect_in, test


class Forms(html.parser.HTMLParser):
    """The forms of a page: method, action, fields and buttons."""

    def __init__(self, page):
        super().__init__()
        self.forms = []
        self.scripts = 0
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.forms.append({"action": attributes.get("action", ""), "method": attributes.get("method", "get"), "fields": {}, "buttons": []})
        elif tag == "script":
            self.scripts += 1
        elif tag == "input" and self.forms and attributes.get("name"):
            self.forms[-1]["fields"][attributes["name"]] = attributes.get("value", "")
        elif tag == "button" and self.forms:
            self.forms[-1]["buttons"].append((attributes.get("name"), attributes.get("value")))


class Browser:
    def __init__(self, issuer):
        self.issuer = issuer
        self.cookies = {}
        self.open("GET", "/activate")

    def open(self, method, path, fields=None):
        body = urllib.parse.urlencode(fields) if fields is not None else None
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.issuer.url} if body else {}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.status, answered, self.page = self.issuer.exchange(method, path, body, headers)
        for cookie in answered.get_all("Set-Cookie", []):
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
        self.read = Forms(self.page)
        expect_equal(self.read.scripts, 0, "scripts on the page")

    def press(self, name=None, value=None, **typed):
        """Presses a button of the first form that has it, after typing into fields."""
        for form in self.read.forms:
            if (name, value) in form["buttons"] or (name is None and form["buttons"]):
                fields = {**form["fields"], **typed}
                if name:
                    fields[name] = value
                return self.open(form["method"].upper(), form["action"], fields)
        expect(False, f"there is no button {name}={value} on the page:\n{self.page}")
        return None


def decide(browser, user, word):
    browser.press("user", user)
    buttons = [button for form in browser.read.forms for button in form["buttons"]]
    (chosen,) = [button for button in buttons if button[1] and word in button[1]]
    browser.press(*chosen)


@test("the scanned address, a person chosen and a button approve the sign-in")
def scanned(m):
    screen = m.ssh("alice")
    code = m.code_on(screen)
    browser = Browser(m.issuer)
    browser.open("GET", f"/activate?user_code={code}")
    browser.press()
    decide(browser, "alice", "approve")
    screen.enter()
    m.wait_for_shell(screen, "alice")


@test("a code typed in lower case with a dash, a person chosen and a button deny the sign-in")
def typed_and_denied(m):
    before = m.account_files()
    screen = m.ssh("alice")
    code = m.code_on(screen)
    browser = Browser(m.issuer)
    browser.press(user_code=f"{code[:4]}-{code[4:]}".lower())
    decide(browser, "alice", "deny")
    screen.enter()
    screen.wait_for_sentence("The request was refused on the approval page.", 20)
    m.expect_nothing_changed(before)


@test("a wrong code is told on the page and decides nothing")
def wrong_code(m):
    screen = m.ssh("alice")
    m.code_on(screen)
    browser = Browser(m.issuer)
    browser.press(user_code="ZZZZZZZZ")
    expect_in("role=\"alert\"", browser.page, "the page")
    expect_equal(m.issuer.state()["codes"][0]["state"], "pending", "the sign-in's state")
