"""What an app and a browser send, as the text of HTTP requests: ready to be sent by many at one instant (RFC 9112)."""

from __future__ import annotations

import base64
from urllib.parse import urlencode

from tests import flows

API = "https://api.photos.example/"
CALLBACK = "https://photos.example/callback"
SCOPE = "openid photos:read"


def request_of(**parameters: str) -> dict[str, str]:
    """The parameters of a good authorization request for the photo API, changed by these."""
    return flows.request_of(**{"redirect_uri": CALLBACK, "scope": SCOPE, "resource": API, **parameters})


class Requests:
    """The requests to a server on `port`, by clients whose secrets it knows."""

    port: int
    secrets: dict[str, str]

    def get(self, target: str, **headers: str) -> str:
        lines = [f"GET {target} HTTP/1.1", f"Host: localhost:{self.port}", *(f"{n}: {v}" for n, v in headers.items())]
        return "\r\n".join([*lines, "", ""])

    def post(
        self, path: str, client_id: str | None = None, *, headers: dict[str, str] | None = None, **form: str
    ) -> str:
        body = urlencode(form)
        lines = [
            f"POST {path} HTTP/1.1",
            f"Host: localhost:{self.port}",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(body)}",
        ]
        if client_id is not None:
            credentials = base64.b64encode(f"{client_id}:{self.secrets[client_id]}".encode()).decode()
            lines.append(f"Authorization: Basic {credentials}")
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        return "\r\n".join([*lines, "", body])

    def redemption(self, code: str) -> str:
        return self.post(
            "/token",
            "web",
            grant_type="authorization_code",
            code=code,
            redirect_uri=CALLBACK,
            code_verifier=flows.VERIFIER,
        )

    def refreshing(self, refresh_token: str) -> str:
        return self.post("/token", "web", grant_type="refresh_token", refresh_token=refresh_token)

    def introspection(self, token: str, client_id: str = "api") -> str:
        return self.post("/introspect", client_id, token=token)

    def authorization(self, cookies: str, **parameters: str) -> str:
        return self.get("/authorize?" + urlencode(request_of(**parameters)), Cookie=cookies)
