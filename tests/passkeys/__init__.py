"""Passkeys, from the bytes of an authenticator to the browser."""
