// Checking: a quotation against the documents, word by word; a draft against them, sentence by sentence. One box for both:
// what is in it decides, until the writer does.

import { push } from './address.js';
import { api, failure } from './api.js';
import { button, codePoints, copy, download, el, hidden, icon, kept, plural, setTitle, skeleton } from './dom.js';
import { quotationView } from './quotation.js';
import { bibliography } from './references.js';
import { openSource } from './source.js';
import { LABEL } from './words.js';

const SENTENCE_S = 1.3; // seconds that one sentence takes, about; only to say how long it may last
const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
const MOST_BYTES = 8 * 2 ** 20;

let view = null;

/** Where the check can be returned to; a draft is nobody's business and does not stand in the address. */
export const checkAddress = () => view?.address ?? '/check';

export function checkPage({ search }) {
  const quotation = new URLSearchParams(search).get('quote')?.trim();
  const first = !view;
  view ??= build();
  setTitle('Check');
  if (quotation && view.checked !== quotation) {
    view.box.value = quotation;
    choose('quotation', true);
    run();
  }
  return { root: view.root, focus: first && !quotation ? view.box : null };
}

function build() {
  const box = el('textarea', { id: 'to-check', rows: '5', 'aria-describedby': 'check-hint', placeholder: 'Paste a quotation, or a draft', input: () => { drop(); view.decided &&= Boolean(box.value.trim()); choose(guess(box.value)); } });
  const kinds = ['quotation', 'draft'].map((kind) => el('label', { class: 'segment' },
    el('input', { type: 'radio', name: 'kind', value: kind, checked: kind === 'quotation', change: () => choose(kind, true) }), kind === 'quotation' ? 'Quotation' : 'Draft'));
  const submit = el('button', { type: 'submit', class: 'primary' }, 'Check the quotation');
  const file = el('input', { type: 'file', id: 'draft-file', class: 'said', accept: '.docx,.md,.markdown,.txt,text/plain,text/markdown', change: () => file.files[0] && take(file.files[0]) });
  const chosen = el('p', { class: 'chosen', hidden: true });
  const stop = button('Stop', () => view.abort?.abort(), { drawn: 'stop', hidden: true });
  const form = el('form', { class: 'check-form', submit: (event) => { event.preventDefault(); run(); } },
    el('label', { for: 'to-check', class: 'said' }, 'Text to check'), box, chosen,
    el('div', { class: 'check-foot' },
      el('fieldset', { class: 'segments' }, el('legend', { class: 'said' }, 'What it is'), kinds),
      el('span', { class: 'file' }, file, el('label', { for: 'draft-file', class: 'button quiet-button' }, icon('file'), 'Open a file')),
      el('span', { class: 'end' }, stop, submit)),
    el('p', { id: 'check-hint', class: 'quiet' }));
  for (const kind of ['dragover', 'drop']) form.addEventListener(kind, (event) => event.preventDefault());
  form.addEventListener('drop', ({ dataTransfer }) => dataTransfer.files[0] && take(dataTransfer.files[0]));
  const result = el('div', { class: 'check-result' });
  const status = el('p', { class: 'said', role: 'status' });
  const root = el('div', { class: 'check' }, el('h1', {}, 'Check before you publish'),
    el('p', { class: 'lead' }, 'A quotation is compared with the documents word by word. A draft is read sentence by sentence: what is supported, what is contradicted, what is not found.'),
    form, status, result);
  const built = { root, box, submit, stop, result, status, file, chosen, kinds, kind: 'quotation', decided: false, given: null, abort: null, checked: null, address: '/check' };
  view = built;
  choose('quotation');
  return built;
}

/** A few lines without marks of a text of one's own are a quotation; paragraphs, headings and many sentences are a draft. */
function guess(text) {
  const said = text.trim();
  const sentences = said.split(/[.!?]["”’»]?\s+(?=\p{Lu})/u).length;
  const quoted = /^["“„«»‘'].*["”“«»’']\.?$/s.test(said);
  return !said || (!/\n\s*\n|^#|\n#/.test(said) && (quoted || sentences <= 3) && said.length < 700) ? 'quotation' : 'draft';
}

function choose(kind, decided = false) {
  view.decided ||= decided;
  if (!decided && view.decided) return;
  view.kind = kind;
  for (const label of view.kinds) label.firstElementChild.checked = label.firstElementChild.value === kind;
  view.submit.textContent = kind === 'draft' ? 'Check the draft' : 'Check the quotation';
  view.root.querySelector('#check-hint').textContent = kind === 'draft'
    ? 'Text or Markdown, or a Word file. Each claim is compared with the documents; that takes about a second a sentence.'
    : 'With or without quotation marks. An ellipsis and [brackets] are read as a writer means them.';
}

/** A file: text goes into the box, a Word file stays as it is. */
async function take(chosen) {
  drop();
  if (chosen.size > MOST_BYTES) {
    view.result.replaceChildren(el('div', { class: 'state failed', role: 'alert' }, icon('warn'), el('h2', {}, 'The file is too large'), el('p', {}, 'At most 8 MB. Take out its pictures, or check its chapters one by one.')));
    return;
  }
  if (/\.docx$/i.test(chosen.name)) {
    const bytes = new Uint8Array(await chosen.arrayBuffer());
    let raw = '';
    for (let at = 0; at < bytes.length; at += 0x8000) raw += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
    view.given = { name: chosen.name, text: btoa(raw) };
    view.chosen.hidden = false;
    view.chosen.replaceChildren(icon('file'), chosen.name, button('Take out', drop, { class: 'as-link' }));
    view.box.hidden = true;
  } else {
    view.box.value = await chosen.text();
    view.markdown = /\.(md|markdown)$/i.test(chosen.name);
  }
  choose('draft', true);
  view.submit.focus();
}

function drop() {
  view.given = null;
  view.markdown = false;
  view.chosen.hidden = true;
  view.box.hidden = false;
  view.file.value = '';
}

async function run() {
  const text = view.box.value.trim();
  if (!text && !view.given) return view.box.focus();
  view.abort?.abort();
  const abort = (view.abort = new AbortController());
  const draft = view.kind === 'draft' || view.given;
  view.stop.hidden = false;
  view.submit.hidden = true;
  view.checked = draft ? null : text;
  view.address = draft ? '/check' : `/check?${new URLSearchParams({ quote: text })}`;
  if (location.pathname === '/check' && location.pathname + location.search !== view.address) push(view.address);
  try {
    if (draft) await checkDraft(text, abort.signal);
    else await checkQuotation(text, abort.signal);
  } catch (error) {
    view.status.textContent = error.name === 'AbortError' ? 'Stopped.' : '';
    if (view.abort === abort || error.name !== 'AbortError') view.result.replaceChildren(error.name === 'AbortError' ? el('p', { class: 'quiet' }, 'Stopped.') : failure(error, run));
  } finally {
    if (view.abort === abort) {
      view.stop.hidden = true;
      view.submit.hidden = false;
    }
  }
  return null;
}

/** On a small screen the result begins below the box. */
function reveal() {
  if (view.result.getBoundingClientRect().top > innerHeight * 0.55) view.result.scrollIntoView({ block: 'start' });
}

async function checkQuotation(text, signal) {
  view.status.textContent = 'Looking for the quotation.';
  view.result.replaceChildren(el('p', { class: 'progress-line', 'data-state': 'working' }, 'Looking for it, word by word'), skeleton(4));
  reveal();
  const found = await api('/v1/quotes', { body: { quote: text }, signal });
  view.result.replaceChildren(quotationView(found));
  reveal();
  view.status.textContent = view.result.querySelector('h2').textContent;
}

async function checkDraft(text, signal) {
  const given = view.given;
  const format = given ? 'docx' : view.markdown || /^#{1,6} |\[\^|\]\(|^[-*] |\*\*/m.test(text) ? 'markdown' : 'text';
  const expected = Math.max(2, Math.round(text.split(/[.!?]\s/).length * SENTENCE_S));
  view.status.textContent = 'Checking the draft.';
  view.result.replaceChildren(el('p', { class: 'progress-line', 'data-state': 'working' }, given ? 'Reading the file and checking each claim' : `Checking each claim, about ${expected} seconds`), skeleton(6));
  reveal();
  const checked = await api('/v1/drafts', { body: { text: given?.text ?? text, format }, signal });
  view.result.replaceChildren(...draftView(checked, given ? null : text, given?.name));
  reveal();
  const { supported, contradicted, not_found: lost } = checked.counts;
  view.status.textContent = `Checked: ${supported} supported, ${contradicted} contradicted, ${lost} not found.`;
}

// --- A draft -----------------------------------------------------------------------------------------------

function draftView(checked, text, fileName) {
  const { sentences, counts, bibliography: works } = checked;
  const evidence = sentences.flatMap((sentence) => sentence.evidence);
  const list = el('ol', { class: 'marginalia', role: 'list' }, rows(checked, text, (one, from) => openSource(evidence, evidence.indexOf(one), { from, name: 'Evidence', snapshot: checked.snapshot })));
  const filters = ['all', 'contradicted', 'not_found', 'supported'].filter((label) => label === 'all' || counts[label]).map((label) => el('button', {
    type: 'button', class: `filter ${label}`, 'aria-pressed': String(label === 'all'), click: ({ currentTarget }) => {
      for (const one of currentTarget.parentElement.children) one.setAttribute('aria-pressed', String(one === currentTarget));
      list.dataset.only = label;
    },
  }, label !== 'all' && icon(LABEL[label][0]), label === 'all' ? `All ${sentences.length}` : `${counts[label]} ${LABEL[label][1].toLowerCase()}`));
  return kept([
    el('section', { 'aria-labelledby': 'draft-title' },
      el('div', { class: 'draft-head' }, el('h2', { id: 'draft-title' }, sentences.length ? headline(counts) : 'Nothing to check'),
        counts.left_alone > 0 && el('p', { class: 'quiet' }, `${plural(counts.left_alone, 'sentence')} left alone: no claim about the subject.`)),
      sentences.length > 0 && el('div', { class: 'filters', role: 'group', 'aria-label': 'Show' }, filters), list,
      sentences.length > 0 && taking(checked, fileName)),
    works.length > 0 && bibliography(works.map(({ id }) => id), 'bibliography'),
  ]);
}

function headline({ supported, contradicted, not_found: lost }) {
  if (contradicted) return `${plural(contradicted, 'sentence is', 'sentences are')} contradicted`;
  if (lost) return `${plural(lost, 'sentence is', 'sentences are')} not found in the documents`;
  return supported === 1 ? 'The sentence is supported' : `All ${supported} sentences are supported`;
}

/** The draft with its verdicts in the margin; what lies between the sentences stands there as it is, in grey. */
function rows({ sentences }, text, open) {
  const points = text === null ? null : codePoints(text);
  const between = (start, end) => {
    const words = points?.slice(start, end).trim();
    return words ? el('li', { class: 'between' }, el('p', {}, words)) : null;
  };
  let at = 0;
  const made = [];
  for (const sentence of sentences) {
    made.push(points && between(at, sentence.start), row(sentence, open));
    at = sentence.end;
  }
  return kept([...made, points && between(at, points.length)]);
}

function row({ text, label, why, evidence: cited, quotations }, open) {
  const [drawn, name] = LABEL[label];
  return el('li', { class: `row ${label}`, 'data-label': label },
    el('p', { class: 'sentence' }, text),
    el('div', { class: 'margin' },
      el('p', { class: 'verdict' }, icon(drawn), name), why && el('p', { class: 'why' }, why),
      quotations.map((quotation) => quotation.status !== 'exact' && quotation.status !== 'absent' && el('details', {}, el('summary', {}, 'The quotation, word by word'), quotationView(quotation, { small: true }))),
      cited.length > 0 && el('p', { class: 'evidence' }, cited.map((one) => el('button', { type: 'button', class: 'as-link', 'aria-haspopup': 'dialog', click: (event) => open(one, event.currentTarget) },
        hidden('Evidence: '), `${one.number}. ${one.reference}`)))));
}

function taking({ format, annotated }, fileName) {
  const stem = fileName?.replace(/\.docx$/i, '') ?? 'draft';
  if (format === 'docx') {
    const bytes = () => Uint8Array.from(atob(annotated), (one) => one.charCodeAt(0));
    return el('div', { class: 'actions' }, button('Download the Word file with notes', () => download(`${stem}-checked.docx`, bytes(), DOCX), { drawn: 'save' }));
  }
  return el('div', { class: 'actions' }, button('Copy the draft with notes', () => copy(annotated, 'Draft with notes'), { drawn: 'copy' }),
    button('Download', () => download(`${stem}-checked.${format === 'markdown' ? 'md' : 'txt'}`, annotated, 'text/plain'), { drawn: 'save' }));
}
