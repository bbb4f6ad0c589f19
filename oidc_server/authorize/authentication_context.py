"""How strongly the person must have signed in for this request, and which `acr` its tokens carry. OIDC Core §2, §3.1.2.1, §5.5.1.1."""

from __future__ import annotations

from typing import Any

from .. import factors
from ..errors import ProtocolError
from ..sessions import Session
from .walk import Walk


class SecondFactorNeeded(ProtocolError):
    """Somebody is signed in, but with one factor where two are needed: the page of the second factor can help."""

    def __init__(self) -> None:
        super().__init__("login_required", "A second factor is needed.")


def essential_acr(walk: Walk) -> str:
    """The least acr that an essential request leaves, or the empty string. What is voluntary refuses nobody (OIDC Core §5.5.1)."""
    return next((acr for acr in factors.ACR_VALUES if acr in _essential(walk)), "")


def is_strong_enough(walk: Walk, session: Session) -> bool:
    """Whether the session was opened with as many factors as the app, the person's roles and the person's own factors ask for."""
    if session.acr == factors.TWO_FACTORS:
        return True
    if essential_acr(walk) == factors.TWO_FACTORS:
        return False
    account = session.account
    return factors.reaches(session.acr, factors.acr_needed(account, factors.has_any(account.id), walk.client))


def acr_of(walk: Walk, session: Session) -> str:
    """The strongest acr that was asked for and is reached, for who has two factors has one as well; else the session's own."""
    wanted = _essential(walk) or [*walk.parameters.get("acr_values", "").split(), *_values(_requested(walk))]
    reached = [acr for acr in factors.ACR_VALUES if acr in wanted and factors.reaches(session.acr, acr)]
    return reached[-1] if reached else session.acr


def unmet() -> ProtocolError:
    """OpenID Connect Core Error Code unmet_authentication_requirements 1.0."""
    return ProtocolError(
        "unmet_authentication_requirements", "The person did not give the second factor that was asked for."
    )


def _essential(walk: Walk) -> list[str]:
    requested = _requested(walk)
    return _values(requested) if requested.get("essential") else []


def _requested(walk: Walk) -> dict[str, Any]:
    return walk.claims.get("id_token", {}).get("acr") or {}


def _values(requested: dict[str, Any]) -> list[str]:
    values = requested.get("values") or [requested.get("value")]
    return [str(one) for one in values] if isinstance(values, list) else []
