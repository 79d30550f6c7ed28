"""The order of opening comes from declared needs; what cannot be ordered is refused by name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from fastforge.components import Component, Registry
from fastforge.exceptions import ComponentError, Location
from fastforge.lifecycle import RESOURCES, Resource, Role, resource, scope, service, start_order

from .conftest import MakeRegistry


def make(name: str, *needs: Resource[Any], **options: Any) -> Resource[Any]:
    async def function() -> AsyncIterator[None]:
        yield

    return resource(name=name, needs=needs, **options)(function)


def names(registry: Registry, role: Role = Role.WEB) -> list[str]:
    return [component.name for component in start_order(registry, role)]


def test_needs_come_first_and_else_the_order_of_installation(make_registry: MakeRegistry) -> None:
    a = make("a")
    b = make("b")
    c = make("c", b)
    d = make("d", c, a)
    assert names(make_registry(d, c, a, b)) == ["b", "c", "a", "d"]
    assert names(make_registry(a, b, c, d)) == ["a", "b", "c", "d"]


def test_a_cycle_is_refused_naming_all_of_it(make_registry: MakeRegistry) -> None:
    first = make("first")
    second = make("second", first)
    object.__setattr__(first, "needs", (second,))
    with pytest.raises(ComponentError, match="first -> second -> first") as caught:
        start_order(make_registry(first, second), Role.WEB)
    assert str(caught.value.where) == "shop/resources.py:1"


def test_a_need_that_no_app_declares_names_its_module(make_registry: MakeRegistry) -> None:
    stranger = make("stranger")
    with pytest.raises(ComponentError, match="'stranger', which no installed app declares"):
        start_order(make_registry(make("mine", stranger)), Role.WEB)


def test_a_need_of_another_role_is_refused_in_that_role_only(make_registry: MakeRegistry) -> None:
    worker = make("worker", roles=[Role.WORKER])
    both = make("both", worker)
    with pytest.raises(ComponentError, match="not opened in a web process"):
        start_order(make_registry(worker, both), Role.WEB)
    assert names(make_registry(worker, both), Role.WORKER) == ["worker", "both"]


def test_what_is_required_may_not_need_what_may_be_away(make_registry: MakeRegistry) -> None:
    away = make("away", required=False)
    with pytest.raises(ComponentError, match="which may be unavailable while it may not"):
        start_order(make_registry(away, make("mine", away)), Role.WEB)


@pytest.mark.parametrize("declare", [resource, scope, service])
def test_a_plain_function_is_refused_where_it_is_declared(declare: Any) -> None:
    with pytest.raises(ComponentError, match=r"test_order.py:\d+: .* 'wrong' is not an async"):

        @declare
        def wrong() -> None: ...


def test_a_name_twice_is_refused_naming_both(make_registry: MakeRegistry) -> None:
    component = Component(
        kind="resources", name="a", value=make("a"), app="one", location=Location("one.py", 1)
    )
    other = Component(
        kind="resources", name="a", value=make("a"), app="two", location=Location("two.py", 2)
    )
    with pytest.raises(ComponentError, match=r"two.py:2: .*'one' at one.py:1 and in app 'two'"):
        Registry([RESOURCES], lambda kind: [component, other])


def test_needs_that_are_no_resources_are_refused_where_they_are_declared() -> None:
    with pytest.raises(ComponentError, match=r"test_order.py:\d+: the needs of .*'index'"):
        make("search", "index")  # type: ignore[arg-type]
