"""What whoever runs a server sees of its channels: the lines of its log, and its metrics."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.processes import fetch, free_port, wait_until

from .serving import LIMIT_S, Served, project, served

SETTINGS = """
    from fastforge.contrib.prometheus import Prometheus

    INSTALLED_APPS = ["fastforge.contrib.prometheus", *INSTALLED_APPS]
    PROMETHEUS = Prometheus(port={port})
"""


def access_lines(site: Served) -> list[dict[str, Any]]:
    """The access lines of the channels, until now."""
    lines = [line for line in site.process.output.splitlines() if line.startswith("{")]
    found = [json.loads(line) for line in lines]
    return [line for line in found if str(line.get("path", "")).startswith("/channels")]


def measured(port: int) -> dict[str, float]:
    """What Prometheus reads of channels, by the series."""
    page = fetch(f"http://127.0.0.1:{port}/metrics")
    assert page is not None
    found = re.findall(r"^(channel_\S+(?: \S+)*) (\S+)$", page.body, re.MULTILINE)
    return {name: float(value) for name, value in found}


@pytest.mark.parametrize("server", ["runserver", pytest.param("uvicorn", marks=pytest.mark.long)])
def test_a_server_tells_of_its_channels_by_lines_and_metrics(tmp_path: Path, server: str) -> None:
    port = free_port()
    folder = project(tmp_path, settings=SETTINGS.format(port=port))
    with served(folder, server, environ={"FASTFORGE_LOG_FORMAT": "json"}) as site:
        with site.client() as ann:
            ann.join("feed")
            site.publish(0, 5)
            assert ann.numbers(5) == [0, 1, 2, 3, 4]
            wait_until(lambda: measured(port).get('channel_members{channel="feed"}') == 1)
            connected = 'channel_connections{transport="websocket"}'
            wait_until(lambda: measured(port).get(connected) == 1)
        address = f"{site.url}/channels/sse?channel=feed"
        with httpx.stream("GET", address, timeout=LIMIT_S) as stream:
            next(line for line in stream.iter_lines() if "joined" in line)
        wait_until(lambda: len(access_lines(site)) == 2, describe=site.process)
        socket, events = access_lines(site)
        assert (socket["method"], socket["status_code"], socket["close_code"]) == (
            "WEBSOCKET", 101, 1000,
        )  # fmt: skip
        assert (socket["messages_in"], socket["messages_out"]) == (1, 2 + 5)
        assert socket["response_bytes"] > 5 * len('{"type":"number","number":0}')
        assert (events["method"], events["path"], events["messages_out"]) == (
            "GET", "/channels/sse", 1,
        )  # fmt: skip
        for line in (socket, events):
            assert (line["channels"], line["joins"]) == (["feed"], 1)
            assert line["connection_id"]
        expected = {
            'channel_deliveries_total{channel="feed"}': 5,
            'channel_joins_total{channel="feed",outcome="joined"}': 2,
            'channel_publish_duration_seconds_count{channel="feed",outcome="ok"}': 5,
            'channel_delivery_duration_seconds_count{channel="feed"}': 5,
            'channel_members{channel="feed"}': 0,
            connected: 0,
        }
        wait_until(
            lambda: expected.items() <= measured(port).items(), describe=lambda: measured(port)
        )
