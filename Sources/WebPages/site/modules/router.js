// Addresses of the pages, without loading anew.

const routes = [
  [/^\/login\/?$/, 'login'],
  [/^\/meetings\/new\/?$/, 'newMeeting'],
  [/^\/meetings\/([^/]+)\/?$/, 'room'],
  [/^\/(?:meetings\/?)?$/, 'meetings'],
];

let onChange = () => {};

export function startRouter(listener) {
  onChange = listener;
  addEventListener('popstate', () => onChange(route()));
  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('a[data-route]');
    if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    navigate(link.getAttribute('href'));
  });
  onChange(route());
}

export function navigate(path, { replace = false } = {}) {
  history[replace ? 'replaceState' : 'pushState'](null, '', path);
  onChange(route());
}

function route() {
  for (const [pattern, name] of routes) {
    const match = pattern.exec(location.pathname);
    if (match) return { name, id: match[1] ?? null };
  }
  return { name: 'notFound', id: null };
}

/** Where to go after signing in: a path of this site only, so that a link cannot lead elsewhere. */
export function nextPath() {
  const next = new URLSearchParams(location.search).get('next') ?? '';
  return /^\/(?![/\\])/.test(next) ? next : '/meetings';
}
