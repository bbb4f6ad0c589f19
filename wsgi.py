"""The WSGI application: what granian, gunicorn and the `flask` command load."""

import gc
import sys

# What is made until the server stands lives as long as it: looking for garbage among it costs an eighth of the start,
# and would cost every full collection afterwards.
gc.disable()

from oidc_server import create_app, scheduling, watchdog  # noqa: E402
from oidc_server.settings import SettingsError  # noqa: E402
from oidc_server.signing.keys import KeysUnusable  # noqa: E402

try:
    app = create_app()
except (SettingsError, KeysUnusable) as error:
    sys.exit(f"The server was not started. {error}")
watchdog.mount(app)
scheduling.mount(app)
gc.freeze()
gc.enable()
