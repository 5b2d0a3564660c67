"""A terminal as a person has it: a program inside tmux, what it shows, and keys pressed.

Nothing here knows what the program is.
"""

import re
import subprocess

import harness

# The shell around the program leaves its exit status in a file: tmux loses it now and then. Ctrl-C is the program's alone.
RUN = 'trap : INT QUIT; status=$1; shift; "$@"; echo $? >"$status"'
TMUX = ["tmux", "-u", "-L", "sandbox", "-f", "/dev/null"]


class Screen:
    count = 0

    def __init__(self, command, columns=100, rows=50, environment=None):
        """Starts the command in a terminal of its own. What it leaves on the screen stays after its end."""
        if Screen.count == 0:
            self._tmux("start-server", ";", "set-option", "-s", "exit-empty", "off")
        Screen.count += 1
        self.name = f"screen{Screen.count}"
        self.command = command
        environment = {} if environment is None else environment
        assignments = [f"{key}={value}" for key, value in environment.items()]
        self._tmux(
            "new-session", "-d", "-s", self.name, "-x", str(columns), "-y", str(rows), "sleep", "1000000",
            ";", "set-option", "-t", self.name, "remain-on-exit", "on",
            ";", "set-option", "-t", self.name, "history-limit", "5000",
            ";", "set-option", "-t", self.name, "status", "off",
            ";", "set-option", "-q", "-t", self.name, "remain-on-exit-format", "",
        )
        # The window of the placeholder becomes the program's, now that it will be kept.
        self.status = f"/tmp/{self.name}.status"
        self._tmux("respawn-pane", "-k", "-t", self.name, "env", *assignments, "sh", "-c", RUN, "sh", self.status, *command)

    def _tmux(self, *arguments):
        done = subprocess.run([*TMUX, *arguments], capture_output=True, text=True)
        if done.returncode != 0:
            raise harness.Failure(f"tmux {arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    def text(self):
        """Everything shown so far, wrapped lines joined, blank lines at the end left out."""
        return self._tmux("capture-pane", "-p", "-J", "-S", "-", "-t", self.name).rstrip("\n")

    def cells(self, attributes=False):
        """The lines as the terminal has them, scrolled-off ones included; with escape sequences if attributes are wanted."""
        flags = ["-e"] if attributes else []
        return self._tmux("capture-pane", "-p", *flags, "-S", "-", "-t", self.name).rstrip("\n").split("\n")

    def type(self, text):
        self._tmux("send-keys", "-l", "-t", self.name, "--", text)

    def press(self, *keys):
        self._tmux("send-keys", "-t", self.name, *keys)

    def enter(self, text=""):
        if text:
            self.type(text)
        self.press("Enter")

    def ended(self):
        """None while the program runs, else its exit status (128 + signal)."""
        try:
            with open(self.status) as status:
                return int(status.read())
        except (FileNotFoundError, ValueError):
            return None

    def wait_for(self, pattern, seconds=10.0, count=1):
        """Waits until the text matches the regular expression (count times); returns the last match."""

        def found():
            matches = list(re.finditer(pattern, self.text(), re.M))
            return matches[-1] if len(matches) >= count else None

        try:
            return harness.wait_for(f"{pattern!r} on {self.name}", found, seconds, 0.05)
        except harness.Failure as failure:
            raise harness.Failure(f"{failure}; it shows:\n{self.text()}") from None

    def wait_for_sentence(self, sentence, seconds=10.0):
        wanted = harness.squeezed(sentence)
        try:
            harness.wait_for(sentence, lambda: wanted in harness.squeezed(self.text()), seconds, 0.05)
        except harness.Failure as failure:
            raise harness.Failure(f"{failure}; {self.name} shows:\n{self.text()}") from None

    def wait_for_end(self, seconds=10.0):
        """Waits until the program has ended; returns its exit status."""
        try:
            harness.wait_for(f"the end of {self.name}", lambda: self.ended() is not None, seconds, 0.05)
        except harness.Failure as failure:
            raise harness.Failure(f"{failure}; it shows:\n{self.text()}") from None
        return self.ended()

    def process(self):
        """The process id of the program."""
        shell = self._tmux("display-message", "-p", "-t", self.name, "#{pane_pid}").strip()
        with open(f"/proc/{shell}/task/{shell}/children") as children:
            return int(children.read().split()[0])

    def close(self):
        subprocess.run([*TMUX, "kill-session", "-t", self.name], capture_output=True)
