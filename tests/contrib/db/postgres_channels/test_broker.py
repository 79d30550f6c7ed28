"""Channels in PostgreSQL: what is published reaches every process, in order, and is kept."""

from __future__ import annotations

import asyncio
import os

import pytest
from sqlalchemy import make_url

from fastforge.channels import ChannelError, ChannelUnavailable
from fastforge.channels.carrying.broker import Envelope, Kept
from tests.processes import wait_until_async

from .conftest import Process, process

KEPT = Kept(3, 60)
LARGE = b'"' + b"x" * 60_000 + b'"'


async def test_what_is_published_comes_in_in_every_process_in_order(each_url: str) -> None:
    async with process(each_url) as one, process(each_url) as other:
        for each in (one, other):
            await each.broker.subscribe("a")
        ids = [await one.publish(b"%d x" % number) for number in range(5)]
        await one.broker.publish("a", b"last", exclude="c1", kept=None)
        await one.publish(b"elsewhere", room="b")
        for each in (one, other):
            await wait_until_async(lambda each=each: len(each.got) == 6)
            assert each.texts == [b"0 x", b"1 x", b"2 x", b"3 x", b"4 x", b"last"]
            assert [envelope.id for envelope in each.got][:5] == ids == sorted(set(ids))
            assert each.got[5].exclude == "c1"
        assert max(ids) < 2**53  # JavaScript counts no further


async def test_ids_grow_in_the_order_in_which_messages_come_in_whoever_publishes(url: str) -> None:
    """What has a smaller id than a message before it is taken for known."""
    async with process(url) as one, process(url) as other:
        await one.broker.subscribe("a")
        await asyncio.gather(
            *(
                each.publish(b"%d" % number, kept=KEPT if number % 3 else None)
                for number in range(60)
                for each in (one, other)
            )
        )
        await wait_until_async(lambda: len(one.got) == 120)
        ids = [envelope.id for envelope in one.got]
        assert ids == sorted(set(ids))


async def test_what_is_too_large_to_be_told_comes_in_in_its_place(each_url: str) -> None:
    async with process(each_url) as one, process(each_url) as other:
        await other.broker.subscribe("a")
        texts = [LARGE, b'"1"', LARGE, "\u00e4".encode() * 3_950, b'"2"']
        for text in texts:
            await one.publish(text)
        await one.publish(LARGE, kept=KEPT)
        await wait_until_async(lambda: len(other.got) == 6)
        assert other.texts == [*texts, LARGE]
        found = await one.broker.recall("a", after=other.got[4].id, epoch="", kept=KEPT)
        found = await one.broker.recall("a", after=other.got[4].id, epoch=found.epoch, kept=KEPT)
        # What was only on its way is in no history.
        assert [each.data for each in found.messages] == [LARGE]


async def test_a_large_message_that_is_gone_is_told_of_and_holds_up_nothing(url: str) -> None:
    async with process(url) as one:
        await one.broker.subscribe("a")
        await notify(one, "r 7 a - ")
        await wait_until_async(lambda: one.missed == 1)
        await one.publish(b"x")
        await wait_until_async(lambda: one.texts == [b"x"])


async def notify(one: Process, payload: str) -> None:
    channel = one.broker._channel
    await one.sql("SELECT pg_notify(:channel, :payload)", channel=channel, payload=payload)


async def test_what_is_no_message_of_ours_ends_nothing(
    each_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever may write to the database may notify anything."""
    async with process(each_url) as one:

        def deliver(envelope: Envelope) -> None:
            if envelope.data == b"bad":
                raise RuntimeError("a fault of ours")
            one.got.append(envelope)

        one.broker.attach(deliver, one._missed, one.changed.append)
        await one.broker.subscribe("a")
        for payload in ("", "hello", "m x a - {}"):
            await notify(one, payload)
        await one.publish(b"bad")
        await one.publish(b"x")
        await wait_until_async(lambda: one.texts == [b"x"])
        assert one.broker.hearing.reconnects == 0
    told = [each.getMessage() for each in caplog.records if each.name == "fastforge.channels"]
    assert [text.partition(":")[0] for text in told] == [
        *["what came in is no message of channels"] * 3,
        "a message that came in for 'a' cannot be delivered",
    ]


async def test_projects_that_share_a_database_hear_and_see_nothing_of_each_other(url: str) -> None:
    async with process(url) as one, process(url, "other:") as other:
        start = await other.broker.recall("a", after=None, epoch="", kept=KEPT)
        await one.broker.subscribe("a")
        await other.broker.subscribe("a")
        await one.broker.enter("a", "u:1", b"{}")
        # They share the table, and so what numbers its rows.
        ids = await asyncio.gather(
            *(each.publish(b"x", kept=KEPT) for _ in range(50) for each in (one, other))
        )
        assert len(set(ids)) == 100
        await wait_until_async(lambda: len(one.got) == len(other.got) == 50)
        for each in (one, other):
            heard = [envelope.id for envelope in each.got]
            assert heard == sorted(heard)
        assert not {envelope.id for envelope in one.got} & {envelope.id for envelope in other.got}
        past = await other.broker.recall("a", after=start.last_id, epoch=start.epoch, kept=KEPT)
        assert not past.is_complete
        assert {each.id for each in past.messages} <= {each.id for each in other.got}
        assert await other.broker.present("a") == {}


async def test_whoever_has_left_hears_nothing(url: str) -> None:
    async with process(url) as one:
        for room in ("a", "b"):
            await one.broker.subscribe(room)
        one.broker.unsubscribe("a")
        await one.publish(b"nobody is there")
        await one.publish(b"x", room="b")
        await wait_until_async(lambda: one.texts == [b"x"])
        await one.broker.subscribe("a")
        await one.publish(b"y")
        await wait_until_async(lambda: one.texts == [b"x", b"y"])


async def test_a_past_is_bounded_and_what_is_gone_is_known(url: str) -> None:
    async with process(url) as one:
        start = await one.broker.recall("a", after=None, epoch="", kept=KEPT)
        ids = [await one.publish(b"%d" % number, kept=KEPT) for number in range(5)]

        async def since(after: int, epoch: str = start.epoch) -> tuple[list[bytes], bool]:
            found = await one.broker.recall("a", after=after, epoch=epoch, kept=KEPT)
            return [each.data for each in found.messages], found.is_complete

        assert await since(ids[1]) == ([b"2", b"3", b"4"], True)
        assert (await since(ids[0]))[1] is False
        assert (await since(start.last_id))[1] is False
        assert await since(ids[4]) == ([], True)
        assert await since(ids[4], "another") == ([], False)
        assert await since(2**53 - 1) == ([], False)
        rows = await one.sql("SELECT count(*) FROM postgres_channels_message")
        assert rows[0][0] == KEPT.count + 1


async def test_a_past_that_was_shorter_is_not_taken_for_a_longer_one(url: str) -> None:
    """A release may keep more than the one before it; what that gave up is not there."""
    async with process(url) as one:
        start = await one.broker.recall("a", after=None, epoch="", kept=KEPT)
        for number in range(9):
            await one.publish(b"%d" % number, kept=KEPT)
        longer = Kept(100, 60)
        await one.publish(b"9", kept=longer)
        found = await one.broker.recall("a", after=start.last_id, epoch=start.epoch, kept=longer)
        assert not found.is_complete


async def test_a_quiet_room_is_recovered_whole_as_long_as_a_past_would_last(url: str) -> None:
    async with process(url) as one:
        start = await one.broker.recall("a", after=None, epoch="", kept=KEPT)
        again = await one.broker.recall("a", after=start.last_id, epoch=start.epoch, kept=KEPT)
        assert again.is_complete
        await one.publish(b"first", kept=KEPT)
        again = await one.broker.recall("a", after=start.last_id, epoch=start.epoch, kept=KEPT)
        assert ([each.data for each in again.messages], again.is_complete) == ([b"first"], True)
        brief = Kept(3, 0.3)
        await one.publish(b"lost", room="b", kept=brief)
        await asyncio.sleep(0.5)
        late = await one.broker.recall("b", after=start.last_id, epoch=start.epoch, kept=brief)
        assert (late.is_complete, late.messages) == (False, [])
        await one.publish(b"found", room="b", kept=brief)
        late = await one.broker.recall("b", after=start.last_id, epoch=start.epoch, kept=brief)
        assert not late.is_complete


async def test_nothing_is_between_where_somebody_joins_and_what_comes_in_then(url: str) -> None:
    """A message that is being written when somebody joins is in the past, or comes in."""
    async with process(url) as one, process(url) as other:
        await other.broker.subscribe("a")
        start = await other.broker.recall("a", after=None, epoch="", kept=KEPT)
        long = Kept(1000, 60)

        async def publish() -> None:
            for number in range(100):
                await one.publish(b"%d" % number, kept=long)

        publishing = asyncio.create_task(publish())
        while not publishing.done():
            found = await other.broker.recall(
                "a", after=start.last_id, epoch=start.epoch, kept=long
            )
            known = [each.id for each in found.messages]
            assert found.is_complete
            await asyncio.sleep(0)
            # Whatever is up to there was given.
            rows = await other.sql(
                "SELECT id FROM postgres_channels_message WHERE id <= :last ORDER BY id",
                last=found.last_id,
            )
            assert known == [row.id for row in rows]
        await publishing


async def test_a_table_that_was_emptied_begins_another_epoch(url: str) -> None:
    async with process(url) as one:
        before = await one.publish(b"x", kept=KEPT)
        start = await one.broker.recall("a", after=None, epoch="", kept=KEPT)
        await one.sql("TRUNCATE postgres_channels_message")
        again = await one.broker.recall("a", after=before, epoch=start.epoch, kept=KEPT)
        assert again.epoch != start.epoch
        assert not again.is_complete
        assert await one.publish(b"y", kept=KEPT) > start.last_id


async def test_what_is_published_after_somebody_joined_has_a_larger_id_whatever_the_clock(
    url: str,
) -> None:
    async with process(url) as one:
        # As if the clock had been ahead by years when somebody joined, and was set back since.
        await one.sql("SELECT setval('postgres_channels_message_id_seq', 9000000000000000)")
        joined = await one.broker.recall("a", after=None, epoch="", kept=KEPT)
        assert joined.last_id > 9_000_000_000_000_000
        assert await one.publish(b"x", kept=KEPT) > joined.last_id


async def test_rows_that_nobody_asks_for_any_more_are_deleted(url: str) -> None:
    async with process(url) as one:
        await one.sql(
            "INSERT INTO postgres_channels_message"
            " SELECT n, 'a', '', 'x', 3, now() - interval '1 s' FROM generate_series(1, 2500) AS n"
        )
        await one.publish(b"kept", kept=KEPT)

        async def left() -> int:
            return int((await one.sql("SELECT count(*) FROM postgres_channels_message"))[0][0])

        async with asyncio.timeout(30):
            while await left() > 1:
                await asyncio.sleep(0.02)


async def test_a_database_without_the_tables_says_what_to_do(postgres_url: str) -> None:
    async with process(postgres_url) as one:
        with pytest.raises(ChannelError, match=r"channels\.E044.*manage migrate"):
            await one.publish(b"x", kept=KEPT)
        with pytest.raises(ChannelError, match=r"channels\.E044.*manage migrate"):
            await one.broker.recall("a", after=None, epoch="", kept=None)


# --- who is there ---


async def test_who_is_there_is_known_to_every_process_once(each_url: str) -> None:
    async with process(each_url) as one, process(each_url) as other:
        await other.broker.subscribe("a")
        await one.broker.enter("a", "u:1", b'{"id":1}')
        await other.broker.enter("a", "u:1", b'{"id":1}')
        await other.broker.enter("a", "u:2", b"{}")
        for each in (one, other):
            assert await each.broker.present("a") == {"u:1": b'{"id":1}', "u:2": b"{}"}
        await one.broker.leave("a", "u:1")
        assert "u:1" in await one.broker.present("a")
        await other.broker.leave("a", "u:1")
        assert await one.broker.present("a") == {"u:2": b"{}"}
        await wait_until_async(lambda: other.changed == ["a"] * 5)


async def test_whoever_was_with_a_process_that_died_is_gone(each_url: str) -> None:
    async with process(each_url) as one, process(each_url) as other:
        await one.broker.enter("a", "u:1", b"{}")
        await other.broker.enter("a", "u:2", b"{}")
        await other.broker.enter("b", "u:2", b"{}")
        ended = "UPDATE postgres_channels_process SET until = now() - interval '2 minutes'"
        await one.sql(ended)
        await one.broker.renew({"a": ["u:1"]})
        assert await one.broker.present("a") == {"u:1": b"{}"}

        async def processes() -> int:
            return len(await one.sql("SELECT id FROM postgres_channels_process"))

        async with asyncio.timeout(30):
            while await processes() > 1:  # the renewal has swept
                await asyncio.sleep(0.02)
        assert len(await one.sql("SELECT key FROM postgres_channels_attendance")) == 1
        # It was only slow: it is there again, with all that it has.
        await other.broker.renew({"a": ["u:2"], "b": ["u:2"]})
        assert await one.broker.present("a") == {"u:1": b"{}", "u:2": b"{}"}
        assert await one.broker.present("b") == {"u:2": b"{}"}


async def test_whoever_came_or_went_while_it_could_not_be_written_is_known_from_the_renewal_on(
    url: str,
) -> None:
    async with process(url) as one, process(url) as other:
        await one.broker.enter("a", "u:1", b"{}")
        await one.broker.enter("a", "u:2", b"{}")
        await other.sql("ALTER TABLE postgres_channels_attendance RENAME TO away")
        with pytest.raises(ChannelError):
            await one.broker.leave("a", "u:1")
        with pytest.raises(ChannelError):
            await one.broker.enter("a", "u:3", b"{}")
        await other.sql("ALTER TABLE away RENAME TO postgres_channels_attendance")
        await one.broker.renew({"a": ["u:2", "u:3"]})
        assert await other.broker.present("a") == {"u:2": b"{}", "u:3": b"{}"}


async def test_a_user_who_may_not_write_is_told_what_to_grant(url: str) -> None:
    async with process(url) as one:
        await one.sql("REVOKE ALL ON postgres_channels_message_id_seq FROM PUBLIC")
        name = f"reader_{os.getpid()}"
        await one.sql(f"CREATE ROLE {name} LOGIN PASSWORD 'secret'")
        try:
            user = make_url(url).set(username=name, password="secret")
            async with process(user.render_as_string(hide_password=False)) as reader:
                with pytest.raises(ChannelUnavailable, match=r"permission denied.*GRANT"):
                    await reader.publish(b"x")
        finally:
            await one.sql(f"DROP OWNED BY {name}")
            await one.sql(f"DROP ROLE {name}")


async def test_what_comes_in_before_a_new_connection_is_proved_does_not_hide_what_was_missed(
    url: str,
) -> None:
    """A room that has got a later message would ask for what came after that, and miss the rest."""
    async with process(url) as one, process(url) as other:
        told: list[bytes] = []
        one.broker.attach(
            lambda envelope: told.append(envelope.data), lambda: told.append(b"missed"), print
        )
        await one.broker.subscribe("a")
        hearing = one.broker.hearing
        hearing.is_connected = False  # as after a connection was lost, before another is proved
        await other.publish(b"early")
        await wait_until_async(lambda: one.broker._withheld)
        assert told == []
        hearing._began()
        assert told == [b"missed", b"early"]
        await other.publish(b"later")
        await wait_until_async(lambda: told == [b"missed", b"early", b"later"])
