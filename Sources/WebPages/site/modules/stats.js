// What the browser counts of a connection (`getStats`), as one flat reading. Browsers differ in what they count: what is not there is null.

const number = (value) => (Number.isFinite(value) ? value : null);
const sum = (rows, name) => rows.reduce((all, row) => all + (row[name] ?? 0), 0);
const has = (rows, name) => rows.some((row) => Number.isFinite(row[name]));

/**
 * @param report an `RTCStatsReport`, or any iterable of `[id, row]`. @param at milliseconds of the page's clock.
 * @returns counts since the connection began, and gauges. `arrived` counts packets of sound, picture and reports: no checks of ICE, which say that a
 * way is open and not that the server sends on it.
 */
export function readingOf(report, at) {
  const rows = [...report].map(([, row]) => row);
  const all = (type) => rows.filter((row) => row.type === type);
  const inbound = all('inbound-rtp');
  const outbound = all('outbound-rtp');
  const reported = all('remote-inbound-rtp');
  const transports = all('transport');
  const selected = transports.find((row) => row.selectedCandidatePairId)?.selectedCandidatePairId;
  const pairs = all('candidate-pair');
  const pair = pairs.find((row) => row.id === selected) ?? pairs.find((row) => row.nominated && row.state === 'succeeded') ?? {};
  const local = rows.find((row) => row.id === pair.localCandidateId) ?? {};
  const sound = inbound.find((row) => row.kind === 'audio') ?? {};
  const picture = inbound.find((row) => row.kind === 'video') ?? {};
  const told = reported.find((row) => row.kind === 'audio' && Number.isFinite(row.roundTripTime)) ?? {};
  return {
    at,
    arrived: sum(inbound, 'packetsReceived') + sum(transports, 'packetsReceived'),
    received: sum(inbound, 'packetsReceived'),
    lost: sum(inbound, 'packetsLost'),
    sent: sum(outbound, 'packetsSent'),
    /** What the server's reports say of our packets; null before the first. */
    lostUp: has(reported, 'packetsLost') ? sum(reported, 'packetsLost') : null,
    bytesDown: sum(inbound, 'bytesReceived') + sum(inbound, 'headerBytesReceived'),
    bytesUp: sum(outbound, 'bytesSent') + sum(outbound, 'headerBytesSent'),
    jitter: number(sound.jitter),
    roundTrip: number(told.roundTripTime) ?? number(pair.currentRoundTripTime),
    /** Bits a second that the browser believes the way up carries. */
    outgoing: number(pair.availableOutgoingBitrate),
    width: number(picture.frameWidth),
    height: number(picture.frameHeight),
    frames: number(picture.framesDecoded),
    /** udp or tcp. */
    protocol: local.protocol ?? null,
  };
}
