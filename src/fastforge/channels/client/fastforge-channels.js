/**
 * Channels of a fastforge project over one WebSocket, which comes back by itself.
 *
 * Every frame, answer and close code is described in the documentation of the framework. What is
 * kept here of a room is where it stands (`epoch`, `id`), so that whoever comes back gets what was
 * said meanwhile, and nothing twice. Names that begin with _ are ours alone.
 */

const world = globalThis; // of a page or of a worker
const SECOND = 1000;
const WELCOME_WITHIN = 20 * SECOND;
const PING_AFTER = 30 * SECOND;
const PONG_WITHIN = 10 * SECOND;
const STABLE_AFTER = 10 * SECOND;
const LONGEST_PAUSE = 30 * SECOND;
const PUSH_WAITS = 10 * SECOND;
/** So many joins are under way at once: the server lets no client ask for much more. */
const JOINS_AT_ONCE = 16;

const NO_STATUS = 1006;
const OVERLOADED = 1013;
const EXPIRED = 4100;
/** Codes after which coming back is of no use: 4000 to 4099. */
const isFinal = (code) => code >= 4000 && code < 4100;
/** Errors that pass: the join is tried again. */
const passes = ({ code, status }) => /^(unavailable|busy|failed)$/.test(code) || status >= 500;
/** What may stand in the list of subprotocols; other tokens go in the first frame. */
const fitsInHeader = (token) => /^[\w!#$%&'*+.^`|~-]+$/.test(token);

const unsent = (code) => ({ code, message: "it was not sent" });

/** A random part of a pause that doubles: clients that went at once do not come back at once. */
const pauseAfter = (tries) => Math.random() * Math.min(LONGEST_PAUSE, SECOND * 2 ** tries);

/** A timer: called with a time it starts anew, and without one it stops. */
const newTimer = () => {
  let number;
  return (time, then) => {
    clearTimeout(number);
    if (then) number = setTimeout(then, time);
  };
};

/** Why something was not done: `code` is the server's, or `gone`, `away`, `left`, `closed`. */
export class ChannelError extends Error {
  constructor({ code, message, ...more }) {
    super(message);
    Object.assign(this, more, { name: "ChannelError", code });
  }
}

/**
 * Return the channels at an address; the socket opens with the first join.
 *
 * @param {string} url Where they are: "/channels".
 * @param {{token?: () => unknown, onstate?: Function}} options
 */
export function connect(url, { token, onstate } = {}) {
  const address = new URL(url, world.location?.href);
  address.protocol = address.protocol.replace("http", "ws");

  const rooms = new Map(); // by name
  const asked = new Map(); // who waits for an answer, by ref
  const connections = []; // what this one is and was: what it has said to others is no news
  let socket; // an old one is not listened to
  let attempt = 0; // the number of this one; what an older one still does counts for nothing
  let state = "idle";
  let lastRef = 0;
  let joining = 0;
  let tries = 0;
  let isOverloaded = false;
  const silence = newTimer();
  const pause = newTimer();
  const stable = newTimer();

  const channels = {
    onstate,
    get state() {
      return state;
    },
    join,
    open,
    close: () => end(1000, "", true),
  };

  // What a page does in its callbacks never comes between what is done here.
  const turn = (to, detail = {}) => {
    state = to;
    queueMicrotask(() => channels.onstate?.(to, detail));
  };

  // --- the socket ---

  async function open() {
    if (state === "open" || state === "connecting") return;
    pause();
    const mine = ++attempt;
    turn("connecting");
    listen("addEventListener");
    silence(WELCOME_WITHIN, () => lost());
    try {
      const shown = await token?.();
      if (mine !== attempt) return;
      const inHeader = shown && fitsInHeader(shown);
      const opened = new WebSocket(address, ["fastforge", ...(inHeader ? [`token.${shown}`] : [])]);
      socket = opened;
      opened.onmessage = ({ data }) => {
        if (opened === socket) hear(JSON.parse(data), inHeader ? undefined : shown);
      };
      opened.onclose = ({ code, reason }) => {
        if (opened === socket) lost(code, reason);
      };
    } catch {
      if (mine === attempt) lost(); // no token could be had now
    }
  }

  function lost(code = NO_STATUS, reason = "") {
    end(code, reason, isFinal(code));
    if (state === "closed") return;
    isOverloaded = code === OVERLOADED;
    const delay = isOverloaded ? LONGEST_PAUSE * (1 + Math.random()) : pauseAfter(tries++);
    if (rooms.size) {
      pause(delay, open);
      turn("waiting", { code, reason, delay });
    } else {
      turn("idle", { code, reason }); // nobody would be served
    }
  }

  function end(code, reason, isForGood) {
    const gone = socket;
    socket = undefined; // its own end may come much later, or never
    if (gone?.readyState) gone.close();
    else if (gone) gone.onopen = () => gone.close(); // sooner it would be an error in the console
    attempt++;
    for (const timer of [silence, pause, stable]) timer();
    state = "waiting";
    for (const [ref, answered] of asked) {
      asked.delete(ref);
      answered({ code: "gone", message: "no answer came" });
    }
    for (const room of rooms.values()) room._away({ code, reason }, isForGood);
    if (isForGood) {
      listen("removeEventListener");
      turn("closed", { code, reason });
    }
  }

  function ping() {
    ask({ type: "ping" }, () => {});
    silence(PONG_WITHIN, () => lost());
  }

  // --- the page ---

  function listen(how) {
    world[how]?.("online", hurry);
    world[how]?.("offline", hurry);
    world.document?.[how]("visibilitychange", hurry);
  }

  /** The network has changed, or somebody looks again: find out now whether the server is there. */
  function hurry({ type }) {
    if (state === "open") {
      ping();
    } else if (
      state === "waiting" &&
      type !== "offline" &&
      !isOverloaded &&
      world.document?.visibilityState !== "hidden"
    ) {
      pause(pauseAfter(0), open);
    }
  }

  // --- frames ---

  function ask(frame, answered) {
    asked.set(++lastRef, answered);
    socket.send(JSON.stringify({ ...frame, ref: lastRef }));
  }

  function hear(frame, tokenLeft) {
    silence(PING_AFTER, ping);
    const { type, ref, channel } = frame;
    const answered = asked.get(ref);
    if (type === "welcome") {
      connections.push(frame.connection);
      stable(STABLE_AFTER, () => (tries = 0));
      const begin = () => {
        turn("open", { connection: frame.connection });
        joinNext();
      };
      if (tokenLeft) show(tokenLeft, begin);
      else begin();
    } else if (type === "expiring") {
      refresh(attempt);
    } else if (answered) {
      asked.delete(ref);
      answered(frame);
    } else {
      rooms.get(channel)?._hear(frame);
    }
  }

  function show(shown, shownWell = () => {}) {
    ask({ type: "authenticate", token: shown }, ({ type, code }) => {
      if (type === "ok") shownWell();
      else if (code !== "gone") lost(EXPIRED); // the token is of somebody else now
    });
  }

  async function refresh(mine) {
    try {
      const shown = await token?.();
      if (shown && mine === attempt) show(shown);
    } catch {
      // The server closes with 4100 when the old one has ended, and then it is asked for again.
    }
  }

  // --- rooms ---

  function join(name, handlers = {}) {
    if (rooms.has(name)) throw new Error(`${name} is joined already`);
    const room = newRoom(name, handlers);
    rooms.set(name, room);
    if (state === "idle") open();
    else joinNext();
    return room._shown;
  }

  function joinNext() {
    for (const room of rooms.values()) {
      if (state === "open" && joining < JOINS_AT_ONCE) room._enter();
    }
  }

  function newRoom(name, handlers) {
    let stands = "waiting"; // then joining, joined; at the end left or refused
    let isIn = false; // as the page was told
    let epoch;
    let history; // how many messages the server keeps
    let missing; // the gap that is being filled from them
    let id; // where it goes on
    let seen = 0; // what the page has had
    let refusals = 0;
    const retry = newTimer();
    let pushes = []; // that wait for the join

    const tell = (what, ...told) => queueMicrotask(() => handlers[what]?.(...told));

    const out = (why) => {
      if (isIn) tell("left", why);
      isIn = false;
    };

    const giveUp = (answer) => {
      for (const push of pushes.splice(0)) push._answered(answer);
    };

    function enter() {
      if (stands !== "waiting") return;
      stands = "joining";
      joining++;
      const was = connections.slice(-8);
      ask({ type: "join", channel: name, last_id: id, epoch, was }, (answer) => {
        joining--;
        if (rooms.get(name) === room && answer.code !== "gone") {
          if (answer.type === "joined") entered(answer);
          else if (passes(answer)) rest();
          else refused(answer);
        }
        joinNext();
      });
    }

    function entered(answer) {
      if (answer.epoch !== epoch) seen = 0; // numbers begin anew
      if (!answer.recovered) id = Math.max(answer.last_id, seen);
      ({ epoch, history } = answer);
      refusals = 0;
      stands = "joined";
      if (!isIn) tell("joined", answer);
      else if (!answer.recovered) tell("gap", missing);
      isIn = true;
      for (const push of pushes.splice(0)) send(push);
    }

    function rest() {
      stands = "resting";
      retry(pauseAfter(refusals++), () => {
        stands = "waiting";
        joinNext();
      });
    }

    function refused(answer) {
      rooms.delete(name);
      stands = "refused";
      giveUp(answer);
      out({});
      tell("refused", new ChannelError(answer));
    }

    function send({ _data, _limit, _answered }) {
      _limit();
      ask({ type: "push", channel: name, data: _data }, _answered);
    }

    function push(data) {
      const promise = new Promise((resolve, reject) => {
        const made = {
          _data: data,
          _limit: newTimer(),
          _answered(answer) {
            made._limit();
            if (answer.type === "ok") resolve(answer.data);
            else reject(new ChannelError(answer));
          },
        };
        if (stands === "joined") send(made);
        else if (rooms.get(name) !== room) made._answered(unsent("left"));
        else {
          pushes.push(made);
          made._limit(PUSH_WAITS, () => {
            pushes = pushes.filter((each) => each !== made);
            made._answered(unsent("away"));
          });
        }
      });
      promise.catch(() => {}); // whoever does not wait for it has no error in the console
      return promise;
    }

    function leave() {
      if (rooms.get(name) !== room) return;
      rooms.delete(name);
      retry();
      giveUp(unsent("left"));
      if (isIn || stands === "joining") ask({ type: "leave", channel: name }, () => {});
      out({});
      stands = "left";
      if (state === "waiting" && !rooms.size) {
        pause();
        turn("idle");
      }
    }

    const room = {
      _enter: enter,
      /** Hear that the socket is gone. */
      _away(why, isForGood) {
        retry();
        out(why);
        stands = "waiting";
        if (isForGood) giveUp(unsent("closed"));
      },
      _hear(frame) {
        if (stands !== "joined") return; // of a membership that was left
        if (frame.id) {
          if (frame.id <= seen) return;
          seen = frame.id;
          id = Math.max(id, seen);
        }
        if (frame.type === "gap" && history) {
          missing = frame;
          rest(); // then it is joined from where it was: what is in the history comes again
        } else tell(frame.type, ...(frame.type === "message" ? [frame.data] : []), frame);
      },
      _shown: {
        name,
        get state() {
          return stands;
        },
        push,
        leave,
      },
    };
    return room;
  }

  return channels;
}
