"""Sending: one export over HTTP, and why it failed."""

from __future__ import annotations

import gzip
import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Final

from ..._utils import redact, told

__all__ = ["NotTaken", "Sender"]

_AGAIN: Final = frozenset({408, 429, 500, 502, 503, 504})
_ANSWER_BYTES: Final = 64 * 1024


class NotTaken(Exception):
    """The collector has not taken an export.

    Args:
        reason: Why, in a few words.
        may_pass: Whether the same export may be taken later.
    """

    def __init__(self, reason: str, *, may_pass: bool) -> None:
        super().__init__(reason)
        self.may_pass = may_pass


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """What is sent is for the collector, and its headers hold secrets."""

    def redirect_request(self, *arguments: Any, **options: Any) -> None:
        return None


class Sender:
    """Sends to one URL of a collector; a proxy that the environment names is used.

    Args:
        url: Where to.
        headers: Sent with each export.
        compression: `gzip` or `none`.
        certificates: Files by `ca`, `client` and `key`.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        compression: str,
        certificates: Mapping[str, str],
    ) -> None:
        self.url = url
        self._is_packed = compression == "gzip"
        self._headers = {**headers, "content-type": "application/x-protobuf"}
        if self._is_packed:
            self._headers["content-encoding"] = "gzip"
        handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
        if url.startswith("https:"):
            handlers.append(urllib.request.HTTPSHandler(context=_tls(certificates)))
        self._opener = urllib.request.build_opener(*handlers)

    @property
    def target(self) -> str:
        """The URL without a password."""
        return redact(self.url)

    def send(self, body: bytes, *, timeout_s: float) -> None:
        """Send one export; it blocks.

        Raises:
            NotTaken: The collector is away, or does not want it.
        """
        content = gzip.compress(body) if self._is_packed else body
        request = urllib.request.Request(self.url, content, self._headers, method="POST")
        try:
            with self._opener.open(request, timeout=timeout_s) as answer:
                answer.read(_ANSWER_BYTES)
        except urllib.error.HTTPError as error:
            error.close()
            raise NotTaken(f"it answers {error.code}", may_pass=error.code in _AGAIN) from None
        except urllib.error.URLError as error:
            reason = error.reason
            text = told(reason) if isinstance(reason, Exception) else redact(str(reason))
            raise NotTaken(text, may_pass=True) from None
        except (OSError, http.client.HTTPException) as error:
            raise NotTaken(told(error), may_pass=True) from None


def _tls(certificates: Mapping[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certificates.get("ca"))
    if "client" in certificates:
        context.load_cert_chain(certificates["client"], certificates.get("key"))
    return context
