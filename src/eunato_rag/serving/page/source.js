// One source, as it opens beside an answer, a quotation or a draft: the paragraph with the quotation marked to the letter,
// its notes, its reference, its record. What is shown is read from the document itself, not from the answer.

import { accessKey, api, bytes } from './api.js';
import { button, codePoints, copy, el, icon, iconButton, kept, link, say, skeleton } from './dom.js';
import { openPanel } from './panel.js';
import { citeBox, copyReference } from './references.js';
import { documentPath, facts, fileKind, language, pageName, place, work } from './words.js';

const AROUND = 900; // code points of a long paragraph that are shown before and after the quotation
const structures = new Map(); // documents with the blocks of a range, as they were asked for

/**
 * Opens the source at `at` of `list` (citations, matches of quotations, or placed hits).
 * `onShow` hears which one is shown, and null at the end.
 */
export function openSource(list, at, { from, name = 'Source', snapshot, onShow } = {}) {
  const cited = list[at];
  const go = (to) => openSource(list, to, { name, snapshot, onShow });
  const tools = list.length > 1 ? [
    iconButton(`Previous: ${name.toLowerCase()} ${at}`, 'before', () => go(at - 1), { disabled: at === 0 }),
    iconButton(`Next: ${name.toLowerCase()} ${at + 2}`, 'after', () => go(at + 1), { disabled: at === list.length - 1 }),
  ] : [];
  openPanel({
    title: list.length > 1 ? `${name} ${cited.number ?? at + 1} of ${list.length}` : name,
    tools,
    body: sourceView(cited, snapshot),
    foot: footer(cited, snapshot),
    from,
    onClose: () => onShow?.(null),
  });
  onShow?.(cited);
}

function sourceView(cited, snapshot) {
  const { document: doc, locator, footnotes, original_url: original } = cited;
  const context = el('div', { class: 'context' }, skeleton(6));
  const range = { document_id: doc.id, start: locator.start, end: locator.end };
  showContext(context, cited, snapshot);
  return kept([
    el('p', { class: 'source-title' }, el('a', { href: documentPath(doc.id), 'data-route': true }, doc.title)),
    el('p', { class: 'quiet' }, facts(doc)),
    place(locator) && el('p', { class: 'where' }, place(locator)),
    context,
    citeBox(range, snapshot),
    locator.page && pageImage(doc.id, locator),
    footnotes.length > 0 && el('section', { class: 'notes-here', 'aria-label': 'Notes at this place' }, el('h3', {}, footnotes.length === 1 ? 'Note at this place' : 'Notes at this place'),
      el('ol', { role: 'list' }, footnotes.map(noteHere))),
    original && el('p', {}, link(original, {}, 'Open the original at this place', icon('out'))),
    record(doc),
  ]);
}

/** What a writer does most, always in reach. */
function footer({ document: doc, quote, locator, url }, snapshot) {
  const cite = () => copyReference({ document_id: doc.id, start: locator.start, end: locator.end }, snapshot).catch((problem) => say(problem.message));
  return [
    button('Reference', cite, { drawn: 'copy', class: 'primary', 'aria-label': 'Copy reference' }),
    button('Quotation', () => copy(`“${quote}”`, 'Quotation'), { drawn: 'copy', 'aria-label': 'Copy quotation' }),
    el('a', { class: 'button', href: url, 'data-route': true, 'aria-label': 'Open in the reader' }, icon('read'), 'Reader'),
  ];
}

/** The paragraph around a place, with the place marked; checked once more against the quotation as it is shown. */
async function showContext(box, { document: doc, locator, quote }, snapshot) {
  const { start, end } = locator;
  try {
    const { text, from, to, before, after } = await paragraphAround(doc.id, start, end, snapshot);
    const points = codePoints(text);
    const said = points.slice(start - from, end - from);
    box.replaceChildren(
      el('blockquote', { lang: doc.csl.language }, before && '… ', points.slice(0, start - from), el('mark', {}, said), points.slice(end - from, to - from), after && ' …'),
      said === quote
        ? el('p', { class: 'verified' }, icon('check'), 'Marked to the letter, as it stands in the document')
        : el('p', { class: 'verified off' }, icon('warn'), 'The documents have changed since; ask again to see the present text'));
    const [mark, scroller] = [box.querySelector('mark'), box.closest('.panel-body')];
    const below = mark.offsetTop - scroller.offsetTop - scroller.clientHeight * 0.6;
    if (below > 0) scroller.scrollTop = mark.offsetTop - scroller.offsetTop - scroller.clientHeight / 4;
  } catch (problem) {
    box.replaceChildren(el('blockquote', {}, el('mark', {}, quote)), el('p', { class: 'quiet' }, `What stands around it cannot be read now. ${problem.message}`));
  }
}

/** The blocks that a range touches, as one range of the text; `before` and `after` say that a long one was cut. */
async function paragraphAround(id, start, end, snapshot = '') {
  const path = `/v1/documents/${encodeURIComponent(id)}`;
  const pin = snapshot && `snapshot=${encodeURIComponent(snapshot)}`; // the text that was quoted, whatever was indexed since
  const key = `${path}?start=${start}&end=${end}&${pin}`;
  if (!structures.has(key)) structures.set(key, api(key));
  try {
    const { blocks: touched, length } = await structures.get(key);
    const [first, last] = [Math.min(touched[0]?.start ?? start, start), Math.max(touched.at(-1)?.end ?? end, end)];
    const from = Math.max(first, start - AROUND);
    const to = Math.min(last, end + AROUND, length);
    return { ...(await api(`${path}/text?start=${from}&end=${to}&${pin}`)), from, to, before: from > first, after: to < last };
  } catch (problem) {
    structures.delete(key);
    throw problem;
  }
}

const noteHere = (note) => el('li', {}, el('span', { class: 'note-number' }, String(note.number)), el('div', {},
  el('p', {}, note.text), note.work && el('p', { class: 'cites' }, 'Cites ', work(note.work))));

/** A page of a PDF, drawn by the service with the range marked; nothing where it cannot be drawn. */
export function pageImage(id, locator, { open = false } = {}) {
  const label = `Page ${pageName(locator.page)}`;
  const holder = el('div', { class: 'page-image' });
  const details = el('details', { class: 'as-printed', toggle: () => details.open && !holder.childElementCount && drawPage(holder, id, locator.page.number, locator, label), open },
    el('summary', {}, `${label} as printed`), holder);
  return details;
}

export async function drawPage(holder, id, number, range, label) {
  const path = `/v1/documents/${encodeURIComponent(id)}/pages/${number}.png${range ? `?start=${range.start}&end=${range.end}` : ''}`;
  const failed = (detail = '') => holder.replaceChildren(el('p', { class: 'quiet' }, `This page cannot be drawn. ${detail}`));
  holder.replaceChildren(skeleton(8));
  try {
    const image = el('img', { alt: `${label}, as printed${range ? ', with the passage marked' : ''}`, error: () => failed() });
    image.src = accessKey() ? URL.createObjectURL(await bytes(path)) : path;
    image.addEventListener('load', () => URL.revokeObjectURL(image.src));
    holder.replaceChildren(image);
  } catch (problem) {
    failed(problem.message);
  }
}

/** What is known of a document, as a list of terms. */
export function record(doc) {
  const entries = [
    ['Kind', doc.csl.genre ?? (doc.csl.type !== 'document' && doc.csl.type)], ['Author', doc.authors.join('; ')], ['Publisher', doc.publisher],
    ['Date', doc.issued], ['Language', doc.csl.language && language(doc.csl.language)], ['Number', doc.csl.number], ['Address', doc.url && link(doc.url, {}, doc.url)],
    ['File', `${doc.source} (${fileKind(doc.source)})`], ['SHA-256', el('code', {}, doc.sha256.slice(0, 16), '…')],
  ].filter(([, value]) => value);
  return el('details', { class: 'record' }, el('summary', {}, 'Record of the document'), el('dl', {}, entries.map(([name, value]) => [el('dt', {}, name), el('dd', {}, value)])));
}
