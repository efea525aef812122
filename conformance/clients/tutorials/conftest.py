"""What every tutorial needs: daemons of the program that DAEMON names."""

import os
import pathlib
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from servers import Daemon  # noqa: E402

PROGRAM = os.environ.get("DAEMON", "memcached")


@pytest.fixture
def daemon():
    with Daemon(PROGRAM) as daemon:
        yield daemon


@pytest.fixture
def sizing():
    with Daemon(PROGRAM, options=["-o", "track_sizes"]) as daemon:
        yield daemon


@pytest.fixture
def three():
    with Daemon(PROGRAM) as first, Daemon(PROGRAM) as second, Daemon(PROGRAM) as third:
        yield [first, second, third]


@pytest.fixture
def unix():
    with tempfile.TemporaryDirectory() as folder:
        with Daemon(PROGRAM, f"{folder}/memcached.sock") as daemon:
            yield daemon
