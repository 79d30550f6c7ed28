"""Examination of what HTTP needs to leave this host: certificates, proxies, names."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Final

from ..._utils import redact
from ...checks import Diagnosis, Patient, examination

__all__ = ["http_leaves_the_host"]

PROXIES: Final = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
SLOW_S: Final = 1.0


@examination(title="HTTP")
async def http_leaves_the_host(patient: Patient) -> AsyncIterator[Diagnosis]:
    """Look at certificates, at the proxies of the environment, and at the resolver of names."""
    yield _certificates()
    proxies = [name for name in PROXIES if os.environ.get(name) or os.environ.get(name.lower())]
    said = ", ".join(f"{name} {_value(name)}" for name in proxies)
    yield Diagnosis(what="proxies", text=redact(said) if said else "none in the environment")
    yield await _names(patient.timeout_s * 0.8)


def _value(name: str) -> str:
    return os.environ.get(name) or os.environ.get(name.lower(), "")


def _certificates() -> Diagnosis:
    count = ssl.create_default_context().cert_store_stats()["x509_ca"]
    try:
        import certifi
    except ImportError:
        bundle = ""
    else:
        bundle = f", and certifi's {os.path.basename(certifi.where())}"
    return Diagnosis(
        what="certificates",
        text=f"{count} of the system are trusted{bundle}",
        verdict="ok" if count or bundle else "fail",
        hint="install ca-certificates: no https:// is trusted without",
    )


async def _names(limit_s: float) -> Diagnosis:
    """Ask for a name that exists everywhere: a resolver that hangs makes every client wait."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    try:
        async with asyncio.timeout(limit_s):
            await loop.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)
    except (TimeoutError, OSError) as error:
        why = "no answer in time" if isinstance(error, TimeoutError) else str(error)
        return Diagnosis(
            what="names",
            text=f"localhost is not resolved: {why}",
            verdict="fail",
            hint="see /etc/hosts, /etc/nsswitch.conf and /etc/resolv.conf",
        )
    took_s = loop.time() - begun
    return Diagnosis(
        what="names",
        text=f"the resolver answers, {took_s * 1000:.0f} ms",
        verdict="warn" if took_s > SLOW_S else "ok",
        hint="see /etc/resolv.conf: a server that is away is asked first",
    )
