import { signIn } from '../api.js';
import { showProblem } from '../components/problem.js';
import { h } from '../dom.js';
import { message } from '../i18n.js';
import { whileBusy } from '../progress.js';
import { nextPath } from '../router.js';

export function showLogin(main, { signedIn }) {
  const username = h('input', { id: 'username', name: 'username', autocomplete: 'username', required: true, autocapitalize: 'none', spellcheck: 'false' });
  const password = h('input', { id: 'password', name: 'password', type: 'password', autocomplete: 'current-password', required: true });
  const problem = h('div');
  const submit = h('button', { type: 'submit', class: 'button button-main button-wide' }, message('login.submit'));
  const form = h(
    'form',
    { class: 'card form', novalidate: true },
    h('h1', {}, message('login.title')),
    h('p', { class: 'muted' }, message('login.help')),
    h('div', { class: 'field' }, h('label', { for: 'username' }, message('login.username')), username),
    h('div', { class: 'field' }, h('label', { for: 'password' }, message('login.password')), password),
    problem,
    submit,
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const empty = [username, password].find((input) => input.value === '');
    if (empty) {
      showProblem(problem, message('login.missing'));
      return empty.focus();
    }
    showProblem(problem, null);
    whileBusy(submit, async () => {
      try {
        const { user } = await signIn(username.value.trim(), password.value);
        signedIn(user, nextPath());
      } catch (refusal) {
        showProblem(problem, refusal);
        password.select();
        password.focus();
      }
    });
  });
  main.append(h('div', { class: 'login' }, form, h('p', { class: 'login-foot muted' }, message('login.foot'))));
  username.focus();
}
