"""The first page of the account, and who may see it."""

from tests.flows import Browser


def test_alice_sees_her_account(alice: Browser) -> None:
    page = alice.get("/account")
    assert page.status_code == 200
    assert "alice" in page.text
