// What went wrong, where the reader is looking, spoken by screen readers at once.

import { h, icon } from '../dom.js';

export function problemBox(words, kind = 'bad') {
  return h('div', { class: `note note-${kind}`, role: 'alert' }, icon(kind === 'bad' ? 'warning' : 'info'), h('div', {}, words));
}

/** Shows `problem` in `place`, or empties it. */
export function showProblem(place, problem) {
  place.replaceChildren(...(problem ? [problemBox(problem.words ?? problem)] : []));
}
