"""Tasks: functions that run later, in a worker, with the same annotations as a handler.

Names are imported when they are first used: reading the settings needs only those of this room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..lifecycle import injected as injected
    from .backend import Backend as Backend
    from .backend import BackendAway as BackendAway
    from .backend import BackendUnready as BackendUnready
    from .backend import Claim as Claim
    from .backend import Claimed as Claimed
    from .backend import ClaimRequest as ClaimRequest
    from .backend import Enqueued as Enqueued
    from .backend import NewBatch as NewBatch
    from .backend import Renewal as Renewal
    from .backend import Settlement as Settlement
    from .backend import TaskBackend as TaskBackend
    from .batches import Batch as Batch
    from .calls import Call as Call
    from .clock import Clock as Clock
    from .consumer import Consumer as Consumer
    from .control import ConsumerOptions as ConsumerOptions
    from .control import Stop as Stop
    from .declaration import Task as Task
    from .declaration import task as task
    from .desk import JobDesk as JobDesk
    from .ends import JobCancelled as JobCancelled
    from .ends import JobFailed as JobFailed
    from .ends import JobUnfinished as JobUnfinished
    from .ends import JobUnknown as JobUnknown
    from .enqueuer import PreparedTask as PreparedTask
    from .envelope import Envelope as Envelope
    from .execution import JobRunner as JobRunner
    from .gauges import Histogram as Histogram
    from .gauges import JobGauges as JobGauges
    from .gauges import job_gauges as job_gauges
    from .handles import JobHandle as JobHandle
    from .kinds import JOB_LISTENERS as JOB_LISTENERS
    from .kinds import SCHEDULES as SCHEDULES
    from .kinds import TASK_BACKENDS as TASK_BACKENDS
    from .kinds import TASKS as TASKS
    from .ledger import ScheduleLedger as ScheduleLedger
    from .limits import Concurrency as Concurrency
    from .limits import Rate as Rate
    from .limits import Unique as Unique
    from .listeners import JobEvent as JobEvent
    from .listeners import JobListener as JobListener
    from .listeners import on_job as on_job
    from .memory import MemoryBackend as MemoryBackend
    from .outcome import AttemptError as AttemptError
    from .outcome import JobState as JobState
    from .outcome import Outcome as Outcome
    from .outcome import Verdict as Verdict
    from .progress import report_progress as report_progress
    from .records import BatchRecord as BatchRecord
    from .records import JobQuery as JobQuery
    from .records import JobRecord as JobRecord
    from .records import Progress as Progress
    from .retry import NoRetry as NoRetry
    from .retry import Retry as Retry
    from .schedules.due import scheduled_for as scheduled_for
    from .schedules.schedule import Schedule as Schedule
    from .schedules.schedule import every as every
    from .sending import enqueue_many as enqueue_many
    from .settings import Tasks as Tasks

_LAZY = {
    "AttemptError": "outcome",
    "Backend": "backend",
    "BackendAway": "backend",
    "BackendUnready": "backend",
    "Batch": "batches",
    "BatchRecord": "records",
    "Call": "calls",
    "Claim": "backend",
    "ClaimRequest": "backend",
    "Claimed": "backend",
    "Clock": "clock",
    "Concurrency": "limits",
    "Consumer": "consumer",
    "ConsumerOptions": "control",
    "Enqueued": "backend",
    "Envelope": "envelope",
    "JobCancelled": "ends",
    "JobDesk": "desk",
    "JobFailed": "ends",
    "JobHandle": "handles",
    "Histogram": "gauges",
    "JOB_LISTENERS": "kinds",
    "JobEvent": "listeners",
    "JobGauges": "gauges",
    "JobListener": "listeners",
    "JobQuery": "records",
    "JobRecord": "records",
    "JobRunner": "execution",
    "JobState": "outcome",
    "JobUnfinished": "ends",
    "JobUnknown": "ends",
    "MemoryBackend": "memory",
    "NewBatch": "backend",
    "NoRetry": "retry",
    "Outcome": "outcome",
    "PreparedTask": "enqueuer",
    "Progress": "records",
    "Rate": "limits",
    "Renewal": "backend",
    "Retry": "retry",
    "ScheduleLedger": "ledger",
    "SCHEDULES": "kinds",
    "Schedule": "schedules.schedule",
    "Settlement": "backend",
    "Stop": "control",
    "TASKS": "kinds",
    "TASK_BACKENDS": "kinds",
    "Task": "declaration",
    "TaskBackend": "backend",
    "Tasks": "settings",
    "Unique": "limits",
    "Verdict": "outcome",
    "enqueue_many": "sending",
    "every": "schedules.schedule",
    "scheduled_for": "schedules.due",
    "job_gauges": "gauges",
    "on_job": "listeners",
    "report_progress": "progress",
    "task": "declaration",
}

__all__ = [
    "JOB_LISTENERS",
    "SCHEDULES",
    "TASKS",
    "TASK_BACKENDS",
    "AttemptError",
    "Backend",
    "BackendAway",
    "BackendUnready",
    "Batch",
    "BatchRecord",
    "Call",
    "Claim",
    "ClaimRequest",
    "Claimed",
    "Clock",
    "Concurrency",
    "Consumer",
    "ConsumerOptions",
    "Enqueued",
    "Envelope",
    "Histogram",
    "JobCancelled",
    "JobDesk",
    "JobEvent",
    "JobFailed",
    "JobGauges",
    "JobHandle",
    "JobListener",
    "JobQuery",
    "JobRecord",
    "JobRunner",
    "JobState",
    "JobUnfinished",
    "JobUnknown",
    "MemoryBackend",
    "NewBatch",
    "NoRetry",
    "Outcome",
    "PreparedTask",
    "Progress",
    "Rate",
    "Renewal",
    "Retry",
    "Schedule",
    "ScheduleLedger",
    "Settlement",
    "Stop",
    "Task",
    "TaskBackend",
    "Tasks",
    "Unique",
    "Verdict",
    "enqueue_many",
    "every",
    "injected",
    "job_gauges",
    "on_job",
    "report_progress",
    "scheduled_for",
    "task",
]


def __getattr__(name: str) -> object:
    if name == "injected":
        from ..lifecycle import injected

        return injected
    from .._utils import lazy_attribute

    return lazy_attribute(__name__, _LAZY, name)
