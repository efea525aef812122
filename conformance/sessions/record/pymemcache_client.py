"""pymemcache at its ordinary work: values, counters, cas, many keys at once, expiry."""

import os
import time

from pymemcache.client.base import Client
from pymemcache.exceptions import MemcacheClientError

client = Client((os.environ["HOST"], int(os.environ["PORT"])), default_noreply=False)
assert client.version()
assert client.set("user:1", "ada", expire=100)
assert client.get("user:1") == b"ada"
assert client.get("user:2") is None
assert client.add("user:1", "eve") is False
assert client.replace("user:2", "eve") is False
assert client.append("user:1", " lovelace") and client.prepend("user:1", "lady ")
assert client.get("user:1") == b"lady ada lovelace"

value, unique = client.gets("user:1")
assert client.cas("user:1", "countess", unique) is True
assert client.cas("user:1", "nobody", unique) is False
assert client.cas("user:9", "nobody", unique) is None

assert client.set("hits", "99") and client.incr("hits", 1) == 100
assert client.decr("hits", 1) == 99
assert client.get("hits").strip() == b"99"
assert client.incr("none", 1) is None
try:
    client.incr("user:1", 1)
    raise SystemExit("a name was counted")
except MemcacheClientError:
    pass

assert client.set_many({f"row:{n}": str(n) * n for n in range(1, 6)}) == []
assert len(client.get_many([f"row:{n}" for n in range(8)])) == 5
assert len(client.gets_many(["row:1", "row:2"])) == 2
assert client.delete_many(["row:1", "row:2"]) is True
assert client.set("binary", bytes(range(256))) and client.get("binary") == bytes(range(256))
assert client.set("empty", b"") and client.get("empty") == b""

assert client.touch("user:1", 1000) is True and client.touch("user:2", 1000) is False
assert client.set("soon", "gone", expire=1)
assert client.set("date", "later", expire=int(time.time()) + 3600)
time.sleep(3.2)
assert client.get("soon") is None and client.get("date") == b"later"

client.set("quiet", "1", noreply=True)
client.delete("quiet", noreply=True)
client.incr("hits", 1, noreply=True)
assert client.get("hits").strip() == b"100"
assert client.delete("user:1") is True and client.delete("user:1") is False
assert client.stats()[b"curr_items"]
assert client.flush_all() is True
assert client.get("date") is None
client.quit()
