"""The OpenAPI 3.1 document, made of operations.py and problem.KINDS."""

from __future__ import annotations

from typing import Any

from ..resources import ROLES_SCOPE
from .declaration import ALWAYS, MOST_IN_A_LIST, Answer, Field, Operation
from .operations import ACCOUNT, HANDLE, OPERATIONS
from .problem import KINDS, MEDIA_TYPE

Json = dict[str, Any]

_ABOUT = (
    "Sign-up, sign-in and passwords as JSON, for a program that has forms of its own. Requests are application/json; errors are problem "
    "details (RFC 9457) in the language of Accept-Language. No address answers other origins (CORS)."
)
_TEXT: Json = {"type": "string"}
_HANDLE: Json = {"type": "string", "pattern": f"^[0-9a-f]{{{len(HANDLE)}}}$"}
_WAIT: Json = {
    "Retry-After": {"description": "Seconds to wait.", "required": True, "schema": {"type": "integer", "minimum": 1}}
}


def _object(properties: Json, *optional: str, description: str = "") -> Json:
    required = [name for name in properties if name not in optional]
    found: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    return found | ({"required": required} if required else {}) | ({"description": description} if description else {})


def _ref(kind: str, name: str) -> Json:
    return {"$ref": f"#/components/{kind}/{name}"}


_SCHEMAS: Json = {
    "Account": _object(
        {name: {"type": "boolean" if isinstance(value, bool) else "string"} for name, value in ACCOUNT.items()},
        *("email", "email_verified", "name"),
        description="A person, in the words of OpenID Connect Core §5.1.",
    ),
    "Registered": _object(
        {"account": _ref("schemas", "Account"), "request": _HANDLE, "verification_required": {"type": "boolean"}},
        "request",
    ),
    "Asked": _object({"request": _HANDLE}),
    "Confirmed": _object({"account": _ref("schemas", "Account")}),
    "SignedIn": _object(
        {
            "account": _ref("schemas", "Account"),
            "acr": {"enum": ["1", "2"]},
            "amr": {"type": "array", "items": _TEXT, "minItems": 1},
            "auth_time": {"type": "integer"},
        }
    ),
    "Rights": _object(
        {
            "account": _ref("schemas", "Account"),
            "roles": {"type": "array", "items": _TEXT},
            "groups": {"type": "array", "items": _TEXT},
            "client_roles": {
                "type": "object",
                "additionalProperties": {"type": "array", "items": _TEXT},
                "description": "client_id -> the roles at that app alone.",
            },
        }
    ),
    "Problem": _object(
        {
            "type": {"type": "string", "format": "uri"},
            "title": _TEXT | {"minLength": 1},
            "status": {"type": "integer"},
            "detail": _TEXT | {"minLength": 1},
            "errors": {
                "type": "array",
                "minItems": 1,
                "items": _object({"field": _TEXT, "message": _TEXT | {"minLength": 1}}),
            },
            "field": {"const": "code", "description": "The field to send the second factor in."},
            "factors": {"type": "array", "items": {"enum": ["passkey", "recovery_code", "totp"]}},
            "request": _HANDLE,
            "url": {"type": "string", "format": "uri"},
        },
        *("errors", "field", "factors", "request", "url"),
        description="Problem details (RFC 9457); what follows `errors` is there with the problems that need it.",
    ),
}
#: What a problem says beside its words, always.
_MEMBERS = {
    "second-factor-required": ("field", "factors"),
    "wrong-code": ("field", "factors"),
    "email-not-verified": ("request",),
    "sign-in-page-needed": ("url",),
    "invalid-fields": ("errors",),
    "account-exists": ("errors",),
}


def build(issuer: str, cookie: str) -> Json:
    """The document of the server at `issuer`, whose session cookie is named `cookie`."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Accounts", "version": "1", "description": _ABOUT},
        "servers": [{"url": issuer}],
        "externalDocs": {"description": "The same to read", "url": f"{issuer}/api"},
        "paths": {operation.path: {"post": _operation(operation, issuer)} for operation in OPERATIONS},
        "components": {
            "schemas": _SCHEMAS,
            "responses": {"method-not-allowed": _problem_response(["method-not-allowed"], issuer)},
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": cookie},
                "client": {"type": "oauth2", "flows": {"clientCredentials": _client_credentials(issuer)}},
            },
        },
    }


def _client_credentials(issuer: str) -> Json:
    return {"tokenUrl": f"{issuer}/token", "scopes": {ROLES_SCOPE: "Change roles and groups; resource: this API."}}


def _operation(operation: Operation, issuer: str) -> Json:
    found: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": operation.description,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _request_schema(operation), "example": operation.example}},
        },
        "responses": {str(answer.status): _response(answer) for answer in operation.answers}
        | _problem_responses(operation, issuer),
    }
    # Without the cookie logout and reset do what is left to do.
    if operation.takes_session:
        found["security"] = [{"session": []}] + ([{}] if "sign-in-required" not in operation.problems else [])
    if operation.takes_token:
        found["security"] = [{"client": [ROLES_SCOPE]}]
    return found


def _request_schema(operation: Operation) -> Json:
    schema = _object(
        {field.name: _field(field) for field in operation.fields}, *(field.name for field in operation.fields)
    )
    ways = [{"required": list(way)} for way in operation.ways if way]
    return schema | (ways[0] if len(ways) == 1 else {"anyOf": ways} if ways else {})


def _field(field: Field) -> Json:
    kind: Json = (
        {"type": "boolean", "default": False} if field.is_truth else {"type": "string", "maxLength": field.most}
    )
    if field.is_list:
        kind = {"type": "array", "items": kind, "maxItems": MOST_IN_A_LIST}
    return kind | {"description": field.description} | ({"format": "password"} if field.is_secret else {})


def _response(answer: Answer) -> Json:
    found: Json = {"description": answer.description}
    if answer.sets_session:
        found["headers"] = {"Set-Cookie": {"description": "The session.", "required": True, "schema": _TEXT}}
    if answer.example is not None:
        content = {"schema": _ref("schemas", answer.schema), "example": answer.example}
        found["content"] = {"application/json": content}
    return found


def _problem_responses(operation: Operation, issuer: str) -> Json:
    by_status: dict[int, list[str]] = {}
    for name in (*operation.problems, *ALWAYS):
        by_status.setdefault(KINDS[name].status, []).append(name)
    return {str(status): _problem_response(by_status[status], issuer) for status in sorted(by_status)}


def _problem_response(names: list[str], issuer: str) -> Json:
    kinds = [KINDS[name] for name in names]
    cases = [_case(name, issuer) for name in names]
    schema = {"allOf": [_ref("schemas", "Problem"), cases[0] if len(cases) == 1 else {"oneOf": cases}]}
    examples = {name: {"value": example_of(name, issuer)} for name in names}
    found: Json = {
        "description": " / ".join(kind.title for kind in kinds),
        "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}},
    }
    return found | ({"headers": _WAIT} if kinds[0].status in (429, 503) else {})


def _case(name: str, issuer: str) -> Json:
    schema: Json = {"properties": {"type": {"const": f"{issuer}/api#{name}"}, "status": {"const": KINDS[name].status}}}
    return schema | ({"required": list(_MEMBERS[name])} if name in _MEMBERS else {})


def example_of(name: str, issuer: str) -> Json:
    """A problem as it is answered, in English."""
    kind = KINDS[name]
    members: Json = {
        "field": "code",
        "factors": ["recovery_code", "totp"],
        "request": HANDLE,
        "url": f"{issuer}/login",
        "errors": [{"field": "email", "message": "This address already has an account."}],
    }
    words: Json = {"type": f"{issuer}/api#{name}", "title": kind.title, "status": kind.status, "detail": kind.detail}
    return words | {member: members[member] for member in _MEMBERS.get(name, ())}
