"""A console line: runs a program (login) on a terminal of its own inside this one, as getty would, and relays.

util-linux's login hangs its terminal up once, and a terminal emulator takes that for the end. A real console goes on, and so
does this: reading fails for a moment and is tried again until the program has ended.
"""

import errno
import fcntl
import os
import pty
import select
import signal
import sys
import termios
import tty


def main():
    size = fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8))
    pid, line = pty.fork()
    if pid == 0:
        os.execvp(sys.argv[1], sys.argv[1:])
    fcntl.ioctl(line, termios.TIOCSWINSZ, size)
    before = termios.tcgetattr(0)
    tty.setraw(0)
    signal.signal(signal.SIGHUP, lambda *_: os.kill(pid, signal.SIGHUP))
    status = None
    try:
        while True:
            ready, _, _ = select.select([0, line], [], [], 0.2)
            if line in ready:
                try:
                    output = os.read(line, 65536)
                except OSError as problem:
                    if problem.errno != errno.EIO:
                        raise
                    output = b""
                    select.select([], [], [], 0.02)
                os.write(1, output)
            if 0 in ready:
                typed = os.read(0, 65536)
                if not typed:
                    break
                os.write(line, typed)
            if not (line in ready and output):
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    break
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
    sys.exit(os.waitstatus_to_exitcode(status) & 0x7F if status is not None else 1)


main()
