// The call: joins with media, looks twice a second whether anything comes, keeps the store told, and comes back by itself when the network was away:
// first restarts of ICE, which keep the session, then a new join, which keeps the seat.

import { Backoff } from './backoff.js';
import { LineFigures, Silence, barsOf, deadAfter, silentAfter } from './line.js';
import { MediaSession } from './media.js';
import { makeStore } from './store.js';

/** For browsers that count nothing: a line that hiccups for less mends itself. */
const hiccup = 2_500;
const lookInterval = 500;
/** While nothing comes, the first packet shall be seen at once. */
const keenInterval = 100;
/** A restart that the server has answered needs so long at the most, where there is a way at all. */
const restartPatience = 5_000;
/** So many answered restarts without a packet: then something other than the line is wrong. */
const mostRestarts = 3;
/** Where not even the server's answer comes. */
const restartPause = 1_000;
/** The server has given the media session up after 30 s without a sign. */
const longestMending = 30_000;
/** Refusals that trying again does not change: the meeting is over, gone, closed to newcomers, or the session is. */
const isFinal = (problem) => [401, 403, 404, 409, 410, 422].includes(problem?.status);

const unknownLine = Object.freeze({ bars: null, figures: null, silent: 0 });

export class Call {
  /** One's own line, apart from the meeting's store: it changes twice a second. `bars` is 0 … 4, null before anything is known; `silent` milliseconds. */
  line = makeStore((_, next) => next, unknownLine);
  #store;
  #meeting;
  #tracks;
  #media = null;
  /** The media session with which the seat was held last. */
  #held = null;
  #wish = null;
  #isSoundThin = false;
  #identity = null;
  #backoff = new Backoff();
  #timer = null;
  #lookTimer = null;
  #silence = null;
  #figures = null;
  #isSilent = false;
  /** Called at the next packet that comes. */
  #waiters = new Set();
  #onStream;
  #onLost;
  #isMending = false;

  /**
   * @param tracks `() => ({audio, video})`, asked at each join. @param onStream takes the stream to show.
   * @param onLost takes the problem for which the call was given up.
   */
  constructor(store, meeting, tracks, onStream, onLost) {
    [this.#store, this.#meeting, this.#tracks, this.#onStream, this.#onLost] = [store, meeting, tracks, onStream, onLost];
  }

  get isOpen() {
    return this.#identity !== null;
  }

  /** The first join; throws `Problem` where it is refused. */
  async join(name, site) {
    this.#identity = { name, site };
    try {
      await this.#enter('connecting');
    } catch (problem) {
      this.#identity = null;
      this.#drop();
      throw problem;
    }
  }

  async replace(kind, track) {
    await this.#media?.replace(kind, track);
  }

  /** Whether anybody sees the picture, and how large: the server says so. */
  async setWish(wish) {
    this.#wish = wish;
    await this.#media?.setWish(wish);
  }

  /** Whether sound takes as little as it can: the way up carries no more. */
  async setThinSound(isThin) {
    if (isThin === this.#isSoundThin) return;
    this.#isSoundThin = isThin;
    await this.#media?.setThinSound(isThin);
  }

  leave() {
    this.#identity = null;
    this.#drop();
    this.#tell({ media: 'idle', retryIn: null });
  }

  /** The network says that it is back, or the server no longer knows this seat: no waiting. */
  hurry() {
    if (!this.isOpen || this.#isMending) return;
    if (this.#store.state.media === 'reconnecting') this.#mend(0);
  }

  /** The server no longer has this media session, and perhaps not the seat either. */
  lostSeat() {
    if (this.isOpen && !this.#isMending) this.#mend(1);
  }

  async #enter(state) {
    const before = this.#media;
    this.#unwatch();
    const media = (this.#media = new MediaSession(this.#tracks(), (change) => media === this.#media && this.#changed(change)));
    this.#tell({ media: state });
    try {
      await media.join(this.#meeting, this.#identity.name, this.#identity.site, this.#held);
    } catch (problem) {
      media.close();
      if (media === this.#media) this.#media = before;
      else before?.leave();
      throw problem;
    }
    if (media !== this.#media) {
      // Left meanwhile.
      before?.leave();
      return media.leave();
    }
    // Not before: the goodbye of the old session would give up the seat that the new one took.
    before?.close();
    this.#held = media.id;
    if (this.#wish?.seat === media.participantId) media.setWish(this.#wish);
    if (this.#isSoundThin) media.setThinSound(true);
    this.#tell({ me: media.participantId });
    this.#onStream(media.stream);
    // One who was in watches on: a session that is not connected in time is restarted, before yet another one is made.
    if (state === 'reconnecting') this.#watch(media);
    await media.connected();
    this.#backoff.reset();
    this.#tell({ media: 'connected', retryIn: null });
    if (state !== 'reconnecting') this.#watch(media);
  }

  #changed(state) {
    if (!this.isOpen) return;
    clearTimeout(this.#timer);
    if (state === 'connected' && !this.#isMending) this.#tell({ media: 'connected', retryIn: null });
    if (this.#isMending) return;
    if (state === 'disconnected') this.#timer = setTimeout(() => this.#mend(0), hiccup);
    if (state === 'failed') this.#mend(0);
  }

  // What comes

  #watch(media) {
    [this.#silence, this.#figures] = [new Silence(), new LineFigures()];
    const look = async () => {
      const reading = await media.read().catch(() => null);
      if (media !== this.#media) return;
      if (reading) this.#note(reading);
      this.#lookTimer = setTimeout(look, this.#isSilent ? keenInterval : lookInterval);
    };
    look();
  }

  #note(reading) {
    const silent = this.#silence.note(reading);
    const figures = this.#figures.note(reading);
    const wasSilent = this.#isSilent;
    this.#isSilent = silent >= silentAfter;
    if (silent === 0) this.#heard();
    if (this.#isSilent !== wasSilent) this.#tell({ silent: this.#isSilent });
    this.line.dispatch({ bars: this.#isSilent ? 0 : barsOf(figures), figures, at: reading.at, silent });
    if (silent >= deadAfter && !this.#isMending) this.#mend(0);
  }

  #heard() {
    clearTimeout(this.#timer);
    for (const waiter of [...this.#waiters]) waiter();
  }

  /** @returns whether something came within `patience`; what came before `call` was made does not count. */
  #hears(patience) {
    return new Promise((resolve) => {
      const finish = (isHeard) => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        resolve(isHeard);
      };
      const waiter = () => finish(true);
      const timer = setTimeout(() => finish(false), patience);
      this.#waiters.add(waiter);
    });
  }

  // The way back

  /** @param attempt 0 tries ICE alone, later ones join anew. */
  async #mend(attempt) {
    if (!this.isOpen || this.#isMending) return;
    this.#isMending = true;
    clearTimeout(this.#timer);
    this.#tell({ media: 'reconnecting', retryIn: null });
    try {
      if (attempt === 0 && (await this.#restarted())) return;
      if (this.isOpen) await this.#enter('reconnecting');
    } catch (problem) {
      if (!this.isOpen) return;
      if (isFinal(problem)) this.#giveUp(problem);
      else this.#mendLater(attempt + 1);
    } finally {
      this.#isMending = false;
    }
  }

  /**
   * Restarts ICE until something comes. While the line is dead nothing helps, and a session that waits is back in the moment in which the line is: it is
   * given up only where the server no longer has it, or answers and still nothing comes.
   */
  async #restarted() {
    const media = this.#media;
    if (!media) return false;
    const end = performance.now() + longestMending;
    let answered = 0;
    while (this.isOpen && media === this.#media && answered < mostRestarts && performance.now() < end) {
      const heard = this.#hears(longestMending);
      const restart = media.restartICE().then(
        () => 'answered',
        (problem) => (problem?.status > 0 ? 'refused' : 'unanswered'),
      );
      const outcome = await Promise.race([restart, heard.then(() => 'heard')]);
      if (outcome === 'refused') return false;
      if (outcome === 'answered') answered += 1;
      if (outcome === 'heard' || (await this.#hears(outcome === 'answered' ? restartPatience : restartPause))) {
        if (this.isOpen && media === this.#media) this.#tell({ media: 'connected', retryIn: null });
        await restart; // two at once would answer each other's offers
        return true;
      }
    }
    return false;
  }

  #mendLater(attempt) {
    const wait = this.#backoff.next();
    this.#tell({ retryIn: Math.ceil(wait / 1_000) });
    this.#timer = setTimeout(() => this.#mend(attempt), wait);
  }

  #giveUp(problem) {
    this.leave();
    this.#onLost(problem);
  }

  /** The seat is forgotten before it is given back, so that the channel's word of its leaving is not taken for a removal by the chair. */
  #drop() {
    this.#unwatch();
    this.#tell({ me: null });
    this.#media?.leave();
    this.#media = this.#held = null;
  }

  #unwatch() {
    clearTimeout(this.#timer);
    clearTimeout(this.#lookTimer);
    this.#tell({ silent: false });
    this.#isSilent = false;
    this.line.dispatch(unknownLine);
  }

  #tell(values) {
    this.#store.dispatch({ type: 'local', values });
  }
}
