import { endMeeting, mayDirect, meetings, startMeeting } from '../api.js';
import { confirm } from '../components/dialog.js';
import { problemBox } from '../components/problem.js';
import { h, icon } from '../dom.js';
import { message, time } from '../i18n.js';
import { whileBusy } from '../progress.js';
import { toast } from '../toast.js';

/** The list is read again by itself: others start and end meetings too. */
const interval = 10_000;
const order = { running: 0, scheduled: 1, ended: 2 };
const stateNames = { running: 'list.running', scheduled: 'list.scheduled', ended: 'list.ended' };

export function showMeetings(main, { user }) {
  const list = h('div', { class: 'meetings', 'aria-live': 'polite', 'aria-busy': 'true' }, skeleton());
  const mayCreate = mayDirect(user);
  main.append(
    h(
      'div',
      { class: 'page' },
      h(
        'div',
        { class: 'page-head' },
        h('h1', {}, message('list.title')),
        mayCreate && h('a', { class: 'button button-main', href: '/meetings/new', 'data-route': true }, icon('plus'), message('list.new')),
      ),
      list,
    ),
  );
  let isGone = false;
  let shown = '';
  const refresh = async () => {
    try {
      const found = await meetings();
      const fingerprint = JSON.stringify(found);
      if (isGone || fingerprint === shown) return;
      shown = fingerprint;
      const focused = document.activeElement?.closest('.meeting')?.dataset.meeting;
      list.replaceChildren(...sections(found, mayCreate, refresh));
      // Whoever had the keyboard on a meeting keeps it there, though its card is a new one.
      if (focused) list.querySelector(`[data-meeting="${CSS.escape(focused)}"] .actions > :last-child`)?.focus();
    } catch (problem) {
      if (!isGone && shown === '') list.replaceChildren(problemBox(problem.words), retry(refresh));
    } finally {
      list.removeAttribute('aria-busy');
    }
  };
  const timer = setInterval(() => document.visibilityState === 'visible' && refresh(), interval);
  refresh();
  return () => {
    isGone = true;
    clearInterval(timer);
  };
}

const skeleton = () => Array.from({ length: 3 }, () => h('div', { class: 'card skeleton', 'aria-hidden': 'true' }));

const retry = (refresh) => h('button', { type: 'button', class: 'button', on: { click: refresh } }, message('app.retry'));

function sections(meetings, mayCreate, refresh) {
  if (meetings.length === 0) return [empty(mayCreate)];
  const sorted = [...meetings].sort((one, other) => order[one.state] - order[other.state] || one.startsAt.localeCompare(other.startsAt));
  return Object.keys(order).flatMap((state) => {
    const some = sorted.filter((one) => one.state === state);
    if (state === 'ended') some.reverse();
    if (some.length === 0) return [];
    return [h('h2', { class: 'section' }, message(stateNames[state]), h('span', { class: 'count' }, String(some.length))), ...some.map((one) => card(one, mayCreate, refresh))];
  });
}

function empty(mayCreate) {
  return h(
    'div',
    { class: 'card empty' },
    h('p', {}, message('list.empty')),
    mayCreate && h('a', { class: 'button button-main', href: '/meetings/new', 'data-route': true }, icon('plus'), message('list.new')),
  );
}

function card(meeting, mayCreate, refresh) {
  const { state, title, startsAt, durationMinutes, participantCount, id } = meeting;
  return h(
    'article',
    { class: `card meeting meeting-${state}`, 'aria-label': title, 'data-meeting': id },
    h(
      'div',
      { class: 'meeting-what' },
      h('h3', {}, title),
      h(
        'p',
        { class: 'muted meta' },
        h('span', {}, time(new Date(startsAt))),
        h('span', {}, message('list.duration', { minutes: durationMinutes })),
        state === 'running' && h('span', { class: 'live' }, message('list.present', { count: participantCount ?? 0 })),
        meeting.locked && h('span', {}, icon('lock'), message('list.locked')),
      ),
    ),
    h(
      'div',
      { class: 'actions' },
      state !== 'ended' && copyLink(meeting),
      state === 'scheduled' && mayCreate && action('list.start', 'button button-main', () => startMeeting(id), refresh, title),
      state === 'running' && mayCreate && action('list.end', 'button button-danger-quiet', () => askEnd(meeting), refresh, title),
      state !== 'ended' && enter(meeting),
    ),
  );
}

function enter({ id, state, title }) {
  const look = state === 'running' ? 'button button-main' : 'button';
  return h('a', { class: look, href: `/meetings/${id}`, 'data-route': true, 'aria-label': message('list.joinNamed', { title }) }, message('list.join'));
}

function action(key, look, work, refresh) {
  const button = h('button', { type: 'button', class: look }, message(key));
  button.addEventListener('click', () =>
    whileBusy(button, async () => {
      try {
        await work();
      } catch (problem) {
        toast(problem.words, 'bad');
      }
      await refresh();
    }),
  );
  return button;
}

async function askEnd({ id, title }) {
  const isSure = await confirm({ title: message('list.endTitle'), words: message('list.endHelp', { title }), yes: message('list.end'), danger: true, careful: true });
  if (isSure) await endMeeting(id);
}

function copyLink({ id, joinURL }) {
  const address = joinURL ?? `${location.origin}/meetings/${id}`;
  const button = h('button', { type: 'button', class: 'button button-quiet' }, icon('link'), message('list.copy'));
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(address);
      toast(message('list.copied'), 'good');
    } catch {
      toast(address); // no clipboard without HTTPS: show it to be copied by hand
    }
  });
  return button;
}
