"""The kinds of components that have to do with the life of a process."""

from __future__ import annotations

from typing import Any, Final

from ..components import Kind
from .notice import Notice
from .plan import plan
from .resource import Resource
from .scope import Scope
from .service import Service
from .transaction import Transactions

__all__ = ["NOTICES", "RESOURCES", "SCOPES", "SERVICES", "TRANSACTIONS"]


def _plan_function(value: Any) -> None:
    plan(value.function)


def _name(value: Any) -> str:
    return str(value.name)


def _function(value: Any) -> object:
    return value.function


RESOURCES: Final[Kind[Resource[Any]]] = Kind(
    name="resources",
    type=Resource,
    module="resources",
    key=_name,
    home=_function,
    validate=_plan_function,
)
SERVICES: Final[Kind[Service]] = Kind(
    name="services",
    type=Service,
    module="services",
    key=_name,
    home=_function,
    validate=_plan_function,
)
SCOPES: Final[Kind[Scope]] = Kind(
    name="scopes",
    type=Scope,
    module="scopes",
    key=_name,
    home=_function,
    validate=_plan_function,
)
NOTICES: Final[Kind[Notice]] = Kind(
    name="notices",
    type=Notice,
    module="notices",
    key=_name,
    home=_function,
    validate=_plan_function,
)
TRANSACTIONS: Final[Kind[Transactions]] = Kind(
    name="transactions",
    type=Transactions,
    module="transactions",
    key=_name,
)
