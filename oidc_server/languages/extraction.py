"""Which sentences the pages, mails and Python files say, read from their source; and what the catalogues lack of them.

In Python a sentence is a constant argument of translate(), _() or sentences(); in a template one of `_()`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, nodes

from ..settings import ROOT
from .catalogues import CATEGORIES, ENGLISH, SUPPORTED, load

_NAMES = frozenset({"translate", "_", "sentences"})
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True)
class Use:
    """One place where a sentence is said; `values` are the names that its placeholders are given."""

    sentence: str
    where: str
    values: frozenset[str]


def uses() -> list[Use]:
    """Every sentence of the server, with the places where it is said."""
    found: list[Use] = []
    for path in sorted((ROOT / "oidc_server").rglob("*.py")):
        found += in_python(path.read_text("utf-8"), str(path.relative_to(ROOT)))
    environment = Environment(autoescape=True)  # parses alone, renders nothing
    for path in sorted(path for path in (ROOT / "templates").rglob("*") if path.suffix in (".html", ".txt")):
        found += in_template(environment, path.read_text("utf-8"), str(path.relative_to(ROOT)))
    return found


def in_python(source: str, where: str) -> Iterator[Use]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in _NAMES:
            values = frozenset(keyword.arg for keyword in node.keywords if keyword.arg)
            for argument in node.args if name == "sentences" else node.args[:1]:
                for sentence in _python_constants(argument):
                    yield Use(sentence, f"{where}:{node.lineno}", values)


def in_template(environment: Environment, source: str, where: str) -> Iterator[Use]:
    for call in environment.parse(source).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "_" and call.args:
            values = frozenset(keyword.key for keyword in call.kwargs)
            for sentence in _template_constants(call.args[0]):
                yield Use(sentence, f"{where}:{call.lineno}", values)


def placeholders(text: str) -> frozenset[str]:
    return frozenset(_PLACEHOLDER.findall(text))


def texts(entry: str | dict[str, str]) -> list[str]:
    """The texts of an entry of a catalogue: one, or one for each plural category."""
    return [entry] if isinstance(entry, str) else list(entry.values())


def problems(language: str, said: Iterable[Use]) -> list[str]:
    """What is wrong with the catalogue of a language, each in a line: missing, dead, or with other placeholders."""
    catalogue, where = load(language), {use.sentence: use.where for use in said}
    found = [f"missing: {sentence!r} ({where[sentence]})" for sentence in where if sentence not in catalogue]
    found += [f"dead: {sentence!r}" for sentence in catalogue if sentence not in where]
    for sentence, entry in catalogue.items():
        if not isinstance(entry, str) and not {"other"} <= set(entry) <= set(CATEGORIES.get(language, ())):
            found.append(f"plurals: {sentence!r} needs 'other' and may have {CATEGORIES.get(language, ())}")
        for text in texts(entry):
            # One, two or none of something may go without the figure.
            spelled_out = not isinstance(entry, str) and text in (entry.get("zero"), entry.get("one"), entry.get("two"))
            if placeholders(text) != placeholders(sentence) and not (spelled_out and not placeholders(text)):
                found.append(f"placeholders: {sentence!r} became {text!r}")
    return found


def report() -> list[str]:
    """The problems of every catalogue."""
    said = uses()
    found = [
        f"{use.where}: {use.sentence!r} is not given {', '.join(sorted(placeholders(use.sentence) - use.values))}"
        for use in said
        if use.values and not placeholders(use.sentence) <= use.values
    ]
    for language in SUPPORTED:
        if language != ENGLISH:
            found += [f"{language}: {problem}" for problem in problems(language, said)]
    return found


def catalogue_path(language: str) -> Path:
    return Path(__file__).parent / "catalogues" / f"{language}.json"


def _python_constants(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _python_constants(node.body)
        yield from _python_constants(node.orelse)


def _template_constants(node: nodes.Expr | None) -> Iterator[str]:
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, nodes.CondExpr):
        yield from _template_constants(node.expr1)
        yield from _template_constants(node.expr2)
