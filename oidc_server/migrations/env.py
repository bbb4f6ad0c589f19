"""Alembic's entry: the migrations run on the connection, and in the transaction, that the command opened."""

from alembic import context

from oidc_server.database import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
    transaction_per_migration=False,
)
context.run_migrations()
