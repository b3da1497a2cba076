// Calls of /api/v1. Errors are RFC 9457 problems: `detail` is in the reader's language and says what to do, so it is shown as it is.

import { currentLanguage, message } from './i18n.js';
import { whileWorking } from './progress.js';

const base = '/api/v1';
const usualPatience = 15_000;

/** What the server refused, or why it could not be asked (`status` 0). */
export class Problem extends Error {
  constructor(status, type, words) {
    super(type);
    this.status = status;
    this.type = type;
    /** A string of the server or a message of the catalogue. */
    this.words = words;
  }
}

let onSignedOut = () => {};

/** `listener` is called when the server no longer knows the session. */
export const whenSignedOut = (listener) => (onSignedOut = listener);

/** @returns the response, whose status is 2xx. Throws `Problem`. */
export async function request(method, path, { json, body, headers = {}, keepalive = false, expects401 = false, patience = usualPatience } = {}) {
  const init = { method, keepalive, headers: { 'Accept-Language': currentLanguage(), ...headers }, body, signal: AbortSignal.timeout(patience) };
  if (json !== undefined) {
    init.body = JSON.stringify(json);
    init.headers['Content-Type'] = 'application/json';
  }
  let answer;
  try {
    answer = await whileWorking(fetch(path.startsWith('/') ? path : `${base}/${path}`, init));
  } catch (error) {
    throw new Problem(0, 'network', message(error?.name === 'TimeoutError' ? 'problem.timeout' : 'problem.network'));
  }
  if (answer.ok) return answer;
  if (answer.status === 401 && !expects401) onSignedOut();
  throw await problemOf(answer);
}

async function problemOf(answer) {
  const kind = answer.headers.get('Content-Type') ?? '';
  const problem = kind.includes('json') ? await answer.json().catch(() => ({})) : {};
  return new Problem(answer.status, problem.type ?? 'about:blank', problem.detail ?? problem.title ?? message('problem.unknown', { status: answer.status }));
}

const read = async (path, options) => (await request('GET', path, options)).json();
const send = async (method, path, options) => {
  const answer = await request(method, path, options);
  return answer.status === 204 ? null : answer.json();
};

const pageSize = 100;
const mostPages = 20;

/** A whole list, page by page; `key` names what the next page comes after. A page comes bare or as `{items: […]}`. */
async function readAll(path, key) {
  const all = [];
  for (let pages = 0; pages < mostPages; pages += 1) {
    const after = all.length > 0 ? `&after=${encodeURIComponent(all.at(-1)[key])}` : '';
    const page = await read(`${path}?limit=${pageSize}${after}`);
    const items = Array.isArray(page) ? page : page.items ?? [];
    all.push(...items);
    if (items.length < pageSize) break;
  }
  return all;
}

const meetingPath = (id) => `meetings/${encodeURIComponent(id)}`;

export const session = () => read('session', { expects401: true });
export const signIn = (username, password) => send('POST', 'session', { json: { username, password }, expects401: true });
export const signOut = () => request('DELETE', 'session', { expects401: true });

export const sites = () => readAll('sites', 'code');

export const meetings = () => readAll('meetings', 'id');
export const meeting = (id) => read(meetingPath(id));
export const participants = (id) => readAll(`${meetingPath(id)}/participants`, 'id');
export const createMeeting = (fields) => send('POST', 'meetings', { json: fields });
export const startMeeting = (id) => request('POST', `${meetingPath(id)}/start`);
export const endMeeting = (id) => request('POST', `${meetingPath(id)}/end`);

/** Who may schedule, start, end and direct meetings. The server decides; this only hides what would be refused. */
export const mayDirect = (user) => user?.role === 'admin' || user?.role === 'secretary';
