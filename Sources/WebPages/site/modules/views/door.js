// Before the join: name, site, devices, preview. Everything here is optional but the name.

import { mayDirect, sites, startMeeting } from '../api.js';
import { deviceHelp } from '../components/device-help.js';
import { levelMeter } from '../components/level-meter.js';
import { problemBox, showProblem } from '../components/problem.js';
import { toggle } from '../components/toggle.js';
import { listDevices, whenDevicesChange } from '../devices.js';
import { h, setText } from '../dom.js';
import { message, time } from '../i18n.js';
import { recall, remember } from '../memory.js';
import { whileBusy } from '../progress.js';
import { toast } from '../toast.js';

const longestName = 80;

export function showDoor(main, { room, user }) {
  const preview = h('video', { class: 'preview-video', autoplay: true, playsinline: true, muted: true, 'aria-label': message('prejoin.preview') });
  preview.muted = true;
  const noPicture = h('p', { class: 'preview-empty' });
  const level = levelMeter();
  const microphone = toggle({ key: 'm', on: 'mic', off: 'mic-off', act: (value) => room.setMicrophone(value), turnOff: 'media.mute', turnOn: 'media.unmute' });
  const camera = toggle({ key: 'v', on: 'camera', off: 'camera-off', act: (value) => room.setCamera(value), turnOff: 'media.cameraOff', turnOn: 'media.cameraOn' });
  const title = h('h1', { class: 'door-title' });
  const when = h('p', { class: 'muted' });
  const form = joinForm(room, user);
  const help = h('div');
  main.append(
    h(
      'div',
      { class: 'page door' },
      h('div', { class: 'door-head' }, title, when),
      h(
        'div',
        { class: 'door-body' },
        h(
          'section',
          { class: 'card door-preview', 'aria-label': message('prejoin.preview') },
          h('div', { class: 'preview' }, preview, noPicture, h('div', { class: 'preview-tools' }, microphone.element, camera.element)),
          h('div', { class: 'level' }, h('span', { class: 'muted' }, message('prejoin.level')), level),
          help,
        ),
        form.element,
      ),
    ),
  );
  room.onTracks = () => {
    const { video, audio } = room.tracks;
    preview.srcObject = video ? new MediaStream([video]) : null;
    level.track = audio;
    form.refreshDevices();
  };
  const forgetDevices = whenDevicesChange(() => form.refreshDevices());
  const keys = (event) => shortcuts(event, room);
  document.addEventListener('keydown', keys);
  const unsubscribe = room.store.subscribe((state) => {
    setText(title, state.meeting.title);
    setText(when, time(new Date(state.meeting.startsAt)));
    microphone.show(state.microphone);
    camera.show(state.camera);
    noPicture.hidden = state.camera.available && state.camera.on;
    setText(noPicture, message(state.camera.on ? 'prejoin.noPicture' : 'prejoin.cameraOff'));
    help.replaceChildren(...deviceHelp(state, (kind) => room.chooseDevice(kind)));
    form.show(state);
  });
  room.onTracks();
  return () => {
    unsubscribe();
    forgetDevices();
    document.removeEventListener('keydown', keys);
    room.onTracks = () => {};
    level.track = null;
  };
}

function shortcuts(event, room) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.target.closest?.('input, select, textarea, dialog')) return;
  if (event.key === 'm') room.setMicrophone(!room.store.state.microphone.on);
  if (event.key === 'v') room.setCamera(!room.store.state.camera.on);
}

function joinForm(room, user) {
  const name = h('input', { id: 'name', maxlength: longestName, autocomplete: 'name', value: user.name ?? '', 'aria-describedby': 'name-hint' });
  const hint = h('p', { class: 'hint', id: 'name-hint' }, message('prejoin.nameHelp'));
  const site = siteField();
  const devices = { audio: deviceField(room, 'audio', 'prejoin.microphone'), video: deviceField(room, 'video', 'prejoin.camera') };
  const problem = h('div');
  const state = h('p', { class: 'door-state' });
  const submit = h('button', { type: 'submit', class: 'button button-main button-wide', id: 'join' }, message('prejoin.join'));
  const start = startButton(room);
  const element = h(
    'form',
    { class: 'card form door-form', novalidate: true },
    h('div', { class: 'field' }, h('label', { for: 'name' }, message('prejoin.name')), name, hint),
    site.element,
    devices.audio.element,
    devices.video.element,
    problem,
    state,
    start,
    submit,
  );
  element.addEventListener('submit', (event) => {
    event.preventDefault();
    const isMissing = name.value.trim() === '';
    name.setAttribute('aria-invalid', String(isMissing));
    if (isMissing) {
      showProblem(problem, message('prejoin.nameMissing'));
      return name.focus();
    }
    if (room.store.state.meeting.state !== 'running') return undefined;
    showProblem(problem, null);
    return whileBusy(submit, () => room.join(name.value.trim(), site.code()).catch((refusal) => showProblem(problem, refusal)));
  });
  const refreshDevices = async () => {
    const found = await listDevices();
    for (const kind of ['audio', 'video']) devices[kind].show(found[kind]);
  };
  const show = ({ meeting, participants, phase }) => {
    const isRunning = meeting.state === 'running';
    const mayStart = !isRunning && mayDirect(user);
    start.hidden = !mayStart;
    submit.hidden = !isRunning;
    const present = participants.length > 0 ? message('prejoin.present', { count: participants.length }) : message('prejoin.empty');
    setText(state, isRunning ? (phase === 'joining' ? message('prejoin.joining') : present) : message(mayStart ? 'prejoin.notStartedChair' : 'prejoin.notStarted'));
  };
  return { element, show, refreshDevices };
}

function startButton(room) {
  const button = h('button', { type: 'button', class: 'button button-main button-wide' }, message('prejoin.start'));
  button.addEventListener('click', () =>
    whileBusy(button, async () => {
      try {
        const { meeting } = room.store.state;
        await startMeeting(meeting.id);
        room.store.dispatch({ type: 'meeting.changed', meeting: { ...meeting, state: 'running' } });
      } catch (problem) {
        toast(problem.words, 'bad');
      }
    }),
  );
  return button;
}

function siteField() {
  const select = h('select', { id: 'site' }, h('option', { value: '' }, message('prejoin.noSite')));
  const field = h('div', { class: 'field' }, h('label', { for: 'site' }, message('prejoin.site')), select);
  sites()
    .then((list) => select.append(...list.map(({ code, name }) => h('option', { value: code, selected: code === recall('site') }, name))))
    .catch((problem) => field.append(problemBox(problem.words, 'mild')));
  select.addEventListener('change', () => remember('site', select.value));
  return { element: field, code: () => select.value };
}

function deviceField(room, kind, label) {
  const select = h('select', { id: `device-${kind}` });
  select.addEventListener('change', () => room.chooseDevice(kind, select.value));
  const element = h('div', { class: 'field' }, h('label', { for: select.id }, message(label)), select);
  const show = (devices) => {
    const current = room.tracks[kind]?.getSettings().deviceId ?? select.value;
    const named = devices.filter((one) => one.id !== '');
    select.disabled = named.length === 0;
    const options = named.map(({ id, label: words }, place) =>
      h('option', { value: id, selected: id === current }, words || message('prejoin.device', { number: place + 1 })),
    );
    select.replaceChildren(...(options.length > 0 ? options : [h('option', { value: '' }, message('prejoin.none'))]));
  };
  show([]);
  return { element, show };
}
