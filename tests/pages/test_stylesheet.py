"""The stylesheet: small, ours alone, turned by the writing direction, and readable in both schemes."""

from __future__ import annotations

import math
import re

import pytest

from ..ground import STATIC, TEMPLATES

CSS = re.sub(r"/\*.*?\*/", "", (STATIC / "style.css").read_text("utf-8"), flags=re.DOTALL)
PHYSICAL = (
    r"(?:margin|padding|border|inset)?-?(?:top|right|bottom|left)(?:-\w+)*|(?:min-|max-)?(?:width|height)|overflow-[xy]"
)
Colour = tuple[float, float, float]


def declarations() -> list[tuple[str, str]]:
    """Every property with its value; conditions in parentheses after @media are none."""
    return [(name, value) for name, value in re.findall(r"(?<=[{;])\s*([\w-]+)\s*:\s*([^;{}]+)(?=[;}])", CSS)]


def properties(scheme: str) -> dict[str, Colour]:
    """The colours among the custom properties of a scheme."""
    light, dark = CSS.split("@media (prefers-color-scheme: dark)")
    found = _colours(light)
    return found if scheme == "light" else found | _colours(dark.partition("\n}")[0])


def _colours(text: str) -> dict[str, Colour]:
    return {
        name: (float(lightness), float(chroma), float(hue))
        for name, lightness, chroma, hue in re.findall(r"--([\w-]+):\s*oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)", text)
    }


def linear_rgb(colour: Colour) -> tuple[float, float, float]:
    """OKLCH to linear sRGB (CSS Color 4 §10.11)."""
    lightness, chroma, hue = colour
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3  # noqa: E741
    m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    s = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
        -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
        -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s,
    )


def contrast(one: Colour, other: Colour) -> float:
    """The contrast ratio of WCAG 2.2."""
    darker, lighter = sorted(
        sum(w * v for w, v in zip((0.2126, 0.7152, 0.0722), linear_rgb(c), strict=True)) for c in (one, other)
    )
    return (lighter + 0.05) / (darker + 0.05)


TEXT = [
    ("ink", "card"),
    ("ink", "paper"),
    ("quiet", "card"),
    ("quiet", "paper"),
    ("accent", "card"),
    ("press", "card"),
    ("accent", "tint"),
]
TEXT += [
    ("on-accent", "accent"),
    ("on-accent", "press"),
    ("ink", "tint"),
    ("ink", "danger-tint"),
    ("accent", "danger-tint"),
    ("press", "danger-tint"),
]
BORDERS = [("edge", "card"), ("edge", "paper"), ("accent", "paper"), ("danger", "danger-tint")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back"), TEXT)
def test_text_can_be_read(scheme: str, front: str, back: str) -> None:
    colours = properties(scheme)
    assert contrast(colours[front], colours[back]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back"), BORDERS)
def test_fields_and_focus_can_be_seen(scheme: str, front: str, back: str) -> None:
    colours = properties(scheme)
    assert contrast(colours[front], colours[back]) >= 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_exists_on_every_screen(scheme: str) -> None:
    for name, colour in properties(scheme).items():
        assert all(-0.002 <= value <= 1.002 for value in linear_rgb(colour)), (
            f"--{name} is outside sRGB, its contrast would be a guess"
        )


def test_the_known_contrasts_come_out() -> None:
    assert contrast((0.0, 0.0, 0.0), (1.0, 0.0, 0.0)) == pytest.approx(21, abs=0.05)
    assert contrast((0.6279554, 0.2576833, 29.2338851), (1.0, 0.0, 0.0)) == pytest.approx(3.998, abs=0.01), (
        "red on white"
    )


def test_colours_are_named_once_and_dark_names_the_same() -> None:
    light, dark = CSS.split("@media (prefers-color-scheme: dark)")
    themed = set(_colours(light))
    assert set(_colours(dark)) == themed
    rules = CSS.partition("*,")[2].partition("@media print")[0]
    assert not re.search(r"#[0-9a-f]{3,8}\b|\brgb|\bhsl|oklch\(", rules.replace("in oklch", "")), (
        "colours come from the custom properties"
    )
    used = set(re.findall(r"var\(--([\w-]+)\)", CSS))
    assert themed <= used
    assert used <= themed | {"radius", "corner", "font", "shadow"}


def test_it_is_small_and_asks_nobody_for_more() -> None:
    assert (STATIC / "style.css").stat().st_size < 10_000
    assert not re.search(r"url\(|@import|@font-face|https?:", CSS)


def test_its_properties_follow_the_writing_direction() -> None:
    assert len(declarations()) > 150
    for name, value in declarations():
        assert not re.fullmatch(PHYSICAL, name), name
        if name in ("text-align", "float", "clear"):
            assert value.strip() not in ("left", "right")


def test_focus_is_always_visible() -> None:
    assert re.search(r":focus-visible\s*{\s*outline: 2px solid var\(--accent\);\s*outline-offset: 2px;", CSS)
    assert not re.search(r"outline(-style|-width)?:\s*(none|0)", CSS)


def test_it_follows_what_the_person_set() -> None:
    for wish in ("prefers-color-scheme: dark", "prefers-reduced-motion: reduce", "print"):
        assert f"@media ({wish})" in CSS or f"@media {wish}" in CSS
    assert "color-scheme: light dark" in CSS


def test_every_class_of_the_templates_has_a_rule_and_every_rule_a_class() -> None:
    # Pictures that are drawn in Python have classes, too.
    sources = [*TEMPLATES.rglob("*.html"), *STATIC.parent.rglob("*.py")]
    markup = "".join(path.read_text("utf-8") for path in sources)
    used = {name for names in re.findall(r'class="([\w -]+)"', markup) for name in names.split()}
    sheets = "".join(path.read_text("utf-8") for path in STATIC.glob("*.css"))
    styled = set(re.findall(r"\.([a-z][\w-]*)(?=[\s,.:{\[>+])", re.sub(r"/\*.*?\*/", "", sheets, flags=re.DOTALL)))
    assert styled - used == set()
    # What only tests look for.
    assert used - styled <= {"reference", "label", "address", "passkey-name"}
