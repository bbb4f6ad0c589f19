"""`python -m examples.web_app`, told by the environment whom to trust, what to call and who it is."""

import os

from ..serving import serve
from .app import create_app

serve(
    create_app(
        issuer=os.environ["ISSUER"],
        client_id=os.environ["CLIENT_ID"],
        client_secret=os.environ["CLIENT_SECRET"],
        api=os.environ["API"],
        base_url=os.environ["BASE_URL"],
    ),
    int(os.environ["PORT"]),
)
