"""What people need: mail, second factors, activity, and more about accounts."""


revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each block belongs to one part of the server."""


def downgrade() -> None:
    """In the reverse order."""
