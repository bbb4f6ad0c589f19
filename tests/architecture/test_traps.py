"""Every known trap of Authlib has a row in docs/authlib.md, and a test of ours that is marked with its number."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = dict(
    re.findall(r"^\| (\d+) \|.*\| ([^|]*) \|$", (ROOT / "docs" / "authlib.md").read_text("utf-8"), re.MULTILINE)
)


def marked() -> dict[int, set[str]]:
    """Number -> the files whose tests of ours carry it; a test of upstream alone protects nobody."""
    found: dict[int, set[str]] = defaultdict(set)
    for path in sorted((ROOT / "tests" / "specs").glob("test_authlib_traps_*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        whole = [node.value for node in tree.body if isinstance(node, ast.Assign)]
        for function in tree.body:
            if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
                if function.name.startswith("test_upstream_still_"):
                    continue
                for number in numbers_in([*function.decorator_list, *whole]):
                    found[number].add(path.stem.removeprefix("test_authlib_traps_"))
    return found


def numbers_in(nodes: list[ast.expr]) -> list[int]:
    marks = [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.trap"]
    return [int(ast.literal_eval(argument)) for mark in marks for argument in mark.args]


def test_the_traps_are_numbered_from_1_to_25() -> None:
    assert [int(number) for number in ROWS] == list(range(1, 26))
    assert set(marked()) == set(range(1, 26))


@pytest.mark.parametrize("number", range(1, 26))
def test_the_row_of_a_trap_names_the_file_of_its_tests(number: int) -> None:
    assert set(re.findall(r"`(\w+)`", ROWS[str(number)])) == marked()[number]
