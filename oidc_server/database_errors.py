"""What an error of the database means for who caused it: to be tried again, to be overtaken, to find nobody there."""

from __future__ import annotations

import logging
import sqlite3

from sqlalchemy.exc import DBAPIError, NoResultFound, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# Serialization failure, deadlock, lock not available (PostgreSQL, appendix A of its manual).
_RETRIED_SQLSTATES = frozenset({"40001", "40P01", "55P03"})
_FOREIGN_KEY = ("23503", "SQLITE_CONSTRAINT_FOREIGNKEY")


class Unavailable(Exception):
    """The database did not answer in time or kept refusing; the caller may try again (503, Retry-After)."""


class Overtaken(Unavailable):
    """What was to be written belongs to something that another request has just deleted; who tries again is told what is missing."""


def may_help_to_retry(error: BaseException) -> bool:
    """Whether the same transaction may well succeed in a moment."""
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.OperationalError):
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return getattr(error.orig, "sqlstate", None) in _RETRIED_SQLSTATES


def misses_its_owner(error: BaseException) -> bool:
    """Whether the row is not there that this was about: by a foreign key, or because it was to be locked."""
    if isinstance(error, NoResultFound):
        return True
    said = getattr(error, "orig", None)
    return (getattr(said, "sqlstate", None) or getattr(said, "sqlite_errorname", None)) in _FOREIGN_KEY


def is_outage(error: BaseException) -> bool:
    """Whether an exception means that the database is away, so that the honest answer is 503 and not 500."""
    return isinstance(error, (Unavailable, PoolTimeout, OperationalError)) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )


def severity(outage: BaseException) -> int:
    """The level of logging: nobody need get up for a request that was overtaken by a deletion."""
    return logging.INFO if isinstance(outage, Overtaken) else logging.ERROR
