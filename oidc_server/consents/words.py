"""What an app may do, in words: the lines of the consent page, and of the list of connected apps."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from ..languages import translate
from ..resources import ProtectedResource


@dataclass(frozen=True)
class ScopeText:
    """One line: what it allows in words, and the value that is shared; `link` is where the person changes it."""

    name: str
    title: str
    value: str
    icon: str
    link: str = ""


def texts(account: Any, shared: Collection[str], resources: Iterable[ProtectedResource]) -> list[ScopeText]:
    """The lines of these scopes, in their order; never none."""
    known = _known(account)
    found = [known[name] for name in shared if name in known]
    for resource in resources:
        found += [
            ScopeText(name, resource.scopes[name] or name, resource.name, "key")
            for name in shared
            if name in resource.scopes and name not in known and name != "openid"
        ]
    return found or [ScopeText("openid", translate("Know that it is you"), account.username, "openid")]


def _known(account: Any) -> dict[str, ScopeText]:
    claims = account.claims or {}
    address = claims.get("address") or {}
    lines = address.get("formatted") or ", ".join(map(str, address.values()))
    found = (
        ScopeText("profile", translate("See your name and picture"), claims.get("name") or account.username, "profile"),
        ScopeText("email", translate("See your e-mail address"), account.email or "", "email"),
        ScopeText("address", translate("See your postal address"), lines, "address"),
        ScopeText("phone", translate("See your phone number"), claims.get("phone_number") or "", "phone"),
        ScopeText("roles", translate("See your roles"), ", ".join(account.roles or ()), "roles"),
        ScopeText("groups", translate("See the groups you belong to"), ", ".join(account.groups or ()), "groups"),
        ScopeText(
            "offline_access",
            translate("Keep access while you are away"),
            translate("Until you remove it in your account"),
            "offline_access",
            link="/account/apps",
        ),
    )
    return {text.name: text for text in found}
