// What became of a quotation: the verdict, and yours beside the source's with every difference named.

import { button, codePoints, copy, dressed, el, hidden, icon, kept, plural, say } from './dom.js';
import { copyReference } from './references.js';
import { openSource } from './source.js';
import { EDIT, QUOTATION, place } from './words.js';

/** The verdict and its matches; `small` leaves out the heading, where another one says it. */
export function quotationView(found, { small = false } = {}) {
  const [drawn, name, meaning] = QUOTATION[found.status];
  const differences = found.matches.reduce((sum, { edits }) => sum + edits.length, 0);
  const verdict = el('div', { class: `verdict-banner ${found.status}` }, icon(drawn),
    el('div', {}, el('h2', {}, found.status === 'altered' && differences ? `${name}: ${plural(differences, 'difference')}` : name),
      el('p', {}, found.reason ?? (found.stitched ? 'Its parts stand in different places.' : meaning))));
  return el('section', { class: 'quotation', 'aria-label': 'Result' }, !small && verdict,
    found.matches.map((match, at) => matchView(found, match, at)));
}

function matchView(found, match, at) {
  const { document: doc, locator, edits, quote, covers } = match;
  const several = found.matches.length > 1 && `${found.stitched ? 'Part' : 'Place'} ${at + 1} of ${found.matches.length}`;
  const range = { document_id: doc.id, start: locator.start, end: locator.end };
  const yours = codePoints(found.quote).slice(covers.start, covers.end);
  return el('article', { class: 'match', 'aria-label': several || 'Where it stands' },
    el('p', { class: 'match-head' }, several && el('span', { class: 'label' }, several), el('strong', {}, doc.title), el('span', { class: 'quiet' }, place(locator))),
    match.status === 'exact' ? el('blockquote', { lang: doc.csl.language }, el('mark', {}, quote)) : el('div', { class: 'compare' },
      el('div', {}, el('h3', {}, 'Yours'), el('blockquote', {}, dressed(yours, spansOf(edits, 'yours_span'), removed, covers.start))),
      el('div', {}, el('h3', {}, 'The source'), el('blockquote', { lang: doc.csl.language }, dressed(quote, spansOf(edits, 'source_span'), added, locator.start)))),
    edits.length > 0 && el('table', { class: 'edits' }, el('caption', { class: 'said' }, 'Differences'),
      el('thead', {}, el('tr', {}, ['Difference', 'Yours', 'The source'].map((head) => el('th', { scope: 'col' }, head)))),
      el('tbody', {}, edits.map((edit) => el('tr', {}, el('th', { scope: 'row' }, EDIT[edit.kind] ?? edit.kind), cell(edit.yours, removed), cell(edit.source, added))))),
    el('div', { class: 'actions' },
      button('Copy correct quotation', () => copy(`“${quote}”`, 'Quotation'), { class: 'primary', drawn: 'copy' }),
      button('Copy reference', () => copyReference(range).catch((problem) => say(problem.message)), { drawn: 'copy' }),
      el('button', { type: 'button', 'aria-haspopup': 'dialog', click: (event) => openSource(found.matches, at, { from: event.currentTarget, name: 'Place', snapshot: found.snapshot }) }, icon('read'), 'See it in the source')));
}

const spansOf = (edits, side) => edits.map((edit) => ({ ...edit[side], kind: edit.kind })).filter(({ start, end }) => start < end);
const removed = (words) => el('del', {}, words);
const added = (words) => el('ins', {}, words);
const cell = (words, dress) => el('td', {}, kept([words ? dress(words) : [el('span', { 'aria-hidden': 'true' }, '–'), hidden('nothing')]]));
