"""A start that is told to stop ends soon, whatever it waits for, and closes in reverse."""

from __future__ import annotations

import signal

import pytest

from .conftest import APPLICATION, Site
from .stopping import PROJECT

HANGS = {
    "waits": "await asyncio.sleep(3600)",
    "blocks the event loop": "time.sleep(3600)",
    "waits for a thread": "await asyncio.to_thread(time.sleep, 3600)",
    "ignores its cancellation": "while True: await stubborn()",
}
THIRD = """
        import asyncio
        import time
        from contextlib import suppress

        async def stubborn() -> None:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)

        @resource(needs=[second], start_timeout_s=3600)
        async def third() -> AsyncIterator[None]:
            print("open third", flush=True)
            {hang}
            yield
"""

TOLD_BEFORE_THE_LIFESPAN = """
import os
import signal

from uvicorn.lifespan.on import LifespanOn

make = LifespanOn.__init__


def told_to_stop(self, config):
    os.kill(os.getpid(), signal.SIGTERM)
    make(self, config)


LifespanOn.__init__ = told_to_stop
"""


def test_a_signal_before_there_is_a_lifespan_ends_the_start_without_a_traceback(site: Site) -> None:
    site.folder.write({"site_app.py": TOLD_BEFORE_THE_LIFESPAN + APPLICATION})
    with site.start() as server:
        assert server.wait() == 0
        assert "Traceback" not in server.output


@pytest.mark.parametrize(
    ("hang", "number"),
    [*((hang, signal.SIGTERM) for hang in HANGS), ("blocks the event loop", signal.SIGINT)],
)
def test_what_was_opened_is_closed_in_reverse_whatever_hangs(
    site: Site, hang: str, number: signal.Signals
) -> None:
    site.folder.write(PROJECT)
    resources = PROJECT["shop/orders/resources.py"] + THIRD.format(hang=HANGS[hang])
    site.folder.write({"shop/orders/resources.py": resources})
    with site.start(application="shop.asgi:app", ends_process=True) as server:
        server.wait_for("open third")
        server.send(number)
        assert server.wait() == 0
        lines = [line for line in server.output.splitlines() if line.startswith(("open", "close"))]
        assert lines == ["open first", "open second", "open third", "close second", "close first"]
        assert "Traceback" not in server.output
