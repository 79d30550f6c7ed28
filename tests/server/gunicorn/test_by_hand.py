"""The worker class under gunicorn's own manager, as `gunicorn -k fastforge.server.Worker`."""

from __future__ import annotations

import signal
import sys

from tests.processes import Process, descendants, start, wait_until
from tests.server.load import Load

from .conftest import Shop, replaced

ASGI = """
from fastapi import Request
from fastforge.asgi import get_asgi_application

app = get_asgi_application()


@app.get("/client")
async def client(request: Request) -> str:
    return f"{request.client.host} {request.url.scheme}"
"""


def gunicorn(site: Shop, *options: str) -> Process:
    argv = [sys.executable, "-m", "gunicorn", "-k", "fastforge.server.Worker", "-w", "2"]
    argv += ["-b", f"127.0.0.1:{site.port}", "--no-control-socket", *options, "shop.asgi:app"]
    site.folder.write({"shop/asgi.py": ASGI})
    return start(argv, cwd=site.folder.path, env={"FASTFORGE_ENV": "production"})


def test_it_is_restarted_and_recycled_without_losing_a_request(site: Shop) -> None:
    site.settings("drain_s=1.5, linger_s=0.2, max_requests=300")
    with gunicorn(site) as server:
        before = wait_until(lambda: len(each := descendants(server.pid)) == 2 and each)
        for pid in before:
            wait_until(lambda: site.answers(f'"pid":{pid}'), describe=server)  # noqa: B023
        with Load(site.port, threads=4) as load:
            server.send(signal.SIGHUP)
            after = replaced(server, before)
            replaced(server, after)
        assert not load.failures
        server.terminate()
        assert server.wait() == 0
        assert "use --graceful-timeout " in server.output


def test_headers_of_proxies_are_believed_from_trusted_ones_alone(site: Shop) -> None:
    import httpx

    with gunicorn(site, "--forwarded-allow-ips", "*") as server:
        wait_until(lambda: site.answers("version"), describe=server)
        headers = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https"}
        answer = httpx.get(f"{site.url}/client", headers=headers)
        assert answer.json() == "127.0.0.1 http"
