// One meeting on this page: the channel, the call and the devices around one store. Views read the store and call these actions.

import { meeting as readMeeting, mayDirect, participants as readParticipants } from './api.js';
import { Call } from './call.js';
import { Channel } from './channel.js';
import { openDevice } from './devices.js';
import { ThinLine } from './line.js';
import { recall, remember } from './memory.js';
import { initialRoom, makeStore, reduce } from './store.js';

const deviceNames = { audio: 'microphone', video: 'camera' };
/** Milliseconds without a packet after which a line is no measure of what it carries. */
const hiccup = 1_000;
/** Reasons of `participant.left` after which the seat is taken again. */
const comesBack = ['consentLost', 'neverConnected', 'serverStopping', 'closedByPeer'];

export class Room {
  store = makeStore(reduce, initialRoom);
  /** What the devices give, null where there is none or it is off. */
  tracks = { audio: null, video: null };
  /** The mix and the composed picture, null before the join. */
  stream = null;
  onTracks = () => {};
  /** Takes words of the server, or the key of words of the page. */
  onNotice = () => {};
  #id;
  #channel;
  #call;
  #stops = [];
  /** The latest wish for each device: what an earlier one opens is closed again. */
  #wishes = { audio: 0, video: 0 };
  /** Whether somebody looks at levels and lines here: who leads is told of them unless they say no. */
  #isWatching = true;
  /** Whether some view shows this page's camera, and in how many lines. */
  #wish = null;
  #thin = new ThinLine();
  /** The participant whose devices the others know. */
  #seat = null;

  constructor(id) {
    this.#id = id;
    this.#channel = new Channel(id, (event) => this.#receive(event), (channel) => this.#channelChanged(channel));
    this.#call = new Call(this.store, id, () => this.tracks, (stream) => this.#show(stream), (problem) => this.#local({ phase: 'left', problem }));
    this.#call.line.subscribe((line) => this.#spare(line));
  }

  /** One's own line, see `Call`. */
  get line() {
    return this.#call.line;
  }

  /** Reads the meeting, opens the channel and the devices. */
  async open() {
    try {
      this.store.dispatch({ type: 'meeting.changed', meeting: await readMeeting(this.#id) });
    } catch (problem) {
      return this.#local({ phase: 'missing', problem });
    }
    this.#local({ phase: this.store.state.meeting.state === 'ended' ? 'ended' : 'prejoin' });
    this.#listen(window, 'online', () => this.#hurry());
    this.#listen(window, 'pagehide', () => this.#call.leave());
    this.#listen(window, 'pageshow', ({ persisted }) => persisted && location.reload()); // the seat was given up in between
    if (this.store.state.phase === 'prejoin') {
      this.#channel.open();
      await Promise.all([this.chooseDevice('audio'), this.chooseDevice('video')]);
    }
  }

  close() {
    this.#call.leave();
    this.#channel.close();
    this.#stopTrack('audio');
    this.#stopTrack('video');
    for (const stop of this.#stops) stop();
  }

  get mayDirect() {
    const { you, participants, me } = this.store.state;
    return mayDirect(you?.user ?? you) || participants.some((one) => one.id === me && one.role === 'chair');
  }

  /** Opens another microphone or camera, `id` empty for the one used last. */
  async chooseDevice(kind, id = recall(`device.${kind}`)) {
    this.#stopTrack(kind);
    const wish = this.#wishes[kind];
    const { track, problem } = await openDevice(kind, id);
    if (wish !== this.#wishes[kind]) return track?.stop();
    this.store.dispatch({ type: deviceNames[kind], values: { available: track !== null, problem } });
    if (id) remember(`device.${kind}`, id);
    await this.#use(kind, track);
  }

  async join(name, site) {
    this.#local({ phase: 'joining', problem: null });
    try {
      await this.#call.join(name, site);
      this.#local({ phase: 'in' });
      this.#followChair();
      this.#sayWhatIsOff();
    } catch (problem) {
      this.#local({ phase: 'prejoin', media: 'idle', problem });
      throw problem;
    }
  }

  leave() {
    this.#call.leave();
    this.stream = null;
    this.#stopTrack('audio');
    this.#stopTrack('video');
    this.#local({ phase: 'left', problem: null });
  }

  /** Back from "you have left" to the door. */
  async returnToDoor() {
    this.#local({ phase: 'prejoin', problem: null });
    await Promise.all([this.chooseDevice('audio'), this.chooseDevice('video')]);
  }

  /** The track is silenced at once, whatever the line is like; the others learn it by the channel. */
  setMicrophone(on) {
    if (on && this.store.state.microphone.held && !this.mayDirect) return this.onNotice('room.micHeld');
    this.store.dispatch({ type: 'microphone', values: { on } });
    if (this.tracks.audio) this.tracks.audio.enabled = on;
    if (this.store.state.me) this.#command('mute', { participantId: this.store.state.me, muted: !on });
  }

  /** Off means that the device is off, its light too. */
  async setCamera(on) {
    if (on && this.store.state.camera.held && !this.mayDirect) return this.onNotice('room.cameraHeld');
    this.#thin.decided();
    this.#call.setThinSound(false);
    this.#local({ spared: null });
    await this.#turnCamera(on);
  }

  async #turnCamera(on) {
    this.store.dispatch({ type: 'camera', values: { on } });
    if (this.store.state.me) this.#command('camera', { participantId: this.store.state.me, shown: on });
    if (on) await this.chooseDevice('video');
    else {
      this.#stopTrack('video');
      await this.#use('video', null);
    }
  }

  /** Sound comes first: a camera for which the way up is too thin is turned off, with a word about it, and only the reader turns it on again. */
  #spare({ at, figures, silent }) {
    const { camera, media } = this.store.state;
    if (!figures || silent >= hiccup || media !== 'connected') return this.#thin.interrupted();
    const isSending = camera.on && camera.available && this.#wish?.wanted !== false;
    const verdict = this.#thin.note(at, figures, isSending);
    this.#call.setThinSound(this.#thin.isSoundThin);
    if (verdict === null) return;
    this.#local({ spared: verdict });
    if (verdict === 'thin') this.#turnCamera(false).catch(() => {});
  }

  /** The reader does without the camera. */
  keepSpared() {
    this.#thin.decided();
    this.#local({ spared: null });
  }

  setLayout(layout) {
    return this.#channel.command('layout', { layout });
  }

  setLocked(locked) {
    return this.#channel.command('lock', { locked });
  }

  mute(participantId, muted) {
    return this.#channel.command('mute', { participantId, muted });
  }

  remove(participantId) {
    return this.#channel.command('remove', { participantId });
  }

  readmit(user) {
    return this.#channel.command('readmit', { user });
  }

  /** Levels and lines are not sent to where nobody looks at them. */
  setWatching(isWatching) {
    this.#isWatching = isWatching;
    if (this.mayDirect) this.#command('watch', { what: isWatching ? ['lines', 'levels'] : [] });
  }

  #channelChanged(channel) {
    this.#local({ channel });
    // At the door a plain reading does as well, where the channel has nothing to say yet.
    if (channel === 'waiting' && this.store.state.phase === 'prejoin') {
      readMeeting(this.#id).then((meeting) => this.store.dispatch({ type: 'meeting.changed', meeting }), () => {});
    }
  }

  #receive(event) {
    const before = this.store.state;
    this.store.dispatch(event);
    if (event.type === 'notice') this.onNotice(null, event.text);
    if (event.type === 'meeting.ended') this.#ended();
    if (event.type === 'participant.left' && event.participantId === before.me) this.#lostSeat(event.reason);
    if (event.type === 'participant.changed' && event.participant.id === before.me) this.#followView(event.participant);
    if (event.type === 'snapshot') this.#followView(this.store.state.participants.find((one) => one.id === before.me));
    this.#followChair();
    if (event.type === 'snapshot') {
      this.#checkSeat();
      this.#readRest(event);
    }
    // A channel that comes back begins as a new one does.
    if ((event.type === 'snapshot' || event.type === 'figures') && !this.#isWatching && this.mayDirect) this.setWatching(false);
  }

  /** A snapshot has a bound; who does not fit in is read as a list. */
  #readRest({ roster, meeting }) {
    if (!roster || roster.length >= meeting.participantCount) return;
    readParticipants(this.#id).then((participants) => this.store.dispatch({ type: 'participants.read', participants }), () => {});
  }

  #ended() {
    this.#call.leave();
    this.#channel.close();
    this.#stopTrack('audio');
    this.#stopTrack('video');
    this.#local({ phase: 'ended' });
  }

  /** After a longer silence the server may have given the seat up. */
  #checkSeat() {
    const { phase, media, me, participants, meeting } = this.store.state;
    if (meeting.state === 'ended') this.#ended();
    else if (phase === 'in' && media === 'connected' && !participants.some((one) => one.id === me)) this.#call.lostSeat();
  }

  #lostSeat(reason) {
    if (this.store.state.phase !== 'in') return;
    if (comesBack.includes(reason)) return this.#call.lostSeat();
    if (reason === 'meetingEnded') return this.#ended();
    this.leave();
    if (reason === 'removed') this.#local({ phase: 'removed' });
  }

  /** What a chair turns off is off here too, until a chair lifts it; then the site itself turns it on. Seen in each state, since it holds from the join on. */
  #followChair() {
    const { me, participants } = this.store.state;
    const own = participants.find((one) => one.id === me);
    if (!own) return;
    this.#hold('microphone', own.audio?.mutedBy === 'chair');
    this.#hold('camera', own.video?.mutedBy === 'chair');
  }

  #hold(device, held) {
    const before = this.store.state[device];
    if (before.held === held) return;
    this.store.dispatch({ type: device, values: held ? { held, on: false } : { held } });
    const isMicrophone = device === 'microphone';
    if (!held) {
      if (this.store.state[device].on) return;
      // Still off: the others shall see that it is, until it is turned on here.
      if (isMicrophone) this.#command('mute', { participantId: this.store.state.me, muted: true });
      else this.#command('camera', { participantId: this.store.state.me, shown: false });
      return this.onNotice(isMicrophone ? 'room.micFree' : 'room.cameraFree');
    }
    if (isMicrophone && this.tracks.audio) this.tracks.audio.enabled = false;
    if (!isMicrophone) {
      this.#stopTrack('video');
      this.#use('video', null).catch(() => {});
    }
    this.onNotice(isMicrophone ? 'room.mutedByChair' : 'room.cameraOffByChair');
  }

  /** A line is not filled with a picture that no view shows, nor with more of it than its tile; the server says it in time when one will. */
  #followView(participant) {
    if (participant?.video?.wanted === undefined) return;
    const wish = { seat: participant.id, wanted: participant.video.wanted !== false, lines: participant.video.lines ?? null };
    if (this.#wish && Object.keys(wish).every((name) => wish[name] === this.#wish[name])) return;
    this.#wish = wish;
    this.#call.setWish(wish);
  }

  async #use(kind, track) {
    this.tracks[kind] = track;
    if (track) {
      track.enabled = kind === 'video' || this.store.state.microphone.on;
      track.onended = () => this.store.dispatch({ type: deviceNames[kind], values: { available: false, problem: 'missing' } });
    }
    await this.#call.replace(kind, track);
    this.onTracks();
  }

  #stopTrack(kind) {
    this.#wishes[kind] += 1;
    if (this.tracks[kind]) this.tracks[kind].onended = null;
    this.tracks[kind]?.stop();
    this.tracks[kind] = null;
    this.onTracks();
  }

  #show(stream) {
    this.stream = stream;
    this.onTracks();
    if (this.store.state.phase === 'in') this.#sayWhatIsOff();
  }

  /** A seat that is kept remembers what is off; a new one does not know it yet. */
  #sayWhatIsOff() {
    const { me, microphone, camera } = this.store.state;
    if (me === this.#seat) return;
    this.#seat = me;
    if (!microphone.on) this.#command('mute', { participantId: me, muted: true });
    if (!camera.on) this.#command('camera', { participantId: me, shown: false });
  }

  #hurry() {
    this.#channel.hurry();
    this.#call.hurry();
  }

  /** For what the page has already done itself: the others will see it when the channel is back. */
  #command(type, fields) {
    this.#channel.command(type, fields).catch(() => {});
  }

  #local(values) {
    this.store.dispatch({ type: 'local', values });
  }

  #listen(target, event, listener) {
    target.addEventListener(event, listener);
    this.#stops.push(() => target.removeEventListener(event, listener));
  }
}
