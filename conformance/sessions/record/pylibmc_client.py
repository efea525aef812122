"""pylibmc, over libmemcached, in text: what its users do all day."""

import os
import time

import pylibmc

server = f"{os.environ['HOST']}:{os.environ['PORT']}"
client = pylibmc.Client([server], binary=False, behaviors={"cas": True, "tcp_nodelay": True})
assert client.set("string", "text") and client.get("string") == "text"
assert client.set("number", 42) and client.get("number") == 42
assert client.set("list", [1, 2, 3]) and client.get("list") == [1, 2, 3]
assert client.get("none") is None
assert client.add("string", "other") is False and client.replace("none", "x") is False
assert client.append("string", " and more") and client.get("string") == "text and more"
assert client.prepend("string", "some ") and client.get("string") == "some text and more"

value, unique = client.gets("string")
assert client.cas("string", "new", unique) is True
assert client.cas("string", "newer", unique) is False

assert client.incr("number") == 43 and client.decr("number", 3) == 40
try:
    client.incr("none")
    raise SystemExit("a key without an item was counted")
except pylibmc.NotFound:
    pass

assert client.set_multi({"a": 1, "b": 2, "c": "three"}, time=100) == []
assert client.get_multi(["a", "b", "c", "d"]) == {"a": 1, "b": 2, "c": "three"}
assert client.incr_multi(["a", "b"], delta=10) is None
assert client.get_multi(["a", "b"], key_prefix="") == {"a": 11, "b": 12}
assert client.delete_multi(["a", "b", "d"]) is False
large = "lorem ipsum " * 200
assert client.set("large", large, min_compress_len=500) and client.get("large") == large
assert client.touch("large", 1000) is True
assert client.set("soon", "gone", time=1)
time.sleep(3.2)
assert client.get("soon") is None
assert client.delete("large") is True and client.delete("large") is False
assert client.get_stats()
assert client.flush_all() is True and client.get("string") is None
client.disconnect_all()
