// Two small dialogs: one that asks before something is done, and one that takes the access key.

import { accessKey, setAccessKey } from './api.js';
import { button, byId, el, say } from './dom.js';

/** Asks, and resolves to whether the answer was yes. */
export function confirmed(question, detail, yes) {
  return new Promise((resolve) => {
    const dialog = el('dialog', { class: 'small', 'aria-labelledby': 'confirm-title', 'aria-describedby': 'confirm-detail', close: () => { resolve(dialog.returnValue === 'yes'); dialog.remove(); } },
      el('h2', { id: 'confirm-title' }, question), el('p', { id: 'confirm-detail' }, detail),
      el('div', { class: 'actions' },
        button(yes, () => dialog.close('yes'), { class: 'danger' }),
        button('Cancel', () => dialog.close('no'), { autofocus: true })));
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Takes the key; `again` is what failed for want of it. */
export function askForKey(again) {
  const field = el('input', { type: 'password', id: 'key', autocomplete: 'off', spellcheck: 'false', value: accessKey() });
  const dialog = el('dialog', { class: 'small', 'aria-labelledby': 'key-title', close: () => dialog.remove() },
    el('form', { method: 'dialog', submit: () => {
      setAccessKey(field.value);
      byId('key-open').classList.toggle('set', Boolean(accessKey()));
      say(accessKey() ? 'Key kept until this tab is closed' : 'Key removed');
      again?.();
    } },
    el('h2', { id: 'key-title' }, 'Access key'),
    el('p', {}, 'Some services ask for a key, and for another one to change the documents. It is kept in this tab only and sent to this service only.'),
    el('label', { for: 'key' }, 'Key'), field,
    el('div', { class: 'actions' }, el('button', { type: 'submit', class: 'primary' }, 'Use this key'), button('Cancel', () => dialog.close()))));
  document.body.append(dialog);
  dialog.showModal();
}
