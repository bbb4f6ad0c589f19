"""What may be registered: the same checks for a new client and for a changed one."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from joserfc.jwk import ECKey, OctKey, RSAKey

from oidc_server import database
from oidc_server.clients import authentication, store
from oidc_server.clients.metadata import InvalidMetadata, InvalidRedirectUri
from oidc_server.clients.registration_answer import document_of, registration_answer

from .conftest import EC, ED, RSA, WEB, Register, jwks_of
from .test_redirect_uris import GOOD, UNREGISTRABLE

pytestmark = pytest.mark.row("DR-11")

#: Line ends, controls, marks and overrides of direction, a character nobody sees, half a character.
DECEPTIVE = "\n\0\x1b\x7f\u2028\u200f\u202e\u2066\u061c\u200b\ufeff\ud800"


def assert_refused(register: Register, error: type[InvalidMetadata] = InvalidMetadata, **changes: Any) -> None:
    before = documents()
    with pytest.raises(InvalidMetadata) as refusal:
        register(**changes)
    assert type(refusal.value) is error, refusal.value
    assert str(refusal.value).endswith(".")
    # create() left nothing behind; update() left the client that it was to change as it was.
    after = documents()
    assert [after.pop(client_id) for client_id in before] == list(before.values())
    assert [document for document in after.values() if not document.items() >= WEB.items()] == []


def documents() -> dict[str, dict[str, Any]]:
    database.db.session.expire_all()
    return {client.client_id: document_of(client) for client in store.list_clients()}


@pytest.mark.parametrize("row", sorted(UNREGISTRABLE))
@pytest.mark.row("DR-02", *sorted(UNREGISTRABLE), "RU-25")
def test_no_dangerous_redirect_uri_is_registered(register: Register, row: str) -> None:
    for uri in UNREGISTRABLE[row]:
        assert_refused(register, InvalidRedirectUri, redirect_uris=[uri])
        assert_refused(register, InvalidRedirectUri, redirect_uris=["https://photos.example/cb2", uri])
        assert_refused(register, InvalidRedirectUri, post_logout_redirect_uris=[uri])


def test_good_redirect_uris_are_kept_character_by_character(register: Register) -> None:
    client = register(redirect_uris=GOOD, post_logout_redirect_uris=GOOD).client
    assert client.redirect_uris == GOOD
    assert client.post_logout_redirect_uris == GOOD


@pytest.mark.row("DR-02")
@pytest.mark.parametrize(
    "value",
    ["https://photos.example/cb", [1], [None], [["https://photos.example/cb"]], {}, [], ["https://a.example/"] * 51],
)
def test_redirect_uris_are_a_list_of_texts(register: Register, value: Any) -> None:
    assert_refused(register, InvalidRedirectUri, redirect_uris=value)


@pytest.mark.row("RU-14", "DR-07")
@pytest.mark.parametrize("name", ["client_uri", "logo_uri", "policy_uri", "tos_uri"])
def test_uris_that_people_may_click_are_web_pages(register: Register, name: str) -> None:
    for uri in (
        *UNREGISTRABLE["RU-14"],
        "http://photos.example/",
        "https://photos.example/#x",
        1,
        ["https://x.example/"],
    ):
        changes: dict[str, Any] = {name: uri}
        assert_refused(register, **changes)
    assert getattr(register(**{name: "https://photos.example/about"}).client, name) == "https://photos.example/about"


@pytest.mark.row("DR-03", "DR-04")
@pytest.mark.parametrize(
    "changes",
    [
        {"jwks_uri": "https://photos.example/jwks"},
        {"jwks": jwks_of(RSA), "jwks_uri": "https://photos.example/jwks"},
        {"token_endpoint_auth_method": "magic"},
        {"token_endpoint_auth_method": ["none"]},
        {"token_endpoint_auth_method": "tls_client_auth"},
        {"grant_types": ["client_credentials"], "response_types": ["code"]},
        {"grant_types": ["authorization_code"], "response_types": []},
        {"response_types": ["token"]},
        {"response_types": ["code id_token"]},
        {"response_types": "code"},
        {"grant_types": ["implicit"]},
        {"grant_types": ["urn:ietf:params:oauth:grant-type:device_code"]},
        {"grant_types": "authorization_code"},
        {"grant_types": [["authorization_code"]]},
        {"token_endpoint_auth_method": "none", "grant_types": ["client_credentials"]},
        {"token_endpoint_auth_method": "none", "require_pkce": False},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": jwks_of(EC),
            "token_endpoint_auth_signing_alg": "RS256",
        },
        {
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": jwks_of(RSA),
            "token_endpoint_auth_signing_alg": "HS256",
        },
        {
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": jwks_of(RSA),
            "token_endpoint_auth_signing_alg": "none",
        },
        {"token_endpoint_auth_method": "client_secret_jwt", "token_endpoint_auth_signing_alg": "RS256"},
        {"token_endpoint_auth_signing_alg": "RS256"},
        {"id_token_signed_response_alg": "none"},
        {"id_token_signed_response_alg": "HS256"},
        {"subject_type": "pairwise"},
        {"sector_identifier_uri": "https://photos.example/sector"},
        {"request_uris": ["https://photos.example/request"]},
        {"software_statement": "x.y.z"},
        {"default_resource": "/api"},
        {"default_resource": "https://api.example/#x"},
        {"default_resource": 1},
        {"require_pkce": "yes"},
        {"require_auth_time": 1},
        {"default_max_age": -1},
        {"default_max_age": True},
        {"default_max_age": "60"},
        {"default_max_age": 10**12},
    ],
)
def test_contradictory_metadata_is_refused(register: Register, changes: dict[str, Any]) -> None:
    assert_refused(register, **changes)


@pytest.mark.row("DR-04")
def test_what_only_operators_may_set_is_dropped(register: Register) -> None:
    client = register(
        is_trusted=True, disabled_at=1, client_id="mine", client_secret="mine", roles=["admin"], created_at=0
    ).client
    assert not client.is_trusted
    assert client.client_id != "mine"
    assert client.is_active and client.created_at > 1
    assert set(document_of(client)) & {"is_trusted", "client_secret", "roles", "disabled_at"} == set()


@pytest.mark.row("AR-10", "DR-04")
@pytest.mark.parametrize(
    "scope",
    [
        "a  b",
        " a",
        "a\tb",
        'a"b',
        "a\\b",
        "\u00e9",
        "a\0",
        " ".join(f"s{n}" for n in range(101)),
        1,
        ["openid"],
        "x" * 300,
    ],
)
def test_a_scope_that_is_none_is_refused(register: Register, scope: Any) -> None:
    assert_refused(register, scope=scope)


@pytest.mark.row("DR-07")
@pytest.mark.parametrize("name", ["x" * 255, "", " Photo", 1, ["x"], *(f"a{odd}b" for odd in DECEPTIVE)])
def test_a_name_that_deceives_is_refused(register: Register, name: Any) -> None:
    assert_refused(register, client_name=name)
    assert_refused(register, contacts=[name])


@pytest.mark.row("DR-07")
@pytest.mark.parametrize(
    "name", ["{{7*7}}", "<script>alert(1)</script>", "Foto Hafen ⚓", "写真", "می\u200cخواهم", "👩\u200d🚀"]
)
def test_a_name_is_kept_as_it_is_for_pages_that_escape_it(register: Register, name: str) -> None:
    assert register(client_name=name).client.client_name == name


def weak_rsa() -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return RSAKey.import_key(RSAPublicNumbers(65537, (1 << 1023) + 1155).public_key()).as_dict()


def bad_keys() -> list[Any]:
    public = RSA.as_dict()
    off_curve = EC.as_dict() | {"y": EC.as_dict()["x"]}
    return [
        RSA.as_dict(private=True),
        {**public, "d": "AQAB"},
        EC.as_dict(private=True),
        ED.as_dict(private=True),
        OctKey.generate_key(256).as_dict(),
        weak_rsa(),
        {**public, "n": public["n"][:300]},
        {**public, "e": "AQ"},
        {**public, "e": "Aw"},
        {**public, "n": "!" * 342},
        {**public, "n": 5},
        {**public, "use": "enc"},
        {**public, "use": "nonsense"},
        {**public, "kid": ""},
        {**public, "kid": "x" * 256},
        {**public, "kid": 1},
        {**public, "kid": "a\0"},
        {"kty": "RSA"},
        {"kty": "RSA", "n": "A" * 342},
        {"kty": ["RSA"]},
        off_curve,
        ECKey.generate_key("P-384").as_dict(),
        {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
        {},
        [],
        "key",
        None,
    ]


@pytest.mark.row("JW-14")
def test_a_key_that_must_not_verify_is_refused(register: Register) -> None:
    for key in bad_keys():
        assert_refused(register, jwks={"keys": [key]}, token_endpoint_auth_method="private_key_jwt")
        if not (
            isinstance(key, dict) and key.get("use") == "enc"
        ):  # a key for another use may stand beside the one needed
            assert_refused(register, jwks={"keys": [RSA.as_dict(), key]}, token_endpoint_auth_method="private_key_jwt")


@pytest.mark.row("JW-14")
@pytest.mark.parametrize(
    "jwks", [{}, [], "x", 1, {"keys": []}, {"keys": {}}, {"keys": [RSA.as_dict()] * 2}, {"keys": [ED.as_dict()] * 11}]
)
def test_a_key_set_is_a_short_list_of_different_keys(register: Register, jwks: Any) -> None:
    assert_refused(register, jwks=jwks)


def test_only_what_verifies_is_kept_of_a_key(register: Register) -> None:
    key = RSA.as_dict() | {"x5u": "http://127.0.0.1/", "x5c": ["MIIB"], "note": "x", "use": "sig", "alg": "RS256"}
    client = register(jwks={"keys": [key]}, token_endpoint_auth_method="private_key_jwt").client
    assert client.jwks is not None
    assert set(client.jwks["keys"][0]) == {"kty", "n", "e", "kid", "use", "alg"}


def test_defaults_are_those_of_the_specification(context: None) -> None:
    made = store.create({"redirect_uris": ["https://photos.example/cb"], "unknown_name": 1, "client_name#fr": "Photos"})
    document = document_of(made.client)
    assert document == {
        "client_name": made.client.client_id,
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "redirect_uris": ["https://photos.example/cb"],
        "scope": "openid profile email",
        "id_token_signed_response_alg": "RS256",
        "require_auth_time": False,
    }


def test_a_machine_gets_no_response_type_and_no_scope_of_people_by_default(context: None) -> None:
    client = store.create({"grant_types": ["client_credentials"]}).client
    assert client.response_types == []
    assert client.scope == ""


def test_a_client_registers_again_from_its_own_document(register: Register) -> None:
    full = {
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "PS256",
        "jwks": jwks_of(RSA, EC),
        "grant_types": ["authorization_code", "refresh_token"],
        "post_logout_redirect_uris": ["https://photos.example/bye"],
        "contacts": ["dev@photos.example"],
        "default_resource": "https://api.photos.example/",
        "default_max_age": 3600,
        "require_auth_time": True,
        "require_pkce": False,
        "application_type": "web",
        "software_id": "photo-harbour",
    }
    document = document_of(register(**full).client)
    assert document.items() >= full.items()
    assert document_of(store.create(document).client) == document


@pytest.mark.row("CA-05")
@pytest.mark.parametrize("method", sorted(authentication.METHODS))
def test_a_secret_is_given_exactly_to_the_methods_that_use_one(register: Register, method: str) -> None:
    other = "client_secret_post" if method == "client_secret_basic" else "client_secret_basic"
    start = register(token_endpoint_auth_method=other).client.client_id
    made = store.update(start, {"token_endpoint_auth_method": method, "jwks": jwks_of(RSA)})
    answer = registration_answer(made.client, made.client_secret)
    has_secret = method.startswith("client_secret")
    assert answer["token_endpoint_auth_method"] == method
    assert ("client_secret" in answer) == ("client_secret_expires_at" in answer) == has_secret
    found = store.find(made.client.client_id)
    assert found is not None
    assert len(found.secrets) == int(has_secret)
    assert found.is_public == (method == "none")


@pytest.mark.row("CA-18")
def test_a_client_id_is_made_here_or_by_the_operator(context: None) -> None:
    made = store.create(WEB).client.client_id
    assert made.startswith("c-") and len(made) == 34
    assert store.create(WEB, client_id="photo-harbour").client.client_id == "photo-harbour"
    for taken_or_odd in ("photo-harbour", "", "a b", "a\0", "x" * 256, "\u00e9", 'a"b', "a\n"):
        with pytest.raises(InvalidMetadata):
            store.create(WEB, client_id=taken_or_odd)


def test_null_takes_a_field_back_to_its_default(context: None) -> None:
    client_id = store.create(WEB | {"contacts": ["a@b.example"], "scope": "openid"}).client.client_id
    client = store.update(client_id, {"contacts": None, "scope": None}).client
    assert client.contacts == []
    assert client.scope == "openid profile email"


@pytest.mark.row("DR-11")
def test_an_update_is_checked_together_with_what_stays(context: None) -> None:
    public = store.create(WEB | {"token_endpoint_auth_method": "none"}).client.client_id
    contradictions: list[dict[str, Any]] = [
        {"grant_types": ["client_credentials"]},
        {"require_pkce": False},
        {"redirect_uris": []},
        {"redirect_uris": None},
        {"token_endpoint_auth_method": "private_key_jwt"},
    ]
    for changes in contradictions:
        with pytest.raises(InvalidMetadata):
            store.update(public, changes)
    signer = store.create(
        WEB | {"token_endpoint_auth_method": "private_key_jwt", "jwks": jwks_of(RSA)}
    ).client.client_id
    for changes in ({"jwks": None}, {"token_endpoint_auth_signing_alg": "ES256"}):
        with pytest.raises(InvalidMetadata):
            store.update(signer, changes)


def test_what_follows_from_a_changed_field_follows(context: None) -> None:
    client_id = store.create(
        WEB
        | {
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": jwks_of(RSA),
            "token_endpoint_auth_signing_alg": "RS256",
        }
    ).client.client_id
    client = store.update(
        client_id, {"token_endpoint_auth_method": "client_secret_basic", "grant_types": ["client_credentials"]}
    ).client
    assert client.token_endpoint_auth_signing_alg is None
    assert client.response_types == []


def test_an_unknown_client_cannot_be_changed(context: None) -> None:
    for act in (
        lambda: store.update("nobody", {}),
        lambda: store.delete("nobody"),
        lambda: store.rotate_secret("nobody"),
    ):
        with pytest.raises(store.UnknownClient):
            act()
