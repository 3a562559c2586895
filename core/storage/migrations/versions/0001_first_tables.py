"""The first tables: ventures and versions, links, runs and metrics, workers and beats."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "ventures",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_zh", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
    )
    op.create_index("ix_ventures_owner_updated_at", "ventures", ["owner", "updated_at"])

    op.create_table(
        "venture_versions",
        sa.Column("venture_id", sa.Text, sa.ForeignKey("ventures.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("parent", sa.Integer),
        sa.Column("restores", sa.Integer),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_index(
        "ix_venture_versions_venture_id_parent_version",
        "venture_versions",
        ["venture_id", "parent", "version"],
    )

    op.create_table(
        "links",
        sa.Column("token", sa.Text, primary_key=True),
        sa.Column("venture_id", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("revoked_at", sa.Double),
        sa.Column("opened", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(
            ["venture_id", "version"],
            ["venture_versions.venture_id", "venture_versions.version"],
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_links_venture_id_version", "links", ["venture_id", "version"])

    op.create_table(
        "runs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("venture_id", sa.Text, sa.ForeignKey("ventures.id", ondelete="CASCADE")),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("summary", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("device", sa.Text),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("total_steps", sa.Integer),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("submitted_at", sa.Double, nullable=False),
        sa.Column("started_at", sa.Double),
        sa.Column("ended_at", sa.Double),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("lease_owner", sa.Text),
        sa.Column("lease_until", sa.Double),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
    )
    op.create_index("ix_runs_owner_submitted_at", "runs", ["owner", "submitted_at"])
    op.create_index("ix_runs_venture_id", "runs", ["venture_id"])
    op.create_index("ix_runs_state_submitted_at", "runs", ["state", "submitted_at"])

    op.create_table(
        "run_metrics",
        sa.Column("run_id", sa.Text, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("epoch", sa.Double, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("loss", sa.Double),
        sa.Column("accuracy", sa.Double),
    )

    op.create_table(
        "workers",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("beat_at", sa.Double, nullable=False),
    )
    op.create_table(
        "beats",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("beat_at", sa.Double, nullable=False),
    )
