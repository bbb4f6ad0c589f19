"""A theme of the operator's goes over our stylesheet, for the site or for one app; nobody else can dress a page."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from oidc_server import create_app
from oidc_server.clients.metadata import InvalidMetadata
from oidc_server.settings import ROOT, SettingsError

from .. import flows
from ..flows import Browser
from ..ground import STATIC
from .samples import Page
from .test_stylesheet import BORDERS, TEXT, _colours, contrast, linear_rgb, properties

EXAMPLE = ROOT / "docs" / "themes"
PAGE = (ROOT / "docs" / "themes.md").read_text("utf-8")
HARBOUR = (EXAMPLE / "harbour.css").read_text("utf-8")
DOCUMENTED = set(re.findall(r"^\| `--([\w-]+)` \|", PAGE, re.MULTILINE))


@pytest.fixture
def themed(make_app: Callable[..., Flask], tmp_path: Path) -> Flask:
    """A site with a theme, and another theme in the folder for clients."""
    folder = tmp_path / "themes"
    folder.mkdir()
    (folder / "paper.css").write_text(":root { --paper: white; }", "utf-8")
    (folder / "paper.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "notes.txt").write_text("not for browsers", "utf-8")
    (folder / "site.css").write_text("body { display: none }", "utf-8")
    (folder / "lonely.svg").write_text("<svg/>", "utf-8")
    return make_app(
        theme_stylesheet=EXAMPLE / "harbour.css", theme_logo=EXAMPLE / "harbour.svg", themes_dir=str(folder)
    )


def stylesheets(page: Page) -> list[str]:
    return [link.get("href").partition("?")[0] for link in page.all("link", rel="stylesheet")]


def register(app: Flask, client_id: str, theme: Any) -> None:
    with app.app_context():
        flows.register(client_id, redirect_uris=[flows.REDIRECT_URIS["web"]], theme=theme)


def test_the_theme_of_the_site_is_loaded_last_on_every_page(themed: Flask) -> None:
    browser = Browser(themed)
    for page in (
        browser.get("/login"),
        browser.authorize(),
        browser.get("/logged-out"),
        browser.authorize(client_id="x"),
    ):
        assert stylesheets(Page(page.text)) == ["/static/style.css", "/themes/site.css"]
    assert Page(browser.get("/login").text).all("img")[0].get("src").startswith("/themes/site.svg?v=")


def test_without_a_theme_nothing_is_loaded(app: Flask) -> None:
    page = Page(Browser(app).get("/login").text)
    assert stylesheets(page) == ["/static/style.css"]
    assert not page.all("img")


def test_a_theme_is_kept_by_browsers_as_long_as_it_is_the_same(themed: Flask) -> None:
    browser = Browser(themed)
    [_, link] = Page(browser.get("/login").text).all("link", rel="stylesheet")
    answer = browser.get(link.get("href"))
    assert (answer.status_code, answer.mimetype, answer.text) == (200, "text/css", HARBOUR)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert browser.get(link.get("href"), headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert browser.get("/themes/site.css?v=000000000000").headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "name", ["notes.txt", "lonely.svg", "nothing.css", "..%2fsettings.py", "paper.css.txt", "site.png", "", ".css"]
)
def test_nothing_else_of_the_folder_is_served(themed: Flask, name: str) -> None:
    assert Browser(themed).get(f"/themes/{name}").status_code == 404


def test_the_name_of_the_sites_theme_is_nobody_elses(themed: Flask) -> None:
    assert Browser(themed).get("/themes/site.css").text == HARBOUR
    with pytest.raises(InvalidMetadata):
        register(themed, "dressed", "site")


def test_a_client_has_a_theme_and_a_logo_of_its_own(themed: Flask) -> None:
    register(themed, "dressed", "paper")
    browser = Browser(themed)
    page = Page(browser.authorize(client_id="dressed").text)
    assert stylesheets(page) == ["/static/style.css", "/themes/paper.css"]
    assert page.all("img", **{"class": "mark"})[0].get("src").startswith("/themes/paper.png?v=")
    other = Page(browser.authorize(client_id="other").text)
    assert stylesheets(other) == ["/static/style.css", "/themes/site.css"]
    assert not other.all("img"), "the logo of the site does not stand for an app"


@pytest.mark.row("WB-02", "WB-13")
def test_the_logo_of_a_theme_takes_the_place_of_a_strangers(themed: Flask) -> None:
    register(themed, "dressed", "paper")
    with themed.app_context():
        flows.register("plain", redirect_uris=[flows.REDIRECT_URIS["web"]], logo_uri="https://photos.example/logo.png")
    browser = Browser(themed)
    browser.sign_in()
    policy = browser.authorize(client_id="plain", prompt="consent").headers["Content-Security-Policy"]
    assert "img-src 'self' https://photos.example;" in policy
    assert "img-src 'self';" in browser.authorize(client_id="dressed").headers["Content-Security-Policy"]


@pytest.mark.row("WB-02")
@pytest.mark.parametrize(
    "theme", ["https://evil.example/x.css", "../site", "nothing", "lonely", "Paper", "paper.css", "", 7, ["paper"], {}]
)
def test_a_client_cannot_be_dressed_by_anybody_else(themed: Flask, theme: Any) -> None:
    with pytest.raises(InvalidMetadata, match="theme must be"):
        register(themed, "dressed", theme)


def test_a_theme_that_is_gone_leaves_the_sites(themed: Flask, make_app: Callable[..., Flask]) -> None:
    register(themed, "dressed", "paper")
    page = Page(Browser(make_app(theme_stylesheet=EXAMPLE / "harbour.css")).authorize(client_id="dressed").text)
    assert stylesheets(page) == ["/static/style.css", "/themes/site.css"]


@pytest.mark.parametrize(
    ("setting", "file", "word"),
    [
        ("theme_stylesheet", "nothing.css", "cannot be read"),
        ("theme_stylesheet", "logo.svg", "must end in .css"),
        ("theme_stylesheet", "large.css", "larger than 64 kB"),
        ("theme_logo", "page.html", "must end in"),
        ("theme_logo", "nothing.png", "cannot be read"),
    ],
)
def test_a_theme_that_cannot_be_used_refuses_to_start(tmp_path: Path, setting: str, file: str, word: str) -> None:
    (tmp_path / "large.css").write_text(" " * 65 * 1024, "utf-8")
    with pytest.raises(SettingsError, match=f"OIDC_{setting.upper()}.*{word}"):
        create_app(environment="testing", secret_key="x" * 40, **{setting: str(tmp_path / file)})


def test_every_property_of_our_stylesheets_is_documented() -> None:
    used, set_here = set(), set()
    for path in STATIC.glob("*.css"):
        css = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL)
        used |= set(re.findall(r"var\(--([\w-]+)", css))
        set_here |= set(re.findall(r"(?<=[\s{;])--([\w-]+)\s*:", css))
    assert used == DOCUMENTED
    assert set_here == DOCUMENTED


def test_the_example_is_ten_lines_of_documented_properties() -> None:
    lines = [line for line in HARBOUR.splitlines() if line.strip()]
    assert len(lines) <= 11
    assert set(re.findall(r"--([\w-]+):", HARBOUR)) <= DOCUMENTED
    assert not re.search(r"url\(|@import", HARBOUR)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_example_can_be_read(scheme: str) -> None:
    light, dark = HARBOUR.split("@media (prefers-color-scheme: dark)")
    # A theme comes after ours: what it sets in the light holds in the dark too, unless it says otherwise there.
    colours = properties(scheme) | _colours(light) | (_colours(dark) if scheme == "dark" else {})
    for front, back in TEXT:
        assert contrast(colours[front], colours[back]) >= 4.5, (front, back)
    for front, back in BORDERS:
        assert contrast(colours[front], colours[back]) >= 3, (front, back)
    for name, colour in colours.items():
        assert all(-0.002 <= value <= 1.002 for value in linear_rgb(colour)), name
