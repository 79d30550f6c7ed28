"""Which test injects which of the 28 faults."""

from __future__ import annotations

import re

import pytest

from tests.source import ROOT

FAULTS = {
    "F1 database refused at start": ["faults/test_start.py::test_f1_f2_a_database_that_is_away"],
    "F2 database silent at start": ["faults/test_start.py::test_f1_f2_a_database_that_is_away"],
    "F3 database comes up later": ["faults/test_start.py::test_f3_a_database_that_comes_up_later"],
    "F4 wrong password or database": ["faults/test_start.py::test_f4_a_wrong_password_or_name"],
    "F5 Redis refused at start": ["faults/test_start.py::test_f5_a_project_starts_without_its"],
    "F6 SIGTERM while it waits": [
        "server/test_serve.py::test_a_signal_cancels_a_start_that_hangs",
        "lifecycle/test_runner.py::test_when_the_start_is_cancelled_in_the_kth_all_are_closed",
        "contrib/jobs/test_worker.py::test_sigterm_during_the_start_closes_what_is_open",
    ],
    "F7 one of several resources fails": [
        "lifecycle/test_runner.py::test_when_the_kth_fails_each_opened_one_is_closed_once",
        "request_path/test_lifespan.py::test_a_resource_that_fails_to_open_is_one_line_and_code_3",
    ],
    "F8 a close hangs or raises": [
        "lifecycle/test_runner.py::test_a_failing_or_hanging_close_never_prevents_the_next",
        "lifecycle/test_runner.py::test_a_close_that_ignores_its_cancellation_is_left_behind",
        "request_path/test_lifespan.py::test_a_resource_that_fails_to_close_keeps_nothing_else",
    ],
    "F9 idle connections reset": [
        "faults/test_database.py::test_f9_connections_that_are_reset_while_idle_cost_no_request",
        "contrib/db/pool/test_pings.py::test_an_idle_connection_that_the_network_has_forgotten",
    ],
    "F10 reset in mid-transaction": [
        "faults/test_database.py::test_f10_a_reset_in_mid_transaction_fails_that_request_once",
        "contrib/db/faults/test_translation.py::test_a_connection_that_is_lost_at_commit_leaves",
    ],
    "F11 database silent in mid-run": [
        "faults/test_database.py::test_f11_a_silent_database_ends_requests_at_their_deadline"
    ],
    "F12 pool exhausted": [
        "faults/test_database.py::test_f12_an_exhausted_pool_is_503_within_its_limit",
        "contrib/db/pool/test_leaving.py::test_an_empty_pool_is_503_and_the_log_names_who_holds_it",
    ],
    "F13 clients leave in mid-query": [
        "contrib/db/pool/test_leaving.py::test_clients_that_leave_take_no_connection_along",
        "contrib/db/pool/test_hurried.py::test_a_cancellation_anywhere_gives_the_connection_back",
        "contrib/redis/test_limits.py::test_a_caller_that_gives_up_first_takes_its_connection",
    ],
    "F14 Redis refused": ["faults/test_redis.py::test_f14_f15_f16_requests_go_on_and_soon_wait"],
    "F15 Redis silent": ["faults/test_redis.py::test_f14_f15_f16_requests_go_on_and_soon_wait"],
    "F16 Redis slow": ["faults/test_redis.py::test_f14_f15_f16_requests_go_on_and_soon_wait"],
    "F17 Redis cut in an answer": ["faults/test_redis.py::test_f17_an_answer_that_is_cut"],
    "F18 enqueued while Redis is away": [
        "contrib/arq/test_outbox.py::test_with_redis_away_a_job_is_a_row_and_arrives_later_once",
        "contrib/arq/test_worker.py::test_what_is_enqueued_while_redis_is_away_runs_when_it_is",
    ],
    "F19 rolled back after enqueue": [
        "jobs/test_kills.py::test_a_committed_request_has_its_job_and_a_rolled_back_one_has_none",
        "contrib/jobs/test_requests.py::test_what_a_refused_request_enqueued_is_gone",
    ],
    "F20 worker without its backend": [
        "jobs/test_outages.py::test_jobs_that_end_while_the_server_is_away_are_done_once",
        "worker/test_burst.py::test_a_worker_without_burst_waits_for_it",
    ],
    "F21 worker killed in mid-job": [
        "jobs/test_kills.py::test_the_jobs_of_a_killed_worker_are_done_within_30_s",
        "contrib/arq/test_worker.py::test_after_kill_9_every_job_is_done_and_none_ends_twice",
    ],
    "F22 worker stopped in mid-job": [
        "contrib/jobs/test_worker.py::test_sigterm_lets_short_jobs_end_and_hands_back_the_others",
        "contrib/arq/test_worker.py::test_sigterm_hands_back_what_still_runs",
    ],
    "F23 pub/sub connection lost": [
        "channels/test_outages.py::test_after_a_restart_old_and_new_clients_hear_again",
        "channels/test_outages.py::test_a_redis_that_is_frozen_is_noticed",
        "channels/test_outages.py::test_connections_that_hear_are_killed_again_and_again",
        "contrib/redis/test_channels.py::test_a_connection_that_was_cut_is_replaced_and_what",
    ],
    "F24 slow consumer of a socket": [
        "channels/test_any_server.py::test_a_client_that_reads_nothing_is_let_go_and_the_others_get",
        "channels/test_served.py::test_a_client_that_stops_to_read_holds_up_nobody_and_is_told_of",
        "channels/test_outbox.py::test_a_client_that_is_behind_for_too_long_is_let_go_whatever_the",
    ],
    "F25 upstream silent": ["faults/test_upstream.py::test_f25_a_silent_upstream_is_504"],
    "F26 nobody takes the log": [
        "faults/test_logs.py::test_f26_requests_go_on_when_nobody_takes_the_log",
        "observability/test_lines.py::test_a_full_disk_fails_nobody",
    ],
    "F27 the clock is set back": [
        "signing/test_signing.py::test_a_clock_that_is_set_back_gives_no_time",
        "contrib/auth/tokens/test_issuing.py::test_an_access_token_ends_and_not_later_because_a",
        "contrib/auth/tokens/test_refreshing.py::test_a_clock_that_is_set_back_makes_the_grace",
        "contrib/sessions/test_expiry.py::test_a_session_that_nobody_uses_ends",
        "cache/test_memory.py::test_a_clock_that_is_set_changes_nothing",
        "contrib/ratelimit/test_windows.py::test_a_clock_that_is_set_back_locks_nobody_out",
        "tasks/schedules/test_scheduler.py::test_a_clock_that_is_set_back_brings_no_due_time",
    ],
    "F28 many miss the cache at once": [
        "cache/test_flights.py::test_a_thousand_at_once_make_one_call",
        "contrib/auth/identity/test_faults.py::test_7_a_thousand_misses_at_once_are_one_check",
    ],
}
"""By fault the beginnings of the names of the tests, below `tests/`."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_injected_by_tests_that_are_there(fault: str) -> None:
    for test in FAULTS[fault]:
        file, _, name = test.partition("::")
        text = (ROOT / "tests" / file).read_text(encoding="utf-8")
        assert re.search(rf"^(async )?def {name}", text, re.MULTILINE), test


def test_none_of_the_28_is_forgotten() -> None:
    numbers = [int(each.partition(" ")[0][1:]) for each in FAULTS]
    assert sorted(numbers) == list(range(1, 29))
