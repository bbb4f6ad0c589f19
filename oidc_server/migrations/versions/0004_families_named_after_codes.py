"""A family is named after its code, so its hash needs no column and no index.

A code that comes again is always refused; that its family ends with it is true of families begun under the schema that is there.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_CONSTRAINT = "uq_token_families_code_hash"


def upgrade() -> None:
    with op.batch_alter_table("token_families") as table:
        table.drop_constraint(_CONSTRAINT, type_="unique")
        table.drop_column("code_hash")


def downgrade() -> None:
    with op.batch_alter_table("token_families") as table:
        table.add_column(sa.Column("code_hash", sa.String(64), nullable=True))
        table.create_unique_constraint(_CONSTRAINT, ["code_hash"])
