"""The WSGI application: what granian, gunicorn and the `flask` command load."""

from oidc_server import create_app

app = create_app()
