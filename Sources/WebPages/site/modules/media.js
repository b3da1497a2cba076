// One media session: an offer is POSTed, the answer taken (RFC 9725), one sound and one picture go each way. It reports its state and can
// restart ICE; when to do that is `call.js`'s decision.

import { Problem, request } from './api.js';
import { message } from './i18n.js';
import { fragmentOf, answerAfterRestart } from './sdp.js';
import { readingOf } from './stats.js';

/** Candidates of this machine are there at once; a slow interface is not waited for, the server learns its address from the checks. */
const gatheringPatience = 1_000;
const connectingPatience = 10_000;
/** A restart is asked for while the line is bad: an answer that takes longer is asked for again. */
const restartAnswerPatience = 4_000;

/** Bits a second that a good picture of so many lines takes: a smaller one does not fill the line with what nobody sees. */
const bitsFor = (lines) => Math.max(120_000, Math.round(lines * lines * 5));

/** Bits a second of speech where the way up carries hardly more; the headers of its packets take as much again. */
const thinSound = 20_000;

/** Sound that takes as little as it can, or is as good as it can be. A browser that cannot limit it sends it as before. */
export async function setThinSound(sender, isThin) {
  const parameters = sender.getParameters();
  if (!parameters.encodings?.length) return;
  const [encoding] = parameters.encodings;
  if (isThin) encoding.maxBitrate = thinSound;
  else delete encoding.maxBitrate;
  await sender.setParameters(parameters).catch(() => {});
}

export class MediaSession {
  #peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' });
  #senders = {};
  #location = null;
  #participant = null;
  #onState;
  #wish = { wanted: true, lines: null };
  #wishing = Promise.resolve();
  /** What comes: the mix and the composed picture. */
  stream = new MediaStream();

  /** @param onState takes connecting, connected, disconnected, failed. */
  constructor(tracks, onState) {
    this.#onState = onState;
    for (const kind of ['audio', 'video']) {
      // Without a device too: the line is there, and a track can be put on it later without a new offer.
      const transceiver = this.#peer.addTransceiver(tracks[kind] ?? kind, { direction: 'sendrecv' });
      this.#senders[kind] = transceiver.sender;
    }
    this.#peer.ontrack = ({ track }) => this.stream.addTrack(track);
    this.#peer.onconnectionstatechange = () => this.#report();
  }

  /** Whose seat this session holds. */
  get participantId() {
    return this.#participant;
  }

  /** By which the server knows this session; null before it was answered. */
  get id() {
    return this.#location ? this.#location.pathname.split('/').pop() : null;
  }

  /** @param held the session with which the seat was held before, null for a first join. */
  async join(meeting, name, site, held = null) {
    await this.#peer.setLocalDescription();
    await this.#gathered();
    const query = new URLSearchParams({ name, ...(site ? { site } : {}), ...(held ? { seat: held } : {}) });
    const answer = await request('POST', `meetings/${encodeURIComponent(meeting)}/media?${query}`, {
      body: this.#peer.localDescription.sdp,
      headers: { 'Content-Type': 'application/sdp' },
    });
    this.#location = new URL(answer.headers.get('Location'), answer.url);
    this.#participant = answer.headers.get('Nhipcau-Participant') ?? this.id;
    try {
      await this.#peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
    } catch {
      this.leave();
      throw new Problem(0, 'answer', message('problem.answer'));
    }
    await this.#preferSound();
  }

  /** What the browser counts of this session, see `stats.js`; null where it cannot say. */
  async read() {
    if (this.#peer.connectionState === 'closed') return null;
    return readingOf(await this.#peer.getStats(), performance.now());
  }

  /** Where the way up is too thin for both, sound goes first. */
  async #preferSound() {
    const { audio } = this.#senders;
    const parameters = audio.getParameters();
    if (!parameters.encodings?.length) return;
    Object.assign(parameters.encodings[0], { priority: 'high', networkPriority: 'high' });
    // A browser that knows no priorities sends both as before.
    await audio.setParameters(parameters).catch(() => {});
  }

  /** @returns when connected; throws where that takes too long. */
  connected(patience = connectingPatience) {
    return new Promise((resolve, reject) => {
      const peer = this.#peer;
      const timer = setTimeout(() => finish(() => reject(new Problem(0, 'media', message('problem.media')))), patience);
      const check = () => {
        if (peer.connectionState === 'connected') finish(resolve);
        if (peer.connectionState === 'closed') finish(() => reject(new Problem(0, 'media', message('problem.media'))));
      };
      const finish = (act) => {
        clearTimeout(timer);
        peer.removeEventListener('connectionstatechange', check);
        act();
      };
      peer.addEventListener('connectionstatechange', check);
      check();
    });
  }

  /** A new way through the network for the same session, RFC 9725 §4.3: DTLS and the seat in the meeting stay. */
  async restartICE() {
    const offer = await this.#peer.createOffer({ iceRestart: true });
    await this.#peer.setLocalDescription(offer);
    await this.#gathered();
    const answer = await request('PATCH', this.#location.pathname, {
      body: fragmentOf(this.#peer.localDescription.sdp),
      headers: { 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': '*' },
      patience: restartAnswerPatience,
    });
    const fragment = await answer.text();
    await this.#peer.setRemoteDescription({ type: 'answer', sdp: answerAfterRestart(this.#peer.currentRemoteDescription.sdp, fragment) });
  }

  /** Puts another track, or none, on the line that is there. */
  async replace(kind, track) {
    await this.#senders[kind].replaceTrack(track);
    if (kind === 'video' && track) await this.setWish(this.#wish); // another camera has another height
  }

  /**
   * What of the camera is sent: nothing where nobody sees it, and no more lines than its tile has. The device goes on as it is.
   * @param wish `{ wanted, lines }`; lines null: as it is.
   */
  setWish(wish) {
    this.#wish = wish;
    // One after the other: what getParameters gave is good for one setParameters.
    this.#wishing = this.#wishing.then(() => this.#follow(wish)).catch(() => {});
    return this.#wishing;
  }

  /** @param isThin whether sound shall take as little as it can. */
  setThinSound(isThin) {
    this.#wishing = this.#wishing.then(() => setThinSound(this.#senders.audio, isThin)).catch(() => {});
    return this.#wishing;
  }

  async #follow({ wanted, lines }) {
    const sender = this.#senders.video;
    const parameters = sender.getParameters();
    if (!parameters.encodings?.length) return;
    const height = sender.track?.getSettings().height;
    const scale = lines && height > lines ? height / lines : 1;
    const [encoding] = parameters.encodings;
    encoding.active = wanted;
    encoding.scaleResolutionDownBy = scale;
    if (scale > 1) encoding.maxBitrate = bitsFor(lines);
    else delete encoding.maxBitrate;
    await sender.setParameters(parameters);
  }

  /** Works while the page is being closed, too. */
  leave() {
    if (this.#location) request('DELETE', this.#location.pathname, { keepalive: true, expects401: true }).catch(() => {});
    this.#location = null;
    this.close();
  }

  close() {
    this.#peer.onconnectionstatechange = null;
    this.#peer.close();
  }

  #report() {
    const state = this.#peer.connectionState;
    if (state === 'connected' || state === 'disconnected' || state === 'failed') this.#onState(state);
    else if (state === 'connecting') this.#onState('connecting');
  }

  #gathered() {
    const peer = this.#peer;
    if (peer.iceGatheringState === 'complete') return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(finish, gatheringPatience);
      function finish() {
        clearTimeout(timer);
        peer.removeEventListener('icegatheringstatechange', check);
        resolve();
      }
      function check() {
        if (peer.iceGatheringState === 'complete') finish();
      }
      peer.addEventListener('icegatheringstatechange', check);
    });
  }
}
