"""Sweeps: many runs under one question and one budget."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "sweeps",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("venture_id", sa.Text, sa.ForeignKey("ventures.id", ondelete="CASCADE")),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double),
    )
    op.create_index("ix_sweeps_owner_created_at", "sweeps", ["owner", "created_at"])
    op.create_index("ix_sweeps_venture_id", "sweeps", ["venture_id"])
    op.create_index("ix_sweeps_state", "sweeps", ["state"])
    op.add_column("runs", sa.Column("sweep_id", sa.Text))
    op.create_index("ix_runs_sweep_id", "runs", ["sweep_id"])
