// Inside the meeting: the picture, who is here, and the tools.

import { confirm, isDialogOpen } from '../components/dialog.js';
import { people } from '../components/people.js';
import { showShortcuts } from '../components/shortcuts.js';
import { stage } from '../components/stage.js';
import { toolbar } from '../components/toolbar.js';
import { h } from '../dom.js';
import { message } from '../i18n.js';

export function showInside(main, { room }) {
  const picture = stage(room);
  const list = people(room);
  const act = {
    microphone: () => room.setMicrophone(!room.store.state.microphone.on),
    camera: () => room.setCamera(!room.store.state.camera.on),
    leave: () => askLeave(room),
    fullScreen: () => picture.toggleFullScreen(),
    people: () => room.setWatching(!element.classList.toggle('without-people')),
    help: () => showShortcuts(),
  };
  const tools = toolbar(room, act);
  const element = h('div', { class: 'inside' }, h('div', { class: 'inside-main' }, picture.element, list.element), tools.element);
  main.append(element);
  const keys = { m: act.microphone, v: act.camera, l: act.leave, f: act.fullScreen, p: act.people, d: tools.toggleLine, '?': act.help, escape: tools.close };
  const press = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isDialogOpen() || event.target.closest?.('input, select, textarea')) return;
    const action = keys[event.key.toLowerCase()];
    // Escape is the browser's where there is nothing of ours to close.
    if (!action || (action() === false && event.key === 'Escape')) return;
    event.preventDefault();
  };
  document.addEventListener('keydown', press);
  room.onTracks = () => picture.showStream(room.stream);
  room.onTracks();
  const unsubscribe = room.store.subscribe((state) => {
    picture.show(state);
    list.show(state);
    tools.show(state);
  });
  return () => {
    unsubscribe();
    tools.end();
    document.removeEventListener('keydown', press);
    room.onTracks = () => {};
  };
}

async function askLeave(room) {
  if (isDialogOpen()) return;
  const isSure = await confirm({ title: message('room.leaveTitle'), words: message('room.leaveHelp'), yes: message('room.leave'), danger: true });
  if (isSure) room.leave();
}
