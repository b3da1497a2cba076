// One end of a bad line: joins as a stranger's client does, sends speech and a numbered picture, records what comes, and judges nothing.
(() => {
  const now = () => performance.timeOrigin + performance.now();
  const from64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  function to64(bytes) {
    let text = '';
    for (let start = 0; start < bytes.length; start += 8192) text += String.fromCharCode(...bytes.subarray(start, start + 8192));
    return btoa(text);
  }

  // The picture

  /** Black and white cells in the middle half of the picture say its number: two that are always alike, so many bits, and their parity. */
  const GRID = { columns: 5, rows: 3, left: 0.25, top: 0.2, width: 0.5, height: 0.6 };
  const BITS = 12;

  function cells(number) {
    const bits = [1, 0];
    for (let bit = 0; bit < BITS; bit++) bits.push((number >> bit) & 1);
    bits.push(bits.reduce((sum, bit) => sum ^ bit, 0));
    return bits;
  }

  /** Soft shapes with a grain, larger than the picture, to move about: as much to encode as a room with a person in it. */
  function backdrop(width, height) {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const draw = canvas.getContext('2d');
    let seed = 7;
    const random = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;
    for (let count = 0; count < 260; count++) {
      draw.fillStyle = `hsl(${random() * 360} ${20 + random() * 40}% ${25 + random() * 45}% / 0.6)`;
      draw.beginPath();
      draw.ellipse(random() * width, random() * height, 10 + random() * 60, 10 + random() * 60, random() * 3, 0, 7);
      draw.fill();
    }
    const grain = draw.getImageData(0, 0, width, height);
    for (let at = 0; at < grain.data.length; at += 4) {
      const more = (random() - 0.5) * 22;
      for (let colour = 0; colour < 3; colour++) grain.data[at + colour] += more;
    }
    draw.putImageData(grain, 0, 0);
    return canvas;
  }

  const painted = [];
  function picture(width = 640, height = 360) {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const draw = canvas.getContext('2d', { alpha: false });
    const room = backdrop(width + 80, height + 80);
    const [cellWidth, cellHeight] = [(width * GRID.width) / GRID.columns, (height * GRID.height) / GRID.rows];
    const paint = () => {
      const number = painted.length;
      const turn = number / 25;
      draw.drawImage(room, -40 - 38 * Math.sin(turn), -40 - 38 * Math.cos(turn * 0.7));
      cells(number).forEach((bit, index) => {
        draw.fillStyle = bit ? '#fff' : '#000';
        const [column, row] = [index % GRID.columns, Math.floor(index / GRID.columns)];
        draw.fillRect(width * GRID.left + column * cellWidth, height * GRID.top + row * cellHeight, cellWidth + 1, cellHeight + 1);
      });
      painted.push(now());
    };
    paint();
    setInterval(paint, 40);
    return canvas.captureStream(25).getVideoTracks()[0];
  }

  /** [when, number or -1 where it cannot be read, width] of each picture that came. */
  const seen = [];
  async function watch(track) {
    const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 10 }).readable.getReader();
    let plane = new Uint8Array(0);
    for (;;) {
      const { value: frame, done } = await reader.read();
      if (done) return;
      const at = now();
      const size = frame.allocationSize();
      if (plane.length < size) plane = new Uint8Array(size);
      const { width, height } = frame.visibleRect;
      const [{ offset, stride }] = await frame.copyTo(plane);
      seen.push([at, read(plane, offset, stride, width, height), height]);
      frame.close();
    }
  }

  function read(plane, offset, stride, width, height) {
    const bits = [];
    for (let index = 0; index < GRID.columns * GRID.rows; index++) {
      const [column, row] = [index % GRID.columns, Math.floor(index / GRID.columns)];
      const x = Math.round(width * (GRID.left + ((column + 0.5) * GRID.width) / GRID.columns));
      const y = Math.round(height * (GRID.top + ((row + 0.5) * GRID.height) / GRID.rows));
      let sum = 0;
      for (let down = -2; down <= 2; down++) for (let across = -2; across <= 2; across++) sum += plane[offset + (y + down) * stride + x + across];
      const grey = sum / 25;
      if (grey > 100 && grey < 156) return -1;
      bits.push(grey > 128 ? 1 : 0);
    }
    let number = 0;
    for (let bit = 0; bit < BITS; bit++) number |= bits[2 + bit] << bit;
    return cells(number).every((bit, index) => bit === bits[index]) ? number : -1;
  }

  // The sound

  async function speech(samples) {
    const context = new AudioContext({ sampleRate: 48000 });
    await context.resume();
    const whole = new Int16Array(from64(samples).buffer);
    const buffer = new AudioBuffer({ length: whole.length, sampleRate: 48000, numberOfChannels: 1 });
    buffer.copyToChannel(Float32Array.from(whole, (sample) => sample / 32768), 0);
    const player = new AudioBufferSourceNode(context, { buffer, loop: true });
    const output = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    player.connect(output);
    player.start();
    return output.stream.getAudioTracks()[0];
  }

  /** Every block of a track as it passes: [our time, the block's own time in µs, frames], and the samples of all. */
  function tap(track) {
    const stamps = [];
    const blocks = [];
    (async () => {
      const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 500 }).readable.getReader();
      for (;;) {
        const { value: block, done } = await reader.read();
        if (done) return;
        const samples = new Float32Array(block.numberOfFrames);
        block.copyTo(samples, { planeIndex: 0, format: 'f32-planar' });
        stamps.push([now(), block.timestamp, block.numberOfFrames, block.sampleRate]);
        blocks.push(Int16Array.from(samples, (sample) => Math.max(-32768, Math.min(32767, Math.round(sample * 32768)))));
        block.close();
      }
    })();
    return {
      take() {
        const whole = new Int16Array(blocks.reduce((sum, block) => sum + block.length, 0));
        let at = 0;
        for (const block of blocks) {
          whole.set(block, at);
          at += block.length;
        }
        return { stamps, samples: to64(new Uint8Array(whole.buffer)) };
      },
    };
  }

  // The meeting

  async function gathered(peer) {
    const end = Date.now() + 3000;
    while (peer.iceGatheringState !== 'complete' && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** Without transport-wide feedback the other side has REMB and reports alone. */
  const withoutFeedback = (sdp) => sdp.split('\r\n').filter((line) => !/transport-cc|transport-wide-cc/.test(line)).join('\r\n');

  /** Leaves of candidates only those of UDP on loopback, with another port where one is given. */
  function onlyLoopback(sdp, port) {
    const lines = [];
    let kept = 0;
    for (const line of sdp.split('\r\n')) {
      const parts = line.split(' ');
      if (line.startsWith('a=candidate:')) {
        if (parts[2].toLowerCase() !== 'udp' || parts[4] !== '127.0.0.1' || kept++) continue;
        if (port) parts[5] = port;
      }
      lines.push(parts.join(' '));
    }
    return lines.join('\r\n');
  }

  const withoutCandidates = (sdp) => sdp.split('\r\n').filter((line) => !/^a=(candidate|end-of-candidates)/.test(line)).join('\r\n');

  /** What the product's page does where the way up is too thin: by its own modules, twice a second. */
  async function spare() {
    const [{ LineFigures, Silence, ThinLine }, { readingOf }, { setThinSound }] = await Promise.all(
      ['line', 'stats', 'media'].map((name) => import(`/modules/${name}.js`)),
    );
    const [audio, video] = ['audio', 'video'].map((kind) => peer.getSenders().find((sender) => sender.track?.kind === kind));
    const [figures, silence, line] = [new LineFigures(), new Silence(), new ThinLine()];
    let isThin = false;
    const look = async () => {
      const reading = readingOf(await peer.getStats(), performance.now());
      const told = figures.note(reading);
      readings.push([now(), told.outgoing, told.lossUp, told.roundTripMs]);
      if (silence.note(reading) >= 2_500 || peer.connectionState !== 'connected') return line.interrupted();
      const verdict = line.note(reading.at, told, spared.length === 0);
      if (verdict === 'thin') {
        spared.push(now());
        await video.replaceTrack(null);
      }
      if (isThin !== line.isSoundThin) await setThinSound(audio, (isThin = line.isSoundThin));
    };
    setInterval(() => look().catch(() => {}), 500);
  }

  const spared = [];
  /** What it was told by: [when, outgoing, loss up, round trip]. */
  const readings = [];
  let peer, sentTap, heardTap;
  const states = [];

  /** @param audio, video 'sendrecv', 'sendonly', 'recvonly'. */
  async function open({ audio, video, samples }) {
    peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    peer.onconnectionstatechange = () => states.push([now(), peer.connectionState]);
    if (audio.startsWith('send')) {
      const track = await speech(samples);
      sentTap = tap(track);
      peer.addTransceiver(track, { direction: audio });
    } else peer.addTransceiver('audio', { direction: audio });
    peer.addTransceiver(video.startsWith('send') ? picture() : 'video', { direction: video });
    peer.ontrack = ({ track }) => {
      const stream = new MediaStream([track]);
      if (track.kind === 'video') watch(track);
      else {
        // A remote track flows only where an element plays it.
        const player = Object.assign(document.createElement('audio'), { muted: true, autoplay: true });
        document.body.append(player);
        player.srcObject = stream;
        heardTap = tap(track);
      }
    };
  }

  /** @param port of the server, where it is not the announced one. @param spares whether the camera goes off where the line is too thin. @param thin whether transport-wide feedback is left out. */
  async function join({ meeting, token, name, port, thin, ...media }) {
    await open(media);
    await peer.setLocalDescription();
    await gathered(peer);
    const offer = peer.localDescription.sdp;
    const began = now();
    const answer = await fetch(`/api/v1/meetings/${meeting}/media?name=${encodeURIComponent(name)}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp', Authorization: `Bearer ${token}` },
      body: thin ? withoutFeedback(offer) : offer,
    });
    if (answer.status !== 201) throw new Error(`join: ${answer.status} ${await answer.text()}`);
    const sdp = await answer.text();
    if (thin && sdp.includes('transport')) throw new Error(`transport-wide feedback was not offered and is in the answer: ${sdp}`);
    await peer.setRemoteDescription({ type: 'answer', sdp: port ? onlyLoopback(sdp, port) : sdp });
    if (media.spares) spare();
    return { began, answer: sdp };
  }

  // Browser to browser: the relay stands for the receiver, and the receiver learns of the sender by what comes.

  async function offer(media) {
    await open(media);
    await peer.setLocalDescription();
    await gathered(peer);
    return withoutCandidates(peer.localDescription.sdp);
  }

  async function answer({ sdp, ...media }) {
    await open(media);
    await peer.setRemoteDescription({ type: 'offer', sdp });
    await peer.setLocalDescription();
    await gathered(peer);
    const mine = onlyLoopback(peer.localDescription.sdp);
    return { sdp: mine, port: Number(/^a=candidate:.*$/m.exec(mine)[0].split(' ')[5]) };
  }

  const accept = ({ sdp, port }) => peer.setRemoteDescription({ type: 'answer', sdp: onlyLoopback(sdp, port) });

  const status = () => ({ state: peer.connectionState, heard: heardTap !== undefined, seen: seen.length, now: now() });

  async function record() {
    const all = [...(await peer.getStats()).values()].filter((one) => ['inbound-rtp', 'outbound-rtp', 'candidate-pair', 'remote-inbound-rtp'].includes(one.type));
    return { states, spared, readings, painted, seen, sent: sentTap?.take(), heard: heardTap?.take(), statistics: all };
  }

  window.line = { join, offer, answer, accept, status, record };
})();
