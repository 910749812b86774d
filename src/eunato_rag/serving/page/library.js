// The library: the documents with their filters, passages found in them, the works they cite, and what an operator does.

import { replace } from './address.js';
import { api, failure } from './api.js';
import { button, el, hidden, icon, plural, setTitle, skeleton } from './dom.js';
import { hitList } from './hits.js';
import { indexView } from './operate.js';
import { creators, documentPath, facts, fileKind, language, work, workYear } from './words.js';

const TABS = [['/library', 'Documents'], ['/library/works', 'Works cited'], ['/library/index', 'Index']];
const MOST = 20_000; // documents that are known by their titles; more are found by searching
const ROWS = 500; // documents that are shown at once

export function libraryPage({ pathname, search }) {
  const body = el('div', { class: 'library-body' });
  const root = el('div', { class: 'library' }, el('h1', {}, 'Library'),
    el('nav', { class: 'tabs', 'aria-label': 'Library' }, TABS.map(([path, name]) => el('a', { href: path, 'data-route': true, 'aria-current': path === pathname ? 'page' : null }, name))), body);
  const [, name] = TABS.find(([path]) => path === pathname) ?? TABS[0];
  setTitle(name, 'Library');
  const show = { '/library/works': worksView, '/library/index': indexView }[pathname] ?? documentsView;
  show(body, new URLSearchParams(search));
  return { root };
}

/** Fills a place with what a request brings, and with what to do where it brings nothing. */
export async function fill(body, load) {
  body.setAttribute('aria-busy', 'true');
  body.replaceChildren(skeleton(8));
  try {
    body.replaceChildren(...[await load()].flat());
  } catch (error) {
    body.replaceChildren(failure(error, () => fill(body, load)));
  }
  body.removeAttribute('aria-busy');
}

/** All documents, page by page; a list that changes on the way is begun again, once. */
export async function allDocuments(again = true) {
  const documents = [];
  let cursor = '';
  do {
    try {
      const page = await api(`/v1/documents?limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      documents.push(...page.documents);
      cursor = page.next_cursor;
    } catch (problem) {
      if (again && problem.status === 409) return allDocuments(false);
      throw problem;
    }
  } while (cursor && documents.length < MOST);
  return documents;
}

// --- Documents ---------------------------------------------------------------------------------------------

function documentsView(body, query) {
  fill(body, async () => {
    const documents = await allDocuments();
    return documents.length ? browser(documents, query) : el('div', { class: 'state' }, icon('library'), el('h2', {}, 'No documents yet'),
      el('p', {}, 'Put files into the corpus folder and re-index, or upload one.'), el('div', { class: 'actions' }, el('a', { class: 'button', href: '/library/index', 'data-route': true }, 'Go to the index')));
  });
}

function choices(documents, of) {
  return [...new Set(documents.map(of).filter(Boolean))].sort((one, other) => one.localeCompare(other));
}

function browser(documents, query) {
  const field = el('input', { type: 'search', id: 'find', name: 'q', value: query.get('q') ?? '', placeholder: 'Title, author, or words in the text', autocomplete: 'off', enterkeyhint: 'search' });
  const select = (name, label, all, options) => el('div', { class: 'filter-field' }, el('label', { for: name }, label),
    el('select', { id: name, name }, el('option', { value: '' }, all), options.map(([value, text]) => el('option', { value, selected: value === query.get(name) }, text))));
  const years = choices(documents, (doc) => doc.issued?.slice(0, 4));
  const filters = [
    select('publisher', 'Publisher', 'Any publisher', choices(documents, (doc) => doc.publisher).map((one) => [one, one])),
    select('language', 'Language', 'Any language', choices(documents, (doc) => doc.csl.language).map((one) => [one, language(one)])),
    select('from', 'From', 'Any year', years.map((one) => [one, one])), select('to', 'To', 'Any year', years.map((one) => [one, one])),
  ];
  const form = el('form', { class: 'find', role: 'search', 'aria-label': 'Library' },
    el('div', { class: 'find-row' }, el('label', { for: 'find', class: 'said' }, 'Find'), field, el('button', { type: 'submit', class: 'primary', 'aria-label': 'Search the text' }, 'Search', el('span', { class: 'wide' }, ' the text'))),
    el('div', { class: 'filter-row' }, filters));
  const count = el('p', { class: 'quiet', role: 'status' });
  const list = el('ul', { class: 'documents', role: 'list' });
  const passages = el('section', { class: 'passages', 'aria-label': 'Passages', hidden: true });
  const wanted = () => Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value));
  const show = () => {
    const only = wanted();
    const words = (only.q ?? '').toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const fits = documents.filter((doc) => {
      const told = [doc.title, doc.source, facts(doc)].join(' ').toLocaleLowerCase();
      const year = doc.issued?.slice(0, 4) ?? '';
      return words.every((word) => told.includes(word)) && (!only.publisher || doc.publisher === only.publisher) && (!only.language || doc.csl.language === only.language)
        && (!only.from || year >= only.from) && (!only.to || (year && year <= only.to));
    });
    list.replaceChildren(...firstRows(fits).map(documentRow));
    const all = plural(documents.length, 'document');
    count.textContent = (fits.length === documents.length ? all : `${fits.length.toLocaleString('en-GB')} of ${all}`) + firstOf(fits);
    if (!fits.length) list.append(el('li', { class: 'none' }, 'No document has this in its title or record. ', words.length ? button('Search the text instead', () => form.requestSubmit(), { class: 'as-link' }) : ''));
  };
  const keep = () => replace(`/library${Object.keys(wanted()).length ? `?${new URLSearchParams(wanted())}` : ''}`);
  form.addEventListener('input', () => { passages.hidden = true; show(); keep(); });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    keep();
    const { q, publisher, language: spoken, from, to } = wanted();
    if (!q) return field.focus();
    passages.hidden = false;
    const filter = { ...(publisher && { publisher }), ...(spoken && { language: spoken }), ...(from && { issued_from: from }), ...(to && { issued_to: to }) };
    return fill(passages, async () => {
      const { hits } = await api('/v1/search', { body: { query: q, top_k: 20, filter } });
      return [el('h2', {}, `Passages about “${q}”`), hits.length ? hitList(hits) : el('p', {}, 'No passage was found. Other words, or fewer filters, may help.'), el('h2', { class: 'after' }, 'Documents')];
    });
  });
  show();
  return [form, passages, count, list];
}

/** What is said where not all are shown. */
export const firstOf = (documents) => (documents.length > ROWS ? `; the first ${ROWS} are shown` : '');
export const firstRows = (documents) => documents.slice(0, ROWS);

function documentRow(doc) {
  return el('li', {}, el('a', { class: 'document', href: documentPath(doc.id), 'data-route': true },
    el('span', { class: 'document-title' }, doc.title), el('span', { class: 'quiet' }, facts(doc) || doc.source)),
  el('span', { class: 'kind' }, fileKind(doc.source)));
}

// --- Works cited -------------------------------------------------------------------------------------------

const STATES = { present: ['check', 'Here'], missing: ['away', 'Not here'], failed: ['warn', 'Failed'] };

function worksView(body) {
  fill(body, async () => {
    const [{ works }, documents] = await Promise.all([api('/v1/works'), allDocuments()]);
    const cited = works.filter((one) => one.cited.length);
    if (!cited.length) return el('div', { class: 'state' }, icon('library'), el('h2', {}, 'No works are known to be cited'), el('p', {}, 'The manifest of the corpus names none.'));
    const titles = new Map(documents.map(({ id, title }) => [id, title]));
    const here = cited.filter(({ state }) => state === 'present').length;
    const coverage = el('div', { class: 'coverage' });
    showCoverage(coverage, [...new Set(cited.flatMap((one) => one.cited.map(({ by }) => by)))].filter((id) => titles.has(id)), titles);
    return [el('p', { class: 'lead' }, `${plural(cited.length, 'work is', 'works are')} cited; ${here || 'none'} of them ${here === 1 ? 'is' : 'are'} in the library, where a citation can be followed to the passage behind it.`),
      coverage, ...shownByState(cited, el('ul', { class: 'works', role: 'list' }, cited.map((one) => workRow(one, titles))))];
  });
}

/** The list under buttons that show only the works of one state; without them where all have the same. */
function shownByState(cited, list) {
  const states = Object.keys(STATES).filter((state) => cited.some((one) => one.state === state));
  if (states.length < 2) return [list];
  const filters = ['all', ...states].map((state) => el('button', { type: 'button', class: 'filter', 'aria-pressed': String(state === 'all'), click: ({ currentTarget }) => {
    for (const one of currentTarget.parentElement.children) one.setAttribute('aria-pressed', String(one === currentTarget));
    list.dataset.only = state;
  } }, state === 'all' ? `All ${cited.length}` : `${cited.filter((one) => one.state === state).length} ${STATES[state][1].toLowerCase()}`));
  return [el('div', { class: 'filters', role: 'group', 'aria-label': 'Show' }, filters), list];
}

async function showCoverage(box, ids, titles) {
  try {
    const graphs = await Promise.all(ids.slice(0, 12).map((id) => api(`/v1/documents/${encodeURIComponent(id)}/footnotes`)));
    box.replaceChildren(...graphs.map(({ document_id: id, coverage: count }) => el('section', { 'aria-label': `Notes of ${titles.get(id)}` },
      el('p', { class: 'label' }, 'Notes of ', el('a', { href: documentPath(id), 'data-route': true }, titles.get(id))),
      el('dl', { class: 'figures' }, [
        [count.notes, 'notes'], [count.resolved, 'lead to a known work'], [count.works, 'works cited'], [count.works_present, count.works_present === 1 ? 'work is here' : 'works are here'],
        [count.sentences_supported, `of ${count.sentences} sentences have a supporting passage here`],
      ].map(([figure, name]) => el('div', {}, el('dt', {}, name), el('dd', {}, String(figure))))))));
  } catch (problem) {
    box.replaceChildren(el('p', { class: 'quiet' }, `How far the notes reach cannot be told now. ${problem.message}`));
  }
}

function workRow({ id, csl, state, cited, rights, unverified }, titles) {
  const [drawn, name] = STATES[state];
  const problems = cited.flatMap((one) => one.problems);
  const notes = cited.map(({ by, note, where }) => [titles.has(by) ? el('a', { href: documentPath(by) + (note ? `#note-${note}` : ''), 'data-route': true }, note ? `note ${note}` : where ?? titles.get(by)) : note ? `note ${note}` : where ?? by]);
  return el('li', { class: state }, el('p', { class: 'work-head' },
    state === 'present' ? [creators(csl) && `${creators(csl)}, `, el('a', { href: documentPath(id), 'data-route': true }, el('cite', {}, csl.title)), ` (${workYear(csl)})`] : work(csl)),
  el('p', { class: 'quiet' }, 'Cited in ', notes.map((note, at) => [at > 0 && ', ', note])),
  el('p', { class: `work-state ${state}` }, icon(drawn), name),
  (problems.length > 0 || rights) && el('details', {}, el('summary', {}, problems.length ? plural(problems.length, 'remark') : 'Rights', hidden(` on ${csl.title}`)),
    problems.length > 0 && el('ul', {}, problems.map((problem) => el('li', {}, problem))), rights && el('p', { class: 'quiet' }, rights),
    unverified.length > 0 && el('p', { class: 'quiet' }, `Not verified: ${unverified.join(', ')}`)));
}
