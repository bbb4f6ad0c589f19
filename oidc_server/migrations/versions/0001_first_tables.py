"""The first tables: people, apps, protected resources, browser sessions, consents, token families, short-lived values."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("username_key", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("email_key", sa.String(length=254), nullable=True),
        sa.Column("email_verified", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("claims", sa.JSON(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("groups", sa.JSON(), nullable=False),
        sa.Column("disabled_at", sa.Double(), nullable=True),
        sa.Column("password_changed_at", sa.Double(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.Column("last_login_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("email_key", name="uq_accounts_email_key"),
        sa.UniqueConstraint("username_key", name="uq_accounts_username_key"),
    )
    op.create_table(
        "clients",
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("client_name", sa.String(length=255), nullable=False),
        sa.Column("token_endpoint_auth_method", sa.String(length=40), nullable=False),
        sa.Column("token_endpoint_auth_signing_alg", sa.String(length=20), nullable=True),
        sa.Column("grant_types", sa.JSON(), nullable=False),
        sa.Column("response_types", sa.JSON(), nullable=False),
        sa.Column("redirect_uris", sa.JSON(), nullable=False),
        sa.Column("post_logout_redirect_uris", sa.JSON(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("default_resource", sa.String(length=255), nullable=True),
        sa.Column("jwks", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("id_token_signed_response_alg", sa.String(length=20), nullable=False),
        sa.Column("client_uri", sa.String(length=2000), nullable=True),
        sa.Column("logo_uri", sa.String(length=2000), nullable=True),
        sa.Column("policy_uri", sa.String(length=2000), nullable=True),
        sa.Column("tos_uri", sa.String(length=2000), nullable=True),
        sa.Column("contacts", sa.JSON(), nullable=False),
        sa.Column("require_pkce", sa.Boolean(), nullable=True),
        sa.Column("default_max_age", sa.Integer(), nullable=True),
        sa.Column("require_auth_time", sa.Boolean(), nullable=False),
        sa.Column("is_trusted", sa.Boolean(), nullable=False),
        sa.Column("metadata_extra", sa.JSON(), nullable=False),
        sa.Column("disabled_at", sa.Double(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name="pk_clients"),
    )
    op.create_table(
        "protected_resources",
        sa.Column("identifier", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("access_token_lifetime", sa.Integer(), nullable=True),
        sa.Column("introspection_client_ids", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("identifier", name="pk_protected_resources"),
    )
    op.create_table(
        "short_lived_values",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key_hash", name="pk_short_lived_values"),
    )
    op.create_index("ix_short_lived_values_expires_at", "short_lived_values", ["expires_at"], unique=False)
    op.create_table(
        "sign_in_failures",
        sa.Column("bucket", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.Double(), nullable=False),
        sa.Column("last_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", name="pk_sign_in_failures"),
    )
    op.create_index("ix_sign_in_failures_expires_at", "sign_in_failures", ["expires_at"], unique=False)
    op.create_table(
        "client_secrets",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(length=512), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=True),
        sa.Column("last_used_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.client_id"], name="fk_client_secrets_client_id_clients", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_client_secrets"),
    )
    op.create_index("ix_client_secrets_client_id", "client_secrets", ["client_id"], unique=False)
    op.create_table(
        "consents",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("scope", sa.JSON(), nullable=False),
        sa.Column("resources", sa.JSON(), nullable=False),
        sa.Column("granted_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_consents_account_id_accounts", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.client_id"], name="fk_consents_client_id_clients", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "client_id", name="pk_consents"),
    )
    op.create_table(
        "known_devices",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("device_hash", sa.String(length=64), nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.Column("last_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_known_devices_account_id_accounts", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "device_hash", name="pk_known_devices"),
    )
    op.create_index("ix_known_devices_last_at", "known_devices", ["last_at"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("cookie_hash", sa.String(length=64), nullable=False),
        sa.Column("sid", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("auth_time", sa.Double(), nullable=False),
        sa.Column("acr", sa.String(length=100), nullable=False),
        sa.Column("amr", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("last_seen_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_sessions_account_id_accounts", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("cookie_hash", name="pk_sessions"),
        sa.UniqueConstraint("sid", name="uq_sessions_sid"),
    )
    op.create_index("ix_sessions_account_id", "sessions", ["account_id"], unique=False)
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"], unique=False)
    op.create_table(
        "token_families",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("session_sid", sa.String(length=32), nullable=True),
        sa.Column("authorization", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("revoked_at", sa.Double(), nullable=True),
        sa.Column("revoked_because", sa.String(length=40), nullable=True),
        sa.Column("code_hash", sa.String(length=64), nullable=True),
        sa.Column("refresh_hash", sa.String(length=64), nullable=True),
        sa.Column("refresh_generation", sa.Integer(), nullable=False),
        sa.Column("refresh_expires_at", sa.Double(), nullable=True),
        sa.Column("previous_hash", sa.String(length=64), nullable=True),
        sa.Column("rotated_at", sa.Double(), nullable=True),
        sa.Column("sealed_successor", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_token_families_account_id_accounts", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.client_id"], name="fk_token_families_client_id_clients", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_token_families"),
        sa.UniqueConstraint("code_hash", name="uq_token_families_code_hash"),
    )
    op.create_index("ix_token_families_account_id", "token_families", ["account_id"], unique=False)
    op.create_index("ix_token_families_client_id", "token_families", ["client_id"], unique=False)
    op.create_index("ix_token_families_expires_at", "token_families", ["expires_at"], unique=False)
    op.create_index("ix_token_families_session_sid", "token_families", ["session_sid"], unique=False)


def downgrade() -> None:
    for table in (
        "token_families",
        "sessions",
        "known_devices",
        "consents",
        "client_secrets",
        "sign_in_failures",
        "short_lived_values",
        "protected_resources",
        "clients",
        "accounts",
    ):
        op.drop_table(table)
