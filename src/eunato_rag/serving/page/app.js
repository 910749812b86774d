// The page of the service: asking at `/`, reading at `/documents/{id}`. It only shows what the API says.
// Data enters the page as text nodes, never as markup. Offsets from the API count Unicode code points, while
// JavaScript counts UTF-16 units: every slice goes through `codePoints`.

const byId = (id) => document.getElementById(id);
const SITE = document.title;
const EARLIER = 'earlier-questions'; // the key in the session's storage

// --- Small tools -------------------------------------------------------------------------------------------

/** An element; attributes that are functions are listeners, children are nodes, strings, lists, or nothing. */
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') node.addEventListener(name, value);
    else if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat(2).filter(Boolean));
  return node;
}

/** Text that is cut by code points. */
function codePoints(text) {
  const points = Array.from(text);
  return { length: points.length, slice: (start, end) => points.slice(start, end).join('') };
}

/** The range from start to end, cut into pieces at those edges that lie within it. */
function pieces(start, end, edges) {
  const cuts = [...new Set([start, ...edges.filter((edge) => edge > start && edge < end), end])].sort((a, b) => a - b);
  return cuts.slice(1).map((cut, at) => [cuts[at], cut]);
}

const plural = (count, noun) => `${count.toLocaleString('en-GB')} ${noun}${count === 1 ? '' : 's'}`;

/** A link to the web or to this service; plain text where the address is neither, whatever the data says. */
function link(address, ...children) {
  const safe = URL.canParse(address, location.href) && /^https?:$/.test(new URL(address, location.href).protocol);
  return safe ? el('a', { href: address }, ...children) : el('span', {}, ...children);
}

const documentPath = (id, place) => `/documents/${encodeURIComponent(id)}${place ? `?start=${place.start}&end=${place.end}` : ''}`;

/** `2025-03` as `March 2025`; a date is shown only as exactly as it is known. */
function readableDate(issued) {
  const [year, month, day] = (issued ?? '').split('-').map(Number);
  if (!year) return '';
  const parts = { year: 'numeric', ...(month && { month: 'long' }), ...(day && { day: 'numeric' }) };
  return new Intl.DateTimeFormat('en-GB', { ...parts, timeZone: 'UTC' }).format(new Date(Date.UTC(year, (month || 1) - 1, day || 1)));
}

const facts = (doc) => [doc.authors.join(', '), doc.publisher, readableDate(doc.issued)].filter(Boolean).join(' · ');

/** Page, section and paragraph in words; what a source has not, is left out. */
function place({ page, headings, paragraph }) {
  return [page && `page ${page.label ?? page.number}`, headings.join(' › '), paragraph && `paragraph ${paragraph}`].filter(Boolean).join(', ');
}

// --- The API -----------------------------------------------------------------------------------------------

class Problem extends Error {
  constructor({ title, detail, request_id: request }) {
    super(detail || title);
    Object.assign(this, { title: title || 'Something went wrong', request });
  }
}

async function api(path, { body, signal } = {}) {
  const sent = body && { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
  let response;
  try {
    response = await fetch(path, { signal, ...sent });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    const detail = navigator.onLine ? 'The service may be stopped or still starting. Try again in a moment.' : 'This device is offline. Try again once it is connected.';
    throw new Problem({ title: 'The service cannot be reached', detail });
  }
  const data = await response.json().catch(() => null);
  signal?.throwIfAborted();
  if (response.ok && data) return data;
  throw new Problem(data ?? { title: 'The service failed', detail: `It answered with status ${response.status} and no explanation.` });
}

function failure(problem, again) {
  if (!(problem instanceof Problem)) console.error(problem);
  return el('section', { class: 'notice error', role: 'alert' },
    el('h2', { tabindex: -1 }, problem.title ?? 'This page failed'), el('p', {}, problem.message),
    problem.request && el('p', { class: 'quiet' }, `Request ${problem.request}`),
    el('button', { type: 'button', click: again }, 'Try again'));
}

// --- Pieces that both views share --------------------------------------------------------------------------

/** Author, title, year of a cited work; the title leads to the work where its address is known. */
function work(csl) {
  if (!csl) return null;
  const who = (csl.author ?? []).map((name) => name.family ?? name.literal).filter(Boolean);
  const year = csl.issued?.['date-parts']?.[0]?.[0] ?? 'no date';
  const host = URL.canParse(csl.URL ?? '') ? new URL(csl.URL).hostname : '';
  return el('p', { class: 'work' }, 'Cites ', who.length > 3 ? `${who[0]} et al., ` : who.length ? `${who.join(', ')}, ` : '',
    csl.URL ? link(csl.URL, el('cite', {}, csl.title)) : el('cite', {}, csl.title), ` (${year})`,
    host ? el('span', { class: 'quiet' }, `, ${host}`) : '');
}

/** What can be said of a note beyond its own words; the notes of answers carry less than those of the reader. */
function noteDetails(note) {
  return [
    work(note.work),
    note.same_as && el('p', { class: 'quiet' }, `The same work as in note ${note.same_as}.`),
    note.cites_document_id && el('p', {}, el('a', { href: documentPath(note.cites_document_id) }, 'Read the cited work here')),
    note.problems?.length && el('details', {}, el('summary', {}, `Remarks on this note (${note.problems.length})`),
      el('ul', {}, note.problems.map((problem) => el('li', {}, problem)))),
  ].filter(Boolean);
}

// --- Asking ------------------------------------------------------------------------------------------------
let asked = null; // the question that the page shows, so that moving within the page does not ask it again
let running = null; // what ends the request under way, so that a late answer never covers a newer question

function askPage() {
  const form = byId('form');
  const box = byId('question');
  byId('ask').hidden = false;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const question = box.value.trim();
    box.setCustomValidity(question ? '' : 'Write a question first.');
    if (form.reportValidity()) ask(question);
  });
  box.addEventListener('input', () => box.setCustomValidity(''));
  box.addEventListener('keydown', (event) => {
    // While an input method composes a character, Enter belongs to it.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  byId('examples').addEventListener('click', (event) => {
    if (event.target.matches('button')) ask(event.target.textContent);
  });
  addEventListener('popstate', () => questionInAddress() !== asked && showAddress());
  listDocuments();
  showAddress();
}

const questionInAddress = () => new URLSearchParams(location.search).get('q')?.trim() || null;
const questionPath = (question) => `/?${new URLSearchParams({ q: question })}`;

function ask(question) {
  if (question !== questionInAddress()) history.pushState(null, '', questionPath(question));
  showAddress({ focus: true });
}

/** Shows what the address says: a question is asked again, so that a shared address gives the present answer. */
async function showAddress({ focus = false } = {}) {
  const question = (asked = questionInAddress());
  const [result, status] = [byId('result'), byId('status')];
  running?.abort();
  const { signal } = (running = new AbortController());
  byId('question').value = question ?? '';
  for (const id of ['lead', 'examples']) byId(id).hidden = Boolean(question);
  document.title = question ? `${question} – ${SITE}` : SITE;
  listEarlier(question);
  status.textContent = question ? 'Looking in the documents…' : '';
  if (!question) return result.replaceChildren();
  result.setAttribute('aria-busy', 'true');
  try {
    const answer = await api('/v1/ask', { body: { question }, signal });
    result.replaceChildren(...(answer.status === 'answered' ? answered(answer) : abstained(answer)), passagesFound(answer));
    const sources = answer.citations.length;
    status.textContent = `${sources ? `Answered from ${plural(sources, 'source')}` : 'Not answered'}, in ${(answer.took_ms / 1000).toFixed(1)} s. Index ${answer.snapshot}.`;
  } catch (error) {
    if (error.name === 'AbortError') return null;
    result.replaceChildren(failure(error, () => showAddress({ focus: true })));
    status.textContent = '';
  }
  result.removeAttribute('aria-busy');
  return focus && result.querySelector('h2').focus();
}

function listEarlier(question) {
  let earlier = [];
  try {
    earlier = JSON.parse(sessionStorage.getItem(EARLIER) ?? '[]').filter((other) => other !== question);
    if (question) sessionStorage.setItem(EARLIER, JSON.stringify([question, ...earlier].slice(0, 20)));
  } catch { /* storage is forbidden or damaged: a list is no reason to fail */ }
  byId('earlier').hidden = !earlier.length;
  byId('earlier').querySelector('ol').replaceChildren(...earlier.map((other) => el('li', {}, el('a', { href: questionPath(other) }, other))));
}

async function listDocuments() {
  const list = byId('documents').querySelector('ul');
  try {
    const { documents, next_cursor: more } = await api('/v1/documents?limit=200');
    list.replaceChildren(...documents.map((doc) => el('li', {}, el('a', { href: documentPath(doc.id) }, doc.title), el('span', { class: 'quiet' }, facts(doc)))));
    if (more || !documents.length) list.append(el('li', { class: 'quiet' }, more ? `Only the first ${documents.length} are listed here.` : 'There are none yet.'));
  } catch (problem) {
    list.replaceChildren(el('li', { class: 'quiet' }, `The documents cannot be listed now. ${problem.message}`));
  }
  // The list comes after the page, so the browser could not scroll to it by itself.
  if (location.hash === '#documents') byId('documents').scrollIntoView();
}

function answered(answer) {
  return [connect(el('div', { class: 'answer-and-sources' },
    el('section', { class: 'answer', 'aria-labelledby': 'answer-title' },
      el('h2', { id: 'answer-title', class: 'label', tabindex: -1 }, 'Answer'),
      el('p', { class: 'answer-text' }, answerText(answer)),
      el('p', { class: 'quiet' }, 'In the words of the documents; a number leads to its source.')),
    el('section', { class: 'sources', 'aria-labelledby': 'sources-title' },
      el('h2', { id: 'sources-title', class: 'label' }, answer.citations.length === 1 ? 'Source' : 'Sources'), el('ol', { role: 'list' }, answer.citations.map(source)))))];
}

/** The answer with its numbers as buttons, each range cut so that it can be lit with its source. */
function answerText({ answer, citations }) {
  const text = codePoints(answer);
  const edges = citations.flatMap(({ answer_span: span }) => [span.start, span.end]);
  return pieces(0, text.length, edges).map(([start, end]) => {
    const covering = citations.filter(({ answer_span: span }) => span.start <= start && end <= span.end).map(({ number }) => number);
    // Of the pieces, each second one is what the group caught: a number.
    const parts = text.slice(start, end).split(/\s?\[(\d+)\]/).map((piece, odd) => {
      const cited = odd % 2 && citations.find(({ number }) => number === Number(piece));
      if (!cited) return odd % 2 ? ` [${piece}]` : piece;
      // Space and number hold together, lest a line begin with a number.
      return el('span', { class: 'whole' }, '\u00a0', el('button', { type: 'button', class: 'number', 'data-number': piece, 'aria-label': `[${piece}] Source: ${cited.reference}` }, `[${piece}]`));
    });
    return el('span', covering.length ? { class: 'claim', 'data-numbers': covering.join(' ') } : {}, parts);
  });
}

function source(citation) {
  const { number, quote, reference, locator, verification, footnotes, url } = citation;
  const copied = el('output');
  const copyButton = (label, text) => el('button', { type: 'button', click: async () => { copied.textContent = await copy(text); } }, label);
  return el('li', { id: `source-${number}`, class: 'source', 'data-number': number, tabindex: -1, 'aria-labelledby': `reference-${number}` },
    el('button', { type: 'button', class: 'number back', 'aria-label': `[${number}] Back to the answer` }, `[${number}]`),
    el('blockquote', { lang: citation.document.csl.language }, quote),
    el('p', { class: 'reference', id: `reference-${number}` }, reference),
    el('p', { class: 'quiet' }, [place(locator), verification.status === 'exact' ? 'checked, to the letter' : verification.status].filter(Boolean).join(' · ')),
    footnotes.length ? el('ul', { class: 'notes', role: 'list', 'aria-label': 'Notes at this place' }, footnotes.map((note) =>
      el('li', {}, el('p', {}, `Note ${note.number}`, note.text === quote ? '' : `: ${note.text}`), noteDetails(note)))) : null,
    el('div', { class: 'actions' }, link(url, 'Read in place'),
      copyButton('Copy reference', reference), copyButton('Copy quotation', `“${quote}” (${reference})`), copied));
}

/** Lights a source and its range of the answer together, by pointer, keyboard or touch. */
function connect(view) {
  let kept = null; // the number that was clicked stays lit when the pointer has gone
  const light = (number) => {
    for (const node of view.querySelectorAll('.claim')) node.classList.toggle('lit', node.dataset.numbers.split(' ').includes(number));
    for (const node of view.querySelectorAll('.source')) node.classList.toggle('lit', node.dataset.number === number);
  };
  const numberAt = (event) => event.target.closest('[data-number]')?.dataset.number ?? kept;
  for (const kind of ['pointerover', 'focusin']) view.addEventListener(kind, (event) => light(numberAt(event)));
  view.addEventListener('pointerleave', () => light(kept));
  view.addEventListener('click', (event) => {
    const button = event.target.closest('button.number');
    if (!button) return;
    light((kept = numberAt(event)));
    const target = view.querySelector(button.classList.contains('back') ? `.answer [data-number="${kept}"]` : `#source-${kept}`);
    target?.focus({ preventScroll: true });
    target?.scrollIntoView({ block: 'nearest' });
  });
  return view;
}

/** Copies, and says how it went; without HTTPS a browser gives no clipboard, so the old way is the second. */
async function copy(text) {
  const before = document.activeElement;
  try {
    await navigator.clipboard.writeText(text);
    return 'Copied.';
  } catch {
    const area = el('textarea', { class: 'off-screen', readonly: '' }, text);
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    before?.focus();
    return done ? 'Copied.' : 'This browser does not allow copying.';
  }
}

function abstained({ answer, reason, nearest }) {
  const said = el('section', { class: 'notice abstained', 'aria-labelledby': 'answer-title' },
    el('h2', { id: 'answer-title', tabindex: -1 }, 'No answer'), el('p', {}, answer), reason && el('p', { class: 'quiet' }, reason));
  if (!nearest.length) return [said];
  return [said, el('section', { class: 'nearest', 'aria-labelledby': 'nearest-title' },
    el('h2', { id: 'nearest-title', class: 'label' }, 'Nearest evidence'),
    el('p', { class: 'quiet' }, 'These passages come closest. They do not answer the question.'), hits(nearest))];
}

const passagesFound = ({ hits: all }) => (all.length ? el('details', { class: 'found' }, el('summary', {}, `Passages found (${all.length})`), hits(all)) : '');

function hits(list) {
  return el('ol', { class: 'hits' }, list.map(({ passage, document: doc, highlights }) => {
    const text = codePoints(passage.text);
    const { start: origin, end: last } = passage.locator;
    const parts = pieces(origin, last, highlights.flatMap(({ start, end }) => [start, end])).map(([start, end]) => {
      const words = text.slice(start - origin, end - origin);
      return highlights.some((span) => span.start <= start && end <= span.end) ? el('mark', {}, words) : words;
    });
    return el('li', {}, el('p', { class: 'passage', lang: doc.csl.language }, parts),
      el('p', { class: 'quiet' }, `${doc.title}, ${place(passage.locator)} · `,
        el('a', { href: documentPath(doc.id, passage.locator) }, 'Read in place')));
  }));
}

// --- Reading -----------------------------------------------------------------------------------------------

async function readerPage(path) {
  const [status, root] = [byId('reader-status'), byId('document')];
  byId('reader').hidden = false;
  status.textContent = 'Opening the document…';
  try {
    const loaded = await load(path);
    root.replaceChildren(...readerView(...loaded));
    document.title = `${loaded[0].title} – ${SITE}`;
    goToMark('instant');
  } catch (error) {
    root.replaceChildren(failure(error, () => readerPage(path)), el('p', {}, el('a', { href: '/#documents' }, 'All documents')));
  }
  status.textContent = '';
}

/** The record, text and notes of one snapshot: where the index changed between the three, they are read again. */
async function load(path, again = true) {
  const parts = await Promise.all(['', '/text', '/footnotes'].map((part) => api(`/v1${path}${part}`)));
  return again && new Set(parts.map(({ snapshot }) => snapshot)).size > 1 ? load(path, false) : parts;
}

function goToMark(behavior = 'auto') {
  const mark = byId('cited');
  mark?.focus({ preventScroll: true });
  mark?.scrollIntoView({ block: 'center', behavior });
}

/** The range in the address: null where there is none, undefined where it is no range of this text. */
function rangeInAddress(length) {
  const asked = ['start', 'end'].map((name) => new URLSearchParams(location.search).get(name));
  if (asked.every((value) => value === null)) return null;
  const [start, end] = asked.map((value) => (/^\d+$/.test(value) ? Number(value) : NaN));
  return start < end && end <= length ? { start, end } : undefined;
}

function readerView(doc, { text: whole }, { footnotes, coverage }) {
  const text = codePoints(whole);
  const range = rangeInAddress(text.length);
  const anchors = footnotes.flatMap((note) => note.anchors.map(({ offset }, at) => ({ offset, note, id: `ref-${note.number}-${at}` })));
  const { body, notes } = renderBlocks(doc, text, range, anchors, footnotes);
  const marked = body.concat(notes).some((node) => node.querySelector('mark'));
  const section = range && doc.outline.findLast(({ level, start }) => level > 0 && start <= range.start);
  const entries = doc.outline.filter(({ level }) => level > 0); // without the title of the whole
  const open = matchMedia('(min-width: 64rem)').matches ? '' : null; // beside the text there is room for it
  const header = el('header', { class: 'document-head' },
    el('h1', {}, doc.title), el('p', {}, facts(doc)), doc.url && el('p', {}, link(doc.url, 'The original')),
    marked && el('p', { class: 'notice' }, `A passage is marked${section ? ` under “${section.title}”` : ''}. `,
      el('a', { href: '#cited', click: (event) => { event.preventDefault(); goToMark(); } }, 'Go to it')),
    range !== null && !marked && el('p', { class: 'notice' }, 'The address asks to mark a passage, but the place that it gives is not in this text.'));
  const outline = el('nav', { class: 'outline', 'aria-label': 'Outline' },
    el('details', { open }, el('summary', {}, 'Outline'), el('ul', { role: 'list' },
      entries.map(({ title, level, start }) => el('li', { 'data-level': level }, el('a', { href: `#at-${start}` }, title))),
      notes.length ? el('li', {}, el('a', { href: '#notes' }, `Notes (${notes.length})`)) : null,
      el('li', {}, el('a', { href: '#about' }, 'About this text')))));
  const article = el('article', { class: 'text' }, body, notes.length ? el('section', { id: 'notes', class: 'notes', 'aria-labelledby': 'notes-title' },
    el('h2', { id: 'notes-title' }, 'Notes'), el('ol', {}, notes)) : null);
  return [header, el('div', { class: 'reader' }, outline, el('div', {}, article, about(doc, coverage)))];
}

/** The blocks as elements: grouped by matter, list items in lists, the notes apart. */
function renderBlocks(doc, text, range, anchors, footnotes) {
  const body = [];
  const notes = [];
  const blocks = doc.blocks.length ? doc.blocks : [{ kind: 'paragraph', start: 0, end: text.length, level: 0, matter: 'body' }];
  // A page may begin between two blocks; its label then stands at the beginning of the second.
  const pages = doc.pages.map(({ start, label, number }) => ({ label: label ?? number, start: Math.max(start, blocks.find(({ end }) => start < end)?.start ?? 0) }));
  for (const block of blocks) {
    const [content, matter] = [runs(text, block, range, anchors, pages), block.matter];
    let group = body.at(-1);
    if (block.kind !== 'note' && group?.dataset.matter !== matter) body.push((group = el('div', { class: 'matter', 'data-matter': matter, lang: doc.csl.language })));
    if (block.kind === 'note') {
      notes.push(noteItem(footnotes.find(({ start }) => start === block.start), el('p', { lang: doc.csl.language }, content)));
    } else if (block.kind === 'list_item') {
      if (group.lastElementChild?.tagName !== 'UL') group.append(el('ul', { role: 'list' }));
      group.lastElementChild.append(el('li', { 'data-level': block.level }, content));
    } else if (block.kind === 'heading' && block.level > 0) {
      group.append(el(`h${Math.min(6, block.level + 1)}`, { id: `at-${block.start}` }, content));
    } else {
      group.append(el(block.kind === 'table' ? 'div' : 'p', { class: block.kind }, content));
    }
  }
  // Only the first part of a range that runs over several blocks is the target of a jump.
  const first = body.concat(notes).map((node) => node.querySelector('mark')).find(Boolean);
  if (first) Object.assign(first, { id: 'cited', tabIndex: -1 });
  return { body, notes };
}

/**
 * One block's text, with the range marked, the notes' markers put back and the pages' beginnings shown.
 * A marker stands behind the text that ends at its anchor, and so belongs to a range with start < anchor <= end.
 */
function runs(text, block, range, anchors, pages) {
  const nodes = [];
  let mark = null;
  const edges = [range?.start, range?.end, ...anchors.map(({ offset }) => offset), ...pages.map(({ start }) => start)];
  for (const [start, end] of pieces(block.start, block.end, edges)) {
    const page = pages.find((candidate) => candidate.start === start);
    const run = [
      page && el('span', { class: 'page', 'data-page': `page ${page.label}` }),
      text.slice(start, end),
      ...anchors.filter(({ offset }) => offset === end).map(marker),
    ].filter(Boolean);
    if (!range || start < range.start || end > range.end) mark = null;
    else if (!mark) nodes.push((mark = el('mark')));
    if (mark) mark.append(...run);
    else nodes.push(...run);
  }
  return nodes;
}

function marker({ note, id }) {
  const open = () => openNote(note);
  return el('sup', {}, el('button', { type: 'button', id, class: 'marker', 'aria-label': `Note ${note.number}`, 'aria-haspopup': 'dialog', click: open }, String(note.number)));
}

function openNote(note) {
  const sheet = byId('note');
  sheet.hidePopover(); // so that closing returns to the marker clicked last
  byId('note-title').textContent = `Note ${note.number}`;
  byId('note-body').replaceChildren(el('p', {}, note.text), ...noteDetails(note));
  sheet.showPopover();
}

function noteItem(note, content) {
  const back = note?.anchors.length ? el('p', {}, el('a', { href: `#ref-${note.number}-0` }, `Back to the text of note ${note.number}`)) : null;
  return el('li', note ? { id: `note-${note.number}`, value: note.number } : {}, content, note ? noteDetails(note) : null, back);
}

function about(doc, coverage) {
  const fact = (name, value) => [el('dt', {}, name), el('dd', {}, value)];
  return el('section', { id: 'about', class: 'about', 'aria-labelledby': 'about-title' }, el('h2', { id: 'about-title' }, 'About this text'),
    el('dl', {}, fact('File', doc.source), fact('Length', plural(doc.length, 'character')), fact('SHA-256', doc.sha256), fact('Index', doc.snapshot),
      coverage.notes ? fact('Notes', `${coverage.notes}, of which ${coverage.anchored} are tied to their markers and ${coverage.resolved} to the work they cite`) : []),
    el('h3', {}, 'What reading the file changed'),
    doc.report.length ? el('ul', {}, doc.report.map(({ detail, lines, removed }) => el('li', {},
      detail, lines ? el('span', { class: 'quiet' }, lines[0] === lines[1] ? ` (line ${lines[0]})` : ` (lines ${lines[0]} to ${lines[1]})`) : null,
      removed ? el('details', {}, el('summary', {}, 'Text removed'), el('pre', {}, removed)) : null))) : el('p', {}, 'Nothing.'));
}

if (location.pathname.startsWith('/documents/')) readerPage(location.pathname);
else askPage();
