"""Answering: the layer around the router that keeps answers, and gives those that are kept."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Iterable, Sequence
from typing import Final

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..lifecycle import current_container
from ..observability.context import user_id
from .answers import EXCHANGE, Answer, Rule
from .dependencies import engine_of
from .engine import Engine, Entry
from .flights import ABANDONED, Abandoned, Flight

__all__ = ["CachedAnswers"]

_Header = tuple[bytes, bytes]

_NOTHING: Final = Entry(b"")
"""What those are given who wait for an answer that cannot be kept: each makes his own."""
_OF_304: Final = frozenset(
    {b"etag", b"cache-control", b"vary", b"content-location", b"expires", b"date"}
)
_NOT_KEPT: Final = frozenset({b"set-cookie", b"server-timing", b"date"})
_FORBID: Final = frozenset({"no-store", "no-cache", "private"})


class CachedAnswers:
    """Lets `cached` answer in place of a handler, and see what handlers answer.

    It stands outside of transactions, so that it sees what became of them, and inside of what
    compresses answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            return await self.app(scope, receive, send)
        exchange = _Exchange(send)
        scope[EXCHANGE] = exchange
        try:
            await self.app(scope, receive, exchange.send)
        except _Answered as answered:
            exchange.end()
            await exchange.give(answered.answer)
        except asyncio.CancelledError:
            exchange.leave()
            raise
        finally:
            exchange.end()


class _Answered(Exception):
    """Ends a request before its handler: there is an answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("answered from the cache")
        self.answer = answer


class _Exchange:
    """One request and its answer; without a rule it passes everything on."""

    __slots__ = (
        "_engine", "_etags", "_flight", "_key", "_marks", "_result", "_rule", "_send", "_start",
    )  # fmt: skip

    def __init__(self, send: Send) -> None:
        self._send = send
        self._rule: Rule | None = None
        self._key = ""
        self._flight: Flight[Entry] | None = None
        self._result = _NOTHING
        self._start: Message | None = None

    # --- before the handler ---

    async def begin(self, rule: Rule, request: Request) -> None:
        """Answer from the cache, or let the handler do it.

        Raises:
            _Answered: There is an answer.
        """
        if self._rule is not None:  # two rules for one route: the outer one holds
            return
        self._rule = rule
        self._engine: Engine = engine_of(current_container())
        self._etags = request.headers.getlist("if-none-match")
        self._marks: Sequence[tuple[str, str]] | None = None
        if rule.takes(request):
            await self._look(rule, rule.key_of(request), rule.tags_of(request))

    async def _look(self, rule: Rule, key: str, tags: Sequence[str]) -> None:
        flights = self._engine.flights
        while (flight := flights.find(key)) is not None:
            result = await flight.result()
            if isinstance(result, Entry):
                self._raise_answer(result)
                break  # it could not be kept: whoever waited makes his own, side by side
        else:
            self._flight = flights.begin(key, tags)
            self._key = key
            found = await self._engine.read(key)
            if found is not None:
                self._result = found
                self._raise_answer(found)
        self._key = key
        self._marks = await self._engine.marks(tags, ttl_s=rule.ttl_s)

    def _raise_answer(self, entry: Entry) -> None:
        answer = Answer.load(entry.json)
        if answer is not None:
            raise _Answered(answer)

    # --- after it ---

    def send(self, message: Message) -> Awaitable[None]:
        """Pass on what is answered, or hold it back until its end is known."""
        rule = self._rule
        # Without one it is the coroutine itself: another around it would cost every request.
        return self._send(message) if rule is None else self._hold(rule, message)

    async def _hold(self, rule: Rule, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            self._start = message
        elif self._start is None:
            self.end()
            await self._send(message)
        elif message["type"] == "http.response.body" and not message.get("more_body"):
            start, self._start = self._start, None
            await self._finish(rule, start, message.get("body", b""))
        else:  # a stream: nobody knows its end
            start, self._start = self._start, None
            self.end()
            await self._send(start)
            await self._send(message)

    async def _finish(self, rule: Rule, start: Message, body: bytes) -> None:
        headers: list[_Header] = [(name.lower(), value) for name, value in start["headers"]]
        kept = bool(self._key) and self._may_be_kept(rule, headers)
        answer = Answer(headers=_described(rule, headers, body, is_kept=kept), body=body)
        if kept:
            await self._keep(rule, answer)
        self.end()
        await self.give(answer)

    def _may_be_kept(self, rule: Rule, headers: Iterable[_Header]) -> bool:
        if user_id.get() is not None and not rule.is_personal:
            return False  # who asks is known by another way than a header
        for name, value in headers:
            words = {word.strip().lower() for word in value.decode("latin-1").split(",")}
            if name == b"set-cookie":
                return False
            if name == b"cache-control" and words & _FORBID:
                return False
            if name == b"vary" and not words <= {*rule.varies_by}:
                return False
        return True

    async def _keep(self, rule: Rule, answer: Answer) -> None:
        headers = tuple(pair for pair in answer.headers if pair[0] not in _NOT_KEPT)
        json = Answer(headers=headers, body=answer.body).dump()
        if self._flight is not None and self._flight.is_void:
            return
        if await self._engine.write(self._key, json, ttl_s=rule.ttl_s, marks=self._marks):
            self._result = Entry(json)

    async def give(self, answer: Answer) -> None:
        """Send an answer, or that it is the one which the client has."""
        etag = dict(answer.headers).get(b"etag", b"").decode("latin-1")
        if _matches(self._etags, etag):
            headers = [pair for pair in answer.headers if pair[0] in _OF_304]
            await self._begin(304, headers, b"")
        else:
            await self._begin(200, answer.headers, answer.body)

    async def _begin(self, status: int, headers: Iterable[_Header], body: bytes) -> None:
        start = {"type": "http.response.start", "status": status, "headers": [*headers]}
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})

    def end(self) -> None:
        """Give those who wait what there is; the first time counts."""
        self._land(self._result)

    def leave(self) -> None:
        """Let the next of those who wait do it: this request was cancelled."""
        self._land(ABANDONED)

    def _land(self, result: Entry | Abandoned) -> None:
        flight, self._flight = self._flight, None
        if flight is not None:
            self._engine.flights.end(self._key, flight, result)


def _described(
    rule: Rule, headers: Sequence[_Header], body: bytes, *, is_kept: bool
) -> tuple[_Header, ...]:
    """Return the headers with those that tell others how they may keep the answer."""
    there = dict(headers)
    added: list[_Header] = []
    if b"etag" not in there:  # weak: what stands outside may compress the body
        added.append((b"etag", f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'.encode()))
    if b"cache-control" not in there:
        control = rule.cache_control if is_kept else "private, no-cache"
        added.append((b"cache-control", control.encode()))
    named = [name.strip() for name in there.get(b"vary", b"").decode("latin-1").split(",")]
    names = dict.fromkeys((*filter(None, named), *rule.varies_by))
    added.append((b"vary", ", ".join(names).encode("latin-1")))
    return (*(pair for pair in headers if pair[0] != b"vary"), *added)


def _matches(wanted: Sequence[str], etag: str) -> bool:
    """Return whether a client has the answer: `If-None-Match` compares weakly."""
    tags = {each.strip().removeprefix("W/") for line in wanted for each in line.split(",")}
    return bool(etag) and ("*" in tags or etag.removeprefix("W/") in tags)
