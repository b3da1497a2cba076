// Starts the pages: words first, then who is signed in, then the view that the address asks for.

import * as api from './api.js';
import { loadLanguage, bind, message } from './i18n.js';
import { navigate, startRouter } from './router.js';
import { showHeader } from './components/header.js';
import { showLogin } from './views/login.js';
import { showMeetings } from './views/meetings.js';
import { showNewMeeting } from './views/new-meeting.js';
import { showNotFound } from './views/not-found.js';
import { showRoom } from './views/room.js';

const views = {
  login: [showLogin, 'login.title'],
  meetings: [showMeetings, 'list.title'],
  newMeeting: [showNewMeeting, 'form.title'],
  room: [showRoom, 'room.title'],
  notFound: [showNotFound, 'app.notFound'],
};

const main = document.getElementById('main');
let user = null;
let leaveView = () => {};

/** Every view: `(main, {user, id})`, fills `main` and returns what ends it, if there is something to end. */
function show({ name, id }) {
  if (!user && name !== 'login') return toSignIn();
  leaveView();
  const [view, title] = views[name];
  bind(document.querySelector('title').firstChild, null, message('app.pageTitle', { page: message(title) }));
  document.body.dataset.view = name;
  main.replaceChildren();
  showHeader(user, signOut);
  leaveView = view(main, { user, id, signedIn }) ?? (() => {});
  if (!main.contains(document.activeElement)) main.focus({ preventScroll: true });
  scrollTo(0, 0);
}

function toSignIn() {
  const here = location.pathname + location.search;
  navigate(here === '/' || here === '/meetings' ? '/login' : `/login?next=${encodeURIComponent(here)}`, { replace: true });
}

function signedIn(someone, path) {
  user = someone;
  navigate(path, { replace: true });
}

async function signOut() {
  await api.signOut().catch(() => {}); // whatever the server says, this page forgets who it was
  user = null;
  navigate('/login');
}

async function start() {
  await loadLanguage();
  api.whenSignedOut(() => {
    if (!user) return;
    user = null;
    toSignIn();
  });
  const session = await api.session().catch((problem) => (problem.status === 401 ? null : problem));
  if (session instanceof api.Problem) main.textContent = session.words?.text?.() ?? session.words;
  else {
    user = session?.user ?? session;
    startRouter(show);
  }
}

start();
