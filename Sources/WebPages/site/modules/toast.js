// Short notes at the edge of the page; a screen reader speaks them, and nobody has to close them.

import { h } from './dom.js';

const lasting = 6_000;
const most = 4;

export function toast(words, kind = 'info') {
  const place = document.getElementById('toasts');
  while (place.children.length >= most) place.firstChild.remove();
  const note = h('div', { class: `toast toast-${kind}` }, words);
  place.append(note);
  setTimeout(() => note.remove(), lasting);
}
