// How good one's own line is: four bars, and the figures behind them for whoever asks.

import { h, setAttribute, setText } from '../dom.js';
import { message } from '../i18n.js';

const words = ['line.none', 'line.poor', 'line.fair', 'line.good', 'line.best'];
const tiers = { high: 'tier.high', medium: 'tier.medium', low: 'tier.low', slides: 'tier.slides', sound: 'tier.sound' };
const unknown = '–';

export function ownLine(room) {
  const button = h(
    'button',
    { type: 'button', class: 'own-line', 'aria-expanded': 'false', 'aria-controls': 'own-line', 'aria-keyshortcuts': 'd', on: { click: () => toggle() } },
    h('span', { class: 'bars', 'aria-hidden': 'true' }, h('i'), h('i'), h('i'), h('i')),
  );
  const verdict = h('p', { class: 'own-line-verdict' });
  const values = {};
  const rows = ['lossUp', 'lossDown', 'roundTrip', 'jitter', 'down', 'up', 'picture', 'way'].map((name) => {
    values[name] = h('dd');
    return [h('dt', {}, message(titles[name])), values[name]];
  });
  const panel = h('section', { id: 'own-line', class: 'own-line-panel', 'aria-label': message('line.title') }, h('h3', {}, message('line.title')), verdict, h('dl', {}, rows));
  panel.hidden = true;
  const element = h('div', { class: 'own-line-place' }, button, panel);
  let tier = null;
  let latest = room.line.state;

  function toggle(isOpen = panel.hidden) {
    panel.hidden = !isOpen;
    button.setAttribute('aria-expanded', String(isOpen));
    if (isOpen) showFigures();
  }

  function showLine(line) {
    latest = line;
    const said = message(line.bars === null ? 'line.unknown' : words[line.bars]);
    button.dataset.bars = line.bars ?? 'unknown';
    const label = message('line.own', { quality: said });
    setAttribute(button, 'aria-label', label);
    setAttribute(button, 'title', message('media.withKey', { words: label, key: 'D' }));
    setText(verdict, said);
    if (!panel.hidden) showFigures();
  }

  function showFigures() {
    const { bars, figures } = latest;
    // What was measured before the silence is not how the line is.
    const now = bars === 0 ? null : figures;
    setText(values.lossUp, percent(now?.lossUp));
    setText(values.lossDown, percent(now?.lossDown));
    setText(values.roundTrip, milliseconds(now?.roundTripMs));
    setText(values.jitter, milliseconds(now?.jitterMs));
    setText(values.down, rate(bars === 0 ? 0 : now?.down));
    setText(values.up, rate(now?.up));
    setText(values.picture, picture(now?.picture, tier));
    setText(values.way, now?.protocol ? now.protocol.toUpperCase() : unknown);
  }

  const unsubscribe = room.line.subscribe(showLine);
  return {
    element,
    toggle: () => toggle(),
    /** @returns whether the figures were open. */
    close() {
      const wasOpen = !panel.hidden;
      toggle(false);
      return wasOpen;
    },
    end: unsubscribe,
    show({ me, participants }) {
      // Known to who watches lines.
      tier = participants.find((one) => one.id === me)?.tier ?? null;
    },
  };
}

const titles = {
  lossUp: 'line.lossUp',
  lossDown: 'line.lossDown',
  roundTrip: 'line.roundTrip',
  jitter: 'line.jitter',
  down: 'line.down',
  up: 'line.up',
  picture: 'line.picture',
  way: 'line.way',
};

const isNumber = (value) => Number.isFinite(value);
const percent = (share) => (isNumber(share) ? `${(share * 100).toFixed(1)} %` : unknown);
const milliseconds = (value) => (isNumber(value) ? `${Math.round(value)} ms` : unknown);
const rate = (bits) => (isNumber(bits) ? `${Math.round(bits / 1_000)} kbit/s` : unknown);

function picture(measured, tier) {
  if (!measured) return unknown;
  const size = `${measured.width}×${measured.height}`;
  const perSecond = isNumber(measured.perSecond) ? String(Math.round(measured.perSecond)) : unknown;
  const named = tiers[tier];
  return named ? message('line.pictureTier', { size, perSecond, tier: message(named) }) : message('line.pictureSize', { size, perSecond });
}
