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
  /** `held`: a chair turned it off, and only a chair turns it on again. */
  microphone: { available: false, on: true, problem: null, held: false },
  camera: { available: false, on: true, problem: null, held: false },
  problem: null,
});

/** What the channel sends, and what the page itself found out (`local`, `microphone`, `camera`). Anything unknown changes nothing. */
export function reduce(state, event) {
  switch (event.type) {
    case 'snapshot':
      return {
        ...state,
        meeting: event.meeting,
        participants: event.participants,
        speaker: event.speaker,
        removed: event.removed ?? [],
        you: event.you ?? state.you,
      };
    case 'participant.joined':
    case 'participant.changed':
      return { ...state, participants: withParticipant(state.participants, event.participant) };
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
