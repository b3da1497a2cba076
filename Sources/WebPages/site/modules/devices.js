// Cameras and microphones: what there is, opening one, and why it could not be opened. A meeting can be joined without either.

/** Enough for a tile of the composed picture; more would only burden the line. */
const picture = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 25, max: 30 } };
const sound = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };

/** A browser gives devices only to HTTPS pages and to this very machine. */
export const isUsable = () => window.isSecureContext && Boolean(navigator.mediaDevices?.getUserMedia);

/** @returns `{track, problem}`: one of them null. `problem`: insecure, denied, missing, busy, other. */
export async function openDevice(kind, deviceId = '') {
  if (!isUsable()) return { track: null, problem: 'insecure' };
  const wishes = { ...(kind === 'audio' ? sound : picture), ...(deviceId ? { deviceId: { exact: deviceId } } : {}) };
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ [kind]: wishes });
    const [track] = stream.getTracks();
    if (kind === 'video') track.contentHint = 'motion';
    return { track, problem: null };
  } catch (error) {
    if (deviceId && error.name === 'OverconstrainedError') return openDevice(kind); // it was unplugged since: take any
    return { track: null, problem: reasonOf(error) };
  }
}

function reasonOf(error) {
  switch (error.name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'denied';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'missing';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    default:
      return 'other';
  }
}

/** @returns `{audio: [{id, label}], video: […]}`; labels are empty until the reader allowed a device. */
export async function listDevices() {
  const found = { audio: [], video: [] };
  if (!isUsable()) return found;
  const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  for (const { kind, deviceId, label } of devices) {
    if (kind === 'audioinput') found.audio.push({ id: deviceId, label });
    if (kind === 'videoinput') found.video.push({ id: deviceId, label });
  }
  return found;
}

export const whenDevicesChange = (listener) => {
  navigator.mediaDevices?.addEventListener?.('devicechange', listener);
  return () => navigator.mediaDevices?.removeEventListener?.('devicechange', listener);
};
