"""Channel: what clients join, what is said there, and who may."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from pydantic import BaseModel

from ..sockets.connection import Connection
from .body import located, refuse_misplaced
from .bounds import Bounds, bounds_of, conflated_by
from .handlers import Handler, authorizer_of, handlers_of, hooks_of, receives
from .messages import NO_MESSAGES, Messages
from .patterns import Pattern

__all__ = ["Channel", "receives"]


class Channel:
    """The base of a channel, in an app's `channels.py`.

    ```python
    class Said(BaseModel):
        type: Literal["said"] = "said"
        text: str

    class Say(BaseModel):
        type: Literal["say"] = "say"
        text: str = Field(max_length=1000)

    class Room(Channel, pattern="room:{room_id:int}", history=100):
        Incoming = Say
        Outgoing = Said

        async def authorize(self, connection: Connection, room_id: int, db: DbSession) -> bool:
            return await is_member(db, room_id, connection.user)

        @receives
        async def say(self, message: Say) -> None:
            await self.broadcast(Said(text=message.text))

    await Room.publish(Said(text="hello"), room_id=7)
    ```

    A class says what there is and does nothing: the project finds it. One object is made for each
    client that joins, and lives as long as the client is there.

    `async def joined(self)` and `async def left(self)`, where a class has them, are called when a
    client has come and when it is gone; they take what handlers take.

    Surprises: without `authorize` nobody may join, unless the channel is `public`. A message is
    delivered at most once; with `history` whoever comes back gets what was said meanwhile.

    Args:
        pattern: The names of its instances. Without one the class is a base for others.
        overflow: `drop_oldest` and `drop_newest` tell the client what is missing, `disconnect`
            closes the socket with 4108, `conflate` keeps the latest by `conflate_by`.
        conflate_by: A field of every message in `Outgoing`.
        queue_size: How many messages wait for one client.
        queue_bytes: What they take together at most.
        history: How many messages are kept for those who come back.
        history_ttl_s: How long, in seconds.
        presence: Whether everybody sees who else is there.
        public: Whether anybody may join.

    Attributes:
        Incoming: The models that clients send: `Say | Leave`. None: they only listen.
        Outgoing: The models that are published.
        connection: Who has joined.
        name: The name that they have joined.
        parameters: What its parts mean.
    """

    Incoming: ClassVar[Any] = None
    Outgoing: ClassVar[Any] = None
    pattern: ClassVar[Pattern | None] = None
    bounds: ClassVar[Bounds] = Bounds()
    conflated_by: ClassVar[str] = ""
    incoming: ClassVar[Messages] = NO_MESSAGES
    outgoing: ClassVar[Messages] = NO_MESSAGES
    handlers: ClassVar[Mapping[type[BaseModel], Handler]] = {}
    authorizer: ClassVar[Handler | None] = None
    hooks: ClassVar[Mapping[str, Handler]] = {}

    def __init_subclass__(cls, *, pattern: str | None = None, **options: Any) -> None:
        super().__init_subclass__()
        with located(cls):
            refuse_misplaced(cls, vars(Channel))
            cls._declare(pattern, options)

    @classmethod
    def _declare(cls, pattern: str | None, options: Mapping[str, Any]) -> None:
        whose = cls.__qualname__
        cls.bounds = bounds_of(cls.bounds, options, whose=whose)
        cls.pattern = None if pattern is None else Pattern.of(pattern)
        if cls.pattern is None:
            return
        cls.incoming = Messages.of(cls.Incoming, where=f"{whose}.Incoming")
        cls.outgoing = Messages.of(cls.Outgoing, where=f"{whose}.Outgoing")
        cls.conflated_by = conflated_by(cls.bounds, cls.outgoing, whose=whose)
        cls.authorizer = authorizer_of(cls, cls.pattern)
        cls.handlers = handlers_of(cls, cls.pattern, cls.incoming)
        cls.hooks = hooks_of(cls, cls.pattern)

    def __init__(self, connection: Connection, name: str, parameters: Mapping[str, Any]) -> None:
        self.connection: Final = connection
        self.name: Final = name
        self.parameters: Final = parameters

    @classmethod
    async def publish(
        cls,
        message: BaseModel,
        *,
        exclude: Connection | str | None = None,
        immediately: bool = False,
        **parameters: Any,
    ) -> None:
        """Send a message to everybody who has joined, in every process.

        ```python
        await OrderEvents.publish(OrderPlaced(id=7), user_id=ann.id)
        ```

        Surprises: inside a transaction it waits for the commit, and a rollback forgets it. It
        never waits for a client.

        Args:
            message: One of `Outgoing`.
            exclude: Who does not get it: the one who said it, or the id of their connection.
            immediately: Whether it goes out also if the transaction here rolls back.
            parameters: Those of the pattern.

        Raises:
            ChannelError: The message or the parameters do not fit.
            ChannelUnavailable: What carries messages between processes is away; in HTTP a 503.
        """
        from ..rooms.publishing import publish  # which is above what it publishes in

        await publish(cls, message, parameters, exclude=exclude, immediately=immediately)

    @classmethod
    def publish_from_thread(
        cls,
        message: BaseModel,
        *,
        exclude: Connection | str | None = None,
        immediately: bool = False,
        **parameters: Any,
    ) -> None:
        """Do as `publish`, in a plain `def` handler, task or command, which runs in a thread.

        Raises:
            ChannelError: It is called on the event loop, or does not fit.
            ChannelUnavailable: As in `publish`.
        """
        from ..rooms.publishing import publish_from_thread  # which is above what it publishes in

        publish_from_thread(cls, message, parameters, exclude=exclude, immediately=immediately)

    @classmethod
    async def present(cls, **parameters: Any) -> list[Any]:
        """Return who is in a room, over all processes: what each of them shows.

        ```python
        names = [each["name"] for each in await Room.present(room_id=7)]
        ```

        Raises:
            ChannelError: The parameters do not fit.
            ChannelUnavailable: What knows it is away; in HTTP a 503.
        """
        from ..rooms.publishing import present  # which is above what it publishes in

        return await present(cls, parameters)

    def shown(self) -> Mapping[str, Any]:
        """Return what others see of this client, where the channel has `presence`; override it.

        Somebody with two sockets is there once, and shows what the later one does.
        """
        user = self.connection.user
        return {} if user is None else {"id": user.id}

    async def broadcast(self, message: BaseModel, *, to_others: bool = False) -> None:
        """Send a message to everybody in the room of this client.

        Args:
            message: One of `Outgoing`.
            to_others: Whether the client itself does not get it.
        """
        from ..rooms.publishing import publish  # which is above what it publishes in

        exclude = self.connection if to_others else None
        await publish(type(self), message, self.parameters, exclude=exclude, immediately=False)

    def send(self, message: BaseModel) -> None:
        """Send a message to this client alone; it has no id, and is not in the history.

        Raises:
            ChannelError: The message does not fit.
        """
        data = self.outgoing.write(message, where=type(self).__qualname__)
        self.connection.send_in(self.name, data)
