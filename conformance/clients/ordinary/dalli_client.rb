# dalli of Ruby, in the binary protocol and in meta commands, at its ordinary work.
require "dalli"

def same(is, must, what)
  raise "#{what}: #{is.inspect}, not #{must.inspect}" unless is == must
end

%i[binary meta].each do |protocol|
  dc = Dalli::Client.new("#{ENV["HOST"]}:#{ENV["PORT"]}", protocol: protocol, expires_in: 300)
  dc.flush_all
  dc.set("abc", { "ключ" => ["缓存", 1, nil] })
  same dc.get("abc"), { "ключ" => ["缓存", 1, nil] }, "get"
  same dc.get("none"), nil, "get of nothing"
  same dc.add("abc", 1), false, "add"
  same [0, nil, false].include?(dc.replace("none", 1)), true, "replace"
  same dc.fetch("fetched") { 42 }, 42, "fetch"
  same dc.fetch("fetched") { 43 }, 42, "fetch again"
  dc.set("raw", "middle", 0, raw: true)
  same dc.append("raw", "-end"), true, "append"
  same dc.prepend("raw", "start-"), true, "prepend"
  same dc.get("raw", raw: true), "start-middle-end", "what they made"
  same dc.incr("count", 1, 0, 10), 10, "incr with a start"
  same dc.incr("count", 5), 15, "incr"
  same dc.decr("count", 20), 0, "decr"
  same dc.cas("abc") { |_| "changed" } ? true : false, true, "cas"
  same dc.get("abc"), "changed", "what cas stored"
  dc.set("ключ", "缓存")
  same dc.get_multi("abc", "ключ", "none").values.sort, %w[changed 缓存], "get_multi"
  dc.multi { 50.times { |n| dc.set("quiet:#{n}", n) } }
  same dc.get_multi(*(0...50).map { |n| "quiet:#{n}" }).size, 50, "sets in one go"
  same dc.touch("abc", 100) ? true : false, true, "touch"
  same dc.gat("abc", 100), "changed", "gat"
  dc.set("large", "x" * 300_000)
  same dc.get("large").size, 300_000, "much"
  same dc.delete("abc") ? true : false, true, "delete"
  same dc.delete("abc") ? true : false, false, "delete again"
  same dc.stats.values.first.nil?, false, "stats"
  dc.flush_all
  same dc.get("large"), nil, "flush_all"
  dc.close
end
