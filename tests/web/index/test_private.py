"""What the index uses of FastAPI without a promise is there, and only one module uses it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import fastapi.routing
import pytest
from fastapi import APIRouter

import fastforge.web
from fastforge.web.index import private

ROOM = Path(fastforge.web.__file__).parent


def test_the_private_names_are_there() -> None:
    for owner, names in private.NEEDED:
        for name in names:
            assert hasattr(owner, name)


def test_they_mean_what_the_index_takes_them_for() -> None:
    outer, inner = APIRouter(), APIRouter()
    outer.include_router(inner, prefix="/inner")
    before, deep = outer._routes_version, outer._get_routes_version()
    inner.get("/late")(lambda: None)
    assert outer._routes_version == before
    assert outer._get_routes_version() > deep
    (inclusion,) = outer.routes
    assert isinstance(inclusion, fastapi.routing._IncludedRouter)
    (context,) = inclusion.effective_candidates()
    assert isinstance(context, fastapi.routing._EffectiveRouteContext)
    assert context.path == "/inner/late"
    assert list(outer._iter_low_priority_routes()) == []


def test_only_one_module_of_the_room_names_them() -> None:
    pattern = re.compile(r"_IncludedRouter|_EffectiveRouteContext|_routes_version|starlette\._")
    naming = {
        str(file.relative_to(ROOM))
        for file in ROOM.rglob("*.py")
        if pattern.search(file.read_text(encoding="utf-8"))
    }
    assert naming == {"index/private.py"}


@pytest.mark.parametrize("name", ["APIRouter._iter_low_priority_routes", "_IncludedRouter"])
def test_where_one_is_gone_fastapi_routes_as_before_and_the_reason_is_kept(name: str) -> None:
    # In a process of its own: FastAPI itself is taken apart. The name is put back for FastAPI.
    owner, _, attribute = f"routing.{name}".rpartition(".")
    program = f"""
from fastapi import FastAPI, routing
from fastforge.web.index import index_routes, why_not_indexed
kept = {owner}.{attribute}
del {owner}.{attribute}
app = FastAPI()
index_routes(app)
{owner}.{attribute} = kept
print(why_not_indexed(app))
print(app.router.middleware_stack == app.router.app)
"""
    run = [sys.executable, "-c", program]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    reason, is_stock = done.stdout.splitlines()
    assert reason.startswith("the installed FastAPI is not one that the index knows: cannot ")
    assert attribute in reason
    assert is_stock == "True"
