"""Three daemons behind nutcracker, Twitter's proxy: clients see one server, keys are shared out."""

import os
import shutil
import subprocess
import time

import pytest
from pymemcache.client.base import Client
from pymemcache.exceptions import MemcacheError
from servers import free_port

PROXY = shutil.which("nutcracker", path=f"{os.environ['PATH']}:/usr/sbin")
CONFIGURATION = """
pool:
  listen: 127.0.0.1:{port}
  hash: md5
  distribution: ketama
  timeout: 4000
  auto_eject_hosts: true
  server_failure_limit: 1
  server_retry_timeout: 60000
  servers:
"""
KEYS = [f"page:{number}" for number in range(300)]


@pytest.fixture
def proxy(three, tmp_path):
    if PROXY is None:
        pytest.skip("nutcracker is not installed")
    port = free_port()
    servers = "".join(f"   - {daemon.address}:1 server{n}\n" for n, daemon in enumerate(three))
    file = tmp_path / "nutcracker.yml"
    file.write_text(CONFIGURATION.format(port=port) + servers)
    words = [PROXY, "-c", str(file), "-s", str(free_port()), "-a", "127.0.0.1"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield connected(port)
    finally:
        process.kill()
        process.wait()


def connected(port):
    for _ in range(200):
        try:
            client = Client(("127.0.0.1", port), default_noreply=False, timeout=30)
            client.get("ready")
            return client
        except OSError:
            time.sleep(0.05)
    raise AssertionError("nutcracker does not listen")


def holders(three, key):
    request = f"get {key}\r\n".encode()
    return [number for number, daemon in enumerate(three) if b"VALUE" in daemon.says(request)]


def test_each_key_lies_on_one_daemon_and_all_are_found(three, proxy):
    for key in KEYS:
        assert proxy.set(key, key) is True
    places = [holders(three, key) for key in KEYS]
    assert all(len(place) == 1 for place in places)
    assert {place[0] for place in places} == {0, 1, 2}
    assert proxy.get_many(KEYS) == {key: key.encode() for key in KEYS}


def test_every_command_that_it_passes_on(proxy):
    assert proxy.add("key", "1") is True and proxy.add("key", "2") is False
    assert proxy.replace("key", "10") is True and proxy.replace("none", "1") is False
    assert proxy.incr("key", 5) == 15 and proxy.decr("key", 3) == 12
    assert proxy.append("key", "!") is True and proxy.prepend("key", "=") is True
    value, unique = proxy.gets("key")
    assert value == b"=12!"
    assert proxy.cas("key", "new", unique) is True and proxy.cas("key", "newer", unique) is False
    assert proxy.touch("key", 100) is True
    assert proxy.delete("key") is True and proxy.delete("key") is False


def test_a_killed_daemon_costs_its_keys_and_no_others(three, proxy):
    for key in KEYS:
        proxy.set(key, key)
    lost = {key for key in KEYS if holders(three, key) == [1]}
    three[1].stop()
    assert lost
    errors = 0
    for key in KEYS:
        try:
            assert proxy.get(key) in (None, key.encode())
        except (MemcacheError, OSError):
            errors += 1
    # The proxy learns of it by the requests that fail; then the others take the keys over.
    assert errors <= 3
    assert {key for key in KEYS if proxy.get(key) is None} == lost
    for key in lost:
        assert proxy.set(key, key + " again") is True
        assert proxy.get(key) == key.encode() + b" again"
