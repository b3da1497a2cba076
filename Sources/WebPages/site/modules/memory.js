// What this browser remembers between visits: a language, a device, a site. Only conveniences: storage may be forbidden.

const prefix = 'nhipcau.';

export function remember(key, value) {
  try {
    localStorage.setItem(prefix + key, value);
  } catch {
    // then it is chosen again next time
  }
}

/** @returns what was remembered, or an empty string. */
export function recall(key) {
  try {
    return localStorage.getItem(prefix + key) ?? '';
  } catch {
    return '';
  }
}
