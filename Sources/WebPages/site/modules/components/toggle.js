// A round button that says what pressing it does, shows what is, and names its key.

import { h, icon, setAttribute, setIcon } from '../dom.js';
import { message } from '../i18n.js';

/** @param turnOff @param turnOn what pressing it does while on, and while off; @param held why it stays off. @returns `{element, show({on, available, held})}`. */
export function toggle({ key, on, off, act, turnOff, turnOn, held }) {
  let isOn = true;
  const drawing = icon(on);
  const element = h('button', { type: 'button', class: 'round', 'aria-keyshortcuts': key }, drawing);
  element.addEventListener('click', () => act(!isOn));
  const show = (state) => {
    isOn = state.on;
    const words = message(state.held && held ? held : isOn ? turnOff : turnOn);
    setAttribute(element, 'aria-label', words);
    setAttribute(element, 'title', message('media.withKey', { words, key: key.toUpperCase() }));
    element.classList.toggle('is-off', !isOn);
    element.classList.toggle('is-missing', isOn && !state.available);
    setIcon(drawing, isOn && state.available !== false ? on : off);
  };
  show({ on: true, available: true });
  return { element, show };
}
