"""The test OpenID provider of tests/issuer: started in the sandbox and steered through its control endpoint."""

import http.client
import json
import os
import re
import ssl
import subprocess
import urllib.parse

import harness


class Issuer:
    def __init__(self, program, folder, port, host, log, options=()):
        """Starts it on loopback under a host name of its own. Its files, among them the CA, are in the folder."""
        os.makedirs(folder, exist_ok=True)
        self.folder = folder
        self.log = log
        self.process = subprocess.Popen(
            [program, "--dir", folder, "--port", str(port), "--host", host, *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=open(log, "ab"), text=True,
        )
        self.host = host
        ready = self.process.stdout.readline()
        match = re.match(r"ready (https://\S+)", ready)
        harness.expect(match, f"the issuer said {ready!r} instead of its address; its log:\n{open(log).read()}")
        self.issuer = self.url = match.group(1)
        parts = urllib.parse.urlsplit(self.url)
        self.port = parts.port or 443
        self.ca = os.path.join(folder, "ca.pem")

    def exchange(self, method, path, body=None, headers=None, seconds=20):
        """One HTTPS request; (status, headers, body text)."""
        context = ssl.create_default_context(cafile=self.ca)
        connection = http.client.HTTPSConnection(self.host, self.port, context=context, timeout=seconds)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def control(self, action, **body):
        status, _, text = self.exchange("POST", f"/_control/{action}", json.dumps(body), {"Content-Type": "application/json"})
        harness.expect(status == 200, f"the issuer's control {action} {body} answered {status}: {text}")
        return json.loads(text) if text.strip() else {}

    def state(self):
        return self.control("state")

    def requests(self, endpoint=None):
        """How often each endpoint was asked; one number when an endpoint is named."""
        counts = self.state()["requests"]
        return counts if endpoint is None else counts.get(endpoint, 0)

    def approve(self, user_code, user):
        self.control("approve", user_code=user_code, user=user)

    def deny(self, user_code):
        self.control("deny", user_code=user_code)

    def settings(self, **values):
        self.control("settings", **values)

    def fault(self, endpoint, **values):
        self.control("fault", endpoint=endpoint, **values)

    def stop(self):
        self.process.terminate()
        return self.process.wait(30)
