"""aiomcache: two tasks with a connection each, then what one task does in order."""

import asyncio
import os

import aiomcache


async def counting(client, name, rounds):
    await client.set(name, b"0")
    for round in range(1, rounds + 1):
        assert await client.incr(name, 1) == round
    return await client.get(name)


async def main():
    client = aiomcache.Client(os.environ["HOST"], int(os.environ["PORT"]), pool_size=2)
    assert await client.version()
    first, second = await asyncio.gather(
        counting(client, b"first", 12), counting(client, b"second", 8)
    )
    assert (first, second) == (b"12", b"8")
    assert await client.set(b"key", b"value", exptime=100)
    assert await client.get(b"key") == b"value"
    assert await client.get(b"none", b"default") == b"default"
    assert await client.multi_get(b"key", b"none", b"first") == (b"value", None, b"12")
    value, unique = await client.gets(b"key")
    assert await client.cas(b"key", b"new", unique) is True
    assert await client.cas(b"key", b"newer", unique) is False
    assert await client.add(b"key", b"x") is False and await client.replace(b"key", b"y") is True
    assert await client.append(b"key", b"+") and await client.prepend(b"key", b"-")
    assert await client.get(b"key") == b"-y+"
    assert await client.decr(b"first", 5) == 7
    assert await client.touch(b"key", 200) is True and await client.touch(b"none", 1) is False
    assert await client.stats()
    assert await client.delete(b"key") is True and await client.delete(b"key") is False
    await client.flush_all()
    assert await client.get(b"first") is None
    await client.close()


asyncio.run(main())
