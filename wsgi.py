"""The WSGI application: what granian, gunicorn and the `flask` command load."""

import sys

from oidc_server import create_app, watchdog
from oidc_server.settings import SettingsError
from oidc_server.signing.keys import KeysUnusable

try:
    app = create_app()
except (SettingsError, KeysUnusable) as error:
    sys.exit(f"The server was not started. {error}")
watchdog.mount(app)
