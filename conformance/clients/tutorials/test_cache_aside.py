"""What server/README.md shows under *Using it*: its code is read from there, and run."""

import pathlib
import re

import pytest
from pymemcache.client.base import Client

README = pathlib.Path(__file__).resolve().parents[3] / "server/README.md"


@pytest.fixture
def shown(daemon):
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(blocks) == 2
    asked = []

    def load_user(number):
        asked.append(number)
        return {"id": number, "name": "Ада", "times": len(asked)}

    names = {"load_user": load_user, "asked": asked}
    for block in blocks:
        exec(block.replace("11211", str(daemon.place)), names)
    return names


def test_what_is_asked_for_is_loaded_once(shown):
    first = shown["user"](7)
    assert shown["user"](7) == first == {"id": 7, "name": "Ада", "times": 1}
    assert shown["asked"] == [7]


def test_who_changes_it_makes_it_be_loaded_again(shown):
    shown["user"](7)
    shown["changed"](7)
    assert shown["user"](7)["times"] == 2


def test_a_version_lets_go_of_many_keys_at_once(shown, daemon):
    client = Client(("127.0.0.1", daemon.place), default_noreply=False)
    for page in (1, 2):
        client.set(shown["versioned"]("list", page), f"page {page}")
    assert client.get(shown["versioned"]("list", 2)) == b"page 2"
    shown["forget"]("list")
    assert client.get(shown["versioned"]("list", 1)) is None
    assert client.get(shown["versioned"]("list", 2)) is None


def test_a_version_that_was_lost_never_comes_back(shown, daemon):
    client = Client(("127.0.0.1", daemon.place), default_noreply=False)
    before = shown["versioned"]("list", 1)
    assert client.delete("version:list")
    assert shown["versioned"]("list", 1) != before
