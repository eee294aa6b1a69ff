"""One declaration, three uses: routes, client, description.

An API is a `Protocol` of async methods over frozen values, each bound to its HTTP method and path. `declare` holds the
words to write one, `direct`, `serve` and `client` are its three wirings, `guard` authorises and `observe` records every
call in each of them.
"""
