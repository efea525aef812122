"""Daemons for a row of the table: started on loopback, waited for, stopped by their process.

Whoever starts one names the program; which of the two it is changes nothing else.
"""

import os
import socket
import subprocess
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Daemon:
    """One daemon. `place` is a port of 127.0.0.1, or the path of a socket file."""

    def __init__(self, program, place=None, options=()):
        self.place = free_port() if place is None else place
        self.unix = isinstance(self.place, str)
        self.address = self.place if self.unix else f"127.0.0.1:{self.place}"
        if not self.unix and self._answers():
            raise RuntimeError(f"somebody listens on {self.address} already")
        where = ["-s", self.place] if self.unix else ["-l", "127.0.0.1", "-p", str(self.place)]
        self.process = subprocess.Popen(
            [program, *as_root(), *where, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(600):
            if self._answers():
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"{program} does not listen on {self.address}")

    def _answers(self):
        try:
            self.connection().close()
            return True
        except OSError:
            return False

    def connection(self):
        if self.unix:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(self.place)
            return connection
        return socket.create_connection(("127.0.0.1", self.place), timeout=30)

    def says(self, request, end=b"END\r\n"):
        """What it answers to these bytes, up to the end."""
        with self.connection() as connection:
            connection.sendall(request)
            said = b""
            while not said.endswith(end):
                part = connection.recv(65536)
                if not part:
                    break
                said += part
            return said

    def stop(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def as_root():
    """A daemon that root starts must be told that root is meant."""
    return ["-u", "root"] if os.geteuid() == 0 else []
