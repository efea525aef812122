"""The rows of the table: which suite, where it comes from, how it is run, how it is read.

A row is made when its suite has been fetched; what differs between the two daemons is only where
they listen, and that comes to a suite in the way it is used to.
"""

import dataclasses
import pathlib
import shutil

import readers
from fetch import Missing, Python, debian_sources, npm, run

HERE = pathlib.Path(__file__).resolve().parent
RECORD = HERE.parent / "sessions/record"


@dataclasses.dataclass
class Row:
    name: str
    command: list
    read: object
    # tcp: any port. usual: 11211 to 11213, which the suite insists on. unix: a socket file.
    # several: three daemons. none: the suite starts its own.
    serve: str = "tcp"
    folder: object = None
    environment: dict = dataclasses.field(default_factory=dict)
    # Tests that end otherwise on the two for a known reason.
    known: dict = dataclasses.field(default_factory=dict)


# What the law's own server answers as memcached 1.6.45 does, and 1.6.18 does not.
DELETE = "it sends `delete KEY 5`, which only 0 may follow since 1.6.19"


def tools(folder):
    for program in ("memccapable", "memcstat"):
        if shutil.which(program) is None:
            raise Missing("libmemcached-tools is not installed")
    known = {"ascii delete": DELETE, "ascii delete noreply": DELETE}
    words = ["sh", "-c", 'stdbuf -o0 memccapable -h 127.0.0.1 -p "$PORT" 2>&1']
    yield Row("memccapable", words, readers.capable, known=known)
    yield Row("libmemcached's tools", ["sh", str(RECORD / "libmemcached_tools.sh")], readers.whole)


def python(folder):
    """The suites and the tutorials of Python share an environment."""
    venv = Python(folder)
    venv.install(
        "pymemcache==4.0.0", "pylibmc==1.6.3", "python-memcached==1.62", "aiomcache==0.8.2",
        "Django==5.2.8", "djangorestframework==3.16.1",
        "pytest==8.4.2", "pytest-asyncio==1.2.0", "Faker==15.1.0", "zstd==1.5.2.5",
    )
    return venv


def pytest(venv, *words):
    return [
        venv.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts=",
        "--junitxml={folder}/junit.xml", *words,
    ]


def tutorials(venv):
    for file in sorted((HERE / "tutorials").glob("test_*.py")):
        name = file.stem.removeprefix("test_").replace("_", " ")
        words = pytest(venv, str(file))
        yield Row(f"tutorial: {name}", words, readers.junit, serve="none")


def ordinary(venv):
    for client in ("pymemcache", "pylibmc", "python_memcached", "aiomcache"):
        script = str(RECORD / f"{client}_client.py")
        yield Row(f"at work: {client}", [venv.python, script], readers.whole)


def pymemcache(venv):
    words = ["pymemcache/test", "-m", "unit or integration", "--server=127.0.0.1", "--port={port}"]
    place = venv.sources("pymemcache", "4.0.0")
    yield Row("pymemcache 4.0.0", pytest(venv, *words), readers.junit, folder=place)


def pylibmc(venv):
    place = venv.sources("pylibmc", "1.6.3")
    # The package's own extension is built into the wheel, not into the sources.
    shutil.rmtree(place / "src")
    words = pytest(venv, "tests")
    yield Row("pylibmc 1.6.3", words, readers.junit, "usual", place)


def python_memcached(venv):
    place = venv.sources("python-memcached", "1.62")
    # The archive lacks the two files that make its tests a package.
    (place / "tests/__init__.py").touch()
    (place / "tests/utils.py").write_text(CAPTURED)
    words = pytest(venv, "tests")
    yield Row("python-memcached 1.62", words, readers.junit, "usual", place)


CAPTURED = """
import contextlib
import io


@contextlib.contextmanager
def captured_stderr():
    with contextlib.redirect_stderr(io.StringIO()) as said:
        yield said
"""


def aiomcache(venv):
    """0.8.0 is the last whose archive has its tests; they are run on what is installed."""
    place = venv.sources("aiomcache", "0.8.0")
    shutil.rmtree(place / "aiomcache")
    # It would start a container where it is not told of a server.
    (venv.folder / "docker.py").write_text("Client = object\n")
    # One of them hangs on what a loaded machine does within a second.
    slow = "--deselect=tests/pool_test.py::test_acquire_task_cancellation"
    words = pytest(venv, "tests", "-o", "asyncio_mode=auto", slow)
    where = {"PYTHONPATH": str(venv.folder)}
    yield Row("aiomcache 0.8.0's tests", words, readers.junit, "usual", place, where)


def django(venv):
    """Of Django's cache tests, those that meet the server; the others are of files and databases."""
    place = venv.sources("Django", "5.2.8") / "tests"
    for backend in ("PyMemcacheCache", "PyLibMCCache"):
        for serve in ("tcp", "unix", "several"):
            words = [venv.python, "runtests.py", "--parallel", "1", "-v", "2"]
            words += ["--settings=django_settings", f"cache.tests.{backend}Tests"]
            environment = {"PYTHONPATH": str(HERE), "BACKEND": backend, "LOCATION": "{location}"}
            name = f"Django 5.2.8 {backend} {serve}"
            yield Row(name, words, readers.unittest, serve, place, environment)


def javascript(folder):
    place = npm(folder, "memcached@2.2.2", "memjs@1.3.2", "mocha@10.8.2", "should@13.2.3")
    for script in [RECORD / "memcached_client.mjs", HERE / "ordinary/memjs_client.mjs"]:
        shutil.copy(script, place)
        name = script.stem.removesuffix("_client")
        yield Row(f"at work: {name} of npm", ["node", script.name], readers.whole, folder=place)
    tests = place / "node_modules/memcached/test"
    # Those of connections want a network beyond this machine.
    files = sorted(str(file) for file in tests.glob("*.test.js") if "connections" not in file.name)
    words = ["node", "node_modules/mocha/bin/mocha.js", "--no-config", "--require", "should"]
    words += ["--reporter", "tap", "--exit", *files]
    where = {"MEMCACHED__HOST": "127.0.0.1"}
    yield Row("memcached 2.2.2 of npm", words, readers.mocha, "usual", place, where)


def perl(folder):
    needs("Cache::Memcached", "perl", "-MCache::Memcached", "-e", "1")
    place = debian_sources(folder, "libcache-memcached-perl", "1.30-1.1")
    yield Row("Cache::Memcached 1.30", ["prove", "-v", "t"], readers.tap, "usual", place)
    needs("Memcached::libmemcached", "perl", "-MMemcached::libmemcached", "-e", "1")
    place = debian_sources(folder, "libmemcached-libmemcached-perl", "1.001801+dfsg-4")
    where = {"PERL_LIBMEMCACHED_TEST_SERVERS": "127.0.0.1:{port}"}
    words = ["prove", "-v", "-It/lib", "t"]
    yield Row("Memcached::libmemcached", words, readers.tap, "tcp", place, where)


def perl_fast(folder):
    needs("Test2::V0", "perl", "-MTest2::V0", "-e", "1")
    place = debian_sources(folder, "libcache-memcached-fast-perl", "0.28-2")
    words = ["prove", "-v", "-It", "t"]
    yield Row("Cache::Memcached::Fast 0.28", words, readers.tap, "usual", place)


def golang(folder):
    source = pathlib.Path("/usr/share/gocode/src/github.com/bradfitz/gomemcache/memcache")
    if not source.is_dir():
        raise Missing("golang-github-bradfitz-gomemcache-dev is not installed")
    place = pathlib.Path(shutil.copytree(source, folder / "gomemcache"))
    where = {"GO111MODULE": "off", "GOCACHE": str(folder / "gocache"), "GOFLAGS": "-count=1"}
    needs("go", "go", "version")
    yield Row("gomemcache", ["go", "test", "-v", "."], readers.golang, "usual", place, where)


def php(folder):
    needs("the extension memcached of PHP", "php", "-r", "new Memcached;")
    script = str(HERE / "ordinary/memcached_client.php")
    yield Row("at work: memcached of PHP", ["php", script], readers.whole)


def ruby(folder):
    needs("dalli", "ruby", "-rdalli", "-e", "1")
    script = str(HERE / "ordinary/dalli_client.rb")
    yield Row("at work: dalli of Ruby", ["ruby", script], readers.whole)


def needs(what, *words):
    try:
        run(*words)
    except Missing:
        raise Missing(f"{what} is not installed") from None


OF_PYTHON = [ordinary, pymemcache, pylibmc, python_memcached, aiomcache, django, tutorials]
OTHERS = [tools, javascript, perl, golang, php, ruby]
SLOW = [perl_fast]
