"""Answers: whole answers of a route, kept by what they depend on."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from pydantic_core import from_json, to_json

from .errors import CacheError

__all__ = ["EXCHANGE", "Answer", "Rule", "cached"]

EXCHANGE: Final = "fastforge.cached_answer"
"""Under this name the scope of a request has what may answer it from the cache."""

Tags = Sequence[str] | Callable[[Request], Sequence[str]]

_CREDENTIALS: Final = ("authorization", "cookie", "x-api-key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What `cached` was told; names of headers are in lower case."""

    ttl_s: float
    vary: tuple[str, ...]
    ignore: tuple[str, ...]
    tags: Tags
    query: tuple[str, ...] | None
    client_s: float

    @property
    def is_personal(self) -> bool:
        """Whether each caller has answers of his own."""
        return not {*_CREDENTIALS}.isdisjoint(self.vary)

    @property
    def varies_by(self) -> tuple[str, ...]:
        """The headers that an answer depends on: those who bring credentials have others."""
        return (*dict.fromkeys((*self.vary, *self._credentials)),)

    @property
    def _credentials(self) -> tuple[str, ...]:
        return (*(name for name in _CREDENTIALS if name not in self.ignore),)

    @property
    def cache_control(self) -> str:
        """What browsers and proxies are told about an answer that is kept here."""
        if not self.client_s:
            return "private, no-cache" if self.is_personal else "no-cache"
        return f"{'private' if self.is_personal else 'public'}, max-age={int(self.client_s)}"

    def takes(self, request: Request) -> bool:
        """Return whether the answer may come from the cache: not for others than it was asked."""
        brought = (name for name in self._credentials if name in request.headers)
        return all(name in self.vary for name in brought)

    def tags_of(self, request: Request) -> tuple[str, ...]:
        """Return what the answer depends on."""
        tags = self.tags(request) if callable(self.tags) else self.tags
        return (*dict.fromkeys(tags),)

    def key_of(self, request: Request) -> str:
        """Return the key: method, address, sorted query, and the headers it varies by."""
        query = parse_qsl(request.url.query, keep_blank_values=True)
        if self.query is not None:
            query = [(name, value) for name, value in query if name in self.query]
        parts = (
            request.method,
            request.url.scheme,
            request.headers.get("host", ""),
            request.url.path,
            sorted(query, key=lambda pair: pair[0]),  # of one name the order may mean something
            [(name, request.headers.getlist(name)) for name in self.vary],
        )
        return f"r:{hashlib.sha256(to_json(parts)).hexdigest()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer with status 200, as ASGI has it."""

    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def dump(self) -> bytes:
        """Return it as JSON."""
        headers = [
            [name.decode("latin-1"), value.decode("latin-1")] for name, value in self.headers
        ]
        return to_json({"headers": headers, "body": b64encode(self.body).decode()})

    @classmethod
    def load(cls, json: bytes) -> Answer | None:
        """Return what `dump` has made; None for anything else."""
        try:
            found = from_json(json)
            headers = tuple(
                (name.encode("latin-1"), value.encode("latin-1"))
                for name, value in found["headers"]
            )
            return cls(headers=headers, body=b64decode(found["body"], validate=True))
        except (ValueError, TypeError, KeyError, AttributeError):
            return None


def cached(
    *,
    ttl_s: float,
    vary: Sequence[str] = (),
    ignore: Sequence[str] = (),
    tags: Tags = (),
    query: Sequence[str] | None = None,
    client_s: float = 0,
) -> Any:
    """Return a dependency that lets the answers of a GET route come from the cache.

    ```python
    @router.get("/{slug}", dependencies=[cached(ttl_s=60, tags=["articles"])])
    async def article(slug: str, db: DbSession) -> ArticleOut: ...
    ```

    Surprises: at a hit the handler and what it asks for do not run; dependencies that stand before
    this one do, on the router or in the list: one that lets nobody in lets nobody in then either.
    Requests with `Authorization`, `Cookie` or `X-API-Key` are never answered from it, and their
    answers not kept, unless `vary` or `ignore` names that header. Nor are answers kept that set a
    cookie, have another status than 200, are streams, are larger than `CACHE.max_value_bytes`,
    vary by more than `vary`, or say in `Cache-Control` that they should not be. Each answer of the
    route has `ETag`, `Vary` and `Cache-Control`, and `If-None-Match` is answered with 304.

    Args:
        ttl_s: How long an answer is kept, in seconds.
        vary: Names of request headers that it depends on; each value has an answer of its own.
        ignore: Names of those three that it does not depend on: `Cookie`, where a page is the same
            for all and browsers bring cookies of something else.
        tags: What it depends on, or a function that is given the request: `invalidate` reaches it.
        query: The names of the query that it depends on; all unless given. Others do not make
            another answer then, so that nobody fills the cache with them.
        client_s: How long browsers and proxies may keep it without asking, in seconds. 0: they ask
            each time, and are told with 304 that it is the same.

    Raises:
        CacheError: `ttl_s` or `client_s` is no time, or `vary` names `*`.
    """
    if not ttl_s > 0 or client_s < 0 or "*" in vary:
        raise CacheError(
            f"cached(ttl_s={ttl_s!r}, client_s={client_s!r}, vary={[*vary]!r}) cannot be kept",
            code="cache.E011",
            hint="give seconds, more than 0, and the names of headers",
        )
    rule = Rule(
        ttl_s=ttl_s,
        vary=(*(name.lower() for name in vary),),
        ignore=(*(name.lower() for name in ignore),),
        tags=tags if callable(tags) else (*tags,),
        query=None if query is None else (*query,),
        client_s=client_s,
    )

    async def answer_from_cache(request: Request) -> None:
        exchange = request.scope.get(EXCHANGE)
        if exchange is not None:
            await exchange.begin(rule, request)

    return Depends(answer_from_cache)
