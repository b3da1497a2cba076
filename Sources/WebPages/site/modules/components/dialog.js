// A native <dialog>: the browser keeps the focus inside and gives it back afterwards; Escape closes.

import { h, icon } from '../dom.js';
import { message } from '../i18n.js';

/** @param careful Enter refuses: for what cannot be undone. @returns a promise of true where the reader confirmed. */
export function confirm({ title, words, yes, danger = false, careful = false }) {
  return new Promise((resolve) => {
    const answer = (value) => {
      resolve(value);
      dialog.close();
    };
    const agree = h('button', { type: 'button', class: danger ? 'button button-danger' : 'button button-main', autofocus: !careful }, yes);
    agree.addEventListener('click', () => answer(true));
    const refuse = h('button', { type: 'button', class: 'button', autofocus: careful }, message('app.cancel'));
    refuse.addEventListener('click', () => answer(false));
    const dialog = open(title, [words && h('p', {}, words), h('div', { class: 'dialog-actions' }, refuse, agree)], () => resolve(false));
  });
}

/** Opens a dialog with a title, content and a close button. */
export function open(title, content, closed = () => {}) {
  const close = h('button', { type: 'button', class: 'button button-quiet button-icon', 'aria-label': message('app.close') }, icon('close'));
  const heading = h('h2', { id: 'dialog-title' }, title);
  const dialog = h('dialog', { class: 'dialog', 'aria-labelledby': 'dialog-title' }, h('div', { class: 'dialog-head' }, heading, close), content);
  close.addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => {
    dialog.remove();
    closed();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

export const isDialogOpen = () => document.querySelector('dialog[open]') !== null;
