"""The languages of our pages and mails: `_("English sentence")` in templates, `translate()` in Python."""

from __future__ import annotations

from flask import Flask
from markupsafe import Markup, escape


def translate(sentence: str, **values: object) -> str:
    """The sentence in the language of this request; `%(name)s` stands for the value `name`."""
    return sentence % values if values else sentence


def _in_template(sentence: str, **values: object) -> Markup:
    """The same in a template: the sentence is ours, the values are escaped."""
    safe = escape(sentence)
    return safe % {name: escape(value) for name, value in values.items()} if values else safe


def mount(app: Flask) -> None:
    app.jinja_env.globals["_"] = _in_template
