"""A flood of SSH connections from many addresses, in a process of its own that ends by itself.

So many TCP connections are begun each second as were asked for. Most of them read sshd's banner, send one, and hang up. As many
as the machine bears are real ssh clients that go on until they are asked something (keyboard-interactive), look at it for a
moment, and hang up, as a bot does that tries names.

    flood.py FOLDER RATE SECONDS ADDRESS,... NAME,...
"""

import errno
import json
import os
import random
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time

BANNER = b"SSH-2.0-OpenSSH_9.9\r\n"
CLIENTS = 12  # at once
CLIENT_SECONDS = 3.0
PATIENCE_SECONDS = 5.0  # of one plain connection
PORT = 22

# ssh asks through this; the prompt is its argument. It never answers.
ASKPASS = """\
#!/bin/sh
case $1 in
*"and enter "*) echo code >>{folder}/codes ;;
esac
echo asked >>{folder}/asked
exec sleep 30
"""


class Flood:
    """The flood as a test sees it."""

    def __init__(self, addresses, names, rate, seconds):
        self.folder = "/tmp/flood"
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.command = [sys.executable, os.path.abspath(__file__), self.folder, str(rate), str(seconds)]
        self.command += [",".join(addresses), ",".join(names)]
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL)

    def running(self):
        return self.process.poll() is None

    def progress(self):
        try:
            with open(f"{self.folder}/figures") as figures:
                return json.load(figures)
        except FileNotFoundError:
            return {"connects": 0}

    def stop(self):
        """Ends it; what it did."""
        if self.running():
            self.process.terminate()
        self.process.wait(30)
        return self.progress()


class Generator:
    def __init__(self, folder, rate, seconds, addresses, names):
        self.folder, self.rate, self.seconds, self.addresses, self.names = folder, rate, seconds, addresses, names
        self.selector = selectors.DefaultSelector()
        self.open = {}  # socket: when it gives up
        self.clients = {}  # process: when it gives up
        self.begun = 0
        self.figures = dict.fromkeys(("failed", "banners", "dropped", "penalised", "closed", "clients", "sessions"), 0)
        self.random = random.Random(1)
        self.askpass = f"{folder}/askpass"
        with open(self.askpass, "w") as script:
            script.write(ASKPASS.format(folder=folder))
        os.chmod(self.askpass, 0o755)

    def address(self):
        return self.random.choice(self.addresses)

    def begin_plain(self, now):
        connection = socket.socket()
        connection.setblocking(False)
        try:
            connection.bind((self.address(), 0))
            result = connection.connect_ex(("127.0.0.1", PORT))
        except OSError:
            result = errno.EADDRNOTAVAIL
        if result not in (0, errno.EINPROGRESS):
            self.figures["failed"] += 1
            connection.close()
            return
        self.open[connection] = now + PATIENCE_SECONDS
        self.selector.register(connection, selectors.EVENT_READ)

    def end_plain(self, connection, how):
        self.figures[how] += 1
        self.selector.unregister(connection)
        del self.open[connection]
        connection.close()

    def read_plain(self, connection):
        try:
            text = connection.recv(256)
            if text.startswith(b"SSH-"):
                connection.send(BANNER)
        except BlockingIOError:
            return
        except OSError:
            text = b""
        # "Exceeded MaxStartups", "Not allowed at this time" (from 9.8), or nothing at all.
        words = {b"SSH-": "banners", b"Not ": "penalised"}
        self.end_plain(connection, words.get(text[:4], "dropped"))

    def begin_client(self, now):
        options = [
            f"BindAddress={self.address()}", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR",
            "PreferredAuthentications=keyboard-interactive", "NumberOfPasswordPrompts=1", "KexAlgorithms=curve25519-sha256",
            "ConnectTimeout=3",
        ]
        command = ["ssh", "-F", "/dev/null", "-T", "-p", str(PORT), "-l", self.random.choice(self.names)]
        for option in options:
            command += ["-o", option]
        process = subprocess.Popen(
            [*command, "127.0.0.1", "true"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, env={"PATH": os.environ["PATH"], "DISPLAY": "none", "SSH_ASKPASS": self.askpass,
                                         "SSH_ASKPASS_REQUIRE": "force", "HOME": self.folder},
        )
        self.clients[process] = now + CLIENT_SECONDS
        self.figures["clients"] += 1

    def end_clients(self, now):
        for process, deadline in list(self.clients.items()):
            if process.poll() is None and now < deadline:
                continue
            # What it asked through stays behind when it ends.
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.figures["sessions"] += process.wait() == 0
            del self.clients[process]

    def begin_due(self, now, began):
        due = int((now - began) * self.rate)
        while self.begun < due:
            self.begun += 1
            if len(self.clients) < CLIENTS:
                self.begin_client(now)
            else:
                self.begin_plain(now)

    def write(self, began):
        def lines(name):
            try:
                with open(f"{self.folder}/{name}") as file:
                    return len(file.readlines())
            except FileNotFoundError:
                return 0

        figures = dict(self.figures, connects=self.begun, seconds=time.monotonic() - began)
        figures.update(asked=lines("asked"), codes=lines("codes"))
        with open(f"{self.folder}/figures.new", "w") as file:
            json.dump(figures, file)
        os.rename(f"{self.folder}/figures.new", f"{self.folder}/figures")

    def run(self):
        began = now = written = time.monotonic()
        try:
            while now - began < self.seconds:
                self.begin_due(now, began)
                for key, _ in self.selector.select(0.005):
                    self.read_plain(key.fileobj)
                now = time.monotonic()
                for connection in [one for one, deadline in self.open.items() if now > deadline]:
                    self.end_plain(connection, "closed")
                self.end_clients(now)
                if now - written > 0.25:
                    self.write(began)
                    written = now
        finally:
            self.write(began)
            self.end_clients(float("inf"))


def main():
    folder, rate, seconds, addresses, names = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Generator(folder, int(rate), float(seconds), addresses.split(","), names.split(",")).run()


if __name__ == "__main__":
    main()
