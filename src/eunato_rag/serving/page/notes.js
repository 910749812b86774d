// A document's notes: their markers in the text, the panel that a marker opens, and the list at the end.

import { byId, el, hidden, icon, kept, plural } from './dom.js';
import { hitList } from './hits.js';
import { openPanel } from './panel.js';
import { documentPath, work } from './words.js';

export function marker({ note, id }) {
  return el('sup', {}, el('button', { type: 'button', id, class: 'marker', 'aria-label': `Note ${note.number}`, 'aria-haspopup': 'dialog', click: (event) => openNote(note, event.currentTarget) }, String(note.number)));
}

function openNote(note, from) {
  openPanel({ title: `Note ${note.number}`, from, body: [el('p', { class: 'note-text' }, note.text), ...noteDetails(note)] });
}

/** What is known of a note beyond its own words. */
function noteDetails(note) {
  return kept([
    note.work && el('section', { class: 'note-work' }, el('h3', {}, 'The work it cites'), el('p', {}, work(note.work)),
      note.cites_document_id
        ? el('p', { class: 'work-state present' }, icon('check'), el('a', { href: documentPath(note.cites_document_id), 'data-route': true }, 'Here: read it'))
        : el('p', { class: 'work-state missing' }, icon('away'), 'Not in the library')),
    note.same_as && el('p', { class: 'quiet' }, `The same work as in note ${note.same_as}.`),
    note.problems.length > 0 && el('details', {}, el('summary', {}, plural(note.problems.length, 'remark'), hidden(` on note ${note.number}`)), el('ul', {}, note.problems.map((problem) => el('li', {}, problem)))),
    note.support.length > 0 && el('details', {}, el('summary', {}, 'What the work says on it', hidden(`, note ${note.number}`)), hitList(note.support)),
  ]);
}

export function noteItem(note, content) {
  if (!note) return el('li', {}, el('span'), content);
  return el('li', { id: `note-${note.number}` },
    note.anchors.length ? el('a', { class: 'note-number', href: `#ref-${note.number}-0`, 'aria-label': `Note ${note.number}, back to the text`, click: () => setTimeout(() => byId(`ref-${note.number}-0`)?.focus()) }, String(note.number)) : el('span', { class: 'note-number' }, String(note.number)),
    el('div', {}, content, noteDetails(note)));
}
