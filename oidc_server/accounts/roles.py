"""Giving people roles and groups, and taking them away: everywhere, or roles at one client alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..database import db, now, transact
from . import client_roles
from .claims import ClaimRefused, names_of
from .models import Account

# More clients of one person than this are a mistake; each is a row that an export carries.
_MOST_CLIENTS = 500


def grant(
    account_id: str, *, roles: Iterable[str] = (), groups: Iterable[str] = (), client_id: str | None = None
) -> Account:
    """Add roles and groups that the person has not yet; with `client_id` the roles are for that client alone.

    Tokens that are out keep what they say until they end. Raises ClaimRefused, and LookupError for an unknown account.
    """
    return _change(account_id, lambda had, given: [*had, *given], roles, groups, client_id)


def revoke(
    account_id: str, *, roles: Iterable[str] = (), groups: Iterable[str] = (), client_id: str | None = None
) -> Account:
    """Take roles and groups away; with `client_id` the roles at that client alone. Raises as grant() does."""
    return _change(account_id, lambda had, given: [one for one in had if one not in given], roles, groups, client_id)


def _change(
    account_id: str,
    change: Callable[[list[str], list[str]], list[str]],
    roles: Iterable[str],
    groups: Iterable[str],
    client_id: str | None,
) -> Account:
    given_roles, given_groups = names_of("roles", roles), names_of("groups", groups)

    def work() -> Account:
        fresh = db.session.get_one(Account, account_id, populate_existing=True, with_for_update=True)
        before = (fresh.roles, fresh.groups)
        # Assigned anew, never changed in place: the session would not see that.
        fresh.groups = names_of("groups", change(list(fresh.groups), given_groups))
        if client_id is None:
            fresh.roles = names_of("roles", change(list(fresh.roles), given_roles))
        changed = before != (fresh.roles, fresh.groups)
        if client_id is not None and given_roles:
            changed = _change_at(fresh, client_id, change, given_roles) or changed
        if changed:
            fresh.updated_at = now()
        return fresh

    return transact(work)


def _change_at(
    account: Account, client_id: str, change: Callable[[list[str], list[str]], list[str]], given: list[str]
) -> bool:
    if not client_roles.existing_clients([client_id]):
        raise ClaimRefused("There is no such client; `flask clients list` shows them.")
    had = client_roles.roles_at(account.id, client_id)
    wanted = names_of("roles", change(had, given))
    everywhere = client_roles.of_accounts([account.id]).get(account.id, {})
    if client_id not in everywhere and len(everywhere) >= _MOST_CLIENTS:
        raise ClaimRefused(f"One person has roles at no more than {_MOST_CLIENTS} clients.")
    client_roles.put(account.id, client_id, wanted)
    return wanted != had
