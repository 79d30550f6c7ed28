"""The JavaScript client, as a project answers with it."""

from __future__ import annotations

from fastforge.channels.script import client_script

from .live import Live


async def test_the_client_is_kept_by_browsers_until_it_is_another_one(live: Live) -> None:
    script = client_script()
    answer = await live.http.get("/channels/client.js")
    assert (answer.status_code, answer.content) == (200, script.body)
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    known = {"If-None-Match": f'"other", W/{answer.headers["etag"]}'}
    assert (await live.http.get("/channels/client.js", headers=known)).status_code == 304
    named = await live.http.get(f"/channels/client.js?v={script.version}")
    assert named.headers["cache-control"] == "public, max-age=31536000, immutable"
    of_before = await live.http.get("/channels/client.js?v=0123456789abcdef")
    assert of_before.headers["cache-control"] == "no-cache"
