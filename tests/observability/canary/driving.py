"""Driving: what a client does who carries secrets into every place."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from .canaries import jwt, value

__all__ = ["PLACES", "drive"]

PLACES = (
    "header",
    "query",
    "body",
    "cookie",
    "dsn",
    "exception",
    "job",
    "socket",
    "validation",
    "database",
    "outgoing",
    "form",
)
PAGE = {"accept": "text/html,*/*;q=0.8"}
"""What a browser wants; in development it is shown the page of the error."""


def drive(url: str) -> dict[str, str]:
    """Ask for everything, twice: as a program and as a browser. Returns what was answered."""
    answers: dict[str, str] = {}
    for name, headers in (("program", {"accept": "application/json"}), ("browser", PAGE)):
        limits = httpx.Limits(max_keepalive_connections=0)  # a failure closes its connection
        with httpx.Client(base_url=url, headers=headers, timeout=60, limits=limits) as client:
            for number, request in enumerate(_requests(client)):
                answer = client.send(request)
                told = f"{answer.status_code} {answer.headers} {answer.text}"
                answers[f"{number} {request.url.path} to a {name}"] = told
    _send_a_frame(url)
    answers["what is no request"] = _send_nonsense(url)
    return answers


def _requests(client: httpx.Client) -> Iterator[httpx.Request]:
    secret = {"password": value("body"), "note": jwt("body")}
    given = {place: {"password": value(place), "note": jwt(place)} for place in PLACES}
    headers = {
        "authorization": f"Bearer {jwt('header')}",
        "x-api-key": value("header"),
        "x-note": jwt("header"),
        "proxy-authorization": f"Basic {value('header')}",
    }
    yield client.build_request("GET", "/header", headers=headers)
    query = {"token": value("query"), "note": jwt("query")}
    yield client.build_request("GET", "/query", params=query)
    yield client.build_request("GET", f"/nowhere/{jwt('query')}", params=query)
    yield client.build_request("POST", "/body", json=secret)
    cookie = f"sessionid={value('cookie')}; theme={jwt('cookie')}"
    yield client.build_request("GET", "/cookie", headers={"cookie": cookie})
    yield client.build_request("GET", "/dsn")
    yield client.build_request("GET", "/exception", params=given["exception"])
    yield client.build_request("POST", "/job", json=given["job"])
    yield client.build_request("POST", "/validation", json={"token": value("validation")})
    yield client.build_request("POST", "/validation", json={"age": jwt("validation")})
    yield client.build_request("POST", "/validation", content='{"token": "' + value("validation"))
    yield client.build_request("GET", "/model", params={"token": value("validation")})
    yield client.build_request("GET", "/unique", params={"token": value("database")})
    yield client.build_request("GET", "/wrong", params={"token": value("database")})
    yield client.build_request("GET", "/told", params={"token": value("database")})
    outgoing = {"api_key": value("outgoing"), "note": jwt("outgoing")}
    yield client.build_request("GET", "/outgoing", params=outgoing)
    for age in ("7", jwt("form")):
        yield client.build_request("POST", "/form", data={"age": age, **given["form"]})


def _send_a_frame(url: str) -> None:
    frame = json.dumps({"password": value("socket"), "note": jwt("socket")})
    address = f"{url.replace('http', 'ws', 1)}/socket"
    with connect(address) as client, suppress(ConnectionClosed):
        client.send(frame)
        client.recv(timeout=60)


def _send_nonsense(url: str) -> str:
    """Send what the server refuses before there is a request."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as client:
        lines = f"GET /a HTTP/1.1\r\nAuthorization: Bearer {jwt('header')}\r\nwhat is this\r\n\r\n"
        client.sendall(lines.encode())
        with client.makefile("r", errors="replace") as answer:
            return answer.read()
