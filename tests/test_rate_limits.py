"""How often somebody may ask, what they are told then, and what happens when the shared store is away."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint, Flask, Response, request
from werkzeug.test import TestResponse

from oidc_server import audit, errors, rate_limits, settings
from oidc_server.networks import client_network

from .flows import Clock
from .ground import ISSUER, make_ground


def make_app(**overrides: Any) -> Flask:
    """The ground with limits, a page and an endpoint that count sign-ins of `?account=`."""
    app = make_ground(**{"ratelimit_enabled": True} | overrides)
    app.testing = True
    rate_limits.mount(app, app.extensions["oidc_server"].settings)

    def count() -> Response:
        rate_limits.hit("sign_in", request.args.get("account", "a"), client_network(request))
        return Response("done")

    machines, pages = Blueprint("counted", __name__), errors.Pages("counted_pages", __name__)
    machines.add_url_rule("/count", view_func=count)
    machines.add_url_rule("/plain", "plain", lambda: "plain")
    pages.add_url_rule("/page", view_func=count)
    app.register_blueprint(machines)
    app.register_blueprint(pages)
    return app


def get(app: Flask, path: str = "/count", network: str = "192.0.2.1", **headers: str) -> TestResponse:
    return app.test_client().get(path, base_url=ISSUER, headers=headers, environ_base={"REMOTE_ADDR": network})


def statuses(app: Flask, times: int, path: str = "/count", network: str = "192.0.2.1") -> list[int]:
    return [get(app, path, network).status_code for _ in range(times)]


def test_the_sixth_sign_in_of_a_minute_is_refused(clock: Clock) -> None:
    app = make_app()

    assert statuses(app, 7) == [200] * 5 + [429, 429]
    clock.advance(61)
    assert statuses(app, 1) == [200]


def test_the_limit_is_exact_over_every_minute_and_not_only_from_a_fixed_start(clock: Clock) -> None:
    app = make_app()
    assert statuses(app, 1) == [200]
    clock.advance(58)
    assert statuses(app, 5) == [200] * 4 + [429]
    clock.advance(3)  # the first one is over a minute old, the others are not

    assert statuses(app, 2) == [200, 429]


@pytest.mark.row("BF-09")
def test_accounts_and_networks_are_counted_apart() -> None:
    app = make_app()
    assert statuses(app, 6)[-1] == 429

    assert get(app, "/count?account=b").status_code == 200
    assert get(app, "/count", "192.0.2.2").status_code == 200


@pytest.mark.row("BF-11")
def test_a_64_of_addresses_is_one_network() -> None:
    app = make_app()

    assert [get(app, network=f"2001:db8::{number}").status_code for number in range(1, 7)] == [200] * 5 + [429]
    assert get(app, network="2001:db8:0:1::1").status_code == 200


@pytest.mark.row("BF-07")
def test_a_forged_address_does_not_help() -> None:
    app = make_app()
    forged = [get(app, X_Forwarded_For=f"203.0.113.{number}").status_code for number in range(6)]

    assert forged == [200] * 5 + [429]


def test_identifiers_cannot_be_split_in_two_ways() -> None:
    app = make_app()
    with app.test_request_context("/"):
        for _ in range(5):
            rate_limits.hit("sign_in", "a/b", "c")
        rate_limits.hit("sign_in", "a", "b/c")
        with pytest.raises(rate_limits.RateLimited):
            rate_limits.hit("sign_in", "a/b", "c")
        with pytest.raises(KeyError):
            rate_limits.hit("no such limit")


@pytest.mark.row("WB-07")
def test_a_machine_is_told_in_json_when_to_come_back() -> None:
    app = make_app()
    statuses(app, 5)
    for accept in ("application/json", "text/html", "image/*"):
        response = get(app, Accept=accept)

        assert response.status_code == 429
        assert response.content_type == "application/json"
        assert response.json is not None and response.json["error"] == "too_many_requests"
        assert 55 <= int(response.headers["Retry-After"]) <= 60
        assert response.headers["Cache-Control"] == "no-store"


def test_a_person_is_told_on_a_page() -> None:
    app = make_app()
    statuses(app, 5, "/page")
    response = get(app, "/page", Accept="text/html")

    assert response.status_code == 429
    assert response.mimetype == "text/html"
    assert 1 <= int(response.headers["Retry-After"]) <= 60
    assert "wait a moment" in response.text
    assert 'id="oauth-error"' in response.text


def test_everything_else_shares_the_default_of_its_network(clock: Clock) -> None:
    app = make_app(ratelimit_default="10/minute")

    assert statuses(app, 12, "/plain") == [200] * 10 + [429, 429]
    assert get(app, "/plain", "192.0.2.2").status_code == 200
    response = get(app, "/plain")
    assert response.json is not None and response.json["error"] == "too_many_requests"
    assert 1 <= int(response.headers["Retry-After"]) <= 60
    clock.advance(61)
    assert get(app, "/plain").status_code == 200


def test_health_and_static_files_are_not_counted() -> None:
    app = make_app(ratelimit_default="2/minute")
    style = next(path.name for path in Path(app.static_folder or "").iterdir() if path.is_file())

    assert statuses(app, 5, "/healthz") == [200] * 5
    assert statuses(app, 5, f"/static/{style}") == [200] * 5
    assert statuses(app, 3, "/plain") == [200, 200, 429]


def test_switched_off_nothing_is_limited() -> None:
    app = make_app(ratelimit_enabled=False, ratelimit_default="1/minute")

    assert statuses(app, 20) == [200] * 20
    assert statuses(app, 20, "/plain") == [200] * 20


def test_a_wait_that_others_impose_is_told_even_when_limits_are_off() -> None:
    app = make_app(ratelimit_enabled=False)

    def wait() -> Response:
        raise rate_limits.RateLimited(7)

    app.add_url_rule("/wait", view_func=wait)
    response = get(app, "/wait")

    assert (response.status_code, response.headers["Retry-After"]) == (429, "7")


def test_an_empty_rate_lifts_that_limit_alone() -> None:
    app = make_app(ratelimit_default="")

    assert statuses(app, 20, "/plain") == [200] * 20
    assert statuses(app, 6)[-1] == 429


def test_several_rates_hold_together(clock: Clock) -> None:
    app = make_app(ratelimit_sign_in="2/minute;3/hour")

    assert statuses(app, 3) == [200, 200, 429]
    clock.advance(61)
    assert statuses(app, 2) == [200, 429]
    assert int(get(app).headers["Retry-After"]) > 3000


@pytest.mark.parametrize("rate", ["often", "5", "5/fortnight", "-1/minute"])
def test_a_rate_that_is_none_refuses_to_start_and_names_itself(rate: str) -> None:
    with pytest.raises(settings.SettingsError, match="OIDC_RATELIMIT_TOKEN"):
        make_app(ratelimit_token=rate)


def test_proxies_that_cannot_be_refuse_to_start() -> None:
    with pytest.raises(settings.SettingsError, match="OIDC_TRUSTED_PROXIES"):
        make_app(trusted_proxies="proxy.example")


def test_every_limit_has_its_setting_and_says_what_it_counts() -> None:
    for limit in rate_limits.LIMITS.values():
        assert isinstance(getattr(make_ground().extensions["oidc_server"].settings, limit.setting), str)
        assert limit.counts_by


def test_two_apps_in_one_process_count_apart() -> None:
    first, second = make_app(), make_app()

    assert statuses(first, 6)[-1] == 429
    assert statuses(second, 1) == [200]


@pytest.mark.row("LS-07")
def test_a_flood_is_told_once_a_minute(caplog: pytest.LogCaptureFixture, clock: Clock) -> None:
    app = make_app(ratelimit_default="5/minute")
    app.testing = True
    audit.configure(app)
    with caplog.at_level(logging.INFO, "oidc_server.audit"):
        statuses(app, 50, "/plain")
        clock.advance(61)
        statuses(app, 50, "/plain")
    told = [json.loads(message) for message in caplog.messages if "rate_limited" in message]

    assert [(line["limit"], line["path"], line["network"]) for line in told] == [("default", "/plain", "192.0.2.1")] * 2
