// The `memcached` package of npm, the one Node client of the text protocol with users in numbers.
import assert from "node:assert";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import Memcached from "memcached";

const client = new Memcached(`${process.env.HOST}:${process.env.PORT}`, { poolSize: 1 });
const ask = (name, ...rest) => promisify(client[name]).call(client, ...rest);

assert.equal(await ask("set", "text", "value", 100), true);
assert.equal(await ask("get", "text"), "value");
assert.equal(await ask("get", "none"), undefined);
await ask("set", "object", { name: "ada", born: 1815 }, 100);
assert.deepEqual(await ask("get", "object"), { name: "ada", born: 1815 });
await ask("set", "buffer", Buffer.from([0, 13, 10, 255]), 100);
assert.deepEqual(await ask("get", "buffer"), Buffer.from([0, 13, 10, 255]));
await assert.rejects(ask("add", "text", "other", 100));
await assert.rejects(ask("replace", "none", "other", 100));
await ask("append", "text", "+");
await ask("prepend", "text", "-");
assert.equal(await ask("get", "text"), "-value+");

const found = await ask("gets", "text");
assert.equal(await ask("cas", "text", "mine", found.cas, 100), true);
assert.equal(await ask("cas", "text", "mine again", found.cas, 100), false);

await ask("set", "count", 10, 100);
assert.equal(await ask("incr", "count", 5), 15);
assert.equal(await ask("decr", "count", 6), 9);
assert.equal(await ask("incr", "none", 1), false);
const many = await ask("getMulti", ["text", "none", "object"]);
assert.deepEqual(Object.keys(many).sort(), ["object", "text"]);
assert.equal(await ask("touch", "text", 1000), true);
await ask("set", "soon", "gone", 1);
await wait(3200);
assert.equal(await ask("get", "soon"), undefined);
assert.equal(await ask("del", "text"), true);
assert.equal(await ask("del", "text"), false);
assert.ok((await ask("version")).length);
assert.ok((await ask("stats")).length);
await ask("flush");
assert.equal(await ask("get", "object"), undefined);
client.end();
