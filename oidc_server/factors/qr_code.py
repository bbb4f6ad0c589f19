"""A QR code as SVG, drawn here: no secret goes to a service that draws pictures."""

from __future__ import annotations

import segno
from markupsafe import Markup


def svg(text: str) -> Markup:
    """The QR code of a text as an element for a page: dark on white whatever the theme is, because readers want that."""
    drawn = segno.make_qr(text, error="m").svg_inline(
        border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None
    )
    return Markup(drawn)  # noqa: S704 - segno draws squares; nothing of the text is in it
