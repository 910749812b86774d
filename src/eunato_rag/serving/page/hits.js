// Passages that a search found, with the words that matched; each opens like a source.

import { dressed, el, hidden } from './dom.js';
import { openSource } from './source.js';
import { documentPath, place } from './words.js';

/** A hit as a place that can be opened like a citation. */
const placeOfHit = ({ passage, document: doc }) => ({
  quote: passage.text, locator: passage.locator, document: doc, footnotes: passage.footnotes, url: documentPath(doc.id, passage.locator), original_url: null,
});

export function hitList(hits) {
  const places = hits.map(placeOfHit);
  return el('ol', { class: 'hits', role: 'list' }, hits.map(({ passage, document: doc, highlights }, at) => el('li', {},
    el('p', { class: 'hit-head' },
      el('button', { type: 'button', class: 'as-link', 'aria-haspopup': 'dialog', click: (event) => openSource(places, at, { from: event.currentTarget, name: 'Passage' }) }, hidden(`Passage ${at + 1}: `), doc.title),
      el('span', { class: 'quiet' }, place(passage.locator))),
    el('p', { class: 'passage', lang: doc.csl.language }, dressed(passage.text, highlights, (words) => el('b', {}, words), passage.locator.start)))));
}
