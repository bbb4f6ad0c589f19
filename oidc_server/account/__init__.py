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
from . import factors, notices, overview, passkeys


class Section(NamedTuple):
    """One entry of the navigation: its address, its title (a sentence for `_`), an icon of account/_parts.html, its module."""

    path: str
    title: str
    icon: str
    module: ModuleType


#: In the order of the navigation.
SECTIONS: tuple[Section, ...] = (
    Section("/account", "Overview", "home", overview),
    Section("/account/factors", "Second step", "factors", factors),
    Section("/account/passkeys", "Passkeys", "passkeys", passkeys),
)


def mount(app: Flask, server: AuthorizationServer) -> None:
    app.jinja_env.globals["account_sections"] = SECTIONS
    notices.mount(app)
    for section in SECTIONS:
        app.register_blueprint(section.module.blueprint)
