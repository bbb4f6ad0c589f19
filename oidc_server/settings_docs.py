"""Writes config/example.toml, .env.example and docs/configuration.md from settings.py: `make config`.

tests/test_configuration.py fails when a file differs from what this would write.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

from .settings import PREFIX, ROOT, Settings
from .settings_people import PeopleSettings

_MARK = "generated from oidc_server/settings.py by `make config`"

_TOML_HEAD = f"""\
# Every setting with its default; {_MARK}.
# It is read by nobody: put what you want to change into development.toml, testing.toml or production.toml beside it.
# The environment (OIDC_NAME) overrides those. Secrets belong there, or into a file it names: OIDC_NAME_FILE.
"""

_ENV_HEAD = f"""\
# Every setting with its default, as environment variables; {_MARK}.
# Copy it to .env, which is never committed, and start with: set -a; . ./.env; set +a; make serve
# A name with _FILE after it takes the path of a file that holds the value. Lists are separated by commas.
"""

_PAGE_HEAD = f"""\
# Configuration

<!-- {_MARK} -->

Each setting has one name. Later sources win:

1. the default in the table below,
2. `config/development.toml`, `config/testing.toml` or `config/production.toml`, whichever `OIDC_ENVIRONMENT` names,
3. the environment: `OIDC_` and the name in capitals, or that with `_FILE` for a file that holds the value,
4. arguments of `create_app()`.

An unknown name, a value of the wrong type, or an unsafe value in production refuses to start and names itself.
In the environment lists are separated by commas; in TOML they are lists. Lifetimes and ages are seconds.

## Starting the server

`make run` is for trying out: it chooses the issuer and makes demo data by itself. `PORT=9000 make run` moves its three
ports to 9000, 9001, 9002.

`make serve` migrates the database and starts the server alone. It listens on `OIDC_BIND`; without that on 127.0.0.1 and
the port in `PORT`, else the port of the issuer, else 8000. `OIDC_WORKERS` processes share the port. The log goes to
standard error. A production server needs at least

```sh
export OIDC_ENVIRONMENT=production
export OIDC_ISSUER=https://id.example.com
export OIDC_SECRET_KEY_FILE=/run/secrets/oidc_secret_key
export OIDC_DATABASE_URL=postgresql+psycopg://oidc@db.example.com/oidc
export OIDC_BIND=0.0.0.0:8000 OIDC_TRUSTED_PROXIES=10.0.0.0/8
make serve
```

behind something that ends TLS and sets `X-Forwarded-For`. `wsgi:app` is a plain WSGI application: any other server may
load it, after `flask db upgrade`.

## All settings

| name | in the environment | default | what it means |
|---|---|---|---|
"""


def _toml(value: Any) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _spoken(declared: Field[Any]) -> str:
    default: Any = declared.default
    if declared.name.endswith("_lifetime") and default >= 3600:
        unit, name = (86400, "days") if default >= 86400 else (3600, "hours")
        return f"`{default}` ({default / unit:g} {name})"
    return f"`{_text(default)}`" if default not in ("", ()) else "empty"


def _row(declared: Field[Any]) -> str:
    sentence = str(declared.metadata["doc"]).replace("|", "\\|")
    secret = " **Secret.**" if declared.metadata["secret"] else ""
    return f"| `{declared.name}` | `{PREFIX}{declared.name.upper()}` | {_spoken(declared)} | {sentence}{secret} |\n"


def render() -> dict[Path, str]:
    """The generated files: path and whole text."""
    # The server's own first: issuer and database are what people look for.
    declared = sorted(fields(Settings), key=lambda each: each.name in PeopleSettings.__dataclass_fields__)
    if undocumented := [each.name for each in declared if each.default is MISSING or not each.metadata.get("doc")]:
        raise ValueError(f"settings without a default or a sentence: {', '.join(undocumented)}")
    return {
        ROOT / "config" / "example.toml": _TOML_HEAD
        + "".join(f"\n# {each.metadata['doc']}\n# {each.name} = {_toml(each.default)}\n" for each in declared),
        ROOT / ".env.example": _ENV_HEAD
        + "".join(
            f"\n# {each.metadata['doc']}\n# {PREFIX}{each.name.upper()}={_shell(_text(each.default))}\n"
            for each in declared
        ),
        ROOT / "docs" / "configuration.md": _PAGE_HEAD + "".join(_row(each) for each in declared),
    }


def _shell(text: str) -> str:
    return f"'{text}'" if " " in text else text


if __name__ == "__main__":
    for path, text in render().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        print(f"· {path.relative_to(ROOT)}")
