"""Where parked requests are kept: in the storage of short-lived values, as one kind."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from .. import csrf, languages
from ..database import now, transact
from ..errors import PageError
from ..server import current_server

_KIND = "authorization_request"
#: Parameters that hold a credential: one that is of no use here, or whose use is over once the request was validated.
_NOT_KEPT = frozenset(
    {
        *("access_token", "client_assertion", "client_secret", "code", "code_verifier"),
        *("id_token", "id_token_hint", "password", "refresh_token", "token"),
    }
)


@dataclass
class ParkedRequest:
    """One authorization request on its way.

    `parameters` is what the app sent, each with its list of values, and `redirect_uri` where it is answered;
    `browser_hash` the browser that goes on with it (empty until one came: a cross-site POST brings no cookies);
    `hinted_sub` is the person of its id_token_hint, which as a token is not kept;
    `required_acr` the least acr that it can be answered with, if it says so (OIDC Core §5.5.1.1);
    `denied` and `chosen_sid` what the person decided so far, `is_unmet` that they stopped before the second factor.
    """

    parameters: dict[str, list[str]]
    client_id: str
    redirect_uri: str
    parked_at: float
    expires_at: float
    browser_hash: str = ""
    hinted_sub: str = ""
    denied: bool = False
    chosen_sid: str = ""
    required_acr: str = ""
    is_unmet: bool = False
    id: str = field(default="", compare=False)

    def parameter(self, name: str) -> str:
        """A parameter of the request, or the empty string."""
        return (self.parameters.get(name) or [""])[0]


def park(
    parameters: Mapping[str, list[str]],
    client_id: str,
    redirect_uri: str,
    *,
    hinted_sub: str = "",
    bound: bool = True,
) -> ParkedRequest:
    """Store an authorization request and give it its id, 160 random bits; with `bound` only this browser can go on with it."""
    at = now()
    parked = ParkedRequest(
        parameters={name: values for name, values in parameters.items() if name not in _NOT_KEPT},
        client_id=client_id,
        redirect_uri=redirect_uri,
        parked_at=at,
        expires_at=at + current_server.settings.authorization_request_lifetime,
        browser_hash=_browser_hash() if bound else "",
        hinted_sub=hinted_sub,
        id=secrets.token_urlsafe(20),
    )
    save(parked)
    return parked


def save(parked: ParkedRequest) -> None:
    """Write down what changed."""
    value = asdict(parked)
    del value["id"]
    transact(lambda: current_server.storage.put(_KIND, parked.id, value, parked.expires_at))


def find(identifier: str) -> ParkedRequest:
    """The parked request of this id, of this browser.

    Raises PageError when it has ended or belongs to another browser: somebody's link cannot pull another person into their sign-in.
    """
    value = current_server.storage.read(_KIND, identifier)
    if value is None:
        raise PageError("request_ended", detail="unknown or expired transaction")
    parked = ParkedRequest(**value, id=identifier)
    if parked.browser_hash and not hmac.compare_digest(parked.browser_hash, _browser_hash()):
        raise PageError("request_ended", detail="transaction of another browser")
    languages.learn(ui_locales=parked.parameter("ui_locales"), transaction=parked.id)
    return parked


def bind(parked: ParkedRequest) -> None:
    """Tie a request that came without cookies to the first browser that goes on with it."""
    if not parked.browser_hash:
        parked.browser_hash = _browser_hash()
        save(parked)


def complete(parked: ParkedRequest) -> None:
    """Spend the request: of simultaneous completions one goes on, the others get PageError. Call inside database.transact()."""
    if current_server.storage.take(_KIND, parked.id) is None:
        raise PageError("request_ended", detail="transaction completed twice")


def _browser_hash() -> str:
    return hashlib.sha256(csrf.browser_id().encode()).hexdigest()
