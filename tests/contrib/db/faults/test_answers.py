"""Every error of the database has an answer, and that of the nearest class holds."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from sqlalchemy import exc

from fastforge.contrib.db.errors import (
    CommitUnknown,
    ConnectionLost,
    DriverFault,
    Fault,
    PoolExhausted,
    ServerUnreachable,
    TooManyConnections,
    UniqueViolation,
)
from fastforge.contrib.db.faults.answers import REFUSALS, answer_of, answer_of_failed_commit

SECRET = "s3cret"


class DriverError(Exception):
    """What a driver raises."""


def error_of(kind: type[DriverFault], **facts: Any) -> DriverFault:
    driver = DriverError(f"no, not {SECRET}\nDETAIL: {SECRET}")
    error = kind("INSERT INTO account VALUES (:name)", {"name": SECRET}, driver)
    error.fault = Fault(**facts)
    return error


def leaves(kind: type[DriverFault]) -> set[type[DriverFault]]:
    below = kind.__subclasses__()
    return {leaf for each in below for leaf in leaves(each)} or {kind}


@pytest.mark.parametrize("kind", sorted(leaves(DriverFault), key=str))
def test_every_error_has_an_answer_without_values(
    kind: type[DriverFault], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    answer = answer_of(error_of(kind))
    assert answer is not None
    assert answer.status_code == REFUSALS[kind].status
    (record,) = caplog.records
    for told in (bytes(answer.body).decode(), record.getMessage()):
        assert REFUSALS[kind].code in told
        assert SECRET not in told or issubclass(kind, ServerUnreachable)
        assert "INSERT" not in told
    again = answer.headers.get("retry-after")
    assert (again is not None) == (answer.status_code == 503)


def test_a_client_may_come_again_only_where_nothing_was_done() -> None:
    for kind, refusal in REFUSALS.items():
        assert (refusal.retry_after_s is not None) == (refusal.status == 503), kind
    assert REFUSALS[ConnectionLost].status == 503
    assert REFUSALS[CommitUnknown].status == 500


def test_the_line_has_the_facts(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    answer_of(error_of(UniqueViolation, sqlstate="23505", constraint="uq_a", table="a"))
    assert caplog.messages == [
        "[db.E021] a request clashes with rows that are there"
        " (UniqueViolation, uq_a of a, SQLSTATE 23505)"
    ]


def test_the_traceback_is_there_for_whoever_asks(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("FASTFORGE_TRACEBACK", "1")
    error = error_of(TooManyConnections)
    answer_of(error)
    assert caplog.records[0].exc_info == (type(error), error, None)


def test_a_pool_of_somebody_elses_is_exhausted_too() -> None:
    answer = answer_of(exc.TimeoutError("QueuePool limit"))
    assert answer is not None
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize(
    "error", [ValueError("x"), exc.SQLAlchemyError("x"), PoolExhausted("x", code="db.E007")]
)
def test_what_is_not_the_databases_is_left_to_others(error: Exception) -> None:
    assert answer_of(error) is None


async def test_a_commit_that_fails_for_want_of_a_connection_says_when_to_come_again() -> None:
    async def receive() -> Any:
        raise AssertionError

    error = PoolExhausted("x", code="db.E007")
    answer = await answer_of_failed_commit(error, {"type": "http"}, receive)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
