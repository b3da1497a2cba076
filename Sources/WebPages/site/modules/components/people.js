// Who is here: speaking, muted, camera, and how good each line is.

import { h, icon, keyedList, setAttribute, setIcon, setText } from '../dom.js';
import { message } from '../i18n.js';
import { whileBusy } from '../progress.js';
import { toast } from '../toast.js';
import { confirm } from './dialog.js';

const qualities = { good: 'quality.good', fair: 'quality.fair', poor: 'quality.poor', unknown: 'quality.unknown' };
const roles = { chair: 'people.chair', viewer: 'people.viewer' };

export function people(room) {
  const count = h('span', { class: 'count' });
  const list = h('ul', { class: 'people-list' });
  const update = keyedList(list, () => row(room));
  const out = h('ul', { class: 'people-list' });
  const updateOut = keyedList(out, () => removedRow(room));
  const removed = h('section', { class: 'people-out', 'aria-label': message('people.out') }, h('h2', {}, message('people.out')), out);
  const element = h('aside', { class: 'people', 'aria-label': message('room.people') }, h('h2', {}, message('room.people'), count), list, removed);
  return {
    element,
    show(state) {
      setText(count, String(state.participants.length));
      const sorted = [...state.participants].sort((one, other) => (one.joinedAt ?? '').localeCompare(other.joinedAt ?? ''));
      removed.hidden = !room.mayDirect || state.removed.length === 0;
      updateOut(state.removed, ({ user }) => user);
      update(sorted.map((one) => ({ ...one, isMe: one.id === state.me, isSpeaker: one.id === state.speaker, mayDirect: room.mayDirect })), ({ id }) => id);
    },
  };
}

/** Somebody whom the chair keeps out, and the way to let them in again. */
function removedRow(room) {
  const name = h('span', { class: 'person-name' });
  let one = null;
  const readmit = h('button', { type: 'button', class: 'button button-quiet' }, message('people.readmit'));
  readmit.addEventListener('click', () => ask(readmit, () => room.readmit(one.user)));
  const update = (removed) => {
    one = removed;
    setText(name, one.name);
    setAttribute(readmit, 'aria-label', message('people.readmitName', { name: one.name }));
  };
  return { element: h('li', { class: 'person' }, h('span', { class: 'person-who' }, name), readmit), update };
}

function row(room) {
  const name = h('span', { class: 'person-name' });
  const about = h('span', { class: 'person-about muted' });
  const speaking = h('span', { class: 'speaking', role: 'img', 'aria-label': message('people.speaking') }, h('i'), h('i'), h('i'));
  const microphone = mark('mic-off', 'people.muted');
  const camera = mark('camera-off', 'people.noPicture');
  const line = h('span', { class: 'line', role: 'img' }, h('i'), h('i'), h('i'));
  let one = null;
  const mute = h('button', { type: 'button', class: 'button button-quiet button-icon person-act' }, icon('mic'));
  mute.addEventListener('click', () => ask(mute, () => room.mute(one.id, !one.audio?.muted)));
  const remove = h('button', { type: 'button', class: 'button button-quiet button-icon person-act' }, icon('close'));
  remove.addEventListener('click', () => ask(remove, () => askRemove(room, one)));
  const element = h(
    'li',
    { class: 'person' },
    h('span', { class: 'person-who' }, name, about),
    h('span', { class: 'person-acts' }, mute, remove),
    h('span', { class: 'person-marks' }, speaking, microphone, camera, line),
  );
  const update = (participant) => {
    one = participant;
    show(participant, { element, name, about, speaking, microphone, camera, line, mute, remove });
  };
  return { element, update };
}

function show(one, parts) {
  setText(parts.name, one.isMe ? message('people.me', { name: one.name }) : one.name);
  const words = aboutOf(one);
  setText(parts.about, words ?? '');
  parts.about.hidden = !words;
  const isAway = one.state === 'interrupted';
  const speaks = !isAway && Boolean(one.speaking || one.isSpeaker);
  parts.element.classList.toggle('is-speaking', speaks);
  parts.element.classList.toggle('is-away', isAway);
  parts.speaking.hidden = !speaks;
  parts.microphone.hidden = !one.audio?.muted;
  parts.camera.hidden = !one.video?.muted && one.video?.sending !== false;
  setMark(parts.microphone, one.audio?.mutedBy === 'chair' ? 'people.mutedByChair' : 'people.muted');
  setMark(parts.camera, one.video?.mutedBy === 'chair' ? 'people.hiddenByChair' : 'people.noPicture');
  // Who does not lead the meeting is told nothing of others' lines.
  parts.line.hidden = !one.line;
  if (one.line) showLine(parts.line, one.line);
  const isOther = one.mayDirect && !one.isMe;
  parts.mute.hidden = parts.remove.hidden = !isOther;
  setIcon(parts.mute.firstChild, one.audio?.muted ? 'mic-off' : 'mic');
  setAttribute(parts.mute, 'aria-label', message(one.audio?.muted ? 'people.unmute' : 'people.mute', { name: one.name }));
  setAttribute(parts.mute, 'title', message(one.audio?.muted ? 'people.unmute' : 'people.mute', { name: one.name }));
  setAttribute(parts.remove, 'aria-label', message('people.remove', { name: one.name }));
  setAttribute(parts.remove, 'title', message('people.remove', { name: one.name }));
}

/** The site where it says more than the name, else the role; and the account where somebody goes by another name. */
function aboutOf(one) {
  if (one.state === 'connecting') return message('room.connecting');
  if (one.state === 'interrupted') return message('people.interrupted');
  const place = one.site && one.site.name !== one.name ? one.site.name : roles[one.role] && message(roles[one.role]);
  const account = one.user?.name && one.user.name !== one.name && one.user.name !== one.site?.name ? one.user.name : null;
  const parts = [place, account].filter(Boolean);
  return parts.length > 0 ? joined(parts) : null;
}

/** Strings and messages in a row, which stays a message: it follows the language. */
const joined = (parts) => ({ text: () => parts.map((part) => part.text?.() ?? part).join(' · ') });

function showLine(line, measured) {
  const quality = measured?.quality ?? 'unknown';
  const words = message('people.line', {
    quality: message(qualities[quality] ?? qualities.unknown),
    up: percent(measured?.lossUp),
    down: percent(measured?.lossDown),
    roundTrip: measured?.roundTripMs ? String(Math.round(measured.roundTripMs)) : '–',
  });
  line.className = `line line-${quality}`;
  setAttribute(line, 'aria-label', words);
  setAttribute(line, 'title', words);
}

const percent = (fraction) => (Number.isFinite(fraction) ? (fraction * 100).toFixed(1) : '–');

function setMark(element, words) {
  setAttribute(element, 'aria-label', message(words));
  setAttribute(element, 'title', message(words));
}

const mark = (drawing, words) => h('span', { class: 'mark', role: 'img', 'aria-label': message(words), title: message(words) }, icon(drawing));

async function askRemove(room, { id, name }) {
  const isSure = await confirm({ title: message('people.removeTitle'), words: message('people.removeHelp', { name }), yes: message('people.removeYes'), danger: true, careful: true });
  if (isSure) await room.remove(id);
}

const ask = (button, command) => whileBusy(button, () => command().catch((problem) => toast(problem.words, 'bad')));
