"""One reading tells of all processes of a server, whatever happens to one of them."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

from tests.processes import descendants, fetch, wait_until

from .conftest import Scraped, Shop, ask_in_line

DURATION = "http_server_request_duration_seconds"
# The parser refuses those that nobody has thought of with 400, before anything counts them.
ODD_METHODS = ("COPY", "LOCK", "MKCOL", "MOVE", "PROPFIND", "SEARCH", "UNLOCK", "REPORT", "MERGE")
TIMES = 12


def test_the_sum_of_two_processes_survives_the_death_of_one(site: Shop) -> None:
    with site.served(workers=2) as server:
        site.ask(60)
        before = site.scrape()
        assert before.requests == 60
        assert before.by(f"{DURATION}_count", "http_route") == {"/notes/{number}": 60}
        wait_until(lambda: site.scrape()["processes"] == 2, describe=server)
        site.ask(40)
        victim = min(descendants(server.pid))
        os.kill(victim, signal.SIGKILL)
        server.wait_for(f"process {victim} was killed")
        assert site.scrape().requests == 100
        wait_until(lambda: site.scrape()["processes"] == 2, describe=server)
        site.ask(20)
        # A client has its answer a moment before the process has counted it.
        wait_until(lambda: site.scrape().requests == 120, describe=server)
        after = site.scrape()
        assert after[f"{DURATION}_sum"] >= before[f"{DURATION}_sum"]
        both = descendants(server.pid)
        server.send(signal.SIGHUP)
        wait_until(lambda: site.scrape().requests == 120 and not both & descendants(server.pid))
        site.ask(5)
        assert site.scrape().requests == 125
        files = list((site.folder.path / "metrics").glob("*/*.cells"))
        assert len(files) == 2
        server.interrupt()
        assert server.wait() == 0
    with site.served():
        assert f"{DURATION}_count" not in site.scrape().text


def series(scraped: Scraped) -> set[object]:
    return {key for key in scraped.values if key[0] not in _PROCESS}


# What a busy machine adds, whatever is asked for; the causes are known.
_PROCESS = {
    "event_loop_blocks_total",
    "gc_pause_seconds_bucket",
    "gc_pause_seconds_count",
    "gc_pause_seconds_sum",
}


def test_what_anybody_may_invent_adds_no_series(site: Shop) -> None:
    host = "Host: localhost\r\n\r\n"
    with site.served() as server:
        known = [
            f"GET /notes/1 HTTP/1.1\r\n{host}",
            f"GET /nothing HTTP/1.1\r\n{host}",
            f"PROPFIND /nothing HTTP/1.1\r\n{host}",
            f"PROPFIND /notes/1 HTTP/1.1\r\n{host}",
            f"GET /notes/x HTTP/1.1\r\n{host}",
        ]
        ask_in_line(site.port, known)
        site.scrape()
        before = site.scrape()
        paths = [f"GET /random/{number * 7919} HTTP/1.1\r\n{host}" for number in range(10_000)]
        paths += [f"GET /notes/{number} HTTP/1.1\r\n{host}" for number in range(1000)]
        hosts = [f"GET /notes/1 HTTP/1.1\r\nHost: h{number}\r\n\r\n" for number in range(100)]
        assert ask_in_line(site.port, paths) == {404: 10_000, 200: 1000}
        assert ask_in_line(site.port, hosts) == {200: 100}
        for method in ODD_METHODS:
            assert ask_in_line(site.port, [f"{method} /notes/1 HTTP/1.1\r\n{host}"] * TIMES) == {
                405: TIMES
            }
        after = site.scrape()
        assert series(after) == series(before)
        routes = after.by(f"{DURATION}_count", "http_route")
        assert routes["__unmatched__"] == 10_000 + 2
        assert after.requests == before.requests + 11_100 + TIMES * len(ODD_METHODS)
        assert after.by(f"{DURATION}_count", "http_request_method")["__other__"] == (
            2 + TIMES * len(ODD_METHODS)
        )
        server.terminate()
        assert server.wait() == 0


def test_metrics_can_be_read_while_the_event_loop_is_blocked(site: Shop) -> None:
    with (
        site.served() as server,
        socket.create_connection(("127.0.0.1", site.port)) as sock,
    ):
        site.ask(3)
        sock.sendall(b"GET /hang HTTP/1.1\r\nHost: localhost\r\n\r\n")
        server.wait_for("hanging")
        assert site.scrape().requests == 3
        assert site.scrape()["http_server_active_requests"] == 1


def test_probes_and_the_page_itself_are_not_counted_and_refusals_are(site: Shop) -> None:
    site.settings(', path="/internal/metrics"')
    with site.served():
        for path in ("/livez", "/readyz", "/internal/metrics"):
            answer = fetch(f"{site.url}{path}")
            assert answer is not None
            assert answer.status == 200
        assert Scraped(answer.body)["processes"] == 1
        assert f"{DURATION}_count" not in site.scrape().text
        with socket.create_connection(("127.0.0.1", site.port)) as sock:
            sock.sendall(b"no http at all\r\n\r\n")
            assert sock.recv(100).startswith(b"HTTP/1.1 400")
        assert site.scrape().by("http_server_refusals_total", "http_response_status_code") == {
            "400": 1
        }
        site.ask()
        assert site.scrape().requests == 1
        assert not list((site.folder.path / "metrics").glob("*/*.new"))


def test_the_page_has_its_own_port_and_may_want_a_token(site: Shop) -> None:
    site.settings(', token="sesame"')
    with site.served():
        assert site.page().status == 401
        assert site.page(authorization="Bearer wrong").status == 401
        assert site.page(authorization="Bearer sesame").status == 200
        assert site.page("/").status == 404
        open_metrics = site.page(
            authorization="bearer sesame", accept="application/openmetrics-text"
        )
        assert open_metrics.headers["content-type"].startswith("application/openmetrics-text")
        assert open_metrics.body.endswith("# EOF\n")
        public = fetch(f"{site.url}/metrics")
        assert public is not None
        assert public.status == 404


def test_a_port_that_is_somebody_elses_is_told_and_the_server_serves(site: Shop) -> None:
    with (
        socket.create_server(("127.0.0.1", site.metrics_port)),
        site.served() as server,
    ):
        server.wait_for("nobody can read the metrics of this process: 127.0.0.1:")
        site.ask()


def test_a_folder_that_cannot_be_written_is_told_and_the_page_is_there(
    site: Shop, tmp_path: Path
) -> None:
    (tmp_path / "metrics").touch()
    with site.served() as server:
        site.ask(2)
        assert site.scrape().requests == 2
        assert "shown without those of others" in server.output
