"""Which rows of the catalogue have a test: `python -m tests.coverage_of_rows [--missing]`.

Joins tests/rows.toml with the markers `@pytest.mark.row("AC-02")`; exit status 1 when a row has neither a test nor a reason.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
_ID = re.compile(r"[A-Z]{2}-\d\d")


def marked() -> dict[str, list[str]]:
    """Row id -> the files whose tests carry it."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(HERE.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            # As an argument of the marker, or as the key of a table whose cases are marked with their key.
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _ID.fullmatch(node.value):
                found[node.value].append(str(path.relative_to(HERE)))
    return found


def main() -> int:
    catalogue = tomllib.loads((HERE / "rows.toml").read_text("utf-8"))
    tests, waits = marked(), catalogue["waits"]
    missing, tested, waiting = [], 0, 0
    print(f"{'section':8} {'rows':>5} {'tested':>7} {'waiting':>8} {'missing':>8}")
    for section, count in catalogue["rows"].items():
        ids = [f"{section}-{number:02}" for number in range(1, count + 1)]
        with_test = [one for one in ids if one in tests]
        reasoned = [one for one in ids if one not in tests and (one in waits or section in waits)]
        absent = [one for one in ids if one not in with_test and one not in reasoned]
        tested, waiting = tested + len(with_test), waiting + len(reasoned)
        missing += absent
        print(f"{section:8} {count:5} {len(with_test):7} {len(reasoned):8} {len(absent):8}")
    print(f"{'all':8} {sum(catalogue['rows'].values()):5} {tested:7} {waiting:8} {len(missing):8}")
    known = {f"{section}-{number:02}" for section, count in catalogue["rows"].items() for number in range(1, count + 1)}
    if unknown := sorted(set(tests) - known):
        print("no rows of the catalogue:", *unknown)
    if missing:
        print("missing:", *missing)
    return 1 if missing or unknown else 0


if __name__ == "__main__":
    sys.exit(main())
