// memjs, a client in JavaScript that speaks the binary protocol, at its ordinary work.
import assert from "node:assert";
import memjs from "memjs";

const client = memjs.Client.create(`${process.env.HOST}:${process.env.PORT}`);
const read = async (key) => (await client.get(key)).value?.toString();

assert.equal(await client.set("hello", "world", { expires: 600 }), true);
assert.equal(await read("hello"), "world");
assert.equal((await client.get("none")).value, null);
assert.equal(await client.add("hello", "again", {}), false);
assert.equal(await client.add("fresh", "new", {}), true);
assert.equal(await client.replace("none", "x", {}), false);
assert.equal(await client.replace("fresh", "newer", {}), true);
assert.equal(await client.append("hello", "!"), true);
assert.equal(await read("hello"), "world!");
assert.equal((await client.increment("count", 5, { initial: 10 })).value, 10);
assert.equal((await client.increment("count", 5, { initial: 10 })).value, 15);
assert.equal((await client.decrement("count", 20, { initial: 10 })).value, 0);
assert.equal(await client.set("ключ", "缓存", {}), true);
assert.equal(await read("ключ"), "缓存");
assert.equal(await client.touch("hello", 1000), true);
const large = Buffer.alloc(300000, 7);
assert.equal(await client.set("large", large, {}), true);
assert.ok(large.equals((await client.get("large")).value));
assert.equal(await client.delete("hello"), true);
assert.equal(await client.delete("hello"), false);
await client.flush();
assert.equal((await client.get("large")).value, null);
client.close();
