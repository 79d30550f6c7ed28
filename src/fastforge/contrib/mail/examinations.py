"""Examination of mail: whether the server lets us in. No message is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from ...checks import Diagnosis, Patient, examination
from .choosing import fault_in
from .resources import mailer
from .settings import Mail

__all__ = ["mail_server_lets_us_in"]


@examination(title="Mail", resources=(mailer,))
async def mail_server_lets_us_in(patient: Patient) -> AsyncIterator[Diagnosis]:
    """Connect to the server of MAIL, encrypt and log in."""
    settings = patient.project.settings
    config = settings.section(Mail)
    fault = fault_in(patient.project.registry, settings)
    if fault is not None:
        yield Diagnosis(what="mail", text=fault.text, verdict="fail", hint=fault.hint, stops=True)
        return
    backend = config.backend_in(settings.environment)
    if backend != "smtp":
        yield Diagnosis(what="mail", text=f"goes to the backend {backend!r}")
        return
    yield await _server(patient, config)


async def _server(patient: Patient, config: Mail) -> Diagnosis:
    from .smtp.connections import Connections
    from .smtp.failures import failure_of
    from .smtp.library import smtp

    limit_s = patient.timeout_s * 0.8
    connections = Connections(config, patient.project.settings.root)
    begun = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(limit_s):
            client = await connections.connect()
    except (smtp.SMTPException, OSError, ValueError) as error:
        failure = failure_of(error, config)
        # Requests go on without it, and jobs wait.
        return Diagnosis(what="server", text=failure.message, verdict="warn", hint=failure.hint)
    took_ms = (asyncio.get_running_loop().time() - begun) * 1000
    client.close()
    who = f", logged in as {config.username}" if config.username else ""
    text = f"{config.target} ({config.tls}){who}: reached in {took_ms:.0f} ms"
    return Diagnosis(what="server", text=text)
