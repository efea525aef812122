"""python-memcached, as its introductions show it; several servers with weights too."""

import memcache
import pytest


@pytest.fixture
def client(daemon):
    client = memcache.Client([daemon.address], cache_cas=True)
    yield client
    client.disconnect_all()


def test_set_and_get(client):
    assert client.set("some_key", "Some value") is True
    assert client.get("some_key") == "Some value"
    assert client.set("another_key", 3) is True
    assert client.get("another_key") == 3
    assert client.delete("another_key") == 1
    assert client.get("another_key") is None


def test_values_of_python(client):
    values = [{"name": "ada", "born": 1815}, [1, 2, 3], (None, True), "text", b"bytes", 1.5, 2**70]
    for number, value in enumerate(values):
        assert client.set(f"value:{number}", value)
        assert client.get(f"value:{number}") == value


def test_many_at_once(client):
    assert client.set_multi({"a": 1, "b": 2, "c": 3}) == []
    assert client.get_multi(["a", "b", "c", "d"]) == {"a": 1, "b": 2, "c": 3}
    assert client.delete_multi(["a", "b"]) == 1
    assert client.get_multi(["a", "b", "c"]) == {"c": 3}
    assert client.set_multi({"1": "x", "2": "y"}, key_prefix="page:") == []
    assert client.get("page:1") == "x"
    assert client.get_multi(["1", "2"], key_prefix="page:") == {"1": "x", "2": "y"}


def test_add_on_a_key_that_is_there(client):
    assert client.add("key", "first")
    assert not client.add("key", "second")
    assert client.get("key") == "first"


def test_replace_on_a_key_that_is_missing(client):
    assert not client.replace("key", "value")
    assert client.get("key") is None
    client.set("key", "old")
    assert client.replace("key", "new")
    assert client.get("key") == "new"


def test_append_and_prepend(client):
    assert not client.append("key", "x")
    client.set("key", "middle")
    assert client.append("key", " end") and client.prepend("key", "start ")
    assert client.get("key") == "start middle end"


def test_the_counter_of_every_introduction(client):
    client.set("counter", "777")
    assert client.incr("counter") == 778
    assert client.incr("counter", 10) == 788
    assert client.decr("counter") == 787
    assert client.decr("counter", 10) == 777
    assert client.get("counter") == "777"


def test_a_counter_ends_at_zero(client):
    client.set("counter", "3")
    assert client.decr("counter", 5) == 0
    assert client.incr("none") is None


def test_check_and_set(daemon, client):
    client.set("stock", "10")
    assert client.gets("stock") == "10"
    assert client.cas("stock", "9")
    assert client.gets("stock") == "9"
    other = memcache.Client([daemon.address])
    assert other.set("stock", "0")
    assert not client.cas("stock", "8")
    assert client.get("stock") == "0"
    other.disconnect_all()


def test_expiry_and_touch(client):
    client.set("kept", "a", time=1)
    assert client.touch("kept", 100)
    client.set("past", "b", time=-1)
    assert client.get("past") is None
    assert client.get("kept") == "a"


@pytest.mark.parametrize("word", ["привет", "ключ_и_замок", "缓存", "你好世界", "naïve"])
def test_other_alphabets(client, word):
    assert client.set(word, word * 50)
    assert client.get(word) == word * 50
    assert client.get_multi([word, "none"]) == {word: word * 50}
    assert client.delete(word) == 1
    assert client.get(word) is None


KEYS = [f"user:{number}" for number in range(4000)]


def has(daemon, key):
    return b"VALUE" in daemon.says(f"get {key}\r\n".encode())


def test_weights_share_the_keys_out(three):
    weights = [1, 2, 1]
    servers = [(daemon.address, weight) for daemon, weight in zip(three, weights)]
    client = memcache.Client(servers)
    assert client.set_multi({key: key for key in KEYS}) == []
    shares = [items(daemon) for daemon in three]
    assert sum(shares) == len(KEYS)
    for share, weight in zip(shares, weights):
        chance = weight / sum(weights)
        sigma = (len(KEYS) * chance * (1 - chance)) ** 0.5
        assert abs(share - len(KEYS) * chance) <= 3 * sigma, shares
    for key in KEYS[:50]:
        assert sum(has(daemon, key) for daemon in three) == 1, key
    assert client.get_multi(KEYS) == {key: key for key in KEYS}
    client.disconnect_all()


def items(daemon):
    for line in daemon.says(b"stats\r\n").splitlines():
        if line.startswith(b"STAT curr_items "):
            return int(line.split()[2])
    raise AssertionError("no count of items")


def test_a_killed_daemon_means_misses(three):
    weights = [1, 2, 1]
    servers = [(daemon.address, weight) for daemon, weight in zip(three, weights)]
    client = memcache.Client(servers)
    assert client.set_multi({key: key for key in KEYS[:400]}) == []
    lost = {key for key in KEYS[:400] if has(three[1], key)}
    assert lost
    three[1].stop()
    seen = {key: client.get(key) for key in KEYS[:400]}
    assert {key for key, value in seen.items() if value is None} == lost
    assert all(value in (None, key) for key, value in seen.items())
    for key in KEYS[:400]:
        client.set(key, key + " again")
    for key in KEYS[:400]:
        assert client.get(key) in (None, key + " again"), key
    assert set(client.get_multi(KEYS[:400]).values()) <= {key + " again" for key in KEYS[:400]}
    client.disconnect_all()
