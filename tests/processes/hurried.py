"""The server in a hurry: all its processes share a clock that runs HURRIED_BY times as fast since HURRIED_SINCE (seconds since the epoch).

Only the clock that decides about tokens and keys is fast. The pauses of the machine stay as long as they are, so they weigh more.
"""

import os
import time

from oidc_server import create_app, database

_SINCE, _BY = float(os.environ["HURRIED_SINCE"]), float(os.environ["HURRIED_BY"])
database.clock = lambda: _SINCE + (time.time() - _SINCE) * _BY

app = create_app()
