"""What operators type: libmemcached's tools, memcached-tool, and `echo stats | nc`."""

import os
import re
import shutil
import subprocess

import pytest

TOOL = os.environ.get("MEMCACHED_TOOL", "/usr/share/memcached/scripts/memcached-tool")


def run(*words, stdin=None, ok=True):
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=60)
    assert not ok or done.returncode == 0, done
    return done


@pytest.fixture
def server(daemon):
    return f"--servers={daemon.address}"


@pytest.fixture
def files(tmp_path):
    (tmp_path / "first").write_text("the first file")
    (tmp_path / "second").write_text("вторая, 第二")
    return [str(tmp_path / "first"), str(tmp_path / "second")]


def test_memcping(server):
    run("memcping", server)
    assert run("memcping", "--servers=127.0.0.1:1", ok=False).returncode != 0


def test_memccp_and_memccat(server, files):
    run("memccp", server, "--flags=3", *files)
    assert run("memccat", server, "first").stdout.strip() == "the first file"
    assert run("memccat", server, "second").stdout.strip() == "вторая, 第二"
    assert run("memccat", server, "third", ok=False).returncode != 0


def test_memcexist_and_memcrm(server, files):
    run("memccp", server, *files)
    run("memcexist", server, "first")
    run("memcrm", server, "first")
    assert run("memcexist", server, "first", ok=False).returncode != 0
    run("memcexist", server, "second")


def test_memctouch(server, files):
    run("memccp", server, *files)
    run("memctouch", server, "--expire=100", "first")
    assert run("memctouch", server, "--expire=100", "third", ok=False).returncode != 0


def test_memcdump(server, files):
    run("memccp", server, *files)
    assert sorted(run("memcdump", server).stdout.split()) == ["first", "second"]


def test_memcflush(server, files):
    run("memccp", server, *files)
    run("memcflush", server)
    assert run("memcexist", server, "first", ok=False).returncode != 0


def test_memcstat(server, daemon):
    said = run("memcstat", server).stdout
    assert f"Server: 127.0.0.1 ({daemon.place})" in said
    for name in ("pid", "uptime", "version", "curr_items", "limit_maxbytes", "evictions"):
        assert re.search(rf"^\s+{name}: \S+$", said, re.MULTILINE), name


@pytest.mark.parametrize("kind", ["get", "set", "mget"])
@pytest.mark.parametrize("protocol", [[], ["--binary"]], ids=["text", "binary"])
def test_memcslap(server, kind, protocol):
    words = ["--concurrency=4", "--execute-number=250", "--initial-load=500", f"--test={kind}"]
    run("memcslap", server, *words, *protocol)


def tool(daemon, *mode):
    if not os.path.exists(TOOL):
        pytest.skip(f"{TOOL} is not installed")
    return run("perl", TOOL, daemon.address, *mode).stdout.splitlines()


TWO = b"set small 3 0 5\r\nhello\r\nset large 0 1000 300\r\n" + b"x" * 300 + b"\r\n"


@pytest.fixture
def filled(daemon):
    assert daemon.says(TWO, b"STORED\r\nSTORED\r\n") == b"STORED\r\n" * 2
    return daemon


def test_memcached_tool_display(filled):
    head, *classes = tool(filled, "display")
    columns = ["#", "Item_Size", "Max_age", "Pages", "Count", "Full?", "Evicted", "Evict_Time", "OOM"]
    assert head.split() == columns
    row = re.compile(r" *\d+ +\d+(\.\d+)?[BKM] +\d+s +\d+ +\d+ +(yes|no) +\d+ +\d+ +\d+")
    assert classes and all(row.fullmatch(line) for line in classes), classes
    assert sum(int(line.split()[4]) for line in classes) == 2


@pytest.mark.parametrize(
    ("mode", "names"),
    [
        ("stats", "pid uptime time version curr_items total_items bytes evictions get_hits threads"),
        ("settings", "maxbytes maxconns tcpport udpport inter verbosity evictions item_size_max"),
    ],
)
def test_memcached_tool_lists(filled, mode, names):
    head, *rows = tool(filled, mode)
    assert re.fullmatch(rf"#{filled.address} +Field +Value", head)
    assert all(re.fullmatch(r" *\S+ +\S.*|\s*\S+\s*", row) for row in rows), rows
    fields = [row.split()[0] for row in rows]
    assert set(names.split()) <= set(fields)
    assert fields == sorted(fields)


def test_memcached_tool_sizes(filled):
    head, *rows = tool(filled, "sizes")
    assert re.fullmatch(rf"#{filled.address} +Size +Count", head)
    assert [row.split() for row in rows] == [["sizes_status", "disabled"]]


def test_memcached_tool_sizes_that_are_tracked(sizing):
    """Both lay items out in steps of 32 bytes, and call each step by its end."""
    third = TWO + TWO.replace(b"large", b"third").split(b"hello\r\n")[1]
    assert sizing.says(third, b"STORED\r\n" * 3) == b"STORED\r\n" * 3
    head, *rows = tool(sizing, "sizes")
    assert re.fullmatch(rf"#{sizing.address} +Size +Count", head)
    assert all(re.fullmatch(r" {10,}\d+ {5,}\d+", row) for row in rows), rows
    assert sorted(tuple(map(int, row.split())) for row in rows) == [(96, 1), (384, 2)]
    assert sizing.says(b"delete third\r\n", b"DELETED\r\n") == b"DELETED\r\n"
    assert {tuple(row.split()) for row in tool(sizing, "sizes")[1:]} == {("96", "1"), ("384", "1")}


def test_memcached_tool_dump(filled):
    said = "\n".join(tool(filled, "dump"))
    assert "add small 3 0 5\nhello" in said
    assert re.search(rf"add large 0 \d{{10}} 300\n{'x' * 300}", said)


def test_what_was_dumped_can_be_stored_again(filled, three):
    said = [line for line in tool(filled, "dump") if not line.startswith("Dumping")]
    request = "".join(f"{line}\r\n" for line in said if line).encode()
    assert three[0].says(request, b"STORED\r\nSTORED\r\n") == b"STORED\r\n" * 2
    assert b"hello" in three[0].says(b"get small\r\n")


def test_echo_stats_into_nc(filled):
    said = run("nc", "127.0.0.1", str(filled.place), stdin="stats\nquit\n").stdout
    for name in ("pid", "uptime", "curr_items", "bytes", "evictions"):
        assert re.search(rf"^STAT {name} \d+\r?$", said, re.MULTILINE), name
    assert "STAT curr_items 2" in said and said.splitlines()[-1] == "END"
