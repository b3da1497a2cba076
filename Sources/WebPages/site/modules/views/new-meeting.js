import { createMeeting, startMeeting } from '../api.js';
import { showProblem } from '../components/problem.js';
import { h, setText } from '../dom.js';
import { message } from '../i18n.js';
import { whileBusy } from '../progress.js';
import { navigate } from '../router.js';
import { toast } from '../toast.js';

const longestTitle = 200;
const durations = { least: 5, most: 1_440, usual: 60 };

export function showNewMeeting(main) {
  const title = field('title', 'form.name', h('input', { id: 'title', maxlength: longestTitle, autocomplete: 'off' }), 'form.nameHelp');
  const start = field('start', 'form.start', h('input', { id: 'start', type: 'datetime-local', value: nextHalfHour() }), 'form.startHelp');
  const duration = field(
    'duration',
    'form.duration',
    h('input', { id: 'duration', type: 'number', min: durations.least, max: durations.most, step: 5, value: durations.usual }),
    'form.durationHelp',
  );
  const now = h('input', { type: 'checkbox', id: 'now' });
  now.addEventListener('change', () => (start.input.disabled = now.checked));
  const problem = h('div');
  const submit = h('button', { type: 'submit', class: 'button button-main' }, message('form.submit'));
  const form = h(
    'form',
    { class: 'card form', novalidate: true },
    title.element,
    h('div', { class: 'columns' }, start.element, duration.element),
    h('label', { class: 'check' }, now, message('form.now')),
    problem,
    h('div', { class: 'form-actions' }, h('a', { class: 'button', href: '/meetings', 'data-route': true }, message('app.cancel')), submit),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    showProblem(problem, null);
    const wanted = read(title, start, duration, now);
    if (!wanted) return form.querySelector('[aria-invalid=true]').focus();
    whileBusy(submit, async () => {
      try {
        const meeting = await createMeeting(wanted);
        if (now.checked) await startMeeting(meeting.id);
        toast(message('form.created'), 'good');
        navigate(now.checked ? `/meetings/${meeting.id}` : '/meetings');
      } catch (refusal) {
        showProblem(problem, refusal);
      }
    });
  });
  main.append(h('div', { class: 'page page-narrow' }, h('h1', {}, message('form.title')), form));
  title.input.focus();
}

/** @returns the request, or null where a field is marked as wrong. */
function read(title, start, duration, now) {
  const name = title.input.value.trim();
  const begin = now.checked ? new Date() : new Date(start.input.value);
  const minutes = Number(duration.input.value);
  const isLength = Number.isInteger(minutes) && minutes >= durations.least && minutes <= durations.most;
  title.mark(name === '' ? message('form.nameMissing') : null);
  start.mark(Number.isNaN(begin.getTime()) ? message('form.startWrong') : null);
  duration.mark(isLength ? null : message('form.durationWrong', { least: durations.least, most: durations.most }));
  if (name === '' || Number.isNaN(begin.getTime()) || !isLength) return null;
  return { title: name, startsAt: `${begin.toISOString().slice(0, 19)}Z`, durationMinutes: minutes };
}

function field(id, label, input, help) {
  const hint = h('p', { class: 'hint', id: `${id}-hint` }, message(help));
  input.setAttribute('aria-describedby', hint.id);
  const element = h('div', { class: 'field' }, h('label', { for: id }, message(label)), input, hint);
  const mark = (wrong) => {
    input.setAttribute('aria-invalid', String(wrong !== null));
    hint.classList.toggle('hint-bad', wrong !== null);
    setText(hint, wrong ?? message(help));
  };
  return { element, input, mark };
}

/** In the form's own notation, local time. */
function nextHalfHour() {
  const date = new Date(Math.ceil((Date.now() + 60_000) / 1_800_000) * 1_800_000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
