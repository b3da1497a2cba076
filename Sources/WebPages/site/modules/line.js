// What the browser's counts say of one's own line. Nothing here asks the browser or a clock: readings come in (`stats.js`), and so it can be tested.

/** Without a packet for so long, something is wrong and the page says so; milliseconds. */
export const silentAfter = 1_500;
/** Without one for so long, waiting does not help: a new way is looked for. */
export const deadAfter = 3_000;
/** Over what figures are taken. */
const span = 5_000;

/** How long nothing has come. */
export class Silence {
  #arrived = null;
  #since = null;

  /** @returns milliseconds since the last reading that counted something new. */
  note({ at, arrived }) {
    if (arrived !== this.#arrived) [this.#arrived, this.#since] = [arrived, at];
    return at - this.#since;
  }
}

/** Readings of the last seconds, and what they come to. */
export class LineFigures {
  #readings = [];
  /** The oldest reading is the first of all: what was not told of then was nothing. */
  #isWhole = true;

  /**
   * @returns fractions `lossUp` and `lossDown`, milliseconds `jitterMs` and `roundTripMs`, bits a second `down` and `up`, `picture` as
   * `{width, height, perSecond}`, `outgoing` and `protocol`; each null where nothing is known of it.
   */
  note(reading) {
    this.#readings.push(reading);
    while (this.#readings.length > 2 && reading.at - this.#readings[1].at >= span) {
      this.#readings.shift();
      this.#isWhole = false;
    }
    const [first] = this.#readings;
    const seconds = (reading.at - first.at) / 1_000;
    const before = (name) => first[name] ?? (this.#isWhole && reading !== first ? 0 : null);
    const step = (name) => (before(name) === null || reading[name] === null ? null : Math.max(0, reading[name] - before(name)));
    const rate = (name) => (seconds > 0 && step(name) !== null ? (step(name) * 8) / seconds : null);
    return {
      lossUp: share(step('lostUp'), step('sent')),
      lossDown: share(step('lost'), step('received') + step('lost')),
      jitterMs: thousand(reading.jitter),
      roundTripMs: thousand(reading.roundTrip),
      down: rate('bytesDown'),
      up: rate('bytesUp'),
      picture: reading.height ? { width: reading.width, height: reading.height, perSecond: seconds > 0 ? step('frames') / seconds : null } : null,
      outgoing: reading.outgoing,
      protocol: reading.protocol,
    };
  }
}

const share = (part, whole) => (part === null || !whole ? null : Math.min(1, part / whole));
const thousand = (seconds) => (seconds === null ? null : seconds * 1_000);

/**
 * 4 to 1 bars, null before anything is known: the server's own measure (a short form of ITU-T G.107) of the worse direction. None is for a line on
 * which nothing comes.
 */
export function barsOf({ lossUp, lossDown, jitterMs, roundTripMs }) {
  if (roundTripMs === null || (lossUp === null && lossDown === null)) return null;
  const lost = 100 * Math.max(lossUp ?? 0, lossDown ?? 0);
  const oneWay = roundTripMs / 2 + 2 * (jitterMs ?? 0) + 40;
  const rating = 93.2 - (0.024 * oneWay + 0.11 * Math.max(0, oneWay - 177.3)) - (95 * lost) / (lost + 20);
  if (rating >= 80) return 4;
  if (rating >= 70) return 3;
  return rating >= 60 ? 2 : 1;
}

/** Bits a second: with less, the least that a browser sends of a camera takes the room that sound needs. */
const leastForCamera = 100_000;
/** A share of what is sent; a line that loses so much carries neither. */
const heavyLoss = 0.3;
/** A camera that has just been turned on or is wanted again needs time until the browser dares more. */
const settling = 8_000;
const badFor = 4_000;
/** The same of loss, whose figure remembers a moment in which nothing passed for as long as it spans. */
const lossyFor = span + badFor + 1_000;
/** A queue that is full says it sooner: much is lost, and the rest takes long. */
const drowning = { loss: 0.3, lossOfLittle: 0.1, roundTripMs: 250, settling: 1_000, badFor: 500 };
/** A browser believes a line that loses so much to be thin, whatever it carries, unless what gets through takes long too. */
const misleadingLoss = 0.03;
/** So long a line without a camera must be calm before it is offered again, and sound is as good as it can be; doubled each time that it was too early. */
const calmFor = 10_000;
const longestCalm = 160_000;
const calmLoss = 0.05;
/** Without a camera: so long not calm, and sound takes as little as it can. */
const crampedFor = 3_000;

/** Whether the way up carries a camera, and sound in its best form. Says `thin` once when it carries no camera, and `better` once when it is worth another try. */
export class ThinLine {
  #since = null;
  #lossySince = null;
  #drowningSince = null;
  #sendingSince = null;
  #isThin = false;
  #isSoundThin = false;
  #crampedSince = null;
  #calmSince = null;
  #calm = calmFor;
  #leastRoundTrip = Infinity;

  /** Whether sound shall take as little as it can. */
  get isSoundThin() {
    return this.#isSoundThin;
  }

  /**
   * @param figures of `LineFigures`. @param isSending whether the camera is on and somebody sees it.
   * @returns 'thin', 'better' or null.
   */
  note(at, figures, isSending) {
    if (figures.roundTripMs !== null) this.#leastRoundTrip = Math.min(this.#leastRoundTrip, figures.roundTripMs);
    return isSending ? this.#whileOn(at, figures) : this.#whileOff(at, figures);
  }

  /** The reader turned the camera on or off: what was said of the line no longer stands. */
  decided() {
    this.interrupted();
    [this.#isThin, this.#isSoundThin] = [false, false];
  }

  /** Nothing came for a while: what the browser believes of the line afterwards it has to learn first. */
  interrupted() {
    [this.#since, this.#lossySince, this.#drowningSince, this.#sendingSince] = [null, null, null, null];
    [this.#crampedSince, this.#calmSince] = [null, null];
  }

  #whileOn(at, { outgoing, lossUp, roundTripMs }) {
    [this.#crampedSince, this.#calmSince] = [null, null];
    if (this.#isThin) return null; // it was said, and the camera is about to go off
    this.#sendingSince ??= at;
    const sentFor = at - this.#sendingSince;
    const isLittle = outgoing !== null && outgoing < leastForCamera;
    const isLate = (roundTripMs ?? 0) >= this.#leastRoundTrip + 100;
    const isThin = sentFor >= settling && isLittle && ((lossUp ?? 0) < misleadingLoss || isLate);
    const isLossy = sentFor >= settling && (lossUp ?? 0) >= heavyLoss;
    // A browser that believes in little may know of the loss before it is told.
    const loses = (lossUp ?? 0) >= drowning.loss || (isLittle && (lossUp ?? 1) >= drowning.lossOfLittle);
    const drowns = sentFor >= drowning.settling && loses && (roundTripMs ?? 0) >= drowning.roundTripMs;
    // What went well for a minute was no mistake.
    if (sentFor >= 60_000 && !isThin && !isLossy) this.#calm = calmFor;
    this.#since = isThin ? (this.#since ?? at) : null;
    this.#lossySince = isLossy ? (this.#lossySince ?? at) : null;
    this.#drowningSince = drowns ? (this.#drowningSince ?? at) : null;
    const lasts = (since, long) => since !== null && at - since >= long;
    if (!lasts(this.#since, badFor) && !lasts(this.#lossySince, lossyFor) && !lasts(this.#drowningSince, drowning.badFor)) return null;
    return this.#thin();
  }

  #thin() {
    this.interrupted();
    [this.#isThin, this.#isSoundThin] = [true, true];
    return 'thin';
  }

  #whileOff(at, { lossUp, roundTripMs }) {
    [this.#since, this.#lossySince, this.#drowningSince, this.#sendingSince] = [null, null, null, null];
    const long = 2 * this.#leastRoundTrip + 100;
    const isCalm = (lossUp ?? 0) < calmLoss && (roundTripMs ?? 0) < long;
    if (!this.#isThin && !this.#isSoundThin) {
      const isCramped = (lossUp ?? 0) >= calmLoss && (roundTripMs ?? 0) >= Math.max(long, drowning.roundTripMs);
      this.#crampedSince = isCramped ? (this.#crampedSince ?? at) : null;
      if (isCramped && at - this.#crampedSince >= crampedFor) this.#isSoundThin = true;
    }
    this.#calmSince = isCalm ? (this.#calmSince ?? at) : null;
    if (!isCalm || at - this.#calmSince < this.#calm || !(this.#isThin || this.#isSoundThin)) return null;
    const verdict = this.#isThin ? 'better' : null;
    [this.#isThin, this.#isSoundThin, this.#calmSince] = [false, false, null];
    this.#calm = Math.min(this.#calm * 2, longestCalm);
    return verdict;
  }
}
