"""A page in a real browser with the JavaScript client, before a server that obeys a test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from fastforge.channels.script import client_script
from tests.services import find_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Route

__all__ = ["FakedPage", "launched"]

ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    # A page of a faked origin may ask this machine, as it may ask any server.
    "--disable-features=LocalNetworkAccessChecks",
]
ORIGIN: Final = "http://faked.test"
SETUP: Final = """
    window.sockets = []
    window.told = []
    window.tokens = []
    Math.random = () => 0.5
    window.WebSocket = class {
      constructor(url, protocols) {
        Object.assign(this, { url: String(url), protocols, sent: [], readyState: 1 })
        sockets.push(this)
      }
      send(text) { this.sent.push(JSON.parse(text)) }
      close() { this.readyState = 3 }
    }
    addEventListener("unhandledrejection", () => told.push(["unhandled"]))
    const { connect } = await import("/client.js")
    window.begin = (options = {}) => {
      window.channels = connect("/channels", {
        onstate: (state, { code, delay }) => told.push([state, code, delay].filter((x) => x)),
        ...options,
      })
    }
    window.enter = (name) => {
      const note = (what) => (told_, frame) =>
        told.push([name, what, told_.recovered ?? told_.code ?? told_.dropped ?? told_.text])
      const names = ["message", "gap", "joined", "left", "refused"]
      return channels.join(name, Object.fromEntries(names.map((what) => [what, note(what)])))
    }
"""


@contextmanager
def launched() -> Iterator[Browser]:
    """Start the browser of the operating system."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(find_chromium()), args=ARGUMENTS)
        yield browser
        browser.close()


class FakedPage:
    """A page whose sockets are faked and whose clock goes on only when a test says so.

    Chance says 0.5 whenever it is asked.

    Args:
        page: The page, whose clock Playwright has stopped.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", self._failed)
        page.on("console", self._wrote)
        page.route(f"{ORIGIN}/**", _answer)
        page.goto(f"{ORIGIN}/")
        self.run(SETUP)

    def leave(self) -> None:
        """Let another test have the page."""
        self.page.remove_listener("pageerror", self._failed)
        self.page.remove_listener("console", self._wrote)

    def _failed(self, error: object) -> None:
        self.errors.append(str(error))

    def _wrote(self, line: ConsoleMessage) -> None:
        self.errors.append(line.text)

    def run(self, script: str) -> Any:
        """Run statements; `return` gives their value."""
        return self.page.evaluate(f"async () => {{ {script} }}")

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        self.page.clock.run_for(round(seconds * 1000))

    @property
    def sockets(self) -> int:
        """How many were opened."""
        return int(self.run("return sockets.length"))

    @property
    def told(self) -> list[list[Any]]:
        """What the page was told since this was asked for the last time."""
        return list(self.run("return told.splice(0)"))

    @property
    def sent(self) -> list[dict[str, Any]]:
        """What was sent on the latest socket since this was asked for the last time."""
        return list(self.run("return sockets.at(-1).sent.splice(0)"))

    def say(self, type: str, **fields: Any) -> None:
        """Let the page hear a frame."""
        frame = json.dumps(json.dumps({"type": type, **fields}))
        self.run(f"sockets.at(-1).onmessage({{ data: {frame} }})")

    def end(self, code: int, reason: str = "") -> None:
        """Let the latest socket end."""
        closing = json.dumps({"code": code, "reason": reason})
        self.run(f"const last = sockets.at(-1); last.readyState = 3; last.onclose({closing})")

    def joined(self, name: str = "room", **fields: Any) -> None:
        """Answer the latest join."""
        joins = [frame for frame in self.sent if frame["type"] == "join"]
        past = {"epoch": "e", "last_id": 5, **fields}
        self.say("joined", ref=joins[-1]["ref"], channel=name, **past)

    def enter(self, name: str = "room", **fields: Any) -> None:
        """Join a room on a first socket."""
        self.run(f"begin(); window.room = enter({json.dumps(name)})")
        self.say("welcome", connection="c1")
        self.joined(name, **fields)
        assert self.told == [["connecting"], ["open"], [name, "joined", None]]


def _answer(route: Route) -> None:
    if route.request.url.endswith("client.js"):
        body = client_script().body.decode()
        route.fulfill(body=body, content_type="text/javascript")
    else:
        route.fulfill(body="<!doctype html><link rel=icon href=data:,>", content_type="text/html")
