// The composed picture, in one <video> with the mix, and what is to be said over it: connecting, reconnecting.

import { h, icon, setText } from '../dom.js';
import { message } from '../i18n.js';

export function stage(room) {
  const video = h('video', { class: 'stage-video', autoplay: true, playsinline: true, 'aria-label': message('room.picture') });
  const words = h('span');
  const veil = h('div', { class: 'veil', role: 'status' }, h('span', { class: 'spinner', 'aria-hidden': 'true' }), words);
  const sound = h('button', { type: 'button', class: 'button button-main sound-on' }, icon('sound'), message('room.soundOn'));
  sound.hidden = true;
  sound.addEventListener('click', play);
  const element = h('section', { class: 'stage', 'aria-label': message('room.picture') }, video, veil, sound);

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
    show({ media, retryIn }) {
      veil.hidden = media === 'connected';
      if (media === 'connecting') setText(words, message('room.connecting'));
      else if (retryIn) setText(words, message('room.retryIn', { seconds: retryIn }));
      else setText(words, message('room.reconnecting'));
    },
    toggleFullScreen() {
      if (document.fullscreenElement) document.exitFullscreen();
      else element.requestFullscreen?.().catch(() => {});
    },
  };
}
