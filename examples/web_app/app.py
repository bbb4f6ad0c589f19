"""The app: sign in, call the API, refresh, sign out. Everything it knows of the server comes from discovery."""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Flask, Response, abort, redirect, render_template, request, session, url_for
from joserfc.errors import JoseError

from .visits import Visit, Visits

SCOPE = "openid profile email offline_access photos:read"
TIMEOUT = 10
SIGN_IN_FAILED = (AuthlibBaseError, JoseError, requests.RequestException, KeyError, ValueError)


def create_app(issuer: str, client_id: str, client_secret: str, api: str, base_url: str) -> Flask:
    """The app at `base_url`, a client of `issuer`, calling the API with the identifier `api`."""
    app = Flask(__name__)
    # Cookies do not know ports: every app on this machine needs a cookie name of its own.
    app.config.update(SESSION_COOKIE_NAME="photo_harbour", SESSION_COOKIE_SAMESITE="Lax")
    app.secret_key = secrets.token_bytes(32)
    visits = Visits()
    oauth = OAuth(app)
    server = oauth.register(
        "server",
        client_id=client_id,
        client_secret=client_secret,
        server_metadata_url=f"{issuer}/.well-known/openid-configuration",
        client_kwargs={"scope": SCOPE, "code_challenge_method": "S256", "default_timeout": TIMEOUT},
    )

    def metadata() -> dict[str, Any]:
        found: dict[str, Any] = server.load_server_metadata()
        if found["issuer"] != issuer:  # OIDC Discovery §4.3
            raise ValueError("the metadata is another issuer's")
        return found

    def page(status: int = 200, **facts: Any) -> tuple[str, int]:
        visit = visits.find(session.get("visit", ""))
        return render_template("home.html", visit=visit, issuer=issuer, api=api, **facts), status

    @app.get("/")
    def home() -> tuple[str, int]:
        return page()

    @app.get("/sign-in")
    def sign_in() -> Response:
        metadata()
        # Authlib makes state, nonce and code_verifier, and keeps them in the session cookie until the answer comes.
        # offline_access is given only with a fresh consent (OIDC Core §11).
        answer: Response = server.authorize_redirect(f"{base_url}/callback", resource=api, prompt="consent")
        return answer

    @app.get("/callback")
    def callback() -> Any:
        if request.args.get("iss") != issuer:  # RFC 9207 §2.4: the answer of another server, or of none
            return page(400, problem="The answer did not come from the server that was asked.")
        try:
            # The first token is for the server's own UserInfo endpoint; one for the API is fetched when it is needed.
            userinfo_endpoint = metadata()["userinfo_endpoint"]
            token = server.authorize_access_token(resource=userinfo_endpoint)
            person = server.userinfo(token=token)
            if person["sub"] != token["userinfo"]["sub"]:  # OIDC Core §5.3.2
                raise ValueError("UserInfo speaks of somebody else")
        except SIGN_IN_FAILED as error:
            app.logger.warning("sign-in failed: %s", error)
            return page(400, problem="Signing in did not work out.", reason=getattr(error, "error", ""))
        session.clear()  # a new session for a new person
        session["visit"] = visits.begin(
            Visit(dict(person), token["id_token"], token["refresh_token"], scope=token.get("scope", SCOPE))
        )
        return redirect(url_for("home"), 303)

    def refresh(visit: Visit) -> None:
        """Trade the refresh token for a new one and a token for the API (RFC 6749 §6, RFC 8707 §2.2)."""
        token = server.fetch_access_token(
            grant_type="refresh_token", refresh_token=visit.refresh_token, resource=api, scope=""
        )
        visit.refresh_token = token.get("refresh_token", visit.refresh_token)
        visit.api_token = token["access_token"]
        visit.api_scope = token["scope"]
        visit.api_token_until = time.time() + token["expires_in"]
        visit.refreshed += 1

    def photos(visit: Visit) -> requests.Response:
        return requests.get(f"{api}photos", headers={"Authorization": f"Bearer {visit.api_token}"}, timeout=TIMEOUT)

    @app.post("/call-api")
    def call_api() -> tuple[str, int]:
        visit = visits.find(session.get("visit", ""))
        if visit is None:
            return page(401, problem="The API was not called: nobody is signed in, so there is no token for it.")
        try:
            with visit.lock:
                if visit.needs_token:
                    refresh(visit)
            answer = photos(visit)
        except SIGN_IN_FAILED as error:
            return page(502, problem="The API could not be called.", reason=getattr(error, "error", ""))
        if answer.status_code != 200:
            return page(502, problem="The API refused.", reason=answer.headers.get("WWW-Authenticate", ""))
        return page(result=answer.json())

    @app.post("/refresh")
    def refresh_now() -> tuple[str, int]:
        visit = visits.find(session.get("visit", ""))
        if visit is None:
            return page(401, problem="Nothing was refreshed: nobody is signed in.")
        try:
            with visit.lock:
                refresh(visit)
        except SIGN_IN_FAILED as error:
            return page(502, problem="The server did not refresh the token.", reason=getattr(error, "error", ""))
        return page(notice="There is a new token, and a new refresh token with it.")

    @app.post("/sign-out")
    def sign_out() -> Any:
        visit = visits.end(session.pop("visit", ""))
        if visit is None:
            return redirect(url_for("home"), 303)
        # offline_access outlives the browser session at the server, so what we hold is given back (RFC 7009) ...
        with suppress(requests.RequestException):
            requests.post(
                metadata()["revocation_endpoint"],
                data={"token": visit.refresh_token, "token_type_hint": "refresh_token"},
                auth=(client_id, client_secret),
                timeout=TIMEOUT,
            )
        # ... and then the session itself ends there too (RP-Initiated Logout §2).
        return server.logout_redirect(f"{base_url}/signed-out", id_token_hint=visit.id_token, client_id=client_id)

    @app.get("/signed-out")
    def signed_out() -> tuple[str, int]:
        try:
            server.validate_logout_response()
        except AuthlibBaseError:
            return page()
        return page(notice="You are signed out, here and at the server.")

    @app.before_request
    def only_from_our_own_pages() -> Any:
        if f"http://{request.host}" != base_url and request.method == "GET":
            return redirect(base_url + request.full_path.rstrip("?"))
        if request.method == "POST" and request.headers.get("Origin") != base_url:
            abort(403)
        return None

    @app.after_request
    def restrict(response: Response) -> Response:
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(issuer))
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {origin}; "
            "base-uri 'none'; frame-ancestors 'none'"
        )
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["X-Content-Type-Options"] = "nosniff"
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response

    return app
