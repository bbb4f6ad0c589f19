"""Photo Harbour: an app of somebody else, which signs people in with the server and calls an API for them.

OpenID Connect Core 1.0 (code flow), RFC 7636, RFC 8707, RFC 9207, RP-Initiated Logout. It knows the issuer's URL, its
client_id and secret, and the API's identifier; everything else it discovers.
Endpoints: GET /, /sign-in, /callback, /signed-out; POST /call-api, /refresh, /sign-out.
"""
