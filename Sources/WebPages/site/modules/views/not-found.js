import { h } from '../dom.js';
import { message } from '../i18n.js';

export function showNotFound(main) {
  main.append(
    h(
      'div',
      { class: 'page page-narrow' },
      h('h1', {}, message('app.notFound')),
      h('p', {}, message('app.notFoundHelp')),
      h('a', { class: 'button button-main', href: '/meetings', 'data-route': true }, message('app.toMeetings')),
    ),
  );
}
