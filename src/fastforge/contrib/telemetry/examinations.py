"""Examination of the collector: whether it can be reached from here. Nothing is sent to it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import urlsplit

from ..._utils import told
from ...checks import Diagnosis, Patient, examination
from .plan import plan_of

__all__ = ["collector_is_there"]


@examination(title="Telemetry")
async def collector_is_there(patient: Patient) -> AsyncIterator[Diagnosis]:
    """Connect to where traces and metrics go, once for each address."""
    plan = plan_of(patient.project.settings)
    signals: dict[str, list[str]] = {}
    for signal, url in (("traces", plan.traces_url), ("metrics", plan.metrics_url)):
        if url:
            parts = urlsplit(url)
            signals.setdefault(f"{parts.scheme}://{parts.netloc}", []).append(signal)
    if not signals:
        yield Diagnosis(what="collector", text="none is named: nothing is sent")
        return
    limit_s = patient.timeout_s * 0.8
    asking = [
        asyncio.create_task(_reach(address, names, limit_s)) for address, names in signals.items()
    ]
    for each in asking:
        yield await each
    share = f"{plan.sample_ratio:.0%} of what nobody else has decided about"
    yield Diagnosis(what="samples", text=share)


async def _reach(address: str, signals: list[str], limit_s: float) -> Diagnosis:
    parts = urlsplit(address)
    is_tls = parts.scheme == "https"
    shown = f"{parts.scheme}://{parts.hostname}:{parts.port or (443 if is_tls else 80)}"
    what = f"{' and '.join(signals)} to {shown}"
    begun = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(limit_s):
            _, writer = await asyncio.open_connection(
                parts.hostname, parts.port or (443 if is_tls else 80), ssl=is_tls or None
            )
    except TimeoutError:
        why = f"no answer within {limit_s:g} s"
    except (OSError, ssl.SSLError) as error:
        why = "nothing listens there" if isinstance(error, ConnectionError) else told(error)
    else:
        took_s = asyncio.get_running_loop().time() - begun
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return Diagnosis(what="collector", text=f"{what}: reached in {took_s * 1000:.0f} ms")
    return Diagnosis(
        what="collector",
        text=f"{what}: {why}",
        verdict="warn",  # requests go on without
        hint="see whether the collector runs, and whether this host may reach it",
    )
