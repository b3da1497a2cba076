// <nc-level-meter>: ten bars that follow a microphone.

import { h } from '../dom.js';
import { message } from '../i18n.js';
import { meter } from '../meter.js';

const bars = 12;

class LevelMeter extends HTMLElement {
  #stop = null;
  #track = null;

  connectedCallback() {
    this.setAttribute('role', 'meter');
    this.setAttribute('aria-valuemin', '0');
    this.setAttribute('aria-valuemax', '100');
    if (!this.firstChild) this.append(...Array.from({ length: bars }, () => h('i')));
    this.#show(0);
  }

  disconnectedCallback() {
    this.track = null;
  }

  set track(track) {
    if (track === this.#track) return;
    this.#stop?.();
    this.#stop = null;
    this.#track = track;
    this.#show(0);
    if (track) this.#stop = meter(track, (level) => this.#show(level));
  }

  #show(level) {
    this.setAttribute('aria-valuenow', String(Math.round(level * 100)));
    [...this.children].forEach((bar, place) => bar.classList.toggle('lit', level * bars > place + 0.3));
  }
}

customElements.define('nc-level-meter', LevelMeter);

export const levelMeter = () => {
  const element = h('nc-level-meter', { 'aria-label': message('prejoin.level') });
  return element;
};
