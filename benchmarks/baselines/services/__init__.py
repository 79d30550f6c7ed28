"""One small service, as its users would write it on each framework that is compared.

`GET /ping`, `GET /me` with a token that is kept in Redis, `GET /items/{id}`, `POST /items`, and
with BENCH_ROUTES=1 two hundred routes more. Each gives its requests ids and writes a line for each.
"""
