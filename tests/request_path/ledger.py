"""A project whose requests end in every way that there is, and whose commits can be slow."""

from __future__ import annotations

from typing import Final

from .shop import GATES

__all__ = ["EXISTING", "LEDGER", "SLOW_COMMITS", "TABLES"]

TABLES: Final = """
    CREATE TABLE ledger_line ({key}, name VARCHAR(64) NOT NULL UNIQUE);
    CREATE TABLE ledger_note (
        id INTEGER PRIMARY KEY,
        line_id INTEGER NOT NULL REFERENCES ledger_line (id) DEFERRABLE INITIALLY DEFERRED
    );
    """

# The row `slow...` keeps COMMIT for 50 ms, `long...` for 2 s.
SLOW_COMMITS: Final = """
    CREATE FUNCTION slow_commit() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_sleep(CASE WHEN NEW.name LIKE 'long%' THEN 2 ELSE 0.05 END);
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON ledger_line
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.name LIKE 'slow%' OR NEW.name LIKE 'long%')
    EXECUTE FUNCTION slow_commit();
    """

SETTINGS: Final = """
    from fastforge.conf import env
    from fastforge.contrib.db import Database

    INSTALLED_APPS = ["fastforge.contrib.db", "shop.ledger"]
    DATABASES = {
        "default": Database(
            url=env.secret("DATABASE_URL"),
            pool_size=env("POOL_SIZE", int, default=5),
            pool_timeout_s=2,
        )
    }
    SERVER = {"graceful_s": env("GRACEFUL_S", float, default=25)}
    """

MODELS: Final = """
    from sqlalchemy import ForeignKey, String
    from sqlalchemy.orm import Mapped, mapped_column

    from fastforge.contrib.db import Model

    class Line(Model):
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(String(64), unique=True)

    class Note(Model):
        id: Mapped[int] = mapped_column(primary_key=True)
        line_id: Mapped[int] = mapped_column(
            ForeignKey(Line.id, deferrable=True, initially="DEFERRED")
        )
    """

ROUTES: Final = """
    import asyncio
    import time
    from typing import Annotated

    from fastapi import APIRouter, BackgroundTasks, Depends, HTTPException, Response
    from fastapi.responses import JSONResponse, StreamingResponse
    from sqlalchemy import event, exc, insert, select, text

    from fastforge.contrib.db import DbSession, Session, atomic, non_atomic, session
    from fastforge.contrib.db.errors import SessionClosed
    from fastforge.contrib.db.resources import database
    from fastforge.lifecycle import current_container
    from shop.gates import gate, is_open

    from .models import Line, Note

    router = APIRouter()
    attempts = []

    @router.get("/ready")
    async def ready():
        return {}

    @router.get("/names")
    async def names(db: DbSession):
        return list(await db.scalars(select(Line.name).order_by(Line.name)))

    @router.get("/out")
    async def out():
        return current_container()[database].engine.sync_engine.pool.checkedout()

    # --- answers ---

    @router.post("/kept/{name}", status_code=201)
    async def kept(name: str, db: DbSession):
        db.add(Line(name=name))
        if name.startswith("slow") and db.bind.dialect.name == "sqlite":
            engine = db.bind.sync_engine
            event.listen(engine, "commit", lambda _: time.sleep(0.05), once=True)

    @router.post("/returned/{name}")
    async def returned(name: str, status: int, db: DbSession):
        db.add(Line(name=name))
        await db.flush()
        return JSONResponse({"why": "returned"}, status)

    @router.post("/set/{name}")
    async def set_(name: str, status: int, db: DbSession, response: Response):
        db.add(Line(name=name))
        response.status_code = status

    @router.post("/raised/{name}")
    async def raised(name: str, status: int, db: DbSession):
        db.add(Line(name=name))
        await db.flush()
        raise HTTPException(status)

    @router.post("/broken/{name}")
    async def broken(name: str, db: DbSession):
        db.add(Line(name=name))
        await db.flush()
        raise RuntimeError(name)

    @router.post("/invalid/{name}")
    async def invalid(name: str, db: DbSession) -> int:
        db.add(Line(name=name))
        await db.flush()
        return "no number"

    @router.post("/deferred/{name}")
    async def deferred(name: str, db: DbSession):
        db.add(Line(name=name))
        await db.execute(insert(Note).values(id=1, line_id=999))

    @router.post("/streamed/{name}")
    async def streamed(name: str, db: DbSession):
        db.add(Line(name=name))

        async def body():
            try:
                await db.scalar(text("SELECT 1"))
            except SessionClosed as error:
                yield error.code
            async with session() as own:
                yield f" {await own.scalar(select(Line.name).where(Line.name == name))}"

        return StreamingResponse(body())

    async def service(db: DbSession):
        # Of the default scope: it is left after the answer.
        db.add(Line(name="by the service"))
        try:
            yield db
        finally:
            try:
                await db.scalar(text("SELECT 1"))
            except SessionClosed:
                print("the service finds the session closed", flush=True)

    @router.post("/serviced/{name}")
    async def serviced(name: str, status: int, db: Annotated[Session, Depends(service)]):
        db.add(Line(name=name))
        return JSONResponse({}, status)

    # --- after the answer ---

    @router.post("/later/{name}")
    async def later(name: str, db: DbSession, background: BackgroundTasks):
        async def work():
            try:
                await db.scalar(text("SELECT 1"))
            except SessionClosed:
                print(f"closed for {name}", flush=True)
            await gate(name)
            async with session() as own, own.atomic():
                own.add(Line(name=f"after {name}"))

        db.add(Line(name=name))
        background.add_task(work)

    # --- in between ---

    @router.post("/commits/{name}")
    async def commits(name: str, db: DbSession):
        db.add(Line(name=name))
        await db.commit()
        db.add(Line(name=f"half of {name}"))
        await db.flush()
        await gate(name)
        raise HTTPException(400)

    @router.post("/outside/{name}")
    @non_atomic
    async def outside(name: str, db: DbSession):
        assert not db.in_atomic
        async with db.atomic():
            db.add(Line(name=name))
        await db.scalar(text("SELECT 1"))
        print(f"waits {name}", flush=True)
        await gate(name)
        return JSONResponse({}, 502)

    @router.post("/again/{name}")
    @atomic(retries=2)
    async def again(name: str, db: DbSession):
        attempts.append(name)
        db.add(Line(name=f"{name} {attempts.count(name)}"))
        await db.flush()
        if attempts.count(name) < 3:
            raise exc.DBAPIError("", None, Collision())
        return attempts.count(name)

    class Collision(Exception):
        sqlstate = "40001"

    # --- reading ---

    waiting = set()

    @router.get("/apart/{number}")
    async def apart(number: int, db: DbSession):
        await db.scalar(select(Line.id).limit(1))
        waiting.add(number)
        await asyncio.sleep(0.2)
        while len(waiting) < 40:  # all of them are here at the same time
            await asyncio.sleep(0.01)
        await db.scalar(select(Line.id).limit(1))

    @router.get("/reads/{count}")
    async def reads(count: int, db: DbSession):
        for number in range(count):
            await db.scalar(select(Line.name).where(Line.id == number))

    @router.post("/writes/{count}")
    async def writes(count: int, db: DbSession):
        for number in range(count):
            await db.execute(insert(Line).values(name=f"of {count}, {number}"))
        raise HTTPException(400)

    @router.get("/unused")
    async def unused(db: DbSession):
        return db.in_atomic
    """

LEDGER: Final = {
    "shop/settings.py": SETTINGS,
    "shop/gates.py": GATES,
    "shop/ledger/__init__.py": "",
    "shop/ledger/models.py": MODELS,
    "shop/ledger/routes.py": ROUTES,
}

# An application that was there before, with everything that makes the usual one fail.
EXISTING: Final = LEDGER | {
    "existing.py": """
        from typing import Annotated

        from fastapi import APIRouter, Depends, FastAPI
        from fastapi.responses import JSONResponse
        from sqlalchemy import insert
        from sqlalchemy.exc import IntegrityError

        from fastforge import Project, get_asgi_application
        from fastforge.contrib.db import DbSession, Session, atomic
        from shop.ledger.models import Line, Note

        old = FastAPI()
        router = APIRouter(prefix="/old")

        @old.middleware("http")
        async def stamp(request, call_next):
            answer = await call_next(request)
            answer.headers["stamp"] = "old"
            return answer

        @old.exception_handler(IntegrityError)
        async def conflict(request, error):
            return JSONResponse({"told by": "the application"}, 418)

        async def service(db: DbSession):
            async with db.atomic():
                yield db

        @router.post("/kept/{name}")
        async def kept(name: str, db: Annotated[Session, Depends(service)]):
            db.add(Line(name=name))

        @router.post("/nested/{name}")
        async def nested(name: str):
            async with atomic() as db:
                db.add(Line(name=name))

        @router.post("/deferred/{name}")
        async def deferred(name: str, db: DbSession):
            db.add(Line(name=name))
            await db.execute(insert(Note).values(id=1, line_id=999))

        @router.post("/returned/{name}")
        async def returned(name: str, db: DbSession):
            db.add(Line(name=name))
            await db.flush()
            return JSONResponse({}, 409)

        old.include_router(router)
        inner = FastAPI()

        @inner.middleware("http")
        async def pass_on(request, call_next):
            return await call_next(request)

        @inner.post("/kept/{name}")
        async def mounted(name: str, db: DbSession):
            async with db.atomic():
                db.add(Line(name=name))

        old.mount("/inner", inner)
        app = get_asgi_application(Project.load(), app=old)
        """
}
