"""The pages on which people look after their own account: everything below /account. OIDC Core §5, ASVS 7.5.2 and 10.7.3.

Each section is a file with a `blueprint` of errors.Pages. SECTIONS is the navigation and what is mounted: to add a section, write
its file and its line here. A page extends templates/account/layout.html and fills `section_title` and `section`; the view asks
person.require_person() first, and person.require_recent() before anything that an open browser alone must not do.
"""

from __future__ import annotations

from types import ModuleType
from typing import NamedTuple

from flask import Flask

from ..server import AuthorizationServer
from . import activity, apps, data, email, factors, notices, overview, passkeys, password, profile, secure, sessions


class Section(NamedTuple):
    """One entry of the navigation: its address, its title (a sentence for `_`), an icon of account/_parts.html, its module."""

    path: str
    title: str
    icon: str
    module: ModuleType


def _(title: str) -> str:
    """The title as it is, marked for the catalogues; layout.html translates it."""
    return title


#: In the order of the navigation.
SECTIONS: tuple[Section, ...] = (
    Section("/account", _("Overview"), "home", overview),
    Section("/account/profile", _("Profile"), "profile", profile),
    Section("/account/email", _("E-mail"), "email", email),
    Section("/account/password", _("Password"), "password", password),
    Section("/account/factors", _("Second step"), "factors", factors),
    Section("/account/passkeys", _("Passkeys"), "passkeys", passkeys),
    Section("/account/sessions", _("Devices"), "sessions", sessions),
    Section("/account/apps", _("Connected apps"), "apps", apps),
    Section("/account/activity", _("Activity"), "activity", activity),
    Section("/account/data", _("Your data"), "data", data),
)
#: Pages without an entry of their own.
MORE = (secure,)


def mount(app: Flask, server: AuthorizationServer) -> None:
    app.jinja_env.globals["account_sections"] = SECTIONS
    notices.mount(app)
    for module in (*(section.module for section in SECTIONS), *MORE):
        app.register_blueprint(module.blueprint)
