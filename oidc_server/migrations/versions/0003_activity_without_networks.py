"""Activity is found by its account alone."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Some databases of the unreleased 0002 have this index, others never had it.
    op.execute("DROP INDEX IF EXISTS ix_activity_network_at")


def downgrade() -> None:
    """Nothing: 0002 works without it."""
