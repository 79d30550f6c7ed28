"""The addresses of notes, below the prefix that the settings give."""

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import select

from fastforge.contrib.db import DbSession

from .models import Note
from .tasks import count_words

router = APIRouter(tags=["notes"])


class NewNote(BaseModel):
    """What is sent to write a note."""

    text: str = Field(min_length=1, max_length=10_000)


class NoteOut(NewNote):
    """A note; `words` is there once the worker has counted them."""

    id: int
    words: int | None


@router.get("")
async def list_notes(db: DbSession) -> list[NoteOut]:
    """Return the newest notes."""
    notes = await db.scalars(select(Note).order_by(Note.id.desc()).limit(50))
    return [NoteOut(id=note.id, text=note.text, words=note.words) for note in notes]


@router.post("", status_code=201)
async def write_note(new: NewNote, db: DbSession) -> NoteOut:
    """Store a note and have its words counted: both, or neither when it fails."""
    note = Note(text=new.text)
    db.add(note)
    await db.flush()
    await count_words.enqueue(note_id=note.id)
    return NoteOut(id=note.id, text=note.text, words=note.words)
