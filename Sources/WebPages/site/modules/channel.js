// The meeting channel: one snapshot, then numbered changes; commands go the other way and each is answered. It comes back by itself and asks
// for what it missed.

import { Backoff } from './backoff.js';
import { Problem } from './api.js';
import { message } from './i18n.js';

const subprotocol = 'nhipcau.v1';
const answerPatience = 10_000;
const mostWaiting = 64;

export class Channel {
  #socket = null;
  #meeting;
  #onEvent;
  #onState;
  #sequence = null;
  #backoff = new Backoff();
  #timer = null;
  #isClosed = false;
  #nextCommand = 1;
  #waiting = new Map();

  /** @param onEvent takes each message in order; @param onState takes connecting, open, waiting. */
  constructor(meeting, onEvent, onState) {
    this.#meeting = meeting;
    this.#onEvent = onEvent;
    this.#onState = onState;
  }

  open() {
    if (this.#isClosed || this.#socket) return;
    clearTimeout(this.#timer);
    this.#onState('connecting');
    const after = this.#sequence === null ? '' : `?after=${this.#sequence}`;
    const address = new URL(`/api/v1/meetings/${encodeURIComponent(this.#meeting)}/events${after}`, location.href);
    address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = (this.#socket = new WebSocket(address, subprotocol));
    socket.onopen = () => this.#onState('open');
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = () => this.#lost(socket);
  }

  /** Tries at once, as when the network says that it is back. */
  hurry() {
    if (this.#isClosed || this.#socket) return;
    this.#backoff.reset();
    this.open();
  }

  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#refuseWaiting();
    this.#socket?.close(1000);
    this.#socket = null;
  }

  /** Sends a command. @returns when the server has taken it; throws `Problem` where it refuses. */
  command(type, fields = {}) {
    if (this.#socket?.readyState !== WebSocket.OPEN || this.#waiting.size >= mostWaiting) {
      return Promise.reject(new Problem(0, 'network', message('problem.network')));
    }
    const id = this.#nextCommand++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#answer(id, (one) => one.reject(new Problem(0, 'timeout', message('problem.timeout')))), answerPatience);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#socket.send(JSON.stringify({ id, type, ...fields }));
    });
  }

  #receive(data) {
    let event;
    try {
      event = JSON.parse(data);
    } catch {
      return;
    }
    if (event.reply !== undefined) {
      const { problem } = event;
      this.#answer(event.reply, (one) => (problem ? one.reject(new Problem(problem.status, problem.type, problem.detail ?? problem.title)) : one.resolve()));
      return;
    }
    if (Number.isInteger(event.sequence)) {
      const isMissing = event.type !== 'snapshot' && this.#sequence !== null && event.sequence > this.#sequence + 1;
      if (isMissing) return this.#startOver();
      this.#sequence = event.sequence;
    }
    this.#backoff.reset();
    this.#onEvent(event);
  }

  /** A change is missing, which the server should never let happen: a new snapshot puts it right. */
  #startOver() {
    this.#sequence = null;
    this.#socket?.close(4000, 'gap');
  }

  #answer(id, act) {
    const one = this.#waiting.get(id);
    if (!one) return;
    this.#waiting.delete(id);
    clearTimeout(one.timer);
    act(one);
  }

  #refuseWaiting() {
    for (const id of [...this.#waiting.keys()]) this.#answer(id, (one) => one.reject(new Problem(0, 'network', message('problem.network'))));
  }

  #lost(socket) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    this.#refuseWaiting();
    if (this.#isClosed) return;
    this.#onState('waiting');
    this.#timer = setTimeout(() => this.open(), this.#backoff.next());
  }
}
