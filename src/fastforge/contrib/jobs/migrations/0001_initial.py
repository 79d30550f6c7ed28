"""Create the tables of jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "jobs.0001_initial"
down_revision = None
branch_labels = ("jobs",)
depends_on = None

TIME = sa.DateTime(timezone=True)
UID = sa.Uuid(as_uuid=False)


def upgrade(op: Operations) -> None:
    """Create the table of jobs with its partial indexes, and the tables beside it."""
    _create_jobs(op)
    _create_limits(op)
    _create_records(op)


def downgrade(op: Operations) -> None:
    """Drop the tables, and with them every job."""
    for table in ("worker", "paused_queue", "schedule_run", "batch", "pacing", "unique_key", "job"):
        op.drop_table(f"jobs_{table}")


def _create_jobs(op: Operations) -> None:
    op.create_table(
        "jobs_job",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", UID, nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("run_at", TIME, nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("max_attempts", sa.SmallInteger(), nullable=False),
        sa.Column("lease_until", TIME, nullable=True),
        sa.Column("worker_id", sa.Text(), nullable=True),
        sa.Column("enqueued_at", TIME, nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("keep_until", TIME, nullable=True),
        sa.Column("errors", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("unique_key", sa.Text(), nullable=True),
        sa.Column("slots_key", sa.Text(), nullable=True),
        sa.Column("slots_limit", sa.Integer(), nullable=True),
        sa.Column("pace_key", sa.Text(), nullable=True),
        sa.Column("pace_limit", sa.Integer(), nullable=True),
        sa.Column("pace_per_s", sa.Double(), nullable=True),
        sa.Column("paced", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("batch", UID, nullable=True),
        sa.Column("cancelling", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("progress", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs_job")),
        sa.UniqueConstraint("uid", name=op.f("uq_jobs_job_uid")),
    )
    _create_partial(op, "ix_jobs_job_waiting", ["queue", "priority", "run_at", "id"], "state = 0")
    _create_partial(op, "ix_jobs_job_lease", ["lease_until"], "state = 1")
    _create_partial(op, "ix_jobs_job_ended", ["state", "queue", "keep_until"], "state >= 2")
    _create_partial(op, "ix_jobs_job_forwarding", ["id"], "state = -2")
    _create_partial(
        op, "ix_jobs_job_slots", ["slots_key", "state"], "slots_key IS NOT NULL AND state < 2"
    )
    held = ["priority", "run_at", "id"]
    _create_partial(op, "ix_jobs_job_held", ["slots_key", *held], "paced IS FALSE AND state = -1")
    _create_partial(
        op, "ix_jobs_job_held_by_pace", ["pace_key", *held], "paced IS TRUE AND state = -1"
    )
    _create_partial(
        op,
        "ix_jobs_job_to_pace",
        ["pace_key"],
        "pace_key IS NOT NULL AND paced IS FALSE AND state = 0",
    )
    _create_partial(op, "ix_jobs_job_cancelling", ["worker_id"], "cancelling IS TRUE AND state = 1")
    _create_partial(op, "ix_jobs_job_batch", ["batch"], "batch IS NOT NULL")


def _create_partial(op: Operations, name: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(
        name,
        "jobs_job",
        columns,
        unique=False,
        postgresql_where=condition,
        sqlite_where=condition,
    )


def _create_index(op: Operations, table: str, column: str) -> None:
    op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)


def _create_limits(op: Operations) -> None:
    op.create_table(
        "jobs_unique_key",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("uid", UID, nullable=False),
        sa.Column("until", TIME, nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_jobs_unique_key")),
    )
    _create_index(op, "jobs_unique_key", "uid")
    _create_index(op, "jobs_unique_key", "until")
    op.create_table(
        "jobs_pacing",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("next_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_jobs_pacing")),
    )
    op.create_table(
        "jobs_batch",
        sa.Column("uid", UID, nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("pending", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("then", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("enqueued_at", TIME, nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_jobs_batch")),
    )
    _create_index(op, "jobs_batch", "finished_at")


def _create_records(op: Operations) -> None:
    op.create_table(
        "jobs_schedule_run",
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("uid", UID, nullable=True),
        sa.Column("entered_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("schedule", "due_at", name=op.f("pk_jobs_schedule_run")),
    )
    _create_index(op, "jobs_schedule_run", "entered_at")
    op.create_table(
        "jobs_paused_queue",
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("paused_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("queue", name=op.f("pk_jobs_paused_queue")),
    )
    op.create_table(
        "jobs_worker",
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("queues", sa.JSON(), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column("running", sa.Integer(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("beat_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("worker_id", name=op.f("pk_jobs_worker")),
    )
