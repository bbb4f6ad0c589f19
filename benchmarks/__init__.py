"""How fast the server is: on one core, beside the raw RS256 signature and node-oidc-provider. `make bench`."""
