"""`python -m examples.api`, told by ISSUER, IDENTIFIER and PORT who issues its tokens and who it is."""

import os

from ..serving import serve
from .app import create_app

serve(create_app(os.environ["ISSUER"], os.environ["IDENTIFIER"]), int(os.environ["PORT"]))
