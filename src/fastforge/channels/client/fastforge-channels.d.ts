/** What the socket is about: waiting for the next attempt, or closed for good. */
export type State = "idle" | "connecting" | "open" | "waiting" | "closed";

/** Where a room stands. */
export type RoomState = "waiting" | "joining" | "joined" | "resting" | "left" | "refused";

/** Why the socket is gone, or was let go. */
export interface Ending {
  /** The close code; 1006 where there was none. */
  readonly code?: number;
  readonly reason?: string;
}

/** More about a state. */
export interface Detail extends Ending {
  /** With `waiting`: until the next attempt, in milliseconds. */
  readonly delay?: number;
  /** With `open`: what the server calls the connection. */
  readonly connection?: string;
}

/** The answer to a join. */
export interface Joined {
  readonly channel: string;
  readonly epoch: string;
  readonly last_id: number;
  /** Missing at the first join; false where something may be missing: read the state anew. */
  readonly recovered?: boolean;
  /** How many messages the server keeps; missing where it keeps none. */
  readonly history?: number;
}

/** Something was dropped, because this client or the server was behind, and no history had it. */
export interface Gap {
  readonly channel: string;
  readonly dropped?: number;
  readonly last_id?: number;
}

/** Who is there: all of them in `state`, or who came and went since. */
export interface Presence<Person = unknown> {
  readonly channel: string;
  readonly state?: readonly Person[];
  readonly came?: readonly Person[];
  readonly gone?: readonly Person[];
}

/** The frame that a message came in. */
export interface Frame<Message = unknown> {
  readonly type: "message";
  readonly channel: string;
  /** Missing where it was said to this client alone. */
  readonly id?: number;
  readonly data: Message;
}

/** What is called; all of it may be left out. */
export interface Handlers<Message = any> {
  message?(message: Message, frame: Frame<Message>): void;
  gap?(gap: Gap): void;
  presence?(presence: Presence): void;
  /** Called at each join, also after the socket has come back. */
  joined?(answer: Joined): void;
  /** Called once for each `joined`: the socket is gone, or the channel was left. */
  left?(why: Ending): void;
  /** The server does not let this client in, and it is not tried again. */
  refused?(error: ChannelError): void;
}

export interface Room<Sent = any> {
  readonly name: string;
  readonly state: RoomState;
  /**
   * Send a message; resolves to what its handler answered.
   *
   * Before the join it waits, for ten seconds at most. Rejects with a ChannelError: `gone` says that
   * it was sent and that nobody knows what became of it; after `away`, `left` and `closed` it was
   * not sent.
   */
  push<Answer = any>(message: Sent): Promise<Answer>;
  leave(): void;
}

/** Why something was not done. */
export class ChannelError extends Error {
  readonly code: string;
  /** With `refused`. */
  readonly status?: number;
  /** With `invalid`: what is wrong with each field. */
  readonly errors?: readonly unknown[];
}

export interface Options {
  /** Asked at each connection, and before a token ends; nothing: nobody in particular. */
  token?(): string | null | undefined | Promise<string | null | undefined>;
  onstate?(state: State, detail: Detail): void;
}

interface Socket {
  readonly state: State;
  onstate?: ((state: State, detail: Detail) => void) | undefined;
  /** Connect now: instead of waiting, or again after `closed`. */
  open(): void;
  /** Close the socket for good; the channels are joined again after `open`. */
  close(): void;
}

export interface Channels extends Socket {
  /** Join a channel, also before there is a socket and whenever it is another one. */
  join<Message = any, Sent = any>(name: string, handlers?: Handlers<Message>): Room<Sent>;
}

/** What is said in a channel of `Types`: `incoming` to the server, `outgoing` to its clients. */
type Said<Types, Name extends keyof Types, Way extends string> = Types[Name] extends {
  [way in Way]: infer Message;
}
  ? Message
  : never;

/** Channels whose names and messages are those that the server has. */
export interface TypedChannels<Types> extends Socket {
  /** Join a channel, also before there is a socket and whenever it is another one. */
  join<Name extends keyof Types & string>(
    name: Name,
    handlers?: Handlers<Said<Types, Name, "outgoing">>,
  ): Room<Said<Types, Name, "incoming">>;
}

/** Return the channels at an address; the socket opens with the first join. */
export function connect(url: string | URL, options?: Options): Channels;
/**
 * Return the channels at an address, checked by what `manage channels docs --format typescript`
 * writes: `connect<Channels>("/channels")`.
 */
export function connect<Types>(url: string | URL, options?: Options): TypedChannels<Types>;
