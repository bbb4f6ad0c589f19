"""An account under attack stays open to its owner, and nobody can tell whether there is one."""

from __future__ import annotations

import logging

import pytest

from oidc_server import database
from oidc_server.accounts import store

from ..flows import Clock
from .conftest import ELSEWHERE, HOME, PASSWORD, Attempt, alice_id, close_the_door, failures_of


@pytest.mark.row("BF-03")
def test_an_account_under_attack_from_many_networks_is_told_to_the_log(
    attempt: Attempt, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "oidc_server.audit"):
        close_the_door(attempt)

    assert sum("sign_in.guarded" in line for line in caplog.messages) == 1


@pytest.mark.row("BF-04")
def test_a_stranger_does_not_lock_the_owner_out_of_a_known_browser(attempt: Attempt) -> None:
    assert attempt(password=PASSWORD, network=HOME, device="alices-browser") == "ok"
    close_the_door(attempt)
    while not attempt(network=ELSEWHERE).startswith("wait"):
        pass

    # From her browser, even in the network of the attacker; and from home without it.
    assert attempt(password=PASSWORD, network=ELSEWHERE, device="alices-browser") == "ok"


@pytest.mark.row("BF-04")
def test_a_network_with_an_earlier_success_stays_open(attempt: Attempt) -> None:
    assert attempt(password=PASSWORD, network=HOME) == "ok"
    close_the_door(attempt)

    assert attempt(password=PASSWORD, network=ELSEWHERE) == "wait 900"
    assert attempt(password=PASSWORD, network=HOME) == "ok"


@pytest.mark.row("BF-04")
def test_a_browser_known_to_one_account_opens_no_other(attempt: Attempt) -> None:
    assert attempt("bob", PASSWORD, network=ELSEWHERE, device="bobs-browser") == "ok"
    close_the_door(attempt)

    assert attempt(password=PASSWORD, network="10.0.0.1", device="bobs-browser") == "wait 900"
    assert attempt(password=PASSWORD, network="10.0.0.1", device="made-up") == "wait 900"


@pytest.mark.row("BF-04")
def test_a_stolen_browser_is_slowed_and_then_a_stranger(attempt: Attempt, clock: Clock) -> None:
    assert attempt(password=PASSWORD, network=HOME, device="alices-browser") == "ok"
    assert [attempt(network="10.0.0.1", device="alices-browser") for _ in range(6)] == ["wrong"] * 5 + ["wait 2"]
    for _ in range(25):
        clock.advance(900)
        assert attempt(network="10.0.0.1", device="alices-browser") == "wrong"

    assert [attempt(network="10.0.0.1", device="alices-browser") for _ in range(6)] == ["wrong"] * 5 + ["wait 2"]
    assert failures_of(alice_id()) == 35


@pytest.mark.row("BF-04")
def test_the_operator_opens_the_door_again(attempt: Attempt) -> None:
    close_the_door(attempt)
    assert attempt(password=PASSWORD) == "wait 900"
    store.enable(alice_id())

    assert attempt(password=PASSWORD) == "ok"


@pytest.mark.row("EN-07")
def test_unknown_names_wait_exactly_as_known_ones_do(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = [1_800_000_000.0]
    monkeypatch.setattr(database, "clock", lambda: ticks[0])  # stands still, so that waits compare to the second
    store.disable(store.create("disabled", PASSWORD).id)
    series = {}
    for login, network in (
        ("alice", "10.0.1.1"),
        ("nobody", "10.0.2.1"),
        ("disabled", "10.0.3.1"),
        ("no@body.example", "10.0.4.1"),
    ):
        outcomes = []
        for _ in range(12):
            outcomes.append(attempt(login, network=network))
            ticks[0] += 1.5
        series[login] = outcomes

    assert len({tuple(outcomes) for outcomes in series.values()}) == 1
    assert [outcome for outcome in series["nobody"] if outcome != "wrong"] == [
        "wait 1",
        "wait 3",
        "wait 1",
        "wait 7",
        "wait 5",
    ]


@pytest.mark.row("EN-07")
def test_the_closed_door_is_the_same_for_a_name_that_nobody_has(attempt: Attempt) -> None:
    close_the_door(attempt, "alice")
    close_the_door(attempt, "nobody")

    assert attempt("alice", network="10.0.0.1") == attempt("nobody", network="10.0.0.1") == "wait 900"
