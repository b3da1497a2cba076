// The state of one meeting room as the page knows it. Changes are values, `reduce` is pure, views only read.

export const initialRoom = Object.freeze({
  /** loading, missing, prejoin, joining, in, left, removed, ended */
  phase: 'loading',
  meeting: null,
  participants: [],
  speaker: null,
  /** Whom the chair keeps out, `{user, name}`: told to those who lead. */
  removed: [],
  you: null,
  /** This page's participant, null before the join. */
  me: null,
  /** connecting, open, waiting */
  channel: 'connecting',
  /** idle, connecting, connected, reconnecting */
  media: 'idle',
  /** Seconds until the next try, while reconnecting. */
  retryIn: null,
  /** Nothing comes from the server, though the connection counts as one. */
  silent: false,
  /** `held`: a chair turned it off, and only a chair turns it on again. */
  microphone: { available: false, on: true, problem: null, held: false },
  camera: { available: false, on: true, problem: null, held: false },
  /** The camera was turned off here for the sake of sound: `thin`, and `better` when the line is worth another try; else null. */
  spared: null,
  problem: null,
});

/** What the channel sends, and what the page itself found out (`local`, `microphone`, `camera`). Anything unknown changes nothing. */
export function reduce(state, event) {
  switch (event.type) {
    case 'snapshot':
      return {
        ...state,
        meeting: event.meeting,
        participants: withRoster(event.participants, event.roster),
        speaker: event.speaker,
        removed: event.removed ?? [],
        you: event.you ?? state.you,
      };
    case 'participant.joined':
    case 'participant.changed':
      return { ...state, participants: withParticipant(state.participants, event.participant) };
    case 'participants.read':
      return { ...state, participants: withMissing(state.participants, event.participants) };
    case 'figures':
      return { ...state, participants: withFigures(state.participants, event) };
    case 'participant.left':
      return {
        ...state,
        participants: state.participants.filter((one) => one.id !== event.participantId),
        speaker: state.speaker === event.participantId ? null : state.speaker,
      };
    case 'meeting.changed':
      return { ...state, meeting: event.meeting };
    case 'meeting.ended':
      return { ...state, meeting: state.meeting && { ...state.meeting, state: 'ended' }, participants: [], speaker: null };
    case 'speaker.changed':
      return { ...state, speaker: event.participantId };
    case 'removed.changed':
      return { ...state, removed: event.removed };
    case 'local':
      return { ...state, ...event.values };
    case 'microphone':
    case 'camera':
      return { ...state, [event.type]: { ...state[event.type], ...event.values } };
    default:
      return state;
  }
}

function withParticipant(participants, changed) {
  const known = participants.some((one) => one.id === changed.id);
  return known ? participants.map((one) => (one.id === changed.id ? changed : one)) : [...participants, changed];
}

/** The short list of a large meeting says what is not as usual; whoever is told in full stays so. */
function withRoster(participants, roster) {
  if (!roster) return participants;
  const full = new Map(participants.map((one) => [one.id, one]));
  return roster.map((row) => full.get(row.id) ?? fromRow(row));
}

/** What the channel has said meanwhile is newer than the list that was read. */
function withMissing(participants, read) {
  const known = new Set(participants.map((one) => one.id));
  return [...participants, ...read.filter((one) => !known.has(one.id))];
}

function fromRow({ id, name, site, role = 'participant', state = 'connected', muted = null, cameraOff = null, screen = false }) {
  return {
    id,
    name,
    site: site ? { code: site, name } : null,
    role,
    state,
    // Identifiers begin with the milliseconds of their making (RFC 9562 §5.7): close enough to the joining to sort by.
    joinedAt: new Date(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toISOString(),
    audio: { muted: muted !== null, mutedBy: muted },
    video: { muted: cameraOff !== null, mutedBy: cameraOff },
    screen: { sending: screen },
  };
}

/** A table of what changed: a row for each participant, the columns named once. */
function withFigures(participants, { columns, rows }) {
  const byId = new Map(rows.map((row) => [row[0], Object.fromEntries(columns.map((name, at) => [name, row[at]]))]));
  return participants.map((one) => (byId.has(one.id) ? { ...one, ...figuresOf(one, byId.get(one.id)) } : one));
}

function figuresOf(one, row) {
  const changed = {};
  if ('speaking' in row) {
    changed.speaking = row.speaking;
    changed.audio = { ...one.audio, level: row.level, sending: row.audio };
    changed.video = { ...one.video, sending: row.video };
  }
  if ('quality' in row) {
    const { tier, lossUp, lossDown, jitterMs, roundTripMs, quality, jitterDownMs, bitsPerSecond } = row;
    changed.tier = tier;
    changed.line = { lossUp, lossDown, jitterMs, roundTripMs, quality, jitterDownMs, bitsPerSecond };
  }
  return changed;
}

export function makeStore(reducer, initial) {
  let state = initial;
  const listeners = new Set();
  return {
    get state() {
      return state;
    },
    dispatch(event) {
      const next = reducer(state, event);
      if (next === state) return;
      state = next;
      for (const listener of [...listeners]) listener(state);
    },
    /** Calls `listener` now and after each change; returns what ends it. */
    subscribe(listener) {
      listeners.add(listener);
      listener(state);
      return () => listeners.delete(listener);
    },
  };
}
