// The little that a page must do to SDP itself: an ICE restart travels as a fragment (RFC 8840, RFC 9725 §4.3), not as an offer and an answer.

const linesOf = (text) => text.split(/\r?\n/).filter((line) => line !== '');

const valueOf = (lines, name) => lines.find((line) => line.startsWith(`a=${name}:`))?.slice(name.length + 3);

/** The part of a local description that an ICE restart sends: credentials, the bundle's first m-line and its candidates. */
export function fragmentOf(description) {
  const lines = linesOf(description);
  const media = lines.slice(lines.findIndex((line) => line.startsWith('m=')));
  const end = media.findIndex((line, place) => place > 0 && line.startsWith('m='));
  const first = end < 0 ? media : media.slice(0, end);
  const fragment = [
    `a=ice-ufrag:${valueOf(lines, 'ice-ufrag')}`,
    `a=ice-pwd:${valueOf(lines, 'ice-pwd')}`,
    first[0],
    `a=mid:${valueOf(first, 'mid')}`,
    ...first.filter((line) => line.startsWith('a=candidate:') || line === 'a=end-of-candidates'),
  ];
  return fragment.join('\r\n') + '\r\n';
}

/** The answer that was in force, with the credentials and candidates of the server's fragment in the place of the old ones. */
export function answerAfterRestart(answer, fragment) {
  const fresh = linesOf(fragment);
  const credentials = { 'ice-ufrag': valueOf(fresh, 'ice-ufrag'), 'ice-pwd': valueOf(fresh, 'ice-pwd') };
  if (!credentials['ice-ufrag'] || !credentials['ice-pwd']) return answer;
  const candidates = fresh.filter((line) => line.startsWith('a=candidate:'));
  const kept = linesOf(answer)
    .filter((line) => !line.startsWith('a=candidate:') || candidates.length === 0)
    .map((line) => {
      const name = Object.keys(credentials).find((one) => line.startsWith(`a=${one}:`));
      return name ? `a=${name}:${credentials[name]}` : line;
    });
  const place = kept.findIndex((line) => line.startsWith('m='));
  kept.splice(place + 2, 0, ...candidates); // after the first m-line and its c-line
  return kept.join('\r\n') + '\r\n';
}
