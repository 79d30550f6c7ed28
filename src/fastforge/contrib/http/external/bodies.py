"""Bodies: answers are decoded piece by piece, and counted before and after it.

64 KiB of gzip may become 64 MiB, and 64 GiB where it is gzip twice: httpx hands over a part when
all of it is decoded.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final, Protocol

from ..library import httpx
from .errors import AnswerRefused

__all__ = ["ENCODINGS", "Limited", "declared_bytes", "decoder_of"]

ENCODINGS: Final = "gzip, deflate"
"""What may be asked for."""
_PIECE: Final = 64 * 1024
_GZIP: Final = zlib.MAX_WBITS | 16
_GZIP_MAGIC: Final = b"\x1f\x8b"
_WITHOUT_BODY: Final = frozenset({204, 304})


class Decoder(Protocol):
    """Turns parts of a body into pieces of what they stand for."""

    def decode(self, part: bytes) -> Iterator[bytes]:
        """Yield pieces that are not long."""
        ...


class _Plain:
    def decode(self, part: bytes) -> Iterator[bytes]:
        yield part


class _Inflated:
    """Gzip or deflate.

    Args:
        form: `wbits` of zlib.
    """

    def __init__(self, form: int) -> None:
        self._form = form
        self._inflater = zlib.decompressobj(form)
        self._has_begun = self._is_over = False

    def decode(self, part: bytes) -> Iterator[bytes]:
        is_full = False
        while (part or is_full) and not self._is_over:
            piece = self._inflate(part)
            is_full = len(piece) == _PIECE
            if piece:
                yield piece
            part = self._left()

    def _inflate(self, part: bytes) -> bytes:
        try:
            piece = self._inflater.decompress(part, _PIECE)
        except zlib.error:
            if self._form != zlib.MAX_WBITS or self._has_begun:
                raise
            # Half of those who say deflate send it without its two bytes in front.
            self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
            piece = self._inflater.decompress(part, _PIECE)
        self._has_begun = True
        return piece

    def _left(self) -> bytes:
        """Return what is still to be decoded: of this member, or the next one of a gzip."""
        if not self._inflater.eof:
            return self._inflater.unconsumed_tail
        rest = self._inflater.unused_data
        if self._form == _GZIP and rest.startswith(_GZIP_MAGIC):
            self._inflater = zlib.decompressobj(_GZIP)
            return rest
        self._is_over = True
        return b""


def decoder_of(headers: httpx.Headers, host: str) -> Decoder:
    """Return what decodes a body.

    Raises:
        AnswerRefused: It is encoded in a way that nobody has asked for, or twice.
    """
    encodings = headers.get_list("content-encoding", split_commas=True)
    known = [each.strip().lower() for each in encodings]
    known = [each for each in known if each not in ("", "identity")]
    if not known:
        return _Plain()
    if known in (["gzip"], ["x-gzip"]):
        return _Inflated(_GZIP)
    if known == ["deflate"]:
        return _Inflated(zlib.MAX_WBITS)
    raise AnswerRefused(
        f"the answer of {host!r} is encoded as {', '.join(known)[:80]!r}",
        code="http.E012",
        hint=f"it was asked for {ENCODINGS}, each once",
    )


def declared_bytes(method: str, status: int, headers: httpx.Headers) -> int | None:
    """Return how long an answer says that its body is; None: it does not, 0: it has none."""
    if method == "HEAD" or status in _WITHOUT_BODY:
        return 0
    text = headers.get("content-length", "")
    return int(text) if text.isdecimal() else None


class Limited:
    """Counts a body.

    Args:
        limit: How many bytes it may have.
        host: Whose answer it is.
    """

    def __init__(self, limit: int, host: str) -> None:
        self._limit = limit
        self._host = host

    def check(self, count: int) -> None:
        """Return if so many bytes are not too many.

        Raises:
            AnswerRefused: They are.
        """
        if count > self._limit:
            raise AnswerRefused(
                f"the answer of {self._host!r} has more than {self._limit} bytes",
                code="http.E011",
                hint="EXTERNAL_HTTP.max_bytes says how many it may have, decoded",
            )

    def pieces(self, decoder: Decoder, part: bytes, count: int) -> Iterator[tuple[bytes, int]]:
        """Yield what a part decodes to, each piece with the count behind it."""
        for piece in decoder.decode(part):
            count += len(piece)
            self.check(count)
            yield piece, count
