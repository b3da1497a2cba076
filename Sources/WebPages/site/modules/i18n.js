// The words that people read. Vietnamese unless the reader chose English; the choice is kept in this browser.
//
// A text on the page is a `Message`, not a string: `dom.js` remembers which node shows which message, so that switching the language
// rewrites the words in place and neither a form half filled in nor a running call is lost.

import { recall, remember } from './memory.js';

const languages = ['vi', 'en'];
/** Where a node keeps the messages that it shows. */
const attribute = Symbol('messages');

let language = languages.includes(recall('language')) ? recall('language') : 'vi';
let catalogue = {};

/** A text of the catalogue, with values for its {places}. A value may itself be something with `text()`. */
class Message {
  constructor(key, values) {
    this.key = key;
    this.values = values;
  }
  text() {
    const words = catalogue[this.key] ?? this.key;
    return words.replace(/\{([a-zA-Z]+)\}/g, (place, name) => {
      const value = this.values?.[name];
      return value?.text ? value.text() : value ?? place;
    });
  }
}

export const message = (key, values) => new Message(key, values);

/** A point in time in the reader's manner, which changes with the language too. */
export const time = (date, style = { weekday: 'short', day: '2-digit', month: '2-digit', year: 'numeric', hour: '2-digit', minute: '2-digit' }) =>
  ({ text: () => new Intl.DateTimeFormat(language === 'vi' ? 'vi-VN' : 'en-GB', style).format(date) });

export const currentLanguage = () => language;

export const isMessage = (value) => typeof value?.text === 'function' && !(value instanceof Node);

/** Shows `value` (a message or a plain string) as the node's text, or as its attribute `name`, now and after each switch of language. */
export function bind(node, name, value) {
  const bound = (node[attribute] ??= new Map());
  if (isMessage(value)) bound.set(name, value);
  else bound.delete(name);
  show(node, name, isMessage(value) ? value.text() : value);
}

function show(node, name, text) {
  if (name) node.setAttribute(name, text);
  else if (node.nodeValue !== text && node.nodeType === Node.TEXT_NODE) node.nodeValue = text;
  else if (node.nodeType !== Node.TEXT_NODE) node.textContent = text;
}

export async function setLanguage(chosen) {
  const answer = await fetch(`/strings.${chosen}.json`);
  if (!answer.ok) throw new Error(`strings.${chosen}.json: ${answer.status}`);
  catalogue = await answer.json();
  language = chosen;
  remember('language', chosen);
  document.documentElement.lang = chosen;
  translateAll();
}

export const loadLanguage = () => setLanguage(language);

function translateAll() {
  for (const element of document.querySelectorAll('[data-message]')) element.textContent = message(element.dataset.message).text();
  for (const element of document.querySelectorAll('[data-message-label]')) {
    element.setAttribute('aria-label', message(element.dataset.messageLabel).text());
  }
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    node[attribute]?.forEach((value, name) => show(node, name, value.text()));
  }
}
