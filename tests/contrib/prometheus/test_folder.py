"""What processes count outlives them, and the folder that it is kept in does not grow."""

from __future__ import annotations

import errno
import math
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fastforge.contrib.prometheus.folder import ENDED, Folder, UnfitFolder
from fastforge.contrib.prometheus.merging import Merged
from fastforge.contrib.prometheus.shelf import Shelf, entries_in
from fastforge.observability.events import (
    BREAKER_OPEN,
    EVENT_LOOP_LAG,
    HTTP_ACTIVE,
    HTTP_REFUSED,
    PROCESS_START,
    Metric,
    MetricKind,
)
from fastforge.observability.metrics import Histogram, Meter
from tests.processes import clean_environment

CHUNK = 64 * 1024
GENERATIONS = 200


def told(merged: Merged) -> dict[tuple[str, tuple[str, ...]], Any]:
    return {(each.metric.name, each.labels): each.value for each in merged.samples()}


class Worker:
    """What a process does, in this one: its lock is that of an open file all the same."""

    def __init__(self, path: Path) -> None:
        self.folder = Folder(path)
        self.meter = Meter()
        self.meter.keep_in(self.folder.enter().place)

    def work(self, requests: int = 1) -> None:
        self.meter.add(HTTP_REFUSED, "408", amount=requests)
        self.meter.record(EVENT_LOOP_LAG, value=0.002)
        self.meter.set(HTTP_ACTIVE, value=requests)

    def read(self) -> dict[tuple[str, tuple[str, ...]], Any]:
        return told(self.folder.read())

    def die(self) -> None:
        """End without a word: the kernel gives the lock back."""
        assert self.folder._own is not None
        self.folder._own[1].release()


def test_a_reading_has_the_sums_of_counters_and_histograms_and_live_gauges(tmp_path: Path) -> None:
    first, second = Worker(tmp_path / "f"), Worker(tmp_path / "f")
    first.work(3)
    second.work(4)
    for read in (first.read(), second.read()):
        assert read[HTTP_REFUSED.name, ("408",)] == 7
        assert read[HTTP_ACTIVE.name, ()] == 7
        histogram = read[EVENT_LOOP_LAG.name, ()]
        assert isinstance(histogram, Histogram)
        assert histogram.count == 2
        assert histogram.sum == pytest.approx(0.004)
    first.die()
    read = second.read()
    assert read[HTTP_REFUSED.name, ("408",)] == 7
    assert read[HTTP_ACTIVE.name, ()] == 4
    second.folder.leave()


def test_counters_never_go_backwards_and_the_folder_stays_small_over_many_generations(
    tmp_path: Path,
) -> None:
    path = tmp_path / "f"
    alive, counted, seen, files = [Worker(path), Worker(path)], 0, 0, list[Path]()
    for generation in range(GENERATIONS):
        alive.append(Worker(path))
        for each in alive:
            each.work()
            counted += 1
        leaving = alive.pop(0)
        leaving.die() if generation % 2 else leaving.folder.leave()
        total = alive[0].read()[HTTP_REFUSED.name, ("408",)]
        assert total == counted
        assert total >= seen
        seen = total
        files = [file for file in path.iterdir() if file.name.endswith(".cells")]
        assert len(files) == len(alive)
    assert {file.name for file in path.iterdir()} - {file.name for file in files} <= {
        ENDED,
        "lock",
        "leader",
    }
    assert sum(file.stat().st_size for file in path.iterdir()) == CHUNK * (len(alive) + 1)
    assert alive[0].read()[EVENT_LOOP_LAG.name, ()].count == counted
    for each in alive:
        each.folder.leave()


def test_whoever_finds_nobody_alive_begins_with_nothing(tmp_path: Path) -> None:
    first = Worker(tmp_path / "f")
    first.work(5)
    first.die()
    second = Worker(tmp_path / "f")
    assert (HTTP_REFUSED.name, ("408",)) not in second.read()
    second.folder.leave()


def test_a_death_in_the_middle_of_adding_up_counts_nothing_twice(tmp_path: Path) -> None:
    first, second = Worker(tmp_path / "f"), Worker(tmp_path / "f")
    first.work(5)
    assert first.folder._own is not None
    file = first.folder._own[0]
    kept = file.read_bytes()
    first.die()
    assert second.read()[HTTP_REFUSED.name, ("408",)] == 5
    file.write_bytes(kept)  # as if it had not been removed yet
    assert second.read()[HTTP_REFUSED.name, ("408",)] == 5
    assert not file.exists()
    second.folder.leave()


KILLED = """
import os, signal, sys
from pathlib import Path
from fastforge.contrib.prometheus.folder import Folder
from fastforge.observability.events import HTTP_REFUSED
from fastforge.observability.metrics import Meter

meter = Meter()
meter.keep_in(Folder(Path(sys.argv[1])).enter().place)
for _ in range(1000):
    meter.add(HTTP_REFUSED, "408")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_loses_nothing_that_it_has_counted(tmp_path: Path) -> None:
    here = Worker(tmp_path / "f")
    here.work()
    argv = [sys.executable, "-c", KILLED, str(tmp_path / "f")]
    ended = subprocess.run(argv, env=clean_environment(), check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    assert here.read()[HTTP_REFUSED.name, ("408",)] == 1001
    here.folder.leave()


def test_gauges_are_taken_together_as_their_metric_says(tmp_path: Path) -> None:
    first, second = Worker(tmp_path / "f"), Worker(tmp_path / "f")
    for worker, number in ((first, 0.0), (second, 1.0)):
        worker.meter.set(BREAKER_OPEN, "redis", value=number)
        worker.meter.set(PROCESS_START, value=100 + number)
    second.meter.set(BREAKER_OPEN, "gone", value=math.nan)
    read = first.read()
    assert read[BREAKER_OPEN.name, ("redis",)] == 1
    assert read[PROCESS_START.name, ()] == 100
    assert (BREAKER_OPEN.name, ("gone",)) not in read
    first.folder.leave()
    second.folder.leave()


def test_the_labels_of_all_generations_together_are_bounded(tmp_path: Path) -> None:
    few = Metric(name="few", kind=MetricKind.COUNTER, unit="1", labels=("a",), help="", limit=4)
    here = Worker(tmp_path / "f")
    for generation in range(10):
        worker = Worker(tmp_path / "f")
        for number in range(4):
            worker.meter.add(few, f"{generation}.{number}")
        worker.folder.leave()
    counts = {labels: value for (name, labels), value in here.read().items() if name == "few"}
    assert len(counts) == 5
    assert counts["__overflow__",] == 36
    here.folder.leave()


def test_other_labels_after_a_release_take_the_place_of_those_before(tmp_path: Path) -> None:
    def orders(*labels: str) -> Metric:
        return Metric(name="orders", kind=MetricKind.COUNTER, unit="1", labels=labels, help="")

    old, new = Worker(tmp_path / "f"), Worker(tmp_path / "f")
    old.meter.add(orders(), amount=7)
    new.meter.add(orders("country"), "de", amount=2)
    assert {key: value for key, value in new.read().items() if key[0] == "orders"} == {
        ("orders", ("de",)): 2
    }
    old.folder.leave()
    new.folder.leave()


def test_a_file_grows_by_chunks_and_every_series_is_found_again(tmp_path: Path) -> None:
    many = Metric(
        name="many", kind=MetricKind.COUNTER, unit="1", labels=("a",), help="", limit=5000
    )
    here = Worker(tmp_path / "f")
    for number in range(3000):
        here.meter.add(many, f"{number:05d}" * 10)
    assert here.folder._own is not None
    file = here.folder._own[0]
    assert file.stat().st_size % CHUNK == 0
    assert file.stat().st_size > CHUNK
    assert len([entry for entry in entries_in(file) if entry.cells == (1.0,)]) == 3000
    here.folder.leave()


def test_a_full_disk_is_told_once_and_counting_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    file = tmp_path / "file"
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT)
    shelf, meter = Shelf(descriptor), Meter()
    meter.keep_in(shelf.place)
    monkeypatch.setattr(os, "pwrite", full)
    meter.add(HTTP_REFUSED, "408")
    meter.add(HTTP_REFUSED, "431")
    os.close(descriptor)
    assert {each.labels: each.value for each in meter.samples()} == {("408",): 1, ("431",): 1}
    assert [each.message for each in caplog.records] == [
        "some metrics of this process are not shown: No space left on device"
    ]


def test_the_folder_is_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "f"
    path.mkdir(parents=True, mode=0o755)
    worker = Worker(path)
    assert path.stat().st_mode & 0o777 == 0o700
    worker.folder.leave()


def test_in_a_temporary_folder_the_one_around_it_has_to_be_ours_too(tmp_path: Path) -> None:
    """Whoever has made it first could put a link to anywhere in the place of what we make in it."""
    around = tmp_path / "fastforge-metrics"
    Folder(around / "shop", is_in_shared=True).enter()
    assert around.stat().st_mode & 0o777 == 0o700
    planted = tmp_path / "planted"
    planted.symlink_to(around)
    Folder(planted / "shop").enter()  # an administrator may have meant it
    with pytest.raises(UnfitFolder, match="planted belongs to somebody else"):
        Folder(planted / "shop", is_in_shared=True).enter()


def test_a_folder_that_is_none_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnfitFolder, match="belongs to somebody else"):
        Folder(tmp_path / "link").enter()
    (tmp_path / "file").touch()
    with pytest.raises(UnfitFolder, match=r"file: "):
        Folder(tmp_path / "file").enter()
