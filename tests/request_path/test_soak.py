"""A process that many have used, and many have left, is as it was before."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.processes import run, wait_until

from .crowd import Crowd
from .site import Site

MIB = 1024 * 1024


def inside(site: Site) -> dict[str, Any]:
    """What the process holds, garbage aside, besides the request that asks for it."""
    found: dict[str, Any] = site.get("/inside?collect=1").json
    return {**found, "memory": memory_of(site.process.pid)}


def memory_of(pid: int) -> int:
    """The bytes of memory that a process has resident."""
    statm = Path(f"/proc/{pid}/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * 4096
    return int(run(["ps", "-o", "rss=", "-p", str(pid)]).stdout) * 1024


def is_quiet(site: Site, before: dict[str, Any]) -> bool:
    now = inside(site)
    return all(now[name] <= before[name] for name in ("out", "tasks", "in_flight"))


async def soak(site: Site, *, warm_up: int, requests: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Let a crowd use the site; what it held after the warm-up, and what it holds at the end."""
    fresh = inside(site)
    crowd = Crowd(site.port)
    await crowd.send(warm_up)
    wait_until(lambda: is_quiet(site, fresh), describe=site.process)
    before = inside(site)
    await crowd.send(requests)
    wait_until(lambda: is_quiet(site, fresh), describe=site.process)
    after = inside(site)
    (site.path / "figures.json").write_text(json.dumps([crowd.answered, crowd.left, before, after]))
    assert set(crowd.answered) == {200, 201, 404, 422}
    assert crowd.left.total() == (warm_up + requests) // 20
    wait_until(lambda: has_its_lines(site, crowd))
    return before, after


def has_its_lines(site: Site, crowd: Crowd) -> bool:
    """Whether each request has one line, whoever has left."""
    lines = [line for line in site.lines if line["path"] not in ("/inside", "/ready")]
    ids = Counter(line["request_id"] for line in lines)
    assert ids.most_common(1)[0][1] == 1
    statuses = Counter(line["status_code"] for line in lines if not line.get("cancelled"))
    return statuses[404] == crowd.answered[404] and statuses[422] == crowd.answered[422]


def holds(site: Site, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Nothing that is counted one by one may have grown."""
    for name in ("out", "in_flight"):
        assert after[name] == 0, name
    assert after["tasks"] <= before["tasks"]
    # The pool may have opened the connections that it is allowed.
    assert after["descriptors"] <= before["descriptors"] + 4 * 3
    assert "Traceback" not in site.process.output
    assert "ERROR" not in site.process.output
    assert "non-checked-in" not in site.process.output


async def test_2000_requests_leave_nothing_behind(each_site: Site) -> None:
    before, after = await soak(each_site, warm_up=1000, requests=2000)
    holds(each_site, before, after)
    assert after["objects"] - before["objects"] < 500, "one object for every fourth request"


@pytest.mark.long
async def test_100000_requests_leave_nothing_behind(postgres_site: Site) -> None:
    before, after = await soak(postgres_site, warm_up=10_000, requests=100_000)
    holds(postgres_site, before, after)
    assert after["objects"] - before["objects"] < 1000, "one object for every hundredth request"
    assert after["memory"] - before["memory"] < 10 * MIB, "a hundred bytes a request"
