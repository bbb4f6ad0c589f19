"""The OpenAPI document is one, its examples are what it says, and the readable page has all of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator

from .. import flows
from .conftest import Program

#: https://spec.openapis.org/oas/3.1/schema/2022-10-07, as published.
OFFICIAL = json.loads(Path(__file__).with_name("openapi-3.1.schema.json").read_text("utf-8"))


def schemas_of(node: Any) -> Iterator[dict[str, Any]]:
    """Every schema object of the document."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "schema":
                yield value
            elif name == "schemas":
                yield from value.values()
            yield from schemas_of(value)
    elif isinstance(node, list):
        for value in node:
            yield from schemas_of(value)


def test_the_document_is_valid_openapi_3_1(program: Program) -> None:
    Draft202012Validator(OFFICIAL).validate(program.document)
    found = list(schemas_of(program.document))
    assert len(found) > 50
    for schema in found:
        Draft202012Validator.check_schema(schema)


def test_the_official_schema_would_find_a_mistake(program: Program) -> None:
    broken = program.document | {"paths": {"/x": {"post": {"responses": {"200": {}}}}}}
    assert list(Draft202012Validator(OFFICIAL).iter_errors(broken))


def test_the_document_names_every_address_that_is_mounted(program: Program) -> None:
    mounted = {rule.rule for rule in program.app.url_map.iter_rules() if rule.rule.startswith("/api/v1/")}
    assert set(program.document["paths"]) == mounted
    assert program.document["servers"] == [{"url": flows.base_url(program.app)}]


def test_every_example_is_what_its_schema_says(program: Program) -> None:
    checked = 0
    for path, item in program.document["paths"].items():
        operation, pointer = item["post"], f"/paths/{path.replace('/', '~1')}/post"
        [(_, request)] = operation["requestBody"]["content"].items()
        validator = program.validator(f"{pointer}/requestBody/content/application~1json/schema")
        validator.validate(request["example"])
        for status, response in operation["responses"].items():
            for media_type, content in response.get("content", {}).items():
                examples = [content["example"]] if "example" in content else []
                examples += [one["value"] for one in content.get("examples", {}).values()]
                assert examples
                validator = program.validator(
                    f"{pointer}/responses/{status}/content/{media_type.replace('/', '~1')}/schema"
                )
                for example in examples:
                    validator.validate(example)
                    checked += 1
    assert checked > 60


def test_the_document_may_be_kept_a_while_and_is_not_sent_twice(program: Program) -> None:
    first = program.get("/api/openapi.json")
    again = program.client.get(
        "/api/openapi.json", base_url=flows.base_url(program.app), headers={"If-None-Match": first.headers["ETag"]}
    )
    assert first.headers["Cache-Control"] == "public, max-age=300"
    assert again.status_code == 304 and again.data == b""


def test_the_readable_page_has_every_address_and_a_paragraph_for_every_type(program: Program) -> None:
    page = program.get("/api")

    assert page.status_code == 200
    assert "script" not in page.text.partition("</head>")[2]
    for path, item in program.document["paths"].items():
        assert path in page.text
        for response in item["post"]["responses"].values():
            for content in response.get("content", {}).values():
                for example in content.get("examples", {}).values():
                    anchor = example["value"]["type"].rpartition("#")[2]
                    assert f'id="{anchor}"' in page.text


def test_the_readable_page_speaks_the_language_of_the_browser(program: Program) -> None:
    page = program.client.get("/api", base_url=flows.base_url(program.app), headers={"Accept-Language": "ar"})
    assert '<html lang="ar" dir="rtl">' in page.text


def test_a_server_that_does_not_want_the_api_has_none_of_it(make_app: Callable[..., Flask]) -> None:
    app = make_app(accounts_api=False)
    client = app.test_client()
    for path in ("/api", "/api/openapi.json", "/api/v1/accounts/login"):
        assert client.get(path, base_url=flows.base_url(app)).status_code == 404
    assert client.post("/api/v1/accounts/login", json={}, base_url=flows.base_url(app)).status_code == 404


@pytest.mark.row("WB-05")
@pytest.mark.parametrize("path", ["/api", "/api/openapi.json"])
def test_nothing_of_it_answers_other_origins(program: Program, path: str) -> None:
    response = program.client.get(
        path, base_url=flows.base_url(program.app), headers={"Origin": "https://evil.example"}
    )
    assert "Access-Control-Allow-Origin" not in response.headers
