"""Every address of the API, declared once. Descriptions are sentences for the readable page too, which says them in its language."""

from __future__ import annotations

from typing import Any

from ..accounts.identifiers import MAX_EMAIL_LENGTH, MAX_USERNAME_LENGTH
from ..accounts.passwords import MAX_LENGTH
from .declaration import Answer, Field, Operation


def _(sentence: str) -> str:
    """The sentence as it is, marked for the catalogues; the page translates it."""
    return sentence


PASSWORD = "a quiet walk along the river"
HANDLE = "b0e6fd30b4a0fb9dd37f0c3f9c4e7be0d8f9b0c6c1f2d4e8a7b3c5d6e7f80912"
LINK = "9uX2mE6yqJm0bq8m3k0l1pQ7w4zR5tV6sN8dF2hG1jK"
ACCOUNT = {
    "sub": "k3J9vQ2mX7",
    "preferred_username": "carol",
    "email": "carol@example.org",
    "email_verified": False,
    "name": "Carol Example",
}

_LOGIN = _("The user name or the e-mail address.")
_PASSWORD = _("The password.")
_NEW_PASSWORD = _("The new password.")
_REQUEST = _("What the answer before this named as request: the code counts together with it alone.")
_LINK = _("The part of the link in the mail that follows the equals sign.")
_CODE = _("The eight digits in the mail.")


def _text(name: str, description: str, example: str, most: int = 254, *, is_secret: bool = False) -> Field:
    return Field(name, description, example, most, is_secret=is_secret)


def _password(name: str, description: str) -> Field:
    return _text(name, description, PASSWORD, MAX_LENGTH, is_secret=True)


_OF_A_MAIL = (
    _text("request", _REQUEST, HANDLE, is_secret=True),
    _text("code", _CODE, "1234 5678", 64, is_secret=True),
    _text("link", _LINK, LINK, is_secret=True),
)
_MAIL_PROBLEMS = ("link-unknown", "too-many-codes", "link-ended")

REGISTER = Operation(
    "register",
    _("Create an account"),
    _(
        "Nobody is signed in by it. A mail asks the person to confirm the address; where accounts are hidden the account begins with it."
    ),
    fields=(
        _text(
            "email",
            _("The e-mail address; of an invitation it is known already."),
            "carol@example.org",
            MAX_EMAIL_LENGTH,
        ),
        _password("password", _("The password that the person chose.")),
        _text("username", _("A user name, if the person wants to choose one."), "carol", MAX_USERNAME_LENGTH),
        _text("name", _("What the person is called."), "Carol Example", 100),
        _text(
            "invitation",
            _("The part of the link in an invitation that follows the equals sign."),
            LINK,
            is_secret=True,
        ),
    ),
    ways=(("email", "password"), ("invitation", "password")),
    answers=(
        Answer(
            201,
            _("The account is made. With a request, a mail with link and code is on its way."),
            {"account": ACCOUNT, "request": HANDLE, "verification_required": False},
            "Registered",
        ),
        Answer(
            202,
            _("Accounts are hidden here: whether the address was free is in the mail alone."),
            {"request": HANDLE},
            "Asked",
        ),
    ),
    problems=("sign-up-closed", "account-exists", *_MAIL_PROBLEMS),
)

LOGIN = Operation(
    "login",
    _("Sign in"),
    _(
        "The answer sets the cookie of the sign-in page. Whoever has a second step sends its code along with name and password."
    ),
    fields=(
        _text("login", _LOGIN, "carol@example.org"),
        _password("password", _PASSWORD),
        _text("code", _("The code of an authenticator app, or a recovery code."), "123456", 100, is_secret=True),
    ),
    ways=(("login", "password"),),
    answers=(
        Answer(
            200,
            _("The person is signed in. The acr is 2 after two steps, else 1."),
            {"account": ACCOUNT, "acr": "1", "amr": ["pwd"], "auth_time": 1790000000},
            "SignedIn",
            sets_session=True,
        ),
    ),
    problems=(
        "wrong-credentials",
        "second-factor-required",
        "wrong-code",
        "email-not-verified",
        "sign-in-page-needed",
    ),
)

LOGOUT = Operation(
    "logout",
    _("Sign out"),
    _("The session of the cookie ends, and what apps hold that was to end with it."),
    fields=(),
    answers=(Answer(204, _("Nobody is signed in any more.")),),
    takes_session=True,
)

VERIFY = Operation(
    "verify",
    _("Confirm an e-mail address"),
    _(
        "By the code with the request that belongs to it, or by the link. In another browser the link needs the password of the sign-up."
    ),
    fields=(*_OF_A_MAIL, _password("password", _PASSWORD)),
    ways=(("request", "code"), ("link",)),
    answers=(
        Answer(200, _("The address is confirmed."), {"account": ACCOUNT | {"email_verified": True}}, "Confirmed"),
    ),
    problems=("password-required", "wrong-credentials", *_MAIL_PROBLEMS),
)

RECOVER = Operation(
    "recover",
    _("Ask for a new password"),
    _("The answer is the same whoever it is; if there is somebody to write to, a mail is on its way."),
    fields=(_text("login", _LOGIN, "carol@example.org"),),
    ways=(("login",),),
    answers=(Answer(202, _("Asked."), {"request": HANDLE}, "Asked"),),
)

RESET = Operation(
    "reset",
    _("Set a new password with a mail"),
    _("Every session ends, and what apps hold. Nobody is signed in by it, and a second step is asked for as before."),
    fields=(
        *_OF_A_MAIL,
        _password("password", _NEW_PASSWORD),
        Field(
            "keep_session",
            _("Whether the session of the cookie goes on, if it is the same person's."),
            False,
            is_truth=True,
        ),
    ),
    ways=(("request", "code", "password"), ("link", "password")),
    answers=(Answer(204, _("The new password counts.")),),
    problems=_MAIL_PROBLEMS,
    takes_session=True,
)

CHANGE_PASSWORD = Operation(
    "password",
    _("Change the password"),
    _(
        "For somebody who signed in during the last fifteen minutes and knows the current password. The cookie gets a new value."
    ),
    fields=(
        _text("current_password", _("The current password."), PASSWORD, MAX_LENGTH, is_secret=True),
        _text("password", _NEW_PASSWORD, "six words that nobody else chose", MAX_LENGTH, is_secret=True),
        Field("keep_others", _("Whether other sessions, and what apps hold, go on."), False, is_truth=True),
    ),
    ways=(("current_password", "password"),),
    answers=(Answer(204, _("The new password counts."), sets_session=True),),
    problems=("sign-in-required", "sign-in-too-old", "wrong-password"),
    takes_session=True,
)

_RIGHTS = (
    _text("sub", _("The identifier of the account."), "k3J9vQ2mX7", 64),
    _text("login", _LOGIN, "carol@example.org"),
    Field("roles", _("Names of roles."), ["editor"], 64, is_list=True),
    Field("groups", _("Names of groups."), ["staff"], 64, is_list=True),
    _text("client_id", _("The app at which alone the roles count; without it they count everywhere."), "photos"),
)
_OF_RIGHTS: dict[str, Any] = {
    "fields": _RIGHTS,
    "ways": (("sub", "roles"), ("sub", "groups"), ("login", "roles"), ("login", "groups")),
    "answers": (
        Answer(
            200,
            _("What the person has now; the next tokens say so."),
            {"account": ACCOUNT, "roles": ["editor"], "groups": ["staff"], "client_roles": {"photos": ["owner"]}},
            "Rights",
        ),
    ),
    "problems": ("token-needed", "token-refused", "scope-needed", "account-unknown"),
    "takes_token": True,
}

GRANT = Operation(
    "grant",
    _("Give roles and groups"),
    _("For a program with an access token of its own for the scope accounts:roles; no person can allow it."),
    **_OF_RIGHTS,
)

REVOKE = Operation(
    "revoke",
    _("Take roles and groups away"),
    _("As giving them. Tokens that are out say the roles until they end."),
    **_OF_RIGHTS,
)

OPERATIONS = (REGISTER, LOGIN, LOGOUT, VERIFY, RECOVER, RESET, CHANGE_PASSWORD, GRANT, REVOKE)
