"""A project that notes, in every place where code of a user's can stand, which ids are known."""

from __future__ import annotations

FILES = {
    "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
    "shop/settings.py": """
        from fastforge.contrib.db import Database

        SECRET_KEY = "k8Zq1vN0yT-4sWbJm7RcXo2LhUfEa9Gd"
        INSTALLED_APPS = [
            "fastforge.contrib.db", "fastforge.contrib.jobs", "fastforge.contrib.http",
            "shop.places",
        ]
        DATABASES = {"default": Database(url="sqlite+aiosqlite:///db.sqlite3")}
        MIDDLEWARE = ["shop.places.layers.Plain", "shop.places.layers.OfTheirs"]
        """,
    "shop/asgi.py": """
        from fastforge.asgi import get_asgi_application
        from fastforge.observability.logging.configuration import Configuration
        from fastforge.observability.logging.process import enter_logging

        enter_logging(Configuration.early("web", "production"))
        app = get_asgi_application()

        from shop.places.routes import Late, TooLate, on_late, on_too_late

        app.add_exception_handler(Late, on_late)
        app.add_exception_handler(TooLate, on_too_late)
        """,
    "serving.py": """
        import sys
        from fastforge.server.serve import bind, serve

        sys.exit(serve("shop.asgi:app", bind("127.0.0.1", int(sys.argv[1]))))
        """,
    "shop/places/noting.py": """
        import logging
        import os
        from contextvars import ContextVar
        from pathlib import Path

        import structlog
        from fastforge.observability.context import context_fields, user_id

        bound_by_user = ContextVar("bound_by_user", default=None)
        logger = logging.getLogger("shop.places")
        NOTES = Path(__file__).parent.parent.parent / "notes"


        def note(place):
            fields = context_fields()
            logger.warning("at %s", place)
            line = f"{place}={fields.get('request_id')}\\n"
            with NOTES.open("a") as notes:
                notes.write(line)


        def bind_everything():
            user_id.set("eve")
            bound_by_user.set("eve")
            structlog.contextvars.bind_contextvars(bound="eve")


        def what_is_bound():
            found = {"user": user_id.get(), "own": bound_by_user.get()}
            return {**found, **structlog.contextvars.get_contextvars()}
        """,
    "shop/places/layers.py": """
        from starlette.middleware.base import BaseHTTPMiddleware

        from .noting import bind_everything, note, what_is_bound


        class Plain:
            def __init__(self, app):
                self.app = app

            async def __call__(self, scope, receive, send):
                if scope["type"] == "http":
                    scope["state"]["bound"] = what_is_bound()
                    note("plain layer")
                    bind_everything()  # here, where no layer of theirs hides it from the server
                await self.app(scope, receive, send)


        class OfTheirs(BaseHTTPMiddleware):
            async def dispatch(self, request, call_next):
                note("base layer")
                answer = await call_next(request)
                note("base layer after")
                return answer
        """,
    "shop/places/work.py": """
        from .noting import note


        def in_thread():
            note("offload")


        def in_process():
            note("offload in a process")
        """,
    "shop/places/tasks.py": """
        from fastforge import task

        from .noting import note


        @task
        async def job():
            note("job")


        @task
        def job_in_thread():
            note("job in a thread")
        """,
    "shop/places/routes.py": """
        import asyncio

        from anyio.to_thread import run_sync
        from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Request, WebSocket
        from fastapi.responses import JSONResponse, StreamingResponse
        from fastapi.sse import EventSourceResponse
        from fastforge import offload
        from fastforge.contrib.db import DbSession
        from fastforge.contrib.http import HttpClient

        from .noting import bind_everything, note
        from .tasks import job, job_in_thread
        from .work import in_process, in_thread

        router = APIRouter()


        def sync_dependency():
            note("sync dependency")


        async def async_dependency():
            note("async dependency")


        def sync_yield():
            note("sync yield")
            yield
            note("sync yield exit")


        async def async_yield():
            note("async yield")
            yield
            note("async yield exit")


        DEPENDENCIES = (sync_dependency, async_dependency, sync_yield, async_yield)
        EVERY = [Depends(each) for each in DEPENDENCIES]


        async def async_background():
            note("async background")


        @router.post("/everywhere", dependencies=EVERY)
        async def everywhere(
            request: Request, tasks: BackgroundTasks, http: HttpClient, db: DbSession
        ):
            note("async handler")
            await run_sync(note, "thread pool")
            await asyncio.create_task(noting("task"))
            await offload(in_thread)
            await offload(in_process, process=True)
            await job.enqueue()
            await job_in_thread.enqueue()
            tasks.add_task(note, "sync background")
            tasks.add_task(async_background)
            passed_on = await http.get(f"{request.base_url}passed-on")
            bind_everything()
            return passed_on.json()


        async def noting(place):
            note(place)


        @router.get("/passed-on")
        async def passed_on(request: Request):
            return request.headers.get("x-request-id")


        @router.get("/sync", dependencies=EVERY)
        def sync():
            note("sync handler")
            bind_everything()


        @router.get("/stream")
        async def stream():
            async def body():
                note("stream")
                yield b"one"
                bind_everything()
                note("stream again")
                yield b"two"

            return StreamingResponse(body())


        @router.get("/sync-stream")
        async def sync_stream():
            def body():
                note("sync stream")
                yield b"one"

            return StreamingResponse(body())


        @router.get("/events", response_class=EventSourceResponse)
        async def events():
            note("events")
            yield {"data": 1}
            bind_everything()


        class Late(Exception): ...


        class TooLate(Exception): ...


        @router.get("/raises/{kind}")
        async def raises(kind: str):
            bind_everything()
            raise Late if kind == "late" else TooLate


        @router.get("/fails")
        async def fails():
            bind_everything()
            raise LookupError("nobody handles this")


        @router.post("/body")
        async def body(request: Request):
            bind_everything()
            return len(await request.body())


        @router.get("/bound")
        async def bound(request: Request):
            return request.state.bound


        @router.websocket("/socket")
        async def socket(websocket: WebSocket):
            await websocket.accept()
            note("socket")
            bind_everything()
            await websocket.close()


        async def on_late(request, error):
            note("exception handler")
            return JSONResponse({}, 409)


        def on_too_late(request, error):
            note("sync exception handler")
            return JSONResponse({}, 409)
        """,
}
