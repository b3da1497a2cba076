// What to do when a device could not be opened. Joining without it is always possible, and the help says so.

import { h } from '../dom.js';
import { message } from '../i18n.js';
import { problemBox } from './problem.js';

const words = {
  microphone: { denied: 'help.microphoneDenied', missing: 'help.microphoneMissing', busy: 'help.microphoneBusy', other: 'help.microphoneBusy' },
  camera: { denied: 'help.cameraDenied', missing: 'help.cameraMissing', busy: 'help.cameraBusy', other: 'help.cameraBusy' },
};
const kinds = { microphone: 'audio', camera: 'video' };

/** @param retry takes `audio` or `video`. @returns elements, none where all is well. */
export function deviceHelp(state, retry) {
  if (state.microphone.problem === 'insecure') {
    return [problemBox([h('strong', {}, message('help.insecureTitle')), h('p', {}, message('help.insecure', { address: `https://${location.host}` }))], 'mild')];
  }
  if (isDenied(state.microphone) && isDenied(state.camera)) {
    return [problemBox([h('p', {}, message('help.bothDenied')), again(() => Promise.all(Object.values(kinds).map(retry)))], 'mild')];
  }
  return Object.keys(words)
    .filter((device) => state[device].problem && state[device].on)
    .map((device) => problemBox([h('p', {}, message(words[device][state[device].problem])), again(() => retry(kinds[device]))], 'mild'));
}

const isDenied = (device) => device.problem === 'denied' && device.on;

const again = (act) => h('button', { type: 'button', class: 'button button-small', on: { click: act } }, message('app.retry'));
