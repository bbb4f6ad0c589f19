"""The write transaction and the migrations, on SQLite and on PostgreSQL."""
