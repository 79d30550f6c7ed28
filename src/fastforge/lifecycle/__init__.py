"""The life of a process: resources opened in order and closed in reverse, services between.

`provide`, `section` and `injected` are what apps use of it; `running` is what a front door uses.
"""

from .breaker import Breaker, BreakerGauges, BreakerOpen, BreakerState
from .breakers import breaker_gauges, watched_breaker
from .container import Container, current_container, use_container
from .dependencies import DrainSignal, StopSignal, injected, provide, section, setting
from .execution import execute
from .health import Health, check_health
from .kinds import NOTICES, RESOURCES, SCOPES, SERVICES, TRANSACTIONS
from .notice import Notice, notice, read_notices
from .order import needs_of, start_order
from .plan import Plan, plan
from .resource import Resource, resource
from .role import ALL_ROLES, Role
from .runner import running
from .scope import Scope, scope
from .service import Service, service
from .transaction import Transaction, Transactions, transaction_here

__all__ = [
    "ALL_ROLES",
    "NOTICES",
    "RESOURCES",
    "SCOPES",
    "SERVICES",
    "TRANSACTIONS",
    "Breaker",
    "BreakerGauges",
    "BreakerOpen",
    "BreakerState",
    "Container",
    "DrainSignal",
    "Health",
    "Notice",
    "Plan",
    "Resource",
    "Role",
    "Scope",
    "Service",
    "StopSignal",
    "Transaction",
    "Transactions",
    "breaker_gauges",
    "check_health",
    "current_container",
    "execute",
    "injected",
    "needs_of",
    "notice",
    "plan",
    "provide",
    "read_notices",
    "resource",
    "running",
    "scope",
    "section",
    "service",
    "setting",
    "start_order",
    "transaction_here",
    "use_container",
    "watched_breaker",
]
