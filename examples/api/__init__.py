"""Harbour API: a protected resource that knows its issuer's URL and its own identifier, nothing more.

RFC 6750, RFC 9068 §4, RFC 9728. Endpoints: GET /, GET /photos (scope photos:read), POST /photos (scope photos:write),
GET /.well-known/oauth-protected-resource.
"""
