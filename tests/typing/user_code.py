"""A user's code as the type checkers see it; it is read by mypy and pyright, never run.

An ignored line is a mistake that has to be found: an ignore that ignores nothing is an error too.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Annotated, assert_type

import sqlalchemy
from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from pydantic import BaseModel
from sqlalchemy.orm import Mapped, mapped_column

from fastforge import (
    Limiter,
    Project,
    Section,
    env,
    injected,
    offload,
    provide,
    resource,
    section,
    task,
)
from fastforge.checks import Check, Level, Message, check
from fastforge.commands import Command, Context, command
from fastforge.contrib.db import (
    DbSession,
    Model,
    Session,
    atomic,
    non_atomic,
    on_commit,
    required,
    session,
    using,
)
from fastforge.contrib.db.pagination import (
    CursorPage,
    Keyset,
    OffsetPage,
    Page,
    keyset_page,
    paginate,
)
from fastforge.contrib.http import ExternalClient, HttpClient, call_options
from fastforge.contrib.static import Static, static_url
from fastforge.contrib.templates import Render, Renderer, Templates, template_filter
from fastforge.lifecycle import Resource, current_container
from fastforge.tasks import (
    Batch,
    Call,
    JobHandle,
    PreparedTask,
    Rate,
    Retry,
    Task,
    Unique,
    enqueue_many,
)
from fastforge.web import ErrorFormat, FieldError, Problem, error_format

# --- settings ------------------------------------------------------------------------------------


class Shop(Section):
    """What the shop may be told."""

    page_size: int = 20
    name: str = "Shop"


SHOP = Shop(page_size=10)
Shop(page_size="ten")  # type: ignore[arg-type]
Shop(pagesize=10)  # type: ignore[call-arg]
ShopSettings = Annotated[Shop, section(Shop)]

assert_type(env("PAGE_SIZE", int, default=20), int)
assert_type(env("HOSTS", list[str]), list[str])
assert_type(env("NAME"), str)
assert_type(env.secret("SECRET_KEY"), str)

# --- resources -----------------------------------------------------------------------------------


class SearchClient:
    """A client as any library has one."""

    async def find(self, text: str) -> list[int]:
        return [len(text)]


@resource(close_timeout_s=2)
async def search(shop: ShopSettings) -> AsyncIterator[SearchClient]:
    yield SearchClient()


@resource
async def plain() -> AsyncIterator[int]:
    yield 1


assert_type(search, Resource[SearchClient])
assert_type(plain, Resource[int])
Search = Annotated[SearchClient, provide(search)]


def running_instances() -> None:
    assert_type(current_container()[search], SearchClient)
    assert_type(current_container()[plain], int)


# --- models and handlers -------------------------------------------------------------------------


class Order(Model):
    """One order."""

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


router = APIRouter()


@router.get("/orders/{order_id}")
async def read_order(order_id: int, db: DbSession, search: Search, shop: ShopSettings) -> int:
    assert_type(db, Session)
    assert_type(await db.get(Order, order_id), Order | None)
    titles = (await db.scalars(sqlalchemy.select(Order.title))).all()
    assert_type(await search.find("".join(titles)), list[int])
    return shop.page_size


# --- pages ---------------------------------------------------------------------------------------

STATIC = Static(directories=["static"])
TEMPLATES = Templates(directories=["templates"], strict=True)


class OrderOut(BaseModel):
    total: int


async def preview(url: str, http: HttpClient) -> str:
    answer = await http.external(max_bytes=1000, ports=[443], deny_hosts=["x.example"]).get(url)
    await http.get(url, extensions=call_options(retries=2))
    async with http.external() as external:
        assert_type(external, ExternalClient)
    http.external(max_byte=1000)  # type: ignore[call-arg]
    http.external(ports="443")  # type: ignore[arg-type]
    return assert_type(answer.text, str)


Archive = Annotated[Session, using("archive")]


@router.post("/orders/{order_id}/settle")
@non_atomic
async def settle(order_id: int, db: DbSession, archive: Archive) -> int:
    assert_type(archive, Session)
    async with db.atomic(durable=True, isolation="serializable") as same:
        assert_type(same, Session)
    async with atomic(using="archive", read_only=True) as other:
        assert_type(other, Session)
    async with session("archive") as own, own.atomic(savepoint=False):
        own.on_commit(lambda: None, robust=False)
    db.atomic(isolation="serialisable")  # type: ignore[arg-type]
    db.atomic(retries=3)  # type: ignore[arg-type]
    atomic(durabel=True)  # type: ignore[call-overload]
    async with atomic(retries=3):  # type: ignore[attr-defined]
        pass
    assert_type(await transfer(7, to=8), int)
    await transfer("7", to=8)  # type: ignore[arg-type]
    assert_type(await rename(order_id, title=""), str)
    await rename(order_id)  # type: ignore[call-arg]
    return order_id


@atomic(retries=3, isolation="repeatable read")
async def transfer(amount: int, *, to: int) -> int:
    on_commit(lambda: None)
    return amount + to


@atomic
async def rename(order_id: int, *, title: str) -> str:
    assert_type(required(), Session)
    return title


@atomic  # type: ignore[arg-type]
def not_awaited(order_id: int) -> str:
    return str(order_id)


@router.get("/orders")
async def list_orders(db: DbSession, page: OffsetPage) -> Page[OrderOut]:
    assert_type(await db.get_or_404(Order, 7), Order)
    assert_type(await db.get_or_404(sqlalchemy.select(Order)), Order)
    row = await db.get_or_404(sqlalchemy.select(Order, Order.id))
    assert_type((row[0], row[1]), tuple[Order, int])
    await db.get_or_404("Order", 7)  # type: ignore[call-overload]
    assert_type(await db.exists(sqlalchemy.select(Order)), bool)
    assert_type(await db.bulk_insert(Order, [{"total": 7}], on_conflict="ignore"), int)
    await db.bulk_insert(Order, [], on_conflict="update")  # type: ignore[arg-type]
    return await paginate(db, sqlalchemy.select(Order).order_by(Order.id), page)


@router.get("/feed")
async def feed(
    db: DbSession, page: Annotated[Keyset, keyset_page(maximum=50)]
) -> CursorPage[OrderOut]:
    assert_type(page.after, str | None)
    await paginate(db, sqlalchemy.select(Order, Order.id), page)
    found = await paginate(db, sqlalchemy.select(Order), page, total=True)
    assert_type(found.next, str | None)
    return found


@template_filter
def euros(cents: int) -> str:
    return f"{cents / 100:.2f}"


@router.get("/page")
async def page(render: Render) -> HTMLResponse:
    assert_type(render, Renderer)
    assert_type(render.text("shop/mail.txt", {"cents": 250}), str)
    assert_type(euros(250), str)
    assert_type(static_url("shop/style.css"), str)
    euros("250")  # type: ignore[arg-type]
    return render("shop/page.html", status_code=404)


# --- checks --------------------------------------------------------------------------------------


@check(tags={"orders"}, deploy=True)
def orders_are_cheap(project: Project) -> Iterator[Message]:
    yield Message(id="orders.W001", level=Level.WARNING, text=project.name)


assert_type(orders_are_cheap, Check)

# --- tasks ---------------------------------------------------------------------------------------


@task(queue="mail", retry=Retry(max_attempts=8), timeout_s=30)
async def send_receipt(order_id: int, *, copy: bool = False, db: DbSession = injected) -> str:
    async with db.atomic():
        db.add(Order(id=order_id, title=str(copy)))
    return "sent"


@task
def resize(path: str) -> int:
    return len(path)


async def enqueue() -> None:
    assert_type(await send_receipt.enqueue(order_id=7), JobHandle[str])
    assert_type(await send_receipt.enqueue(7, copy=True), JobHandle[str])
    assert_type(await send_receipt(order_id=7), str)
    assert_type(await resize.enqueue("picture.png"), JobHandle[int])
    assert_type(await resize("picture.png"), int)
    await send_receipt.enqueue(order_id="seven")  # type: ignore[arg-type]
    await send_receipt.enqueue(order=7)  # type: ignore[call-arg]
    await send_receipt.enqueue()  # type: ignore[call-arg]


@task(unique=Unique(by="order_id", for_s=3600), concurrency=2, rate=Rate(10, per_s=60))
async def remind(order_id: int) -> bool:
    return order_id > 0


async def enqueue_later() -> None:
    tomorrow = remind.using(delay=timedelta(days=1), priority=5, expires=timedelta(days=2))
    prepared: PreparedTask[[int], bool] = tomorrow
    assert_type(prepared.options.queue, str | None)
    assert_type(await tomorrow.enqueue(order_id=7), JobHandle[bool])
    assert_type(remind.using(queue="bulk").call(7), Call[bool])
    batch = await remind.enqueue_many([remind.call(7), tomorrow.call(8)], then=resize.call("a"))
    assert_type(batch, Batch[bool])
    assert_type((await batch.wait(timeout_s=60)).failed, int)
    assert_type(await enqueue_many([remind.call(7)]), Batch[bool])
    assert_type(await batch.handles[0].result(), bool)
    assert_type(await remind.job("7").wait(), bool)
    await tomorrow.enqueue("seven")  # type: ignore[arg-type]
    await tomorrow.enqueue()  # type: ignore[call-arg]
    remind.call(order=7)  # type: ignore[call-arg]
    remind.using(delay="a day")  # type: ignore[arg-type]
    remind.using(at=7)  # type: ignore[call-arg]
    await remind.enqueue_many([resize.call("a")])  # type: ignore[list-item]


def declared(task: Task[[str], int]) -> Task[[str], int]:
    return task


declared(resize)

# --- error answers -------------------------------------------------------------------------------


@error_format(prefix="/api", media_type="application/json")
def refusal(problem: Problem) -> dict[str, list[str]]:
    assert_type(problem.errors, tuple[FieldError, ...])
    return {problem.title: [error.message for error in problem.errors]}


@error_format
def plain_refusal(problem: Problem) -> str:
    return problem.detail


assert_type(refusal, ErrorFormat)
assert_type(plain_refusal, ErrorFormat)
error_format(prefix=7)  # type: ignore[call-overload]
error_format(len)  # type: ignore[arg-type]

# --- blocking code -------------------------------------------------------------------------------

SCANNER = Limiter("scanner", 1, max_waiting=5)


def scan(page: int, colour: str = "grey") -> bytes:
    return f"{page} {colour}".encode()


async def scan_all() -> None:
    assert_type(await offload(scan, 1), bytes)
    assert_type(await offload(scan, 1, "red", limiter=SCANNER, timeout_s=5, process=True), bytes)
    await offload(scan, "first")  # type: ignore[arg-type]


# --- commands ------------------------------------------------------------------------------------


@command
async def recount(context: Context, limit: int = 10, *, db: DbSession = injected) -> int:
    context.echo(f"{context.project.settings.environment}: {limit}")
    return await db.scalar(sqlalchemy.select(sqlalchemy.func.count()).select_from(Order)) or 0


assert_type(recount, Command)
