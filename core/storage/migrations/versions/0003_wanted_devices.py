"""The device that a run must have, beside its specification, so that a claim can pass over it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("runs", sa.Column("wanted", sa.Text, nullable=False, server_default=""))
