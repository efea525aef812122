"""How the verdict on each test is read out of what a suite printed: {name: verdict}.

A suite that ended in a way its reader does not know has no verdicts, which fails its row.
"""

import re
import xml.etree.ElementTree as xml

PASS, FAIL, SKIP = "passed", "failed", "skipped"


def junit(run):
    """pytest writes this file when it is asked to."""
    report = run.folder / "junit.xml"
    if not report.exists():
        return {}
    verdicts = {}
    for case in xml.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        verdict = FAIL if kinds & {"failure", "error"} else SKIP if "skipped" in kinds else PASS
        verdicts[f"{case.get('classname')}.{case.get('name')}"] = verdict
    return verdicts


def unittest(run):
    """What `-v 2` of Django's runner prints; a test's docstring may stand before its verdict."""
    words = {"ok": PASS, "skipped": SKIP, "FAIL": FAIL, "ERROR": FAIL, "expected": PASS}
    parts = re.split(r"^(\w+) \(([\w.]+)\)", run.said.split("\n====")[0], flags=re.MULTILINE)
    verdicts = {}
    for name, place, rest in zip(parts[1::3], parts[2::3], parts[3::3]):
        ended = re.search(r"\.\.\. (ok|skipped|FAIL|ERROR|expected)", rest)
        # Since Python 3.11 the place ends with the name.
        whole_name = f"{place.removesuffix('.' + name)}.{name}"
        verdicts[whole_name] = words[ended[1]] if ended else FAIL
    return verdicts


def tap(run):
    """`prove -v`: the points of each file. What is marked as unfinished may end as it likes."""
    verdicts, file = {}, ""
    for line in run.said.splitlines():
        head = re.match(r"(\S+\.t) \.+", line)
        file = head[1] if head else file
        point = re.match(r"(not )?ok (\d+)(.*)", line)
        if point and "# TODO" not in point[3]:
            skipped = "# skip" in point[3].lower()
            verdict = SKIP if skipped else FAIL if point[1] else PASS
            verdicts[f"{file} {point[2]}"] = verdict
        elif re.match(r"(\S+\.t \.+ )?skipped:", line):
            verdicts[file] = SKIP
        elif re.match(r"(Dubious|  Parse errors|Bailout|.*Bad plan)", line):
            verdicts[f"{file} as a whole"] = FAIL
    return verdicts


def golang(run):
    words = {"PASS": PASS, "FAIL": FAIL, "SKIP": SKIP}
    found = re.findall(r"^ *--- (PASS|FAIL|SKIP): (\S+)", run.said, re.MULTILINE)
    return {name: words[word] for word, name in found}


def mocha(run):
    """mocha's own TAP has a point for each test, without files."""
    found = re.findall(r"^(not )?ok (\d+ .*)", run.said, re.MULTILINE)
    return {name: FAIL if failed else SKIP if "# SKIP" in name else PASS for failed, name in found}


def capable(run):
    found = re.findall(r"^(.+?) +\[(pass|FAIL|skip)\]", run.said, re.MULTILINE)
    words = {"pass": PASS, "FAIL": FAIL, "skip": SKIP}
    return {name.strip(): words[word] for name, word in found}


def whole(run):
    """A script that asserts what it gets is one test."""
    return {run.row: PASS if run.code == 0 else FAIL}
