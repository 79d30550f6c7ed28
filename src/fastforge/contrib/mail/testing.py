"""What mail brings for tests: none is ever sent, and each test sees its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...project import Project
from ...test.setups import ForEachTest, setup_for_tests
from .letter import Letter
from .memory import delivered
from .settings import Mail

__all__ = ["mail_in_memory", "outbox"]


def outbox() -> list[Letter]:
    """Return what this test has sent, the oldest first.

    ```python
    async def test_a_receipt_is_mailed(client: httpx.AsyncClient, jobs: Jobs) -> None:
        await client.post("/orders")
        await jobs.drain()  # a message is a job until then
        assert [letter.subject for letter in outbox()] == ["Your order"]
    ```
    """
    return list(delivered)


@setup_for_tests
def mail_in_memory(project: Project, worker: str) -> Iterator[ForEachTest]:
    """Let each test begin with an empty outbox, whatever MAIL.backend says.

    A test that wants another backend says so: `@pytest.mark.settings(MAIL=...)`.
    """

    @contextmanager
    def for_each_test(project: Project) -> Iterator[Project]:
        delivered.clear()
        config = project.settings.section(Mail)
        quiet = {**config.model_dump(exclude_unset=True), "backend": "memory"}
        quiet.setdefault("from_address", "test@localhost")
        yield project.overriding(settings={"MAIL": quiet})
        delivered.clear()

    yield for_each_test
