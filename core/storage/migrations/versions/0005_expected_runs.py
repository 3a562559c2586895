"""The runs that somebody has on the screen, so that a worker can make itself ready for the newest."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "expected_runs",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("told_at", sa.Double, nullable=False),
    )
