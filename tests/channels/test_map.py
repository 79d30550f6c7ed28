"""Which test holds that a fault which channels of others have is none of ours."""

from __future__ import annotations

import re

import pytest

from tests.source import ROOT

USUAL = {
    "1 what is half open is held for as long as somebody waits for it": [
        "server/protocol/websocket/test_ends.py::test_a_client_that_stops_to_read_is_cut_and",
        "channels/test_any_server.py::test_a_client_that_reads_nothing_is_let_go",
    ],
    "2 who is gone stays until somebody says something in that room": [
        "channels/test_growth.py::test_sockets_that_came_and_went_leave_nothing",
        "channels/test_growth.py::test_rooms_that_all_have_left_are_gone_soon",
    ],
    "3 each name that was ever published to leaves an entry": [
        "channels/test_growth.py::test_what_is_said_where_nobody_is_leaves_nothing",
    ],
    "4 a publisher waits for the slowest receiver": [
        "channels/test_served.py::test_a_client_that_stops_to_read_holds_up_nobody",
    ],
    "5 tasks pile up behind a client that takes nothing": [
        "channels/test_growth.py::test_a_message_is_written_once_and_costs_no_task",
    ],
    "6 errors are thrown away, and dead sockets stay": [
        "channels/test_limits.py::test_a_client_that_does_not_read_is_let_go_and_forgotten",
        "channels/test_joining.py::test_a_socket_that_is_gone_leaves_nothing_behind",
    ],
    "7 a publisher that is cancelled has told a part of the room": [
        "channels/test_growth.py::test_a_publisher_that_is_cancelled_has_told_all_or_nobody",
    ],
    "8 a task and an encoding for each receiver": [
        "channels/test_growth.py::test_a_message_is_written_once_and_costs_no_task",
        "channels/test_gate.py::test_a_client_that_keeps_up_is_written_to_past_its_outbox",
    ],
    "9 a thread that publishes breaks the loop over the receivers": [
        "channels/test_growth.py::test_many_threads_publish_at_once",
        "channels/test_growth.py::test_a_thread_that_nobody_here_has_started_is_told_so",
    ],
    "10 whoever fails while a message is given out breaks the loop": [
        "channels/test_growth.py::test_whoever_is_let_go_by_a_message_keeps_it_from_nobody",
    ],
    "11 nothing is bounded": [
        "channels/test_outbox.py::test_bytes_are_bounded_too",
        "channels/test_flooding.py::test_answers_that_nobody_reads_are_bounded_in_bytes",
    ],
    "12 two messages have no order": [
        "channels/test_growth.py::test_what_each_publisher_says_comes_in_its_order_and_all_in_one",
        "contrib/redis/test_channels.py::test_what_is_published_comes_in_in_every_process_in_order",
    ],
    "13 what is said while somebody joins is lost": [
        "channels/test_joining.py::test_what_is_said_while_somebody_joins_comes_after_the_answer",
        "channels/test_catching_up.py::test_what_was_read_from_the_past_and_comes_in_later_is",
    ],
    "14 hearing ends with the first error of Redis": [
        "channels/test_outages.py::test_after_a_restart_old_and_new_clients_hear_again",
    ],
    "15 one slow room holds up all others": [
        "channels/test_outbox.py::test_one_channel_does_not_drop_what_is_another_s",
        "channels/test_served.py::test_a_client_that_stops_to_read_holds_up_nobody",
    ],
    "16 a handler does not learn that its client has left": [
        "channels/test_growth.py::test_a_handler_ends_with_its_client",
    ],
    "17 no types, no checks, no limits, no codes": [
        "channels/test_declaring.py::test_a_mistake_is_told_where_it_was_made",
        "channels/test_requests.py::test_a_message_that_is_none_is_told_and_the_socket_goes_on",
        "channels/test_any_server.py::test_what_is_too_large_too_much_or_no_frame_ends_a_socket",
        "channels/test_limits.py::test_a_user_has_so_many_sockets_and_no_more",
    ],
}
"""What sets of sockets in a dictionary do, by the beginnings of the names of tests."""

REPORTED = {
    "1 hearing hangs when its connection drops": [
        "contrib/redis/test_channels.py::test_a_connection_that_was_cut_is_replaced_and_what_was",
    ],
    "2 one large message makes a process deaf": [
        "channels/test_publishing.py::test_what_does_not_fit_is_refused_where_it_is_published",
        "contrib/redis/test_channels.py::test_what_is_no_message_of_ours_ends_nothing",
    ],
    "3 each reconnect leaves a connection behind": [
        "channels/test_outages.py::test_connections_that_hear_are_killed_again_and_again",
        "contrib/redis/test_channels.py::test_no_subscription_stays_that_nobody_wants",
    ],
    "4 members and buffers stay after lost connections": [
        "channels/test_growth.py::test_sockets_that_came_and_went_leave_nothing",
        "channels/test_failing.py::test_a_room_is_left_also_where_the_server_gives_up_waiting",
        "contrib/redis/test_channels.py::test_whoever_has_left_hears_nothing_and_costs_nothing",
    ],
    "5 messages are dropped in silence, or with a flood of lines": [
        "channels/test_outbox.py::test_drop_oldest_tells_how_many_are_missing",
        "channels/test_measured.py::test_one_line_a_minute_tells_of_clients_that_do_not_keep_up",
    ],
    "6 hearing does not come back": [
        "channels/test_outages.py::test_after_a_restart_old_and_new_clients_hear_again",
    ],
    "7 a connection that is half open is believed": [
        "contrib/redis/test_channels.py::test_a_server_that_is_frozen_is_left_and_heard_again",
        "channels/test_outages.py::test_a_redis_that_is_frozen_is_noticed",
    ],
    "8 a server does not end while Redis is away": [
        "channels/test_outages.py::test_servers_end_within_their_limits_while_redis_is_away",
    ],
    "9 1006 at a stop": [
        "channels/test_stops.py::test_all_are_told_1012_and_nothing_that_a_handler_has_begun",
    ],
    "10 a stop hangs, or cuts": [
        "server/protocol/websocket/test_stop.py::test_every_socket_hears_1012_and_every_handler",
    ],
    "11 nobody sees that a client has left": [
        "channels/test_growth.py::test_a_handler_ends_with_its_client",
    ],
    "12 one send that waits stops everybody": [
        "channels/test_served.py::test_a_client_that_stops_to_read_holds_up_nobody",
    ],
    "13 a connection with unsent bytes is never closed": [
        "server/protocol/websocket/test_ends.py::test_a_client_that_stops_to_read_is_cut_and",
    ],
    "14 compression takes the memory": [
        "server/protocol/websocket/test_ends.py::test_compression_is_off_though_every_client",
    ],
    "15 clients that keep up are let go in a burst": [
        "channels/test_flooding.py::test_a_burst_of_the_application_is_no_fault_of_its_clients",
        "channels/test_outbox.py::test_whoever_has_caught_up_has_its_patience_back",
    ],
    "16 pages of anybody may connect": [
        "channels/test_any_server.py::test_a_page_of_another_host_is_refused",
    ],
    "17 who has logged out keeps the socket": [
        "channels/test_users_served.py::test_a_revocation_ends_the_sockets_of_its_user",
        "channels/test_limits.py::test_a_token_that_ends_closes_its_socket",
    ],
    "18 everybody comes back at once": [
        "channels/test_stops.py::test_they_are_closed_one_after_the_other",
        "channels/test_client.py::test_the_pause_doubles_until_a_socket_was_stable",
    ],
    "19 a send after the end raises": [
        "channels/test_flooding.py::test_a_socket_that_is_closed_hears_nothing_more",
        "channels/test_gate.py::test_nothing_is_written_to_a_socket_that_has_ended",
    ],
    "20 a notification of PostgreSQL has 8,000 bytes": [
        "contrib/db/postgres_channels/test_broker.py::test_what_is_too_large_to_be_told_comes_in",
    ],
}
"""What users of other libraries have reported."""


@pytest.mark.parametrize("fault", [*USUAL, *REPORTED])
def test_a_fault_of_others_is_none_of_ours_by_tests_that_are_there(fault: str) -> None:
    for test in {**USUAL, **REPORTED}[fault]:
        file, _, name = test.partition("::")
        text = (ROOT / "tests" / file).read_text(encoding="utf-8")
        assert re.search(rf"^(async )?def {name}", text, re.MULTILINE), test


@pytest.mark.parametrize(("faults", "count"), [(USUAL, 17), (REPORTED, 20)])
def test_none_of_them_is_forgotten(faults: dict[str, list[str]], count: int) -> None:
    numbers = [int(each.partition(" ")[0]) for each in faults]
    assert numbers == list(range(1, count + 1))
