// Making and changing elements, in a few words.

import { bind, isMessage } from './i18n.js';

/**
 * An element. `properties`: attributes (true and false add and leave out, a message is translated), `on` for listeners, `class` a string.
 * Children: elements, strings, messages; null and false are skipped.
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'on') for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else setAttribute(element, name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false).map(toNode));
  return element;
}

function toNode(child) {
  if (child instanceof Node) return child;
  const node = document.createTextNode('');
  bind(node, null, isMessage(child) ? child : String(child));
  return node;
}

export function setAttribute(element, name, value) {
  if (isMessage(value)) bind(element, name, value);
  else if (value === true) element.setAttribute(name, '');
  else if (value === false || value === null || value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) bind(element, name, String(value));
}

/** Replaces the text of `element` where it differs; takes a message or a string. */
export function setText(element, text) {
  const only = element.firstChild;
  if (element.childNodes.length === 1 && only.nodeType === Node.TEXT_NODE) bind(only, null, text);
  else element.replaceChildren(toNode(text));
}

/** A drawing of `icons.svg`; decoration only, the words beside or on the control say what it is. */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

export function setIcon(svg, name) {
  const use = svg.firstElementChild;
  if (use.getAttribute('href') !== `/icons.svg#${name}`) use.setAttribute('href', `/icons.svg#${name}`);
}

/**
 * Brings `list` to show `items` in order: rows that stay are changed, not replaced, so the keyboard's focus stays where it is.
 * `make(item)` returns `{element, update(item)}`.
 */
export function keyedList(list, make) {
  const rows = new Map();
  return (items, keyOf) => {
    const wanted = new Set(items.map(keyOf));
    for (const [key, row] of rows) {
      if (wanted.has(key)) continue;
      row.element.remove();
      rows.delete(key);
    }
    items.forEach((item, place) => {
      const key = keyOf(item);
      let row = rows.get(key);
      if (!row) rows.set(key, (row = make(item)));
      row.update(item);
      if (list.children[place] !== row.element) list.insertBefore(row.element, list.children[place] ?? null);
    });
  };
}
