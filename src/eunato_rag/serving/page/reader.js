// The reader: one document, its outline, its text by blocks, its notes, its pages. A range in the address is marked to the
// letter; what a person selects can be linked to, quoted and cited. Offsets are code points of the canonical text. Of a very
// long text one part is shown at a time, which the address names.

import { replace } from './address.js';
import { api, bytes, failure } from './api.js';
import { button, byId, download, el, hidden, icon, kept, link, partOf, plural, say, setTitle, skeleton } from './dom.js';
import { tools, watchSelection } from './selecting.js';
import { drawPage, record } from './source.js';
import { renderBlocks } from './text.js';
import { documentPath, facts, pageName } from './words.js';

const PART = 500_000; // code points that are shown at once: some hundred and fifty pages

/** The document of an address. Where only the range or the view changes, the text stays where it is. */
export function readerPage({ pathname, search, hash }) {
  const id = decodeURIComponent(pathname.slice('/documents/'.length));
  const root = el('div', { class: 'reader' }, el('h1', { class: 'said' }, 'Document'), skeleton(14));
  setTitle('Document');
  const show = async () => {
    try {
      const loaded = await load(id, ...partIn(new URLSearchParams(search), hash));
      if (!root.isConnected) return;
      root.replaceChildren(...readerView(...loaded, new URLSearchParams(search)));
      setTitle(loaded[0].title);
      arrive(root, hash);
    } catch (problem) {
      root.replaceChildren(failure(problem, show), el('p', {}, el('a', { href: '/library', 'data-route': true }, 'All documents')));
    }
  };
  show();
  return { root };
}

/**
 * The record, and of a part of the document the text and the notes, all of one snapshot: where the index changed between the
 * three, they are read again. A part has the blocks that begin in it; one that is much longer than others is cut where parts end.
 */
async function load(id, part, place, again = true) {
  const path = `/v1/documents/${encodeURIComponent(id)}`;
  const [from, to] = [part * PART, (part + 1) * PART];
  const doc = await api(`${path}?start=${from}&end=${to}`);
  if (part > 0 && doc.length <= from) return load(id, 0, null, again);
  const blocks = doc.blocks.flatMap((block) => {
    if (block.end - block.start <= PART / 4) return block.start >= from && block.start < to ? [block] : [];
    return [{ ...block, start: Math.max(block.start, from), end: Math.min(block.end, to) }];
  });
  const [start, end] = blocks.length ? [blocks[0].start, blocks.at(-1).end] : [Math.min(from, doc.length), Math.min(to, doc.length)];
  if (part > 0 && place !== null && place < start) return load(id, part - 1, null, again); // in a block that begins there
  const [{ text, snapshot }, notes] = await Promise.all(['text', 'footnotes'].map((what) => api(`${path}/${what}?start=${start}&end=${end}`)));
  if (again && new Set([doc.snapshot, snapshot, notes.snapshot]).size > 1) return load(id, part, place, false);
  return [{ ...doc, blocks, end, part, parts: Math.ceil(doc.length / PART) }, partOf(text, start, doc.length), notes];
}

/** Which part an address asks for, counted from 0, and the place in it, if any: a range, or a heading. */
function partIn(query, hash) {
  const number = (given) => (/^\d{1,12}$/.test(given ?? '') ? Number(given) : null);
  const [named, place] = [number(query.get('part')), number(query.get('start') ?? /^#at-(\d+)$/.exec(hash)?.[1])];
  return named ? [named - 1, null] : [Math.floor((place ?? 0) / PART), place];
}

function arrive(root, hash) {
  const target = root.querySelector('#cited') ?? (hash && byId(decodeURIComponent(hash.slice(1))));
  if (!target) return;
  if (target.id === 'cited') target.focus({ preventScroll: true });
  target.scrollIntoView({ block: target.id === 'cited' ? 'center' : 'start', behavior: 'instant' });
}

/** The range in the address: null where there is none, undefined where it is no range of this text. */
function rangeIn(query, length) {
  const given = ['start', 'end'].map((name) => query.get(name));
  if (given.every((value) => value === null)) return null;
  const [start, end] = given.map((value) => (/^\d+$/.test(value ?? '') ? Number(value) : NaN));
  return start < end && end <= length ? { start, end } : undefined;
}

function readerView(doc, text, { footnotes, coverage }, query) {
  const range = rangeIn(query, text.length);
  const { body, notes } = renderBlocks(doc, text, range, footnotes);
  const entries = doc.outline.filter(({ level }) => level > 0); // without the title of the whole
  const long = doc.parts > 1;
  const article = el('article', { class: 'text', 'aria-label': long ? `Text, part ${doc.part + 1} of ${doc.parts}` : 'Text' }, body, notes.length > 0 && el('section', { id: 'notes', class: 'end-notes', 'aria-labelledby': 'notes-title' },
    el('h2', { id: 'notes-title' }, 'Notes'), el('ol', { role: 'list' }, notes)));
  const header = el('header', { class: 'document-head' },
    el('p', { class: 'back' }, el('a', { href: '/library', 'data-route': true }, icon('before'), 'Library')),
    el('h1', {}, doc.title), el('p', { class: 'quiet' }, facts(doc)),
    el('div', { class: 'actions' },
      el('a', { class: 'button', href: `/ask?in=${encodeURIComponent(doc.id)}`, 'data-route': true }, icon('ask'), 'Ask this document'),
      doc.url && link(doc.url, { class: 'button' }, icon('out'), 'The original'),
      fileButton(doc)),
    range !== null && passageBar(doc, text, range));
  const outline = entries.length > 0 && el('nav', { class: 'outline', 'aria-label': 'Outline' }, el('details', { open: matchMedia('(min-width: 60rem)').matches }, el('summary', {}, 'Contents'),
    el('ul', { role: 'list' }, entries.map(({ title, level, start }) => el('li', { 'data-level': Math.min(level, 4) }, headingLink(doc, start, title))),
      notes.length > 0 && el('li', { 'data-level': 1 }, el('a', { href: '#notes' }, `Notes (${notes.length})`)),
      el('li', { 'data-level': 1 }, el('a', { href: '#about' }, 'About this text')))));
  const main = el('div', { class: 'reading' }, doc.pages.length > 0 && views(doc, range, query, article),
    long && partTurner(doc, 'before'), article, long && partTurner(doc, 'after'), about(doc, coverage));
  watchSelection(doc, text, article);
  return kept([header, el('div', { class: `reader-columns${outline ? '' : ' single'}` }, outline, main)]);
}

/** A heading of the part that is shown, or the part in which it stands. */
function headingLink(doc, start, title) {
  const shown = doc.blocks.some((block) => block.kind === 'heading' && block.start === start);
  return el('a', shown ? { href: `#at-${start}` } : { href: `${partPath(doc, Math.floor(start / PART))}#at-${start}`, 'data-route': true }, title);
}

const partPath = (doc, part) => `${documentPath(doc.id)}?part=${part + 1}`;

function partTurner({ id, part, parts }, where) {
  const turn = (to, name, drawn) => to >= 0 && to < parts && el('a', { class: 'button', href: partPath({ id }, to), 'data-route': true, rel: drawn === 'before' ? 'prev' : 'next' }, to < part ? [icon(drawn), name] : [name, icon(drawn)]);
  return el('nav', { class: 'page-turner', 'aria-label': where === 'before' ? 'Parts of the text' : 'Parts of the text, again' },
    turn(part - 1, 'Earlier part', 'before'), el('span', {}, `Part ${part + 1} of ${parts}`), turn(part + 1, 'Later part', 'after'));
}

/** The file that was indexed, as it came. */
const fileButton = ({ id, source }) => button('The file', async () => {
  try {
    download(source.split('/').pop(), await bytes(`/v1/documents/${encodeURIComponent(id)}/file`));
  } catch (problem) {
    say(problem.message);
  }
}, { drawn: 'save', 'aria-label': 'Download the file' });

/** What is marked, and what can be done with it; or that the address leads nowhere. */
function passageBar(doc, text, range) {
  if (!range) return el('div', { class: 'state', role: 'status' }, icon('warn'), el('p', {}, 'The address asks to mark a passage, but this text has no such place. It may have been shared before the documents changed.'));
  const section = doc.outline.findLast(({ level, start }) => level > 0 && start <= range.start);
  return el('div', { class: 'passage-bar' },
    el('p', {}, icon('read'), el('span', {}, 'A passage is marked', section && [' under ', el('q', {}, section.title)], '.')),
    el('div', { class: 'actions' }, el('a', { class: 'button primary', href: '#cited', click: goToMark }, 'Go to it'), tools(doc, text, range)));
}

function goToMark(event) {
  event.preventDefault();
  if (byId('cited').closest('article').hidden) document.querySelector('input[name="view"]').click();
  byId('cited').focus({ preventScroll: true });
  byId('cited').scrollIntoView({ block: 'center' });
}

// --- Pages as printed --------------------------------------------------------------------------------------

/** Text or pages; the choice and the page stand in the address. */
function views(doc, range, query, article) {
  const starts = range && doc.pages.findLast(({ start }) => start <= range.start);
  let at = Math.max(0, doc.pages.findIndex(({ number }) => number === (Number(query.get('page')) || starts?.number)));
  const holder = el('div', { class: 'page-image' });
  const jump = el('select', { id: 'page', change: () => go(jump.selectedIndex) }, doc.pages.map((page) => el('option', {}, pageName(page))));
  const turn = (name, drawn, by) => button(el('span', { class: 'wide' }, name), () => go(at + by), { drawn, 'aria-label': `${name} page` });
  const [before, after] = [turn('Previous', 'before', -1), turn('Next', 'after', 1)];
  const pages = el('section', { class: 'pages', 'aria-label': 'Pages', hidden: true },
    el('div', { class: 'page-turner' }, before, el('span', {}, el('label', { for: 'page' }, 'Page'), ' ', jump, ` of ${doc.pages.length}`), after), holder);
  const go = (to) => {
    at = Math.max(0, Math.min(doc.pages.length - 1, to));
    const page = doc.pages[at];
    jump.selectedIndex = at;
    before.disabled = at === 0;
    after.disabled = at === doc.pages.length - 1;
    const touches = range && range.start < page.end && page.start < range.end;
    drawPage(holder, doc.id, page.number, touches ? range : null, `Page ${pageName(page)}`);
    const address = new URL(location.href);
    address.searchParams.set('page', page.number);
    replace(address);
  };
  const choose = (printed) => {
    pages.hidden = !printed;
    article.hidden = printed;
    if (printed) return go(at);
    const address = new URL(location.href);
    address.searchParams.delete('page');
    return replace(address);
  };
  const choice = (name, printed) => el('label', { class: 'segment' }, el('input', { type: 'radio', name: 'view', checked: printed === query.has('page'), change: () => choose(printed) }), name);
  if (query.has('page')) choose(true);
  return [el('fieldset', { class: 'segments' }, el('legend', { class: 'said' }, 'Show'), choice('Text', false), choice('Pages as printed', true)), pages];
}

// --- About -------------------------------------------------------------------------------------------------

function about(doc, coverage) {
  return el('section', { id: 'about', class: 'about', 'aria-labelledby': 'about-title' }, el('h2', { id: 'about-title' }, 'About this text'),
    el('p', {}, plural(doc.length, 'character'), coverage.notes > 0 && `; ${plural(coverage.notes, 'note')}, of which ${coverage.anchored} are tied to their markers and ${coverage.resolved} to the work they cite`, '.'),
    record(doc),
    el('details', {}, el('summary', {}, `What reading the file changed (${doc.report.length})`), doc.report.length > 0 ? el('ul', {}, doc.report.map(({ detail, lines, removed }) => el('li', {},
      detail, lines && el('span', { class: 'quiet' }, lines[0] === lines[1] ? ` (line ${lines[0]})` : ` (lines ${lines[0]} to ${lines[1]})`),
      removed && el('details', {}, el('summary', {}, 'Text removed'), el('pre', { tabindex: '0', role: 'region', 'aria-label': 'Text removed' }, removed))))) : el('p', {}, 'Nothing.')));
}
