"""Wire: how jobs are written in Redis. The one module that imports arq.

Of arq 0.28 these are used, and nothing else:

* the names of its keys (`arq.constants`): `arq:queue`, `arq:job:<id>`, `arq:result:<id>`;
* its formats (`arq.jobs.serialize_job`, `serialize_result`), with its hook for a serializer: ours
  is JSON, where arq's default is pickle, by which whoever can write to Redis runs code in a worker.

So arq's own client reads what is kept here, given the deserializer:

    ArqRedis(connection_pool=..., job_deserializer=fastforge.contrib.arq.load_json)

`queued_jobs`, `Job.info`, `Job.result_info` and `Job.result` then work; `Job.status` says
`deferred` of a job that runs. What it enqueues runs as well, when it is given `dump_json` and the
name of a task with keyword arguments alone.

Not used, because they lose or delay jobs (docs/jobs-arq.md says how): arq's worker, its claims,
retries, abort, cron, and its in-progress keys. What an envelope has besides arq's fields
stands in the job under the key `ff`, which arq's client ignores.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from ..._utils import known_fields, missing_extra
from ...tasks.envelope import VERSION, Envelope
from ...tasks.limits import Pace, Slots, UniqueKey
from .fitness import MOST_SMALL, refuse_unfit

try:
    from arq.constants import default_queue_name, job_key_prefix, result_key_prefix
    from arq.jobs import serialize_job, serialize_result
except ImportError as error:
    raise missing_extra("arq", "arq") from error

__all__ = [
    "JOB_PREFIX",
    "QUEUE_NAME",
    "RESULT_PREFIX",
    "Written",
    "dump_json",
    "load_json",
    "read_envelope",
    "read_job",
    "read_result",
    "uid_of",
    "write_envelope",
    "write_job",
    "write_result",
]

L = TypeVar("L", UniqueKey, Slots, Pace)

JOB_PREFIX: Final[str] = job_key_prefix
RESULT_PREFIX: Final[str] = result_key_prefix
QUEUE_NAME: Final[str] = default_queue_name
_UNREADABLE: Final = (
    *(ValueError, TypeError, KeyError, AttributeError),
    *(OverflowError, RecursionError),
)
UNREADABLE_SHOWN: Final = 20


def dump_json(value: Mapping[str, Any]) -> bytes:
    """Write a job as arq's client would, but as JSON: its `job_serializer`."""
    return json.dumps(value, separators=(",", ":"), default=repr).encode()


def load_json(data: bytes) -> dict[str, Any]:
    """Read a job or a result: the `job_deserializer` of arq's client.

    Raises:
        ValueError: It is no JSON.
        TypeError: It is no JSON object.
    """
    value = json.loads(data)
    if not isinstance(value, dict):
        raise TypeError(f"a JSON object is expected, not {type(value).__name__}")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A job as it was read.

    Args:
        envelope: The job, or what could be read of it.
        enqueued_at: When it was enqueued.
        fault: Why it cannot be read; None when it can.
    """

    envelope: Envelope
    enqueued_at: datetime
    fault: str | None = None


def write_job(envelope: Envelope, enqueued_at: datetime) -> bytes:
    """Return a job in arq's format."""

    def write(fields: dict[str, Any]) -> bytes:
        return dump_json(fields | {"ff": _extras(envelope, enqueued_at)})

    written: bytes = serialize_job(
        envelope.task,
        (),
        dict(envelope.payload),
        None,
        _ms(enqueued_at),
        serializer=write,
    )
    return written


def write_envelope(envelope: Envelope, now: datetime) -> bytes:
    """Return a job that is not enqueued yet, with its id: what comes when a batch is over."""
    return envelope.uid.encode() + b" " + write_job(envelope, now)


def read_envelope(data: bytes) -> Envelope:
    """Read what `write_envelope` wrote."""
    key, _, written = data.partition(b" ")
    return read_job(key.decode(), written, "").envelope


def read_job(key: str, data: bytes, queue: str) -> Written:
    """Read a job. Of one that is no JSON nothing is loaded, and its bytes are kept as they are.

    One in a newer form has no fault: it is put back, for a worker that can read it.

    Args:
        key: Its id in Redis.
        data: What stands there; empty when there is nothing.
        queue: The queue that it was found in.
    """
    fields: dict[str, Any] = {}
    try:
        fields = load_json(data)
        return _written(key, fields, queue)
    except _UNREADABLE as error:
        unread, newer = _unread(key, data, queue), _newer_version(fields)
        if newer is not None:
            return replace(unread, envelope=replace(unread.envelope, version=newer))
        return replace(unread, fault=_fault(data, error))


def write_result(
    envelope: Envelope,
    *,
    enqueued_at: datetime,
    started_at: datetime,
    finished_at: datetime,
    attempt: int,
    result: Any,
    **more: Any,
) -> bytes:
    """Return how a job ended well, in arq's format."""

    def write(fields: dict[str, Any]) -> bytes:
        return dump_json(fields | {"ff": _extras(envelope, enqueued_at) | more})

    queue = envelope.queue
    written: bytes | None = serialize_result(
        envelope.task,
        (),
        dict(envelope.payload),
        attempt,
        _ms(enqueued_at),
        True,
        result,
        _ms(started_at),
        _ms(finished_at),
        envelope.uid,
        QUEUE_NAME if queue == "default" else f"{QUEUE_NAME}:{queue}",
        envelope.uid,
        serializer=write,
    )
    assert written is not None  # JSON values only
    return written


def read_result(key: str, data: bytes) -> tuple[Written, dict[str, Any]]:
    """Read what `write_result` wrote: the job, and all fields."""
    fields = load_json(data)
    return _written(key, fields, ""), fields


def _written(key: str, fields: Mapping[str, Any], queue: str) -> Written:
    extras = fields.get("ff") or {}
    if fields["a"]:
        raise ValueError("a task takes its arguments by name, and these have none")
    if not isinstance(fields["f"], str) or not isinstance(fields["k"], dict):
        raise TypeError("it names no task, or its arguments are no object")
    envelope = Envelope(
        task=fields["f"],
        payload=fields["k"],
        queue=extras.get("q", queue or "default"),
        uid=uid_of(key),
        headers=extras.get("h", {}),
        run_at=_moment(extras.get("d")),
        delay_s=extras.get("l", 0),
        max_attempts=extras.get("m", 10),
        version=extras.get("v", 1),
        priority=extras.get("p", 0),
        expires_at=_moment(extras.get("x")),
        unique=_limit(UniqueKey, extras["u"]) if "u" in extras else None,
        slots=_limit(Slots, extras["s"]) if "s" in extras else None,
        pace=_limit(Pace, extras["r"]) if "r" in extras else None,
        batch=extras.get("b"),
    )
    refuse_unfit(envelope)
    enqueued_ms = extras["t"] / 1000 if "t" in extras else fields["et"]
    return Written(envelope=envelope, enqueued_at=_of_ms(enqueued_ms))


def _limit(kind: type[L], fields: Any) -> L:
    if not isinstance(fields, dict):
        raise TypeError(f"{fields!r} is no limit")
    return kind(**known_fields(kind, fields))


def _extras(envelope: Envelope, enqueued_at: datetime) -> dict[str, Any]:
    """Return what arq has no field for; what is as usual is left out."""
    unique, slots, pace = envelope.unique, envelope.slots, envelope.pace
    extras = {
        "v": envelope.version,
        "t": int(enqueued_at.timestamp() * 1_000_000),
        "q": envelope.queue,
        "h": dict(envelope.headers) or None,
        "d": envelope.run_at.isoformat() if envelope.run_at else None,
        "l": envelope.delay_s or None,
        "m": envelope.max_attempts,
        "p": envelope.priority or None,
        "x": envelope.expires_at.isoformat() if envelope.expires_at else None,
        "u": {"key": unique.key, "for_s": unique.for_s} if unique else None,
        "s": {"key": slots.key, "limit": slots.limit} if slots else None,
        "r": {"key": pace.key, "limit": pace.limit, "per_s": pace.per_s} if pace else None,
        "b": envelope.batch,
    }
    return {name: value for name, value in extras.items() if value is not None}


def _unread(key: str, data: bytes, queue: str) -> Written:
    envelope = Envelope(
        task="(unreadable)",
        payload={"base64": base64.b64encode(data).decode()},
        queue=queue,
        uid=uid_of(key),
        headers={},
    )
    return Written(envelope=envelope, enqueued_at=datetime.now(UTC))


def _newer_version(fields: Mapping[str, Any]) -> int | None:
    extras = fields.get("ff")
    version = extras.get("v") if isinstance(extras, dict) else None
    return version if type(version) is int and VERSION < version <= MOST_SMALL else None


def _fault(data: bytes, error: Exception) -> str:
    if not data:
        return "its data is gone from Redis"
    if data[:1] == b"\x80":
        return "it is a pickle, which is never loaded: it could run code"
    if isinstance(error, KeyError):
        return f"it lacks the field {error}"
    if isinstance(error, UnicodeDecodeError | json.JSONDecodeError | RecursionError):
        return f"it is no JSON: {data[:UNREADABLE_SHOWN]!r}"
    return str(error)


def uid_of(key: str) -> str:
    """Return the id of a job in the database, where it has to be a UUID."""
    try:
        return str(uuid.UUID(key))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, key))


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _of_ms(value: float) -> datetime:
    return datetime.fromtimestamp(value / 1000, UTC)
