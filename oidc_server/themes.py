"""GET /themes/<file>: stylesheets and logos that the operator put over ours, for the whole site or for single clients (docs/themes.md).

All of them are read once at the start and served from memory. None is ever a URL of somebody else: what a client may have is the
name of a theme that lies in the operator's folder.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, abort, current_app, request, url_for

from .settings import ROOT, Settings, SettingsError

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
#: The name under which the theme of the whole site is served; no client can have it.
SITE = "site"
LOGO_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp", ".jpg": "image/jpeg"}
_TYPES = {".css": "text/css", **LOGO_TYPES}
_MOST = {".css": 64 * 1024} | dict.fromkeys(LOGO_TYPES, 256 * 1024)
_ONE_YEAR = 31536000

blueprint = Blueprint("themes", __name__)


@dataclass(frozen=True)
class File:
    """A stylesheet or a logo; `version` stands in its URL, so that browsers may keep it."""

    body: bytes
    mimetype: str
    version: str


def mount(app: Flask, settings: Settings) -> None:
    """Read the themes, and give templates `theme_stylesheet` and `theme_logo`. Raises SettingsError naming a file that is none."""
    app.extensions["themes"] = _read(settings)
    app.jinja_env.globals.update(theme_stylesheet=stylesheet, theme_logo=logo)
    app.register_blueprint(blueprint)


def stylesheet(client: Any = None) -> str:
    """The URL of the stylesheet that a page loads after ours, or the empty string: the client's, else the site's."""
    return _url(client, [".css"]) or _url(None, [".css"])


def logo(client: Any = None) -> str:
    """The URL of the client's own logo, without a client of the site's; or the empty string."""
    return _url(client, LOGO_TYPES)


def names_in(settings: Settings) -> frozenset[str]:
    """The themes that clients may have."""
    folder = _path(settings.themes_dir)
    return (
        frozenset(path.stem for path in folder.glob("*.css") if _is_name(path.stem)) if folder.is_dir() else frozenset()
    )


@blueprint.get("/themes/<name>")
def serve(name: str) -> Response:
    """A stylesheet or logo by its name; nothing but what was read at the start."""
    found = _files().get(name)
    if found is None:
        abort(404)
    response = Response(found.body, mimetype=found.mimetype)
    response.set_etag(found.version)
    # A version that is not ours may be a newer one: during a deployment nobody may keep the wrong file.
    known = request.query_string == f"v={found.version}".encode()
    response.headers["Cache-Control"] = f"public, max-age={_ONE_YEAR}, immutable" if known else "no-cache"
    return response.make_conditional(request)  # type: ignore[return-value]  # the same response


def _files() -> dict[str, File]:
    found: dict[str, File] = current_app.extensions["themes"]
    return found


def _url(client: Any, suffixes: Any) -> str:
    theme = (getattr(client, "metadata_extra", None) or {}).get("theme", "") if client else SITE
    name = next((name for suffix in suffixes if (name := f"{theme}{suffix}") in _files()), None)
    return url_for("themes.serve", name=name, v=_files()[name].version) if name else ""


def _read(settings: Settings) -> dict[str, File]:
    files: dict[str, File] = {}
    if settings.theme_stylesheet:
        files[f"{SITE}.css"] = _file(_path(settings.theme_stylesheet), [".css"], "OIDC_THEME_STYLESHEET")
    if settings.theme_logo:
        path = _path(settings.theme_logo)
        files[f"{SITE}{path.suffix.lower()}"] = _file(path, list(LOGO_TYPES), "OIDC_THEME_LOGO")
    for name in names_in(settings):
        for path in _path(settings.themes_dir).glob(f"{name}.*"):
            if path.suffix in _TYPES:
                files[path.name] = _file(path, list(_TYPES), "OIDC_THEMES_DIR")
    return files


def _file(path: Path, suffixes: list[str], setting: str) -> File:
    suffix = path.suffix.lower()
    if suffix not in suffixes:
        raise SettingsError(f"{setting} names {path.name}; it must end in {', '.join(suffixes)}.")
    try:
        body = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{setting} names a file that cannot be read: {error}") from error
    if len(body) > _MOST[suffix]:
        raise SettingsError(f"{setting}: {path.name} is larger than {_MOST[suffix] // 1024} kB.")
    return File(body, _TYPES[suffix], hashlib.sha256(body).hexdigest()[:12])


def _is_name(name: str) -> bool:
    return name != SITE and NAME.fullmatch(name) is not None


def _path(text: str) -> Path:
    return ROOT / text
