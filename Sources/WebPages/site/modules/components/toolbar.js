// The tools of the room: state of the connection at the left, one's own devices in the middle, the meeting's at the right.

import { h, icon, setAttribute, setIcon, setText } from '../dom.js';
import { message } from '../i18n.js';
import { whileBusy } from '../progress.js';
import { toast } from '../toast.js';
import { ownLine } from './own-line.js';
import { toggle } from './toggle.js';

const layouts = [
  ['one', 'layout-one', 'layout.one'],
  ['grid', 'layout-grid', 'layout.grid'],
  ['speaker', 'layout-speaker', 'layout.speaker'],
];
const states = { idle: 'room.connecting', connecting: 'room.connecting', connected: 'room.connected', reconnecting: 'room.reconnecting' };

export function toolbar(room, act) {
  const title = h('strong', { class: 'tools-title' });
  const state = h('span', { class: 'connection', role: 'status' });
  const microphone = toggle({ key: 'm', on: 'mic', off: 'mic-off', act: act.microphone, turnOff: 'media.mute', turnOn: 'media.unmute', held: 'room.micHeld' });
  const camera = toggle({ key: 'v', on: 'camera', off: 'camera-off', act: act.camera, turnOff: 'media.cameraOff', turnOn: 'media.cameraOn', held: 'room.cameraHeld' });
  const leave = h('button', { type: 'button', class: 'button button-danger leave', 'aria-keyshortcuts': 'l', on: { click: act.leave } }, icon('leave'), message('room.leave'));
  const direct = direction(room);
  const line = ownLine(room);
  const element = h(
    'div',
    { class: 'tools', role: 'toolbar', 'aria-label': message('room.tools') },
    h('div', { class: 'tools-start' }, title, h('div', { class: 'tools-line' }, line.element, state)),
    h('div', { class: 'tools-middle' }, microphone.element, camera.element, leave),
    h(
      'div',
      { class: 'tools-end' },
      direct.element,
      small('people', 'room.people', 'p', act.people),
      small('full-screen', 'room.fullScreen', 'f', act.fullScreen),
      small('keyboard', 'room.shortcuts', '?', act.help),
    ),
  );
  return {
    element,
    toggleLine: line.toggle,
    close: line.close,
    end: line.end,
    show(now) {
      line.show(now);
      setText(title, now.meeting.title);
      const isOnline = now.channel === 'open' || now.media !== 'connected';
      setText(state, message(now.silent ? 'room.reconnecting' : isOnline ? states[now.media] : 'room.channelLost'));
      state.className = `connection connection-${now.media === 'connected' && isOnline && !now.silent ? 'good' : 'fair'}`;
      microphone.show(now.microphone);
      camera.show(now.camera);
      direct.show(now);
    },
  };
}

function small(drawing, words, key, act) {
  const title = message('media.withKey', { words: message(words), key: key.toUpperCase() });
  return h('button', { type: 'button', class: 'button button-quiet button-icon', 'aria-label': message(words), 'aria-keyshortcuts': key, title, on: { click: act } }, icon(drawing));
}

/** Layout and lock, for those who direct the meeting. */
function direction(room) {
  const buttons = layouts.map(([layout, drawing, words]) => {
    const button = h('button', { type: 'button', 'aria-label': message(words), title: message(words), 'data-layout': layout }, icon(drawing));
    button.addEventListener('click', () => ask(button, () => room.setLayout(layout)));
    return button;
  });
  const drawing = icon('unlock');
  const lock = h('button', { type: 'button', class: 'button button-quiet button-icon' }, drawing);
  lock.addEventListener('click', () => ask(lock, () => room.setLocked(!room.store.state.meeting.locked)));
  const element = h('div', { class: 'direction' }, h('div', { class: 'segments', role: 'group', 'aria-label': message('layout.title') }, buttons), lock);
  const show = ({ meeting }) => {
    element.hidden = !room.mayDirect;
    for (const button of buttons) button.setAttribute('aria-pressed', String(button.dataset.layout === meeting.layout));
    const words = message(meeting.locked ? 'room.unlock' : 'room.lock');
    setAttribute(lock, 'aria-label', words);
    setAttribute(lock, 'title', words);
    lock.setAttribute('aria-pressed', String(Boolean(meeting.locked)));
    setIcon(drawing, meeting.locked ? 'lock' : 'unlock');
  };
  return { element, show };
}

const ask = (button, command) => whileBusy(button, () => command().catch((problem) => toast(problem.words, 'bad')));
