"""A program that speaks to the accounts API; every answer it gets is held against the OpenAPI document of the server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from werkzeug.test import TestResponse

from .. import flows

PREFIX = "/api/v1/accounts"
DOCUMENT = "urn:openapi"


@dataclass
class Program:
    """A client with a cookie jar, as requests.Session is one."""

    app: Flask
    has_jar: bool = True
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client(use_cookies=self.has_jar)

    def post(self, name: str, headers: dict[str, str] | None = None, /, **fields: Any) -> TestResponse:
        """POST these fields as JSON."""
        url = f"{PREFIX}/{name}"
        response = self.client.post(url, json=fields, base_url=flows.base_url(self.app), headers=headers)
        self.require_documented(name, "post", response)
        return response

    def send(
        self, name: str, body: bytes = b"{}", method: str = "POST", query: str = "", **headers: str
    ) -> TestResponse:
        """Send these very bytes; header names have _ for -."""
        named = {"Content-Type": "application/json"} | {key.replace("_", "-"): value for key, value in headers.items()}
        response = self.client.open(
            f"{PREFIX}/{name}{query}", method=method, data=body, base_url=flows.base_url(self.app), headers=named
        )
        self.require_documented(name, method.lower(), response)
        return response

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, base_url=flows.base_url(self.app))

    @cached_property
    def document(self) -> dict[str, Any]:
        response = self.get("/api/openapi.json")
        assert response.status_code == 200
        found: dict[str, Any] = response.get_json()
        return found

    def require_documented(self, name: str, method: str, response: TestResponse) -> None:
        """The status, the type, the headers and the body are what the document says of them."""
        operation = self.document["paths"][f"{PREFIX}/{name}"].get(method)
        if operation is None:
            assert response.status_code == 405
            pointer = "/components/responses/method-not-allowed"
            said = self.document["components"]["responses"]["method-not-allowed"]
        else:
            assert str(response.status_code) in operation["responses"], (response.status_code, response.text)
            said = operation["responses"][str(response.status_code)]
            path = f"{PREFIX}/{name}".replace("/", "~1")
            pointer = f"/paths/{path}/{method}/responses/{response.status_code}"
        for header, described in said.get("headers", {}).items():
            assert header in response.headers
            if described["schema"].get("type") == "integer":
                assert int(response.headers[header]) >= described["schema"]["minimum"]
        if method == "head":
            return
        if "content" not in said:
            assert response.data == b""
            return
        assert [response.content_type] == list(said["content"])
        media_type = response.content_type.replace("/", "~1")
        self.validator(f"{pointer}/content/{media_type}/schema").validate(response.get_json(force=True))

    def validator(self, pointer: str) -> Draft202012Validator:
        """What checks a value against the schema at this place of the document."""
        registry = Registry().with_resource(DOCUMENT, DRAFT202012.create_resource(self.document))
        return Draft202012Validator({"$ref": f"{DOCUMENT}#{pointer}"}, registry=registry)


def kind_of(response: TestResponse) -> str:
    """The last part of the type of a problem."""
    assert response.content_type == "application/problem+json", response.text
    name: str = response.get_json(force=True)["type"].rpartition("#")[2]
    return name


def fields_of(response: TestResponse) -> list[str]:
    """The fields that a problem has messages for."""
    return [error["field"] for error in response.get_json(force=True)["errors"]]


@pytest.fixture
def program(app: Flask) -> Program:
    return Program(app)


@pytest.fixture
def open_program(make_app: Callable[..., Flask]) -> Program:
    """A program at a server where everybody may sign up."""
    return Program(make_app(sign_up="open"))


@pytest.fixture
def hidden_program(make_app: Callable[..., Flask]) -> Program:
    """A program at a server that hides who has an account."""
    return Program(make_app(sign_up="open", hide_accounts=True))
