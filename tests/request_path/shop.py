"""The project that most of these tests serve: notes, handlers that wait, streams, layers."""

from __future__ import annotations

from typing import Final

__all__ = ["SHOP", "STRICT_SHOP", "TABLES"]

TABLES: Final = """
    CREATE TABLE notes_note ({key}, name VARCHAR(64) NOT NULL UNIQUE);
    CREATE TABLE notes_mark (
        id INTEGER PRIMARY KEY,
        note_id INTEGER NOT NULL REFERENCES notes_note (id) DEFERRABLE INITIALLY DEFERRED
    );
    """

SETTINGS: Final = """
    from fastforge.conf import App, env
    from fastforge.contrib.db import Database

    INSTALLED_APPS = ["fastforge.contrib.db", App("shop.notes", prefix="/api"), "shop.inside"]
    DATABASES = {"default": Database(url=env.secret("DATABASE_URL"), pool_size=2, max_overflow=2)}
    MIDDLEWARE = ["shop.layers.Observing"]
    TASKS = {"backend": "memory"}
    """

# A pure layer, as a user would write one. It looks at what the handler has left.
LAYERS: Final = """
    from contextvars import ContextVar

    reader = ContextVar("reader", default="nobody")

    class Observing:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            try:
                await self.app(scope, receive, send)
            finally:
                if scope["type"] == "http" and scope["path"].startswith("/api/readers"):
                    print("layer sees", reader.get(), flush=True)
    """

INSIDE: Final = """
    import asyncio
    import gc
    import os
    import socket
    from contextlib import suppress

    from fastapi import APIRouter, Request
    from sqlalchemy import select

    from fastforge.contrib.db import DbSession
    from fastforge.contrib.db.resources import database
    from fastforge.lifecycle import current_container
    from shop.notes.models import Note

    router = APIRouter()

    @router.get("/inside")
    async def inside(request: Request, collect: bool = False):
        pool = current_container()[database].engine.sync_engine.pool
        return {
            "out": pool.checkedout(),
            "tasks": len(asyncio.all_tasks()),
            "descriptors": len(os.listdir("/dev/fd")),
            "peers": list(peers()),
            "in_flight": request.app.middleware_stack.state.in_flight - 1,  # without this one
            "objects": objects() if collect else 0,
        }

    def objects():
        gc.collect()
        return len(gc.get_objects())

    def peers():
        for name in os.listdir("/dev/fd"):
            with suppress(OSError):  # it is no socket, or one that listens
                each = socket.socket(fileno=int(name))
                try:
                    if each.family == socket.AF_INET:
                        yield each.getpeername()[1]
                finally:
                    each.detach()

    @router.get("/ready")
    async def ready():
        return {}

    @router.get("/names")
    async def names(db: DbSession):
        return list(await db.scalars(select(Note.name).order_by(Note.name)))
    """

MODELS: Final = """
    from __future__ import annotations

    from sqlalchemy import ForeignKey, String
    from sqlalchemy.orm import Mapped, mapped_column

    from fastforge.contrib.db import Model

    class Note(Model):
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(String(64), unique=True)

    class Mark(Model):
        id: Mapped[int] = mapped_column(primary_key=True)
        note_id: Mapped[int] = mapped_column(
            ForeignKey(Note.id, deferrable=True, initially="DEFERRED")
        )
    """

GATES: Final = """
    import asyncio
    import time
    from pathlib import Path

    PAUSE_S = 0.01

    def is_open(name):
        return Path(f"{name}.gate").exists()

    async def gate(name):
        while not is_open(name):
            await asyncio.sleep(PAUSE_S)

    def blocking_gate(name):
        while not is_open(name):
            time.sleep(PAUSE_S)
    """

# --- sessions ------------------------------------------------------------------------------------

SESSIONS: Final = """
    from typing import Annotated

    from fastapi import APIRouter, BackgroundTasks, Depends
    from fastapi.responses import StreamingResponse
    from fastapi.sse import EventSourceResponse
    from sqlalchemy import func, insert, select

    from fastforge.contrib.db import DbSession, Session, session
    from fastforge.contrib.db.errors import SessionClosed
    from shop.notes.models import Mark, Note

    router = APIRouter()

    @router.post("/notes/{name}", status_code=201)
    async def add(name: str, db: DbSession):
        db.add(Note(name=name))

    @router.post("/marks/{note_id}")
    async def mark(note_id: int, db: DbSession):
        db.add(Note(name=f"marked {note_id}"))
        await db.execute(insert(Mark).values(id=1, note_id=note_id))

    @router.post("/then-fails/{name}")
    async def then_fails(name: str, db: DbSession, background: BackgroundTasks):
        async def fail():
            print(f"task of {name} begins", flush=True)
            raise RuntimeError(f"after {name}")

        db.add(Note(name=name))
        background.add_task(fail)

    async def function_scoped(db: DbSession):
        yield db

    async def request_scoped(db: DbSession):
        yield db

    @router.post("/scopes/{name}")
    async def scopes(
        name: str,
        db: DbSession,
        one: Annotated[Session, Depends(function_scoped, scope="function")],
        two: Annotated[Session, Depends(request_scoped, scope="request")],
    ):
        one.add(Note(name=name))
        return {"same": db is one is two}

    async def counted(db):
        yield "first"
        try:
            await db.scalar(select(func.count(Note.id)))
        except SessionClosed:
            yield "closed"
        async with session() as own:
            yield str(await own.scalar(select(func.count(Note.id))) > 0)

    @router.post("/streamed/{name}", response_class=StreamingResponse)
    async def streamed(name: str, db: DbSession):
        async for part in counted(db):
            yield part

    @router.get("/events", response_class=EventSourceResponse)
    async def events(db: DbSession):
        async for part in counted(db):
            yield part
    """

# --- clients that leave --------------------------------------------------------------------------

LEAVING: Final = """
    import asyncio

    from fastapi import APIRouter, Body, Request, WebSocket
    from fastapi.responses import StreamingResponse
    from fastapi.sse import EventSourceResponse
    from sqlalchemy import select, text

    from fastforge.contrib.db import DbSession, session
    from shop.gates import blocking_gate, gate
    from shop.notes.models import Note

    router = APIRouter()

    @router.post("/slow/{name}")
    async def slow(name: str, db: DbSession):
        db.add(Note(name=name))
        await db.flush()
        print(f"begun {name}", flush=True)
        await gate(name)
        print(f"ended {name}", flush=True)

    @router.get("/short")
    async def short():
        await asyncio.sleep(0.01)

    @router.post("/short-note/{name}")
    async def short_note(name: str, db: DbSession):
        await asyncio.sleep(0.01)
        db.add(Note(name=name))

    @router.get("/some")
    async def some():
        async def parts():
            for number in range(5):
                yield f"part {number}"

        return StreamingResponse(parts())

    @router.get("/first")
    async def first(db: DbSession):
        return {"id": await db.scalar(select(Note.id).order_by(Note.id).limit(1))}

    @router.post("/query/{name}")
    async def query(name: str, db: DbSession):
        db.add(Note(name=name))
        await db.flush()
        print(f"begun {name}", flush=True)
        await db.execute(text("SELECT pg_sleep(0.5)"))
        print(f"ended {name}", flush=True)

    @router.get("/thread/{name}")
    def thread(name: str):
        print(f"begun {name}", flush=True)
        blocking_gate(name)
        print(f"ended {name}", flush=True)

    @router.get("/waiting/{name}")
    async def waiting(name: str):
        print(f"begun {name}", flush=True)
        await gate(name)

    @router.get("/asking/{name}")
    async def asking(name: str, request: Request):
        print(f"begun {name}", flush=True)
        while not await request.is_disconnected():
            await asyncio.sleep(0.01)
        print(f"ended {name}", flush=True)

    async def ticks(name):
        try:
            async with session() as db, db.streaming(select(Note)):
                yield f"tick {name}"
                while True:
                    await asyncio.sleep(0.01)
                    yield "tick"
        finally:
            print(f"ended {name}", flush=True)

    @router.get("/ticks/{name}")
    async def ticking(name: str):
        return StreamingResponse(ticks(name))

    @router.get("/events/{name}", response_class=EventSourceResponse)
    async def events(name: str):
        async for tick in ticks(name):
            yield tick

    async def silence(name):
        try:
            yield f"tick {name}"
            await asyncio.Event().wait()
        finally:
            print(f"ended {name}", flush=True)

    @router.get("/silence/{name}")
    async def silent(name: str):
        return StreamingResponse(silence(name))

    @router.post("/upload/{name}")
    async def upload(name: str, db: DbSession, text: str = Body()):
        db.add(Note(name=name))

    @router.post("/parts/{name}")
    async def parts(name: str, db: DbSession, request: Request):
        db.add(Note(name=name))
        await db.flush()
        try:
            async for part in request.stream():
                print(f"begun {name}", flush=True)
        finally:
            print(f"ended {name}", flush=True)

    @router.websocket("/socket/{name}")
    async def socket(websocket: WebSocket, name: str, db: DbSession):
        await websocket.accept()
        async with db.atomic():
            db.add(Note(name=name))
        async with db.atomic():
            db.add(Note(name=f"half of {name}"))
            await db.flush()
            print(f"begun {name}", flush=True)
            try:
                await websocket.receive_text()
            finally:
                print(f"ended {name}", flush=True)
    """

# --- layers --------------------------------------------------------------------------------------

LAYERED: Final = """
    from fastapi import APIRouter, BackgroundTasks, Body, FastAPI, HTTPException
    from fastapi.responses import StreamingResponse

    from fastforge.observability.context import request_id
    from shop.gates import gate
    from shop.layers import reader

    router = APIRouter()
    members = APIRouter(prefix="/members/{member}")

    @router.get("/readers/{name}")
    async def read(name: str):
        reader.set(name)
        return {"request_id": request_id.get()}

    @members.get("/books/{book:path}")
    async def books(member: int, book: str):
        return {}

    router.include_router(members, prefix="/clubs/{club}")

    @router.get("/held/{name}")
    async def held(name: str):
        async def body():
            yield "first"
            await gate(name)
            yield "last"

        return StreamingResponse(body())

    @router.get("/breaks/{name}")
    async def breaks(name: str):
        async def body():
            yield "first"
            raise LookupError(f"the drawer of {name} is empty")

        return StreamingResponse(body())

    @router.get("/raises/{name}")
    async def raises(name: str):
        raise LookupError(f"the drawer of {name} is empty")

    @router.get("/refuses/{name}")
    async def refuses(name: str):
        raise HTTPException(418, "short and stout")

    @router.get("/later/{name}")
    async def later(name: str, background: BackgroundTasks):
        async def wait():
            print(f"begun {name}", flush=True)
            await gate(name)
            print(f"ended {name}", flush=True)

        background.add_task(wait)
        return {}

    @router.get("/later-fails/{name}")
    async def later_fails(name: str, background: BackgroundTasks):
        async def fail():
            raise LookupError(f"the drawer of {name} is empty")

        background.add_task(fail)
        return {}

    inner = FastAPI()

    @inner.post("/pages/{page}")
    async def write(page: int, text: str = Body()):
        return {}

    @inner.get("/pages/{page}")
    async def page(page: int):
        return {}

    router.mount("/mounted", inner)
    """

SHOP: Final = {
    "shop/settings.py": SETTINGS,
    "shop/layers.py": LAYERS,
    "shop/gates.py": GATES,
    "shop/notes/__init__.py": "",
    "shop/notes/models.py": MODELS,
    "shop/notes/routes.py": """
        from fastapi import APIRouter

        from .layered import router as layered
        from .leaving import router as leaving
        from .sessions import router as sessions

        router = APIRouter()
        for each in (sessions, leaving, layered):
            router.include_router(each)
        """,
    "shop/notes/sessions.py": SESSIONS,
    "shop/notes/leaving.py": LEAVING,
    "shop/notes/layered.py": LAYERED,
    "shop/inside/__init__.py": "",
    "shop/inside/routes.py": INSIDE,
}

# --- the same with narrow limits -----------------------------------------------------------------

LIMITED: Final = """
    from fastapi import APIRouter, Body

    from fastforge.contrib.db import DbSession
    from fastforge.web import time_limit
    from shop.gates import blocking_gate, gate
    from shop.notes.models import Note

    router = APIRouter()

    @router.post("/late/{name}")
    @time_limit(0.2)
    async def late(name: str, db: DbSession):
        db.add(Note(name=name))
        await db.flush()
        try:
            await gate(name)
        finally:
            print(f"ended {name}", flush=True)

    @router.get("/late-thread/{name}")
    @time_limit(0.2)
    def late_thread(name: str):
        blocking_gate(name)
        print(f"ended {name}", flush=True)

    @router.post("/late-stubborn/{name}")
    @time_limit(0.2)
    async def late_stubborn(name: str, db: DbSession):
        db.add(Note(name=name))
        await db.flush()
        try:
            await gate("never")
        except BaseException:
            print(f"held {name}", flush=True)
        await gate(name)
        print(f"ended {name}", flush=True)

    @router.post("/large/{name}", max_body_size=10_000)
    async def large(name: str, text: str = Body()):
        return {"length": len(text)}
    """

STRICT_SHOP: Final = SHOP | {
    "shop/settings.py": SETTINGS
    + """
    SERVER = {
        "concurrency_limit": 3,
        "max_body_bytes": 1000,
        "max_headers": 20,
        "max_header_bytes": 4096,
    }
    CORS = {"allow_origins": ["https://page.example"]}
    """,
    "shop/notes/limited.py": LIMITED,
    "shop/notes/routes.py": SHOP["shop/notes/routes.py"].replace(
        "router = APIRouter()", "from .limited import router as limited\n\n        router = limited"
    ),
}
