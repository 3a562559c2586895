"""How long runs held their devices, kept apart from the runs: what a day's limit is counted from."""

import json
import time

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_DAY_S = 86_400.0


def upgrade() -> None:
    op.add_column("runs", sa.Column("held_before", sa.Double, nullable=False, server_default="0"))
    table = op.create_table(
        "device_time",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("attempt", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double, nullable=False),
        sa.Column("price_per_hour", sa.Double, nullable=False),
    )
    op.create_index("ix_device_time_owner_ended_at", "device_time", ["owner", "ended_at"])
    # What was used in the last day counts on.
    lately = sa.text(
        "SELECT id, attempt, owner, started_at, ended_at, spec FROM runs "
        "WHERE started_at IS NOT NULL AND ended_at > :since"
    )
    rows = [
        {
            "run_id": row.id,
            "attempt": row.attempt,
            "owner": row.owner,
            "started_at": row.started_at,
            "ended_at": row.ended_at,
            "price_per_hour": float(json.loads(row.spec).get("price_per_hour") or 0.0),
        }
        for row in op.get_bind().execute(lately, {"since": time.time() - _DAY_S})
    ]
    op.bulk_insert(table, rows)
