// The call: joins with media, keeps the store told, and comes back by itself when the network was away: first a restart of ICE, which keeps
// the seat, then a new join.

import { Backoff } from './backoff.js';
import { MediaSession } from './media.js';

/** A line that hiccups for less mends itself. */
const hiccup = 2_500;
const restartPatience = 5_000;
/** Refusals that trying again does not change: the meeting is over, gone, closed to newcomers, or the session is. */
const isFinal = (problem) => [401, 403, 404, 409, 410, 422].includes(problem?.status);

export class Call {
  #store;
  #meeting;
  #tracks;
  #media = null;
  #identity = null;
  #backoff = new Backoff();
  #timer = null;
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
    await this.#media?.setWish(wish);
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

  /** The server no longer has this seat. */
  lostSeat() {
    if (this.isOpen && !this.#isMending) this.#mend(1);
  }

  async #enter(state) {
    this.#drop();
    const media = (this.#media = new MediaSession(this.#tracks(), (change) => media === this.#media && this.#changed(change)));
    this.#tell({ media: state });
    await media.join(this.#meeting, this.#identity.name, this.#identity.site);
    this.#tell({ me: media.participantId });
    this.#onStream(media.stream);
    await media.connected();
    this.#backoff.reset();
    this.#tell({ media: 'connected', retryIn: null });
  }

  #changed(state) {
    if (!this.isOpen) return;
    clearTimeout(this.#timer);
    if (state === 'connected' && !this.#isMending) this.#tell({ media: 'connected', retryIn: null });
    if (this.#isMending) return;
    if (state === 'disconnected') this.#timer = setTimeout(() => this.#mend(0), hiccup);
    if (state === 'failed') this.#mend(0);
  }

  /** @param attempt 0 tries ICE alone, later ones join anew. */
  async #mend(attempt) {
    if (!this.isOpen || this.#isMending) return;
    this.#isMending = true;
    clearTimeout(this.#timer);
    this.#tell({ media: 'reconnecting', retryIn: null });
    try {
      if (attempt === 0 && (await this.#restarted())) return;
      await this.#enter('reconnecting');
    } catch (problem) {
      if (!this.isOpen) return;
      if (isFinal(problem)) this.#giveUp(problem);
      else this.#mendLater(attempt + 1);
    } finally {
      this.#isMending = false;
    }
  }

  async #restarted() {
    try {
      await this.#media.restartICE();
      await this.#media.connected(restartPatience);
      this.#tell({ media: 'connected', retryIn: null });
      return true;
    } catch {
      return false;
    }
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
    clearTimeout(this.#timer);
    this.#tell({ me: null });
    this.#media?.leave();
    this.#media = null;
  }

  #tell(values) {
    this.#store.dispatch({ type: 'local', values });
  }
}
