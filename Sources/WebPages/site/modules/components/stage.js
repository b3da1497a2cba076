// The composed picture, in one <video> with the mix, and what is to be said over it: connecting, no signal, reconnecting, a camera that was spared.

import { h, icon, setText } from '../dom.js';
import { message } from '../i18n.js';

export function stage(room) {
  const video = h('video', { class: 'stage-video', autoplay: true, playsinline: true, 'aria-label': message('room.picture') });
  const words = h('span');
  const veil = h('div', { class: 'veil', role: 'status' }, h('span', { class: 'spinner', 'aria-hidden': 'true' }), words);
  const sound = h('button', { type: 'button', class: 'button button-main sound-on' }, icon('sound'), message('room.soundOn'));
  sound.hidden = true;
  sound.addEventListener('click', play);
  const spared = sparedNote(room);
  const element = h('section', { class: 'stage', 'aria-label': message('room.picture') }, video, veil, spared.element, sound);

  function play() {
    // A browser may refuse sound before the first click; then a button asks for one.
    video.play().then(
      () => (sound.hidden = true),
      (error) => (sound.hidden = error.name !== 'NotAllowedError'),
    );
  }

  return {
    element,
    showStream(stream) {
      if (video.srcObject === stream) return;
      video.srcObject = stream;
      if (stream) play();
    },
    show({ media, retryIn, silent, spared: verdict }) {
      spared.show(verdict);
      veil.hidden = media === 'connected' && !silent;
      if (silent) setText(words, message('room.noSignal'));
      else if (media === 'connecting') setText(words, message('room.connecting'));
      else if (retryIn) setText(words, message('room.retryIn', { seconds: retryIn }));
      else setText(words, message('room.reconnecting'));
    },
    toggleFullScreen() {
      if (document.fullscreenElement) document.exitFullscreen();
      else element.requestFullscreen?.().catch(() => {});
    },
  };
}

/** Why the camera is off, and the way to turn it on again once the line carries it. */
function sparedNote(room) {
  const words = h('p');
  const on = h('button', { type: 'button', class: 'button button-main button-small spared-on', on: { click: () => room.setCamera(true) } }, message('spared.on'));
  const keep = h('button', { type: 'button', class: 'button button-small', on: { click: () => room.keepSpared() } }, message('spared.keep'));
  const acts = h('div', { class: 'form-actions' }, keep, on);
  const element = h('div', { class: 'spared', role: 'status' }, icon('camera-off'), words, acts);
  const show = (verdict) => {
    element.hidden = verdict === null;
    acts.hidden = verdict !== 'better';
    if (verdict) setText(words, message(verdict === 'better' ? 'spared.better' : 'spared.thin'));
  };
  show(null);
  return { element, show };
}
