// References in the writer's style: to a place, or to works; the style is remembered.

import { api } from './api.js';
import { button, copy, download, el, store, stored } from './dom.js';

const STYLES = { chicago: 'Chicago, note', apa: 'APA', bibtex: 'BibTeX', ris: 'RIS', 'csl-json': 'CSL-JSON' };
const FILES = { chicago: 'txt', apa: 'txt', bibtex: 'bib', ris: 'ris', 'csl-json': 'json' };
let counter = 0;

export const preferredStyle = () => {
  const style = stored('localStorage', 'style', 'chicago');
  return style in STYLES ? style : 'chicago';
};

function chooser(onChange) {
  const id = `style-${++counter}`;
  const select = el('select', { id, change: () => { store('localStorage', 'style', select.value); onChange(); } },
    Object.entries(STYLES).map(([value, name]) => el('option', { value, selected: value === preferredStyle() }, name)));
  return [el('label', { for: id }, 'Style'), select];
}

/** What a writer needs to cite a place: in the text or its notes, and in the list of works; in files, the record. */
function lines(style, { reference, citation }) {
  if (style === 'chicago') return [['Note', citation], ['Bibliography', reference]];
  if (style === 'apa') return [['In the text', citation], ['Reference list', reference]];
  return [['Record', reference]];
}

/** The reference to one place, with its copying. `place` is {document_id, start, end}. */
export function citeBox(place, snapshot) {
  const out = el('div', { class: 'cite-out', 'aria-live': 'polite' });
  const load = async () => {
    const style = preferredStyle();
    out.setAttribute('aria-busy', 'true');
    try {
      const { references: [found] } = await api('/v1/references', { body: { places: [place], style, snapshot } });
      out.replaceChildren(...lines(style, found).map(([name, text]) => el('div', { class: 'cite-line' },
        el('p', { class: 'label' }, name),
        el(FILES[style] === 'txt' ? 'p' : 'pre', { class: 'cite-text', ...(FILES[style] !== 'txt' && { tabindex: '0', role: 'region', 'aria-label': name }) }, text.trim()),
        button('Copy', () => copy(text.trim(), name), { drawn: 'copy', class: 'quiet-button', 'aria-label': `Copy: ${name}` }))));
    } catch (problem) {
      out.replaceChildren(el('p', { class: 'quiet' }, `The reference cannot be had now. ${problem.message} `, button('Try again', load)));
    }
    out.removeAttribute('aria-busy');
  };
  load();
  return el('section', { class: 'cite', 'aria-label': 'Reference' }, el('div', { class: 'cite-head' }, el('h3', {}, 'Cite this place'), el('div', { class: 'style' }, chooser(load))), out);
}

/** Copies the reference to a place in the preferred style, as a writer puts it where the quotation stands. */
export async function copyReference(place, snapshot) {
  const style = preferredStyle();
  const { references: [found] } = await api('/v1/references', { body: { places: [place], style, snapshot } });
  await copy((found.citation && FILES[style] === 'txt' ? found.citation : found.reference).trim(), `Reference (${STYLES[style]})`);
}

/** A list of works in one style, to copy or to take along as a file. */
export function bibliography(ids, name) {
  const out = el('div', { class: 'cite-out', 'aria-live': 'polite' });
  const load = async () => {
    const style = preferredStyle();
    try {
      const { references, text } = await api('/v1/references', { body: { ids, style } });
      const plain = FILES[style] === 'txt';
      out.replaceChildren(
        plain ? el('ul', { class: 'works-list', role: 'list' }, references.map(({ reference }) => el('li', {}, reference))) : el('pre', { class: 'cite-text', tabindex: '0', role: 'region', 'aria-label': 'Bibliography' }, text),
        el('div', { class: 'actions' }, button('Copy the bibliography', () => copy(text, 'Bibliography'), { drawn: 'copy' }),
          button('Download', () => download(`${name}.${FILES[style]}`, text, 'text/plain'), { drawn: 'save' })));
    } catch (problem) {
      out.replaceChildren(el('p', { class: 'quiet' }, `The bibliography cannot be had now. ${problem.message} `, button('Try again', load)));
    }
  };
  load();
  return el('section', { class: 'cite', 'aria-label': 'Bibliography' }, el('div', { class: 'cite-head' }, el('h2', {}, 'Bibliography'), el('div', { class: 'style' }, chooser(load))), out);
}
