"""Create the table of jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "jobs.0001_initial"
down_revision = None
branch_labels = ("jobs",)
depends_on = None


def upgrade(op: Operations) -> None:
    """Create the table and its three partial indexes."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        "jobs_job",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("run_at", time, nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("max_attempts", sa.SmallInteger(), nullable=False),
        sa.Column("lease_until", time, nullable=True),
        sa.Column("worker_id", sa.Text(), nullable=True),
        sa.Column("enqueued_at", time, nullable=False),
        sa.Column("started_at", time, nullable=True),
        sa.Column("finished_at", time, nullable=True),
        sa.Column("keep_until", time, nullable=True),
        sa.Column("errors", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs_job")),
        sa.UniqueConstraint("uid", name=op.f("uq_jobs_job_uid")),
    )
    op.create_index(
        "ix_jobs_job_waiting",
        "jobs_job",
        ["queue", "priority", "run_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 0"),
        sqlite_where=sa.text("state = 0"),
    )
    op.create_index(
        "ix_jobs_job_lease",
        "jobs_job",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("state = 1"),
        sqlite_where=sa.text("state = 1"),
    )
    op.create_index(
        "ix_jobs_job_ended",
        "jobs_job",
        ["keep_until"],
        unique=False,
        postgresql_where=sa.text("state >= 2"),
        sqlite_where=sa.text("state >= 2"),
    )


def downgrade(op: Operations) -> None:
    """Drop the table, and with it every job."""
    op.drop_index("ix_jobs_job_ended", table_name="jobs_job")
    op.drop_index("ix_jobs_job_lease", table_name="jobs_job")
    op.drop_index("ix_jobs_job_waiting", table_name="jobs_job")
    op.drop_table("jobs_job")
