// A stranger's client, all of it: one POST joins. It sends one colour and one tone and measures what comes back.
(() => {
  const canvasOf = (width, height) => Object.assign(document.createElement('canvas'), { width, height });

  /** A picture of one colour; one pixel changes, so that the canvas is captured each time. */
  function picture(colour, width = 640, height = 360) {
    const canvas = canvasOf(width, height);
    const draw = canvas.getContext('2d');
    let count = 0;
    const paint = () => {
      draw.fillStyle = colour;
      draw.fillRect(0, 0, canvas.width, canvas.height);
      draw.fillStyle = count++ % 2 ? '#000' : '#fff';
      draw.fillRect(0, 0, 1, 1);
    };
    paint();
    setInterval(paint, 40);
    return canvas.captureStream(25).getVideoTracks()[0];
  }

  /** An oscillator; or, where `hertz` is null, the browser's fake microphone: Firefox starts no AudioContext on a machine without a sound card. */
  async function tone(hertz, gain) {
    if (hertz === null) {
      const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
      return (await navigator.mediaDevices.getUserMedia({ audio: plain })).getAudioTracks()[0];
    }
    const context = new AudioContext({ sampleRate: 48000 });
    await context.resume();
    const oscillator = new OscillatorNode(context, { frequency: hertz });
    const output = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    oscillator.connect(new GainNode(context, { gain })).connect(output);
    oscillator.start();
    return output.stream.getAudioTracks()[0];
  }

  async function gathered(peer) {
    const end = Date.now() + 3000;
    while (peer.iceGatheringState !== 'complete' && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** Three sizes of one picture at once (RFC 8853). */
  const LAYERS = [4, 2, 1].map((scale, index) => ({ rid: 'qhf'[index], scaleResolutionDownBy: scale }));

  /** @param direction sendrecv, or recvonly for a WHEP viewer. @param layers whether to send a simulcast of 320×180, 640×360 and 1280×720. */
  async function join({ meeting, token, name, colour, hertz, gain = 0.12, direction = 'sendrecv', layers = false }) {
    const peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    const sends = direction !== 'recvonly';
    peer.addTransceiver(sends ? await tone(hertz, gain) : 'audio', { direction });
    if (layers) peer.addTransceiver(picture(colour, 1280, 720), { direction, sendEncodings: LAYERS });
    else peer.addTransceiver(sends ? picture(colour) : 'video', { direction });
    const video = Object.assign(document.createElement('video'), { muted: true, autoplay: true, playsInline: true });
    const audio = Object.assign(document.createElement('audio'), { muted: true, autoplay: true });
    // Drawn small: without a graphics card, drawing it costs more than decoding it.
    video.style.width = '160px';
    document.body.append(video, audio);
    peer.ontrack = ({ track }) => {
      const stream = new MediaStream([track]);
      (track.kind === 'video' ? video : audio).srcObject = stream;
    };
    await peer.setLocalDescription();
    await gathered(peer);
    const answer = await fetch(`/api/v1/meetings/${meeting}/media?name=${encodeURIComponent(name)}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp', Authorization: `Bearer ${token}` },
      body: peer.localDescription.sdp,
    });
    if (answer.status !== 201) throw new Error(`join: ${answer.status} ${await answer.text()}`);
    await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
    window.stranger = { peer, video, audio, token, location: answer.headers.get('Location') };
    return { location: answer.headers.get('Location'), etag: answer.headers.get('ETag'), type: answer.headers.get('Content-Type') };
  }

  /** The last 32 768 samples (0.68 s at 48 kHz) of 1.2 s of decoded sound. Recorded and decoded, which needs no sound card in either browser. */
  async function sound() {
    const recorder = new MediaRecorder(window.stranger.audio.srcObject, { audioBitsPerSecond: 256000 });
    const parts = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    const stopped = new Promise((resolve) => (recorder.onstop = resolve));
    recorder.start();
    await new Promise((resolve) => setTimeout(resolve, 1200));
    recorder.stop();
    await stopped;
    const decoded = await new OfflineAudioContext(1, 48000, 48000).decodeAudioData(await new Blob(parts).arrayBuffer());
    const samples = decoded.getChannelData(0);
    return Array.from(samples.subarray(Math.max(0, samples.length - 32768)), (sample) => Math.round(sample * 32768));
  }

  /** The decoded picture, scaled down to 320×180, as base64 of RGBA. */
  function frame() {
    const { video } = window.stranger;
    const canvas = canvasOf(320, 180);
    const draw = canvas.getContext('2d', { willReadFrequently: true });
    draw.drawImage(video, 0, 0, canvas.width, canvas.height);
    const { data } = draw.getImageData(0, 0, canvas.width, canvas.height);
    let text = '';
    for (let start = 0; start < data.length; start += 8192) text += String.fromCharCode(...data.subarray(start, start + 8192));
    return { rgba: btoa(text), width: video.videoWidth, height: video.videoHeight };
  }

  async function statistics() {
    const all = [...(await window.stranger.peer.getStats()).values()];
    const inbound = (kind) => all.find((one) => one.type === 'inbound-rtp' && one.kind === kind) ?? {};
    const outbound = (kind) => all.find((one) => one.type === 'outbound-rtp' && one.kind === kind) ?? {};
    return {
      at: performance.now() / 1000,
      state: window.stranger.peer.connectionState,
      video: inbound('video'),
      audio: inbound('audio'),
      sentVideo: outbound('video'),
      sentAudio: outbound('audio'),
    };
  }

  /** Offers anew on the same session. */
  async function renegotiate() {
    const { peer, location, token } = window.stranger;
    await peer.setLocalDescription();
    const answer = await fetch(location, {
      method: 'PATCH',
      headers: { 'Content-Type': 'application/sdp', Authorization: `Bearer ${token}` },
      body: peer.localDescription.sdp,
    });
    const sdp = await answer.text();
    if (answer.status !== 200) throw new Error(`renegotiate: ${answer.status} ${sdp}`);
    await peer.setRemoteDescription({ type: 'answer', sdp });
  }

  /** Adds a screen of one colour. */
  async function share(colour) {
    window.stranger.screen = window.stranger.peer.addTransceiver(picture(colour), { direction: 'sendonly' });
    await renegotiate();
  }

  /** Drops it: for good where `stop`, otherwise it pauses. */
  async function unshare({ stop = true } = {}) {
    const { screen } = window.stranger;
    if (stop) screen.stop();
    else screen.direction = 'inactive';
    await renegotiate();
  }

  async function resumeShare() {
    window.stranger.screen.direction = 'sendonly';
    await renegotiate();
  }

  async function leave() {
    const { peer, location, token } = window.stranger;
    const answer = await fetch(location, { method: 'DELETE', headers: { Authorization: `Bearer ${token}` } });
    peer.close();
    return answer.status;
  }

  window.client = { join, sound, frame, statistics, share, unshare, resumeShare, leave };
})();
