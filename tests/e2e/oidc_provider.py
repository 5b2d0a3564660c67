"""A certified OpenID provider from elsewhere (npm's oidc-provider, tests/interop), and a person at its pages with a browser.

It stands in the test issuer's place on a Machine. What it answers is its own; nothing here changes it.
"""

import html.parser
import http.cookiejar
import json
import os
import shutil
import ssl
import subprocess
import threading
import urllib.parse
import urllib.request

import harness

TOP = os.environ.get("SANDBOX", "")
INSTALLED = os.path.join(TOP, "build/oidc-provider")
PREPARE = "tests/interop/install"


def person(login, email=None, **claims):
    """What the provider knows of a person; None removes a claim."""
    name = f"{login.capitalize()} Example"
    email = email or f"{login}@clinic.example"
    all_claims = {"sub": f"person-{login}", "email": email, "email_verified": True, "name": name, "groups": ["Everyone"]}
    return {key: value for key, value in {**all_claims, **claims}.items() if value is not None}


PEOPLE = {
    "alice": person("alice", groups=["Everyone", "Clinic IT"]),
    "bob": person("bob", groups=["Everyone", "Radiology"]),
    "carol": person("carol"),
    "erin": person("erin", email_verified=False),
    "grace": person("grace", email_verified=None),
    "mallory": person("mallory", "mallory@evil.example"),
    "alice-suffix": person("alice-suffix", "alice@clinic.example.evil.example"),
    "alice-cyrillic": person("alice-cyrillic", "alice@cl\u0456nic.example"),
    "alice-again": person("alice-again", "alice@clinic.example"),
}


class Form(html.parser.HTMLParser):
    """The first form of a page: where it goes, and its fields with what stands in them."""

    def __init__(self, page):
        super().__init__()
        self.action = None
        self.fields = {}
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form" and self.action is None:
            self.action, self.inside = attributes["action"], True
        elif tag == "input" and self.inside and "name" in attributes:
            self.fields[attributes["name"]] = attributes.get("value", "")

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False


class Browser:
    """A browser of one person: cookies, pages, forms."""

    def __init__(self, ca):
        context = ssl.create_default_context(cafile=ca)
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
        )
        self.url = self.page = None

    def open(self, url, fields=None):
        body = urllib.parse.urlencode(fields).encode() if fields is not None else None
        with self.opener.open(urllib.parse.urljoin(self.url or url, url), body, 20 * harness.PATIENCE) as answer:
            self.url, self.page = answer.url, answer.read().decode()

    def submit(self, **fields):
        form = Form(self.page)
        harness.expect(form.action, f"the page at {self.url} has a form:\n{self.page}")
        self.open(form.action, {**form.fields, **fields})

    def expect_page(self, sentence):
        harness.expect_in(sentence, self.page, f"the page at {self.url}")


class OidcProvider:
    """One running provider. `settings` are those of tests/interop/provider.mjs."""

    def __init__(self, folder, port, host, **settings):
        if not os.path.isdir(f"{INSTALLED}/node_modules"):
            raise harness.Skip(why_not_installed())
        os.makedirs(folder, exist_ok=True)
        self.folder, self.port, self.host = folder, port, host
        self.issuer = self.url = f"https://{host}:{port}"
        self.ca = os.path.join(folder, "ca.pem")
        self.log = f"/var/log/tests/{host}.log"
        self.settings = {"people": PEOPLE, **settings}
        self.requests_seen = []
        self._know_host()
        make_certificate(folder, host)
        # The package is found beside the program that imports it.
        shutil.copy(f"{TOP}/tests/interop/provider.mjs", folder)
        if not os.path.lexists(f"{folder}/node_modules"):
            os.symlink(f"{INSTALLED}/node_modules", f"{folder}/node_modules")
        self.start()

    def _know_host(self):
        with open("/etc/hosts", "r+") as hosts:
            if self.host not in hosts.read().split():
                hosts.write(f"127.0.0.1 {self.host}\n")

    def start(self):
        self.process = subprocess.Popen(
            ["node", f"{self.folder}/provider.mjs", self.folder, self.issuer, json.dumps(self.settings)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=open(self.log, "ab"), text=True,
        )
        ready = self.process.stdout.readline()
        harness.expect(ready == "ready\n", f"the provider said {ready!r} at its start; its log:\n{open(self.log).read()}")
        threading.Thread(target=self._listen, args=(self.process.stdout,), daemon=True).start()

    def _listen(self, output):
        for line in output:
            if line.startswith("{"):  # the package itself has things to say, too
                self.requests_seen.append(json.loads(line))

    def restart(self):
        """Another provider with other keys, which knows nothing of what was under way."""
        harness.expect_equal(self.stop(), 0, "the provider's exit status")
        self.start()

    def stop(self):
        self.process.terminate()
        return self.process.wait(30)

    def state(self):
        """For a test's report."""
        return {"requests": len(self.requests_seen), "codes": [], "faults": [], "settings": self.settings,
                "last_requests": self.requests_seen}

    def asked(self, path, error=None):
        """The requests that it answered there, or those that it answered with this error."""
        return [one for one in self.requests_seen if one["path"] == path and (error is None or one.get("error") == error)]

    # ---- what a person does ----

    def type_code(self, user_code, complete=False):
        """Opens the address that the screen shows and types the code, or opens the one with the code in it."""
        browser = Browser(self.ca)
        if complete:
            browser.open(f"{self.issuer}/device?{urllib.parse.urlencode({'user_code': user_code})}")
            browser.submit()  # a script in the page does this
        else:
            browser.open(f"{self.issuer}/device")
            browser.submit(user_code=user_code)
        return browser

    def approve(self, user_code, login, complete=False):
        browser = self.type_code(user_code, complete)
        browser.expect_page("Confirm Device")
        browser.expect_page(user_code)
        browser.submit()
        browser.submit(login=login, password="correct horse")
        browser.expect_page("scopes:")
        browser.submit()
        browser.expect_page("Sign-in Success")

    def deny(self, user_code):
        """Presses Abort on the page that shows the code again."""
        browser = self.type_code(user_code)
        browser.submit(abort="yes")
        browser.expect_page("The Sign-in request was interrupted")

    def deny_at_login(self, user_code):
        """Confirms the code, but gives up where the provider asks who it is."""
        browser = self.type_code(user_code)
        browser.submit()
        browser.open(f"{browser.url}/abort")
        browser.expect_page("The Sign-in request was interrupted")


def why_not_installed():
    try:
        with open(f"{INSTALLED}.why") as why:
            return why.read().strip()
    except FileNotFoundError:
        return f"npm's oidc-provider is not installed; {PREPARE} does it"


def make_certificate(folder, host):
    """A throw-away authority, and a certificate of its for the host."""

    def openssl(*arguments):
        done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, cwd=folder)
        harness.expect(done.returncode == 0, f"openssl {arguments[0]}: {done.stderr}")

    ec = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30")
    authority = ("-subj", "/CN=Throw-away CA of the interoperability tests", "-addext", "keyUsage=critical,keyCertSign")
    openssl("req", "-x509", *ec, "-keyout", "ca.key", "-out", "ca.pem", *authority)
    extensions = ("-addext", f"subjectAltName=DNS:{host}", "-addext", "basicConstraints=critical,CA:FALSE",
                  "-addext", "keyUsage=critical,digitalSignature", "-addext", "extendedKeyUsage=serverAuth")
    signer = ("-CA", "ca.pem", "-CAkey", "ca.key")
    openssl("req", "-x509", *ec, "-keyout", "key.pem", "-out", "cert.pem", "-subj", f"/CN={host}", *signer, *extensions)
    os.remove(f"{folder}/ca.key")
