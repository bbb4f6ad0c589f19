"""Signing out: at once for an app that shows an ID token of this very session, after a question for everybody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flask import Response, make_response, render_template, request

from .. import csrf, headers, languages, sessions, strict_form
from ..clients import store as clients
from ..errors import PageError, Pages
from ..form import Form
from ..responses import see_other
from ..server import current_server
from ..tokens import id_token, sign_in

blueprint = Pages("logout", __name__)


@dataclass(frozen=True)
class LogoutRequest:
    """A checked request to sign out; `redirect_uri` is registered for the client, or empty."""

    client: Any
    hint: dict[str, Any] | None
    redirect_uri: str
    parameters: Form

    def is_of(self, session: sessions.Session) -> bool:
        """Whether the id_token_hint belongs to this browser session."""
        return self.hint is not None and self.hint["sub"] == session.account_id and self.hint.get("sid") == session.sid


@blueprint.route("/logout", methods=["GET", "POST"], provide_automatic_options=False)
def logout() -> Response:
    """The end_session_endpoint (RP-Initiated Logout §2); its own confirmation comes back to it as a form of ours."""
    if request.method == "HEAD":
        return Response(status=204)
    parameters = strict_form.read_authorization_parameters(request)
    languages.learn(ui_locales=parameters.get("ui_locales"))
    is_confirmed = request.method == "POST" and csrf.FIELD in parameters
    if is_confirmed:
        csrf.check(parameters, "logout")
        if parameters.get("decision") == "stay":
            return see_other("/login")
    asked = _validated(parameters)
    session = sessions.current()
    if session is None and request.method == "POST" and not is_confirmed:
        # A cross-site POST brings no cookies (SameSite=Lax); as a GET the same request does.
        return see_other(_as_get(parameters))
    if session is not None:
        if not (is_confirmed or asked.is_of(session)):
            return _confirm(asked, session)
        sign_in.close_session(session)
    # Without a hint, only what the person confirmed leads back to the app (§2, §6).
    if asked.redirect_uri and (asked.hint is not None or is_confirmed):
        return see_other(asked.redirect_uri)
    client = f"?client_id={quote(asked.client.client_id, safe='')}" if asked.client is not None else ""
    return see_other(f"/logged-out{client}")


@blueprint.get("/logged-out")
def logged_out() -> Response:
    """The page that confirms and leads on."""
    client_id = strict_form.read_query(request).get("client_id")
    client = clients.find_active(client_id) if client_id else None
    return make_response(render_template("logout/logged_out.html", client=client))


def _validated(parameters: Form) -> LogoutRequest:
    """Check hint, client and redirect URI against each other; an invalid hint never redirects (§4)."""
    if parameters.duplicates:
        raise PageError("bad_request", developer="A parameter was sent more than once.")
    text, client_id = parameters.get("id_token_hint"), parameters.get("client_id")
    hint = id_token.read_hint(text) if text is not None else None
    if text is not None and hint is None:
        raise PageError("logout_hint", developer="The id_token_hint is not an ID token of this server.")
    if hint is not None and client_id is not None and hint["aud"] != client_id:
        raise PageError("logout_hint", developer="The id_token_hint was not issued to this client_id.")
    client = clients.find_active(client_id or (hint["aud"] if hint is not None else ""))
    uri = parameters.get("post_logout_redirect_uri", "")
    if client is None or not client.check_post_logout_redirect_uri(uri):
        uri = ""
    if uri and (state := parameters.get("state")):
        uri += ("&" if "?" in uri else "?") + "state=" + quote(state, safe="")
    return LogoutRequest(client, hint, uri, parameters)


def _confirm(asked: LogoutRequest, session: sessions.Session) -> Response:
    if asked.redirect_uri:
        headers.allow_form_action(asked.redirect_uri, *asked.client.redirect_uris, asked.client.client_uri or "")
    kept = ("client_id", "post_logout_redirect_uri", "state", "id_token_hint")
    return make_response(
        render_template(
            "logout/confirm.html",
            client=asked.client,
            account=session.account,
            fields=[(name, asked.parameters[name]) for name in kept if name in asked.parameters],
        )
    )


def _as_get(parameters: Form) -> str:
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
    return current_server.settings.url("/logout") + ("?" + query if query else "")
