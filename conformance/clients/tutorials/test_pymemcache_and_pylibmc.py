"""pymemcache and pylibmc, as their introductions show them; pylibmc in both protocols."""

import json

import pylibmc
import pytest
from pymemcache import serde
from pymemcache.client.base import Client
from pymemcache.client.hash import HashClient


def test_pymemcache_says_hello(daemon):
    client = Client(("127.0.0.1", daemon.place))
    client.set("some_key", "some_value")
    assert client.get("some_key") == b"some_value"
    client.close()


def test_pymemcache_over_a_socket_file(unix):
    client = Client(unix.place)
    client.set("some_key", "some_value")
    assert client.get("some_key") == b"some_value"
    client.close()


def test_pymemcache_keeps_objects(daemon):
    class Json:
        def serialize(self, key, value):
            return (value, 1) if isinstance(value, str) else (json.dumps(value), 2)

        def deserialize(self, key, value, flags):
            return value.decode() if flags == 1 else json.loads(value)

    client = Client(("127.0.0.1", daemon.place), serde=Json())
    client.set("key", {"a": "b", "c": "d"})
    assert client.get("key") == {"a": "b", "c": "d"}
    client = Client(("127.0.0.1", daemon.place), serde=serde.pickle_serde)
    client.set("set", {1, 2, 3})
    assert client.get("set") == {1, 2, 3}


def test_pymemcache_checks_and_sets(daemon):
    client = Client(("127.0.0.1", daemon.place))
    result, unique = client.gets("visitors")
    assert result is None
    client.set("visitors", "1")
    result, unique = client.gets("visitors")
    assert client.cas("visitors", str(int(result) + 1), unique) is True
    assert client.cas("visitors", "0", unique) is False
    assert client.get("visitors") == b"2"


def test_pymemcache_and_several_servers(three):
    client = HashClient([("127.0.0.1", daemon.place) for daemon in three])
    pairs = {f"key:{number}": b"%d" % number for number in range(100)}
    assert client.set_many(pairs) == []
    assert client.get_many(list(pairs)) == pairs
    for key in pairs:
        holders = [daemon for daemon in three if b"VALUE" in daemon.says(f"get {key}\r\n".encode())]
        assert len(holders) == 1, key


def test_pymemcache_in_other_alphabets(daemon):
    client = Client(("127.0.0.1", daemon.place), allow_unicode_keys=True, encoding="utf-8")
    for word in ("ключ", "缓存"):
        client.set(word, word * 10)
        assert client.get(word).decode() == word * 10


@pytest.fixture(params=[False, True], ids=["text", "binary"])
def libmemcached(request, daemon):
    return pylibmc.Client(
        [daemon.address], binary=request.param, behaviors={"cas": True, "tcp_nodelay": True}
    )


def test_pylibmc_says_hello(libmemcached):
    assert libmemcached.set("some_key", "Some value")
    assert libmemcached.get("some_key") == "Some value"
    assert libmemcached.set("another_key", 3)
    assert libmemcached.delete("another_key")
    libmemcached.set("key", "1")
    assert libmemcached.incr("key") == 2
    assert libmemcached.incr("key") == 3
    assert libmemcached.decr("key") == 2
    assert libmemcached.get("key").strip() in ("2", 2)


def test_pylibmc_as_a_mapping(libmemcached):
    libmemcached["foo"] = "bar"
    assert libmemcached["foo"] == "bar" and "foo" in libmemcached
    del libmemcached["foo"]
    assert "foo" not in libmemcached
    with pytest.raises(KeyError):
        libmemcached["foo"]


def test_pylibmc_and_many_at_once(libmemcached):
    assert libmemcached.set_multi({"a": 1, "b": [2], "c": "three"}) == []
    assert libmemcached.get_multi(["a", "b", "c", "d"]) == {"a": 1, "b": [2], "c": "three"}
    assert libmemcached.delete_multi(["a", "b", "c"]) is True


def test_pylibmc_adds_and_replaces(libmemcached):
    assert libmemcached.add("key", "x") is True
    assert libmemcached.add("key", "y") is False
    assert libmemcached.replace("key", "z") is True
    assert libmemcached.get("key") == "z"


def test_pylibmc_keeps_nothing_that_is_past(daemon):
    client = pylibmc.Client([daemon.address])
    assert client.set("key", "x", time=-1)
    assert client.get("key") is None


def test_pylibmc_over_a_socket_file(unix):
    client = pylibmc.Client([unix.place])
    assert client.set("some_key", "Some value") and client.get("some_key") == "Some value"


def test_pylibmc_and_a_pool(daemon):
    client = pylibmc.Client([daemon.address])
    pool = pylibmc.ClientPool()
    pool.fill(client, 4)
    with pool.reserve() as first, pool.reserve() as second:
        first.set("key", "value")
        assert second.get("key") == "value"


@pytest.mark.parametrize("word", ["ключ", "缓存"])
def test_pylibmc_in_other_alphabets(libmemcached, word):
    assert libmemcached.set(word, word * 10) and libmemcached.get(word) == word * 10
