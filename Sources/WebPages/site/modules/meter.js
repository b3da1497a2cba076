// How loud a track is, ten times a second.

const interval = 100;
/** What silence looks like in dBFS. */
const floor = -60;

/** Calls `show` with 0 … 1 (−60 … 0 dBFS) until the returned function is called. */
export function meter(track, show) {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 2048 });
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  // Before the first key or click a browser may keep the context waiting.
  const wake = () => context.resume().catch(() => {});
  addEventListener('pointerdown', wake);
  addEventListener('keydown', wake);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    let sum = 0;
    for (const sample of samples) sum += sample * sample;
    const decibels = 10 * Math.log10(sum / samples.length + 1e-12);
    show(Math.min(Math.max(1 - decibels / floor, 0), 1));
  }, interval);
  return () => {
    clearInterval(timer);
    removeEventListener('pointerdown', wake);
    removeEventListener('keydown', wake);
    context.close();
  };
}
