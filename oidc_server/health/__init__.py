"""GET /healthz: whether this process can do its work, for load balancers and supervisors."""

from __future__ import annotations

import orjson
import sqlalchemy as sa
from flask import Blueprint, Flask, Response

from ..database import db
from ..server import AuthorizationServer

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """200 when the database answers; an outage is answered by the error handler, as 503."""
    db.session.execute(sa.text("SELECT 1"))
    return Response(orjson.dumps({"status": "ok"}), mimetype="application/json")


def mount(app: Flask, server: AuthorizationServer) -> None:
    app.register_blueprint(blueprint)
