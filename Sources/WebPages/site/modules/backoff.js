// How long to wait before the next try: 1, 2, 4, 8, at most 15 seconds, a little different for each page, so that a thousand of them do not
// come back in the same moment after the server was restarted.

const longest = 15_000;

export class Backoff {
  attempt = 0;
  /** Milliseconds until the next try. */
  next() {
    const whole = Math.min(1_000 * 2 ** this.attempt, longest);
    this.attempt += 1;
    return Math.round(whole * (0.75 + Math.random() / 2));
  }
  reset() {
    this.attempt = 0;
  }
}
