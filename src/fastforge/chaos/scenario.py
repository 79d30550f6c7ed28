"""Scenario: what is done to a server, and who asks it for what meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Crowd", "Disturbance", "Scenario"]


class Disturbance(StrEnum):
    """What happens to the server; each but START ends with a TERM under load as well."""

    TERM = "term"
    """SIGTERM to the server: a deployment that ends it."""
    HUP = "hup"
    """SIGHUP to the manager: every process is replaced."""
    RECYCLE = "recycle"
    """Processes are replaced by themselves, after some number of requests."""
    KILL = "kill"
    """SIGKILL to one process that serves."""
    START = "start"
    """SIGTERM at several moments of the start; without load, since nobody is sent there yet."""

    @property
    def needs_manager(self) -> bool:
        """Whether it makes sense only for several processes."""
        return self in (Disturbance.HUP, Disturbance.RECYCLE, Disturbance.KILL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """How many clients of each kind there are.

    Args:
        keep_alive: Ask again and again on one connection, as long as it is kept.
        fresh: Open a connection for each request.
        halting: The same, and stop in the middle of the request's head.
        sockets: Hold a web socket open, and open it again.
        idle: Ask once, keep the connection, and never speak again.
        think_s: How long a client waits after an answer, in seconds.
    """

    keep_alive: int = 10
    fresh: int = 5
    halting: int = 5
    sockets: int = 5
    idle: int = 5
    think_s: float = 0.02

    @classmethod
    def of(cls, clients: int, *, think_s: float = 0.02) -> Crowd:
        """Return so many clients that ask, and a quarter as many of each kind that holds on."""
        rest = max(1, clients // 4)
        return cls(
            keep_alive=max(1, clients - 2 * rest),
            fresh=rest,
            halting=rest,
            sockets=rest,
            idle=rest,
            think_s=think_s,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One proof.

    ```python
    Scenario(disturbance=Disturbance.TERM, lag_s=2)
    ```

    Args:
        disturbance: What happens to the server.
        crowd: Who asks.
        warm_s: How long there is load before anything happens, in seconds.
        lag_s: How long clients go on after SIGTERM, as a load balancer that has not heard yet.
        rounds: How often processes are replaced or killed before the end.
        pause_s: How long there is steady load after each round, in seconds.
        request_limit_s: When an answer is too late, in seconds.
    """

    disturbance: Disturbance
    crowd: Crowd = Crowd()
    warm_s: float = 2
    lag_s: float = 2
    rounds: int = 1
    pause_s: float = 1
    request_limit_s: float = 40
