"""The service on Django: views that are coroutines, or plain ones, with the middleware of an API.

Usage: uvicorn django_peer:asgi | gunicorn -k gthread django_peer:wsgi
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import django
import orjson
import structlog
from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.cache import cache
from django.core.wsgi import get_wsgi_application
from django.db import models
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.utils.decorators import sync_and_async_middleware
from pydantic import ValidationError
from shapes import ItemOut, NewItem, UserOut

ROUTERS = 20
ROUTES = 10
IS_ASYNC = os.environ["BENCH_DJANGO"] == "asgi"


def database() -> dict[str, Any]:
    """Return what Django is told of the database; connections stay open."""
    url = urlsplit(os.environ["BENCH_DATABASE_URL"])
    if url.scheme.startswith("sqlite"):
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": url.path.removeprefix("/"),
            "CONN_MAX_AGE": None,
        }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path.removeprefix("/"),
        "USER": url.username,
        "PASSWORD": url.password or "",
        "HOST": url.hostname,
        "PORT": url.port,
        "OPTIONS": {"pool": {"min_size": 5, "max_size": 5}},
    }


structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.JSONRenderer(serializer=orjson.dumps),
    ],
    logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
    cache_logger_on_first_use=True,
)
logger = structlog.get_logger()
settings.configure(
    ALLOWED_HOSTS=["localhost"],
    SECRET_KEY=os.environ["SECRET_KEY"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": database()},
    CACHES={
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": os.environ["BENCH_REDIS_URL"],
        }
    },
    MIDDLEWARE=[
        f"{__name__}.access_line",
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
    ],
    LOGGING_CONFIG=None,
)
django.setup()


class Item(models.Model):
    """Something with a price."""

    name = models.TextField()
    price = models.FloatField()
    in_stock = models.BooleanField()

    class Meta:
        """Where it is."""

        app_label = "items"
        db_table = "items_item"


def write(request: HttpRequest, response: HttpResponse, request_id: str, started: float) -> None:
    """Write what became of a request."""
    response["x-request-id"] = request_id
    logger.info(
        "request",
        method=request.method,
        path=request.path,
        status_code=response.status_code,
        duration_ms=round((time.perf_counter() - started) * 1000, 3),
    )


@sync_and_async_middleware
def access_line(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Give every request an id, and write what became of it."""

    def begin() -> tuple[str, float]:
        request_id = str(uuid.uuid4())
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        return request_id, time.perf_counter()

    if iscoroutinefunction(get_response):

        async def asynchronous(request: HttpRequest) -> HttpResponse:
            request_id, started = begin()
            response = await get_response(request)
            write(request, response, request_id, started)
            return response

        return asynchronous

    def plain(request: HttpRequest) -> HttpResponse:
        request_id, started = begin()
        response = get_response(request)
        write(request, response, request_id, started)
        return response

    return plain


# --- what the views do with the answers of the database and of Redis -----------------------------


def key_of(request: HttpRequest) -> str:
    """Return where it is kept who asks."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    return f"token:{hashlib.sha256(token.encode()).hexdigest()}"


def user_response(cached: str | None) -> HttpResponse:
    """Say who asks."""
    if cached is None:
        return HttpResponse(status=401)
    return JsonResponse(UserOut.model_validate_json(cached).model_dump())


def item_response(item: Item, status: int = 200) -> HttpResponse:
    """Return an item."""
    return JsonResponse(ItemOut.model_validate(item).model_dump(), status=status)


def new_item(request: HttpRequest) -> dict[str, Any]:
    """Return what was sent, once it has been looked at."""
    return NewItem.model_validate_json(request.body).model_dump()


# --- views ---------------------------------------------------------------------------------------


def ping(request: HttpRequest) -> HttpResponse:
    """Answer."""
    return JsonResponse({"ping": "pong"})


def show(request: HttpRequest, item: int) -> HttpResponse:
    """Answer with what was asked for."""
    return JsonResponse({"item": item})


def me(request: HttpRequest) -> HttpResponse:
    """Say who asks."""
    return user_response(cache.get(key_of(request)))


def read(request: HttpRequest, item_id: int) -> HttpResponse:
    """Return one item."""
    try:
        return item_response(Item.objects.get(pk=item_id))
    except Item.DoesNotExist:
        return HttpResponse(status=404)


def create(request: HttpRequest) -> HttpResponse:
    """Store an item."""
    try:
        return item_response(Item.objects.create(**new_item(request)), status=201)
    except ValidationError as error:
        return JsonResponse(json.loads(error.json()), status=422, safe=False)


async def async_ping(request: HttpRequest) -> HttpResponse:
    """Answer."""
    return ping(request)


async def async_show(request: HttpRequest, item: int) -> HttpResponse:
    """Answer with what was asked for."""
    return show(request, item)


async def async_me(request: HttpRequest) -> HttpResponse:
    """Say who asks."""
    return user_response(await cache.aget(key_of(request)))


async def async_read(request: HttpRequest, item_id: int) -> HttpResponse:
    """Return one item."""
    try:
        return item_response(await Item.objects.aget(pk=item_id))
    except Item.DoesNotExist:
        return HttpResponse(status=404)


async def async_create(request: HttpRequest) -> HttpResponse:
    """Store an item."""
    try:
        return item_response(await Item.objects.acreate(**new_item(request)), status=201)
    except ValidationError as error:
        return JsonResponse(json.loads(error.json()), status=422, safe=False)


View = Callable[..., HttpResponse | Awaitable[HttpResponse]]


def many_routes(view: View) -> list[Any]:
    """Return two hundred routes in twenty parts."""
    routes = [path(f"things{route}/<int:item>", view) for route in range(ROUTES)]
    return [path(f"app{number}/", include(routes)) for number in range(ROUTERS)]


urlpatterns = [
    path("ping", async_ping if IS_ASYNC else ping),
    path("me", async_me if IS_ASYNC else me),
    path("items/<int:item_id>", async_read if IS_ASYNC else read),
    path("items", async_create if IS_ASYNC else create),
    *(many_routes(async_show if IS_ASYNC else show) if "BENCH_ROUTES" in os.environ else []),
]
if IS_ASYNC:
    asgi = get_asgi_application()
else:
    wsgi = get_wsgi_application()
