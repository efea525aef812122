"""python-memcached, the oldest of them: its own flags, its own deletes, a check and set."""

import os
import time

import memcache

client = memcache.Client([f"{os.environ['HOST']}:{os.environ['PORT']}"], cache_cas=True)
assert client.set("text", "value") and client.get("text") == "value"
assert client.set("number", 7) and client.get("number") == 7
assert client.set("pair", (1, "two")) and client.get("pair") == (1, "two")
assert client.set("bytes", b"\x00\r\n\xff") and client.get("bytes") == b"\x00\r\n\xff"
assert client.get("none") is None
assert client.add("text", "other") == 0 and client.add("fresh", "new") != 0
assert client.replace("none", "x") == 0 and client.replace("fresh", "newer") != 0
assert client.append("text", "+") and client.prepend("text", "-") and client.get("text") == "-value+"

client.reset_cas()
assert client.gets("text") == "-value+"
assert client.cas("text", "mine") != 0
assert client.cas("text", "mine again") == 0

assert client.incr("number") == 8 and client.decr("number", 5) == 3 and client.decr("number", 9) == 0
assert client.incr("none") is None
assert client.set_multi({"a": "1", "b": "2", "c": "3"}, time=100, key_prefix="m:") == []
assert client.get_multi(["a", "b", "z"], key_prefix="m:") == {"a": "1", "b": "2"}
assert client.delete_multi(["a", "b"], key_prefix="m:") == 1
assert client.touch("text", 1000)
assert client.set("soon", "gone", time=1) and client.set("noreply", "1", noreply=True)
time.sleep(3.2)
assert client.get("soon") is None and client.get("noreply") == "1"
assert client.delete("text") and client.get("text") is None
assert client.set("large", "x" * 5000, min_compress_len=100) and client.get("large") == "x" * 5000
assert client.get_stats()
client.flush_all()
assert client.get("number") is None
client.disconnect_all()
