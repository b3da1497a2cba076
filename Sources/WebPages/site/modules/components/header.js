// The band at the top: the name, the language, who is signed in.

import { h, icon } from '../dom.js';
import { currentLanguage, message, setLanguage } from '../i18n.js';
import { whileBusy, whileWorking } from '../progress.js';

const roleNames = { admin: 'role.admin', secretary: 'role.secretary', operator: 'role.operator', network: 'role.network' };
const names = { vi: 'Tiếng Việt', en: 'English' };

export function showHeader(user, signOut) {
  const header = document.getElementById('header');
  const brand = h(
    'a',
    { class: 'brand', href: '/meetings', 'data-route': true },
    h('img', { src: '/favicon.svg', alt: '', width: 30, height: 30 }),
    h('span', {}, h('strong', {}, 'Nhịp Cầu'), h('small', {}, message('app.tagline'))),
  );
  header.replaceChildren(brand, h('div', { class: 'header-end' }, languageSwitch(), user && account(user, signOut)));
}

function languageSwitch() {
  const buttons = Object.entries(names).map(([language, name]) =>
    h('button', { type: 'button', lang: language, 'data-language': language, on: { click: () => choose(language) } }, name),
  );
  const mark = () => {
    for (const button of buttons) button.setAttribute('aria-pressed', String(button.dataset.language === currentLanguage()));
  };
  const choose = async (language) => {
    await whileWorking(setLanguage(language));
    mark();
  };
  mark();
  return h('div', { class: 'segments', role: 'group', 'aria-label': message('app.language') }, buttons);
}

function account(user, signOut) {
  const button = h('button', { type: 'button', class: 'button button-quiet' }, icon('sign-out'), message('app.signOut'));
  button.addEventListener('click', () => whileBusy(button, signOut));
  const role = roleNames[user.role];
  return h('div', { class: 'account' }, h('span', { class: 'who' }, h('strong', {}, user.name), role && h('small', {}, message(role))), button);
}
