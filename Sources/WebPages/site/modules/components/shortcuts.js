import { h } from '../dom.js';
import { message } from '../i18n.js';
import { open } from './dialog.js';

const keys = [
  ['M', 'help.keyMute'],
  ['V', 'help.keyCamera'],
  ['L', 'help.keyLeave'],
  ['F', 'help.keyFullScreen'],
  ['P', 'help.keyPeople'],
  ['D', 'help.keyLine'],
  ['?', 'help.keyHelp'],
];

export function showShortcuts() {
  const rows = keys.map(([key, words]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, message(words))]);
  open(message('room.shortcuts'), h('dl', { class: 'shortcuts' }, rows));
}
