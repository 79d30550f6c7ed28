"""What happens to notes in the background: `python manage.py runworker`."""

from fastforge import injected, task
from fastforge.contrib.db import DbSession

from .models import Note


@task
async def count_words(note_id: int, *, db: DbSession = injected) -> None:
    """Count the words of one note."""
    async with db.atomic():
        note = await db.get(Note, note_id)
        if note is not None:
            note.words = len(note.text.split())
