"""The files of a project that is traced."""

from __future__ import annotations

from tests.folder import ProjectFolder

SETTINGS = """
    from fastforge.contrib.telemetry import Telemetry

    INSTALLED_APPS = ["shop.orders", "fastforge.contrib.telemetry"]
    TELEMETRY = Telemetry(endpoint={endpoint!r}, export_interval_s=0.05, {options})
"""
ROUTES = """
    import asyncio
    import logging

    from fastapi import APIRouter, HTTPException, WebSocket
    from fastapi.responses import StreamingResponse

    from fastforge.observability.tracing import span, trace_ids

    router = APIRouter()

    @router.get("/orders/{order_id}")
    async def order(order_id: int) -> dict:
        with span("look it up", attributes={"order": order_id}):
            return {"ids": trace_ids()}

    @router.get("/ids")
    async def ids() -> dict:
        await asyncio.sleep(0)
        return {"ids": trace_ids()}

    @router.get("/fails")
    async def fails() -> None:
        raise LookupError("password=hunter2 is not known")

    @router.get("/refuses")
    async def refuses() -> None:
        raise HTTPException(409)

    @router.get("/stream")
    async def stream() -> StreamingResponse:
        async def parts():
            for number in range(3):
                with span(f"part {number}"):
                    await asyncio.sleep(0.01)
                yield b"x"
        return StreamingResponse(parts())

    @router.get("/waits")
    async def waits() -> None:
        await asyncio.sleep(60)

    @router.websocket("/socket")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive_text()
        with span("answer"):
            await websocket.send_json({"ids": trace_ids()})
        await websocket.close()
"""


def write(folder: ProjectFolder, endpoint: str, options: str = "", **files: str) -> None:
    """Write a project that sends to a collector."""
    folder.write(
        {
            "shop/settings.py": SETTINGS.format(endpoint=endpoint, options=options),
            "shop/orders/routes.py": ROUTES,
            "pyproject.toml": '[project]\nname = "shop"\nversion = "1.2.3"\n'
            '[tool.fastforge]\nsettings = "shop.settings"\n',
            **files,
        }
    )
