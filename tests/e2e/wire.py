"""The messages of common/wire.h, spoken by tests: as a client of either socket, and as a server that poses as pam_oidcd."""

import socket
import struct

MAX = 64 * 1024


def pack(*fields):
    """Fields are (key, value) pairs, in order."""
    return b"".join(f"{key}={value}".encode() + b"\0" for key, value in fields)


def unpack(packet):
    """A list of (key, value) pairs."""
    fields = packet.rstrip(b"\0").split(b"\0") if packet else []
    return [tuple(part.decode(errors="replace") for part in field.split(b"=", 1)) for field in fields]


def connect(path, seconds):
    """A connected socket with that timeout. Before a full backlog it waits in the queue, which a timeout of Python's own would not do."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", int(seconds), int(seconds % 1 * 1e6)))
        connection.connect(path)
    except BaseException:
        connection.close()
        raise
    connection.settimeout(seconds)
    return connection


class Connection:
    """One connection to a daemon. Every wait is bounded."""

    def __init__(self, path, seconds=10.0, connected=None):
        self.socket = connected or connect(path, seconds)
        self.socket.settimeout(seconds)

    def send(self, *fields):
        self.socket.send(pack(*fields))

    def send_bytes(self, packet):
        self.socket.send(packet)

    def receive(self):
        """The next message as a list of pairs; None when the other side closed."""
        try:
            packet = self.socket.recv(MAX)
        except ConnectionResetError:
            return None
        return unpack(packet) if packet else None

    def ask(self, *fields):
        """Sends and receives; the answer as a dictionary (the last of repeated keys), None when closed."""
        try:
            self.send(*fields)
        except (BrokenPipeError, ConnectionResetError):
            return None
        answer = self.receive()
        return None if answer is None else dict(answer)

    def peer(self):
        """(pid, uid, gid) of the other side."""
        return struct.unpack("3i", self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Server:
    """A listening socket in a daemon's place, for tests that need a lying or broken one."""

    def __init__(self, path, seconds=10.0):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.bind(path)
        self.socket.listen(16)
        self.socket.settimeout(seconds)
        self.seconds = seconds

    def accept(self):
        connection, _ = self.socket.accept()
        return Connection(None, self.seconds, connection)

    def close(self):
        self.socket.close()
