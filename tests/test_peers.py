"""The comparison with peers: pages show what was measured, and only like is compared with like."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks import peers
from benchmarks.harness.plots import cpu_plot
from benchmarks.harness.results import Results
from benchmarks.harness.rounds import Cost, Service, costs_of
from benchmarks.harness.servers import Web, request_of
from benchmarks.harness.tables import BEGIN, CASES, END, page, put, summary

from .processes import ROOT

SERVER = """
    import asyncio, sys

    async def serve(reader, writer):
        while head := await reader.readuntil(b"\\r\\n\\r\\n"):
            body = b'{"id": %d, "name": "%b"}' % (int(sys.argv[2]), sys.argv[3].encode())
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)

    async def main():
        async with await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1])) as server:
            await server.serve_forever()

    asyncio.run(main())
    """
GET = request_of("GET", "/")


def measured(*figures_us: float) -> Cost:
    return Cost(cpu_us=list(figures_us), wall_us=list(figures_us))


RESULTS = Results(
    day="2026-11-30",
    machine="a machine",
    versions={"python": "3.11.7"},
    costs={
        "ping": {
            "fastforge": measured(100, 101, 102, 100),
            "hand-written": measured(200, 202, 204, 200),
        }
    },
)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "server.py"
    file.write_text(textwrap.dedent(SERVER))
    return file


def served(program: Path, number: int, name: str, case: str) -> Service:
    command = (sys.executable, "-S", str(program), "{port}", str(number), name)
    return Service(web=Web(command=command), requests={case: GET})


def test_what_is_measured_is_cpu_and_time_of_each_in_each_round(program: Path) -> None:
    services = {name: served(program, 7, "kettle", "read") for name in ("one", "other")}
    rounds = list[int]()
    costs = costs_of(services, requests=16, rounds=2, told=rounds.append)
    assert list(costs) == ["read"]
    assert list(costs["read"]) == ["one", "other"]
    for cost in costs["read"].values():
        assert len(cost.cpu_us) == len(cost.wall_us) == 2
        assert min(cost.cpu_us + cost.wall_us) > 0
    assert rounds == [1, 2]


def test_services_that_answer_otherwise_are_not_compared(program: Path) -> None:
    services = {name: served(program, 7, name, "read") for name in ("kettle", "pan")}
    with pytest.raises(RuntimeError, match="read: pan answers .*'pan'.*, kettle .*'kettle'"):
        costs_of(services, requests=16, rounds=1)


def test_of_what_is_created_the_number_may_differ(program: Path) -> None:
    services = {str(number): served(program, number, "kettle", "create") for number in (1, 2)}
    assert costs_of(services, requests=16, rounds=1)["create"].keys() == {"1", "2"}


def test_a_page_says_what_each_takes_and_how_sure_it_is() -> None:
    text = page(RESULTS)
    assert "| **fastforge** | 100 |" in text
    assert "| FastAPI, the usual way | 201 |" in text
    assert "| FastAPI, the usual way | 0.50 to 0.50 |" in text
    assert "| **fastforge** | 9,950 |" in text
    assert "Measured on 2026-11-30: a machine, 4 rounds. python 3.11.7." in text


def test_only_what_is_between_the_marks_of_a_page_is_written(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    put("new", file)
    put("newer", file)
    assert file.read_text() == f"before\n{BEGIN}\n\nnewer\n\n{END}\nafter\n"
    file.write_text("before\n")
    with pytest.raises(ValueError, match="no place for what was measured"):
        put("new", file)


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    RESULTS.write(tmp_path / "kept" / "results.json")
    assert Results.read(tmp_path / "kept" / "results.json") == RESULTS


def test_a_plot_has_a_bar_for_everybody_in_each_case() -> None:
    plot = ET.fromstring(cpu_plot(Results.read()))
    bars = list(plot.iter("{http://www.w3.org/2000/svg}rect"))
    assert len(bars) == sum(len(subjects) for subjects in Results.read().costs.values())


def test_the_documentation_shows_what_was_measured_last(tmp_path: Path) -> None:
    kept = Results.read()
    assert set(kept.costs) == set(CASES) == set(peers.CASES)
    for file, text in (("docs/benchmarks.md", page(kept)), ("README.md", summary(kept))):
        assert f"{BEGIN}\n\n{text}\n\n{END}" in (ROOT / file).read_text(encoding="utf-8"), file
    assert (ROOT / "docs/images/peers.svg").read_text(encoding="utf-8") == cpu_plot(kept)
