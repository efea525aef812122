"""Where the suites come from: published packages, each of one version, fetched anew for each run.

Nothing of theirs is kept here. What cannot be had is `Missing`, with the reason.
"""

import pathlib
import subprocess
import sys
import tarfile


class Missing(Exception):
    """A suite or a client that cannot be had on this machine."""


def run(*words, cwd=None, seconds=240):
    try:
        return subprocess.run(
            words, cwd=cwd, timeout=seconds, check=True, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ).stdout
    except subprocess.CalledProcessError as error:
        last = [line for line in error.stdout.splitlines() if line.strip()] or [str(error)]
        raise Missing(f"{' '.join(words[:3])} …: {last[-1].strip()}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(str(error)) from None


def unpacked(archive, into):
    """The one folder that an archive holds."""
    with tarfile.open(archive) as tar:
        tops = {name.removeprefix("./").split("/")[0] for name in tar.getnames()} - {"", "."}
    run("tar", "-xf", str(archive), "-C", str(into))
    (top,) = tops
    return pathlib.Path(into) / top


class Python:
    """A virtual environment, and source distributions."""

    def __init__(self, folder):
        self.folder = folder / "python"
        run(sys.executable, "-m", "venv", str(self.folder))
        self.python = str(self.folder / "bin/python")

    def install(self, *packages):
        run(self.python, "-m", "pip", "install", "-q", *packages)

    def sources(self, name, version):
        into = self.folder / "sources" / name
        run(
            self.python, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", name,
            "-d", str(into), f"{name}=={version}",
        )
        return unpacked(next(into.glob("*.tar.gz")), into)


def npm(folder, *packages):
    """Packages of npm in a folder of their own."""
    into = folder / "npm"
    into.mkdir(exist_ok=True)
    run("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(into), *packages)
    return into


def debian_sources(folder, package, version):
    """The upstream archive of a Debian source package, without touching the machine's own lists."""
    into = folder / "debian"
    for part in ("lists/partial", "cache/archives/partial"):
        (into / part).mkdir(parents=True, exist_ok=True)
    listed = into / "sources.list"
    options = [
        "-o", f"Dir::Etc::SourceList={listed}", "-o", "Dir::Etc::SourceParts=-",
        "-o", f"Dir::State::Lists={into}/lists", "-o", f"Dir::Cache={into}/cache",
        "-o", "APT::Sandbox::User=",
    ]
    if not listed.exists():
        listed.write_text("deb-src http://deb.debian.org/debian bookworm main\n")
        run("apt-get", *options, "update", "-qq")
    place = into / package
    place.mkdir(exist_ok=True)
    words = ["source", "--download-only", "--tar-only", "-qq", f"{package}={version}"]
    run("apt-get", *options, *words, cwd=str(place))
    return unpacked(next(place.glob("*.orig.tar.*")), place)
