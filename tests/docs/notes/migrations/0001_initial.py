"""Initial."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "notes.0001_initial"
down_revision = None
branch_labels = ("notes",)
depends_on = None


def upgrade(op: Operations) -> None:
    op.create_table(
        "notes_note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("words", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes_note")),
    )


def downgrade(op: Operations) -> None:
    op.drop_table("notes_note")
