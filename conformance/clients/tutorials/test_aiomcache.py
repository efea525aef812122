"""aiomcache, as its introductions show it."""

import asyncio

import aiomcache
import pytest


def tutorial(work):
    """A test of what `work` does with a client of a fresh daemon."""

    def test(daemon):
        async def run():
            client = aiomcache.Client("127.0.0.1", daemon.place, pool_size=2)
            try:
                await work(client)
            finally:
                await client.close()

        asyncio.run(run())

    test.__doc__ = work.__doc__
    return test


async def set_then_get(client):
    assert await client.set(b"some_key", b"some value") is True
    assert await client.get(b"some_key") == b"some value"
    assert await client.get(b"another_key") is None
    assert await client.get(b"another_key", b"default") == b"default"


async def delete(client):
    await client.set(b"key", b"value")
    assert await client.delete(b"key") is True
    assert await client.get(b"key") is None
    assert await client.delete(b"key") is False


async def add_and_replace(client):
    assert await client.replace(b"key", b"new") is False
    assert await client.add(b"key", b"first") is True
    assert await client.add(b"key", b"second") is False
    assert await client.get(b"key") == b"first"
    assert await client.replace(b"key", b"new") is True
    assert await client.get(b"key") == b"new"


async def append_and_prepend(client):
    assert await client.append(b"key", b"x") is False
    await client.set(b"key", b"middle")
    assert await client.append(b"key", b"-end") is True
    assert await client.prepend(b"key", b"start-") is True
    assert await client.get(b"key") == b"start-middle-end"


async def counters(client):
    await client.set(b"counter", b"10")
    assert await client.incr(b"counter", 5) == 15
    assert await client.decr(b"counter", 3) == 12
    assert (await client.get(b"counter")).rstrip() == b"12"
    assert await client.decr(b"counter", 100) == 0
    await client.set(b"word", b"ten")
    for key in (b"word", b"none"):
        with pytest.raises(aiomcache.ClientException):
            await client.incr(key, 1)


async def flush_all(client):
    await client.set(b"a", b"1")
    await client.set(b"b", b"2")
    await client.flush_all()
    assert await client.multi_get(b"a", b"b") == (None, None)


async def expiry(client):
    await client.set(b"soon", b"gone", exptime=1)
    await client.set(b"later", b"here", exptime=100)
    await asyncio.sleep(2.5)
    assert await client.get(b"soon") is None
    assert await client.get(b"later") == b"here"


async def other_alphabets(client):
    for word in ("привет", "缓存", "日本語のキー"):
        key = value = word.encode()
        await client.set(key, value * 100)
        assert await client.get(key) == value * 100


async def hello_from_many_tasks(client):
    async def hello(number):
        key = b"hello:%d" % number
        await client.set(key, b"%d" % number)
        return await client.get(key)

    said = await asyncio.gather(*(hello(number) for number in range(50)))
    assert said == [b"%d" % number for number in range(50)]


test_set_then_get = tutorial(set_then_get)
test_delete = tutorial(delete)
test_add_and_replace = tutorial(add_and_replace)
test_append_and_prepend = tutorial(append_and_prepend)
test_counters = tutorial(counters)
test_flush_all = tutorial(flush_all)
test_expiry = tutorial(expiry)
test_other_alphabets = tutorial(other_alphabets)
test_hello_from_many_tasks = tutorial(hello_from_many_tasks)
