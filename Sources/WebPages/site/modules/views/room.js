// The meeting room: which of its screens is shown follows from the store's phase.

import { problemBox } from '../components/problem.js';
import { h } from '../dom.js';
import { bind, message } from '../i18n.js';
import { Room } from '../room.js';
import { toast } from '../toast.js';
import { showDoor } from './door.js';
import { showInside } from './inside.js';

const screens = { loading: loading, missing, prejoin: showDoor, joining: showDoor, in: showInside, left, removed: left, ended: left };
const words = { left: 'room.left', removed: 'room.removed', ended: 'room.ended' };

export function showRoom(main, { user, id }) {
  const room = new Room(id);
  room.onNotice = (key, text) => toast(text ?? message(key), 'info');
  let shown = null;
  let leaveScreen = () => {};
  const unsubscribe = room.store.subscribe((state) => {
    if (state.meeting) bind(document.querySelector('title').firstChild, null, message('app.pageTitle', { page: state.meeting.title }));
    const screen = screens[state.phase];
    const key = screen === left ? state.phase : screen;
    if (key === shown) return;
    shown = key;
    leaveScreen();
    main.replaceChildren();
    document.body.classList.toggle('in-room', screen === showInside);
    leaveScreen = screen(main, { room, user }) ?? (() => {});
  });
  room.open();
  return () => {
    unsubscribe();
    leaveScreen();
    room.close();
    document.body.classList.remove('in-room');
  };
}

function loading(main) {
  main.append(h('div', { class: 'page', 'aria-busy': 'true' }, h('div', { class: 'card skeleton' })));
}

function missing(main, { room }) {
  const { problem } = room.store.state;
  main.append(h('div', { class: 'page page-narrow' }, h('h1', {}, message('room.missing')), problemBox(problem.words), back('button button-main')));
}

const back = (look) => h('a', { class: look, href: '/meetings', 'data-route': true }, message('app.toMeetings'));

function left(main, { room }) {
  const { phase, meeting, problem } = room.store.state;
  const again = h('button', { type: 'button', class: 'button button-main', on: { click: () => room.returnToDoor() } }, message('room.again'));
  main.append(
    h(
      'div',
      { class: 'page page-narrow' },
      h(
        'div',
        { class: 'card goodbye' },
        h('h1', {}, message(words[phase])),
        h('p', { class: 'muted' }, meeting?.title ?? ''),
        problem && problemBox(problem.words),
        h('div', { class: 'form-actions' }, back(phase === 'ended' ? 'button button-main' : 'button'), phase === 'ended' ? null : again),
      ),
    ),
  );
  (main.querySelector('button.button-main') ?? main.querySelector('a')).focus();
}
