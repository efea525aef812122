"""Clients that share keys out over three daemons by themselves: pylibmc's ketama, pymemcache's ring."""

import pylibmc
import pytest
from pymemcache.client.hash import HashClient

KEYS = [f"user:{number}" for number in range(2000)]
WEIGHTS = [1, 2, 1]
# A server that fails is taken out at once, and its keys are asked of the others.
EJECTING = {"remove_failed": 1, "dead_timeout": 60, "connect_timeout": 1000, "tcp_nodelay": True}


def by_ketama(three, weights=(1, 1, 1)):
    name = "ketama" if len(set(weights)) == 1 else "ketama_weighted"
    servers = [f"{daemon.address}:{weight}" for daemon, weight in zip(three, weights)]
    return pylibmc.Client(servers, behaviors={name: True, **EJECTING})


def by_ring(three):
    servers = [("127.0.0.1", daemon.place) for daemon in three]
    return HashClient(servers, ignore_exc=True, retry_attempts=0, dead_timeout=60)


def holders(three):
    """Which daemons have each key."""
    held = {key: [] for key in KEYS}
    request = f"get {' '.join(KEYS)}\r\n".encode()
    for number, daemon in enumerate(three):
        for line in daemon.says(request).splitlines():
            if line.startswith(b"VALUE "):
                held[line.split()[1].decode()].append(number)
    return held


def text(value):
    return value.decode() if isinstance(value, bytes) else value


@pytest.mark.parametrize("made", [by_ketama, by_ring])
def test_each_key_lies_on_one_daemon(three, made):
    client = made(three)
    for key in KEYS:
        assert client.set(key, key)
    held = holders(three)
    assert all(len(places) == 1 for places in held.values())
    assert {places[0] for places in held.values()} == {0, 1, 2}
    # Whoever else has the same list finds them.
    other = made(three)
    assert all(text(other.get(key)) == key for key in KEYS)


def test_weights_shift_the_shares(three):
    """The ring has some hundred points for a server, so that the shares are near the weights only."""
    client = by_ketama(three, WEIGHTS)
    for key in KEYS:
        assert client.set(key, key)
    held = holders(three)
    assert all(len(places) == 1 for places in held.values())
    for number, weight in enumerate(WEIGHTS):
        share = sum(places == [number] for places in held.values()) / len(KEYS)
        assert 0.7 <= share / (weight / sum(WEIGHTS)) <= 1.3, number


@pytest.mark.parametrize("made", [by_ketama, by_ring])
def test_a_killed_daemon_means_misses(three, made):
    client = made(three)
    for key in KEYS:
        assert client.set(key, key)
    lost = {key for key, places in holders(three).items() if places == [1]}
    assert lost
    three[1].stop()
    seen, raised = {}, 0
    for key in KEYS:
        try:
            seen[key] = text(client.get(key))
        except pylibmc.Error:
            raised += 1
    # pylibmc learns of it by a request that fails, and tells; then it takes the server out. That is
    # before anything else is asked: what fails is nobody's value.
    assert raised <= (3 if made is by_ketama else 0)
    missed = {key for key, value in seen.items() if value is None}
    assert missed == lost & seen.keys() and len(missed) >= len(lost) - raised
    assert all(seen[key] == key for key in seen.keys() - lost)
    # Then the others have them.
    for key in lost:
        assert client.set(key, key + " again")
    assert all(text(client.get(key)) == key + " again" for key in lost)
