// Asking: a conversation. Answers come as they are written; every number opens its source. All questions are in the address,
// so that a shared address asks them again and gets the present answers.

import { push, replace } from './address.js';
import { Problem, api, events, failure } from './api.js';
import { button, codePoints, copy, el, icon, iconButton, kept, pieces, plural, setTitle, skeleton } from './dom.js';
import { hitList } from './hits.js';
import { closePanel } from './panel.js';
import { openSource } from './source.js';
import { place } from './words.js';

const REMEMBERED = 24; // turns that are sent along
const ABOUT_THE_PAPER = [
  'Why did Pooling and Sharing fail?',
  'How many Allies reached 2% of GDP in 2024?',
  'What obstructs the exchange of classified information between the EU and NATO?',
  'Which joint exercises have the EU and NATO held?',
  'Can the EU replace NATO?',
];
const PAPER = 'mangiameli-2025';

let view = null; // the conversation, kept while other places are visited
let turns = []; // {question, answer, section, abort}
let wanted = []; // the questions of the conversation, asked or still to be asked
let documents = null;
let inside = ''; // the document that is asked, '' for all

const addressOf = (questions, within) => {
  const query = new URLSearchParams(questions.map((question) => ['q', question]));
  if (within) query.set('in', within);
  return `/ask${query.size ? `?${query}` : ''}`;
};
const questionsIn = (search) => new URLSearchParams(search).getAll('q').map((question) => question.trim()).filter(Boolean);

/** Where the conversation can be returned to. */
export const askAddress = () => addressOf(wanted, inside);

/** The place for an address; questions in it that are not yet on the page are asked. */
export function askPage({ search }) {
  wanted = questionsIn(search);
  view ??= build();
  const shown = turns.map(({ question }) => question);
  const common = shown.findIndex((question, at) => question !== wanted[at]);
  const same = common < 0 ? Math.min(shown.length, wanted.length) : common;
  for (const turn of turns.splice(same)) {
    turn.abort?.abort();
    turn.section.remove();
  }
  inside = new URLSearchParams(search).get('in') ?? '';
  showDocuments();
  arrange();
  askOn();
  return { root: view.root, focus: wanted.length ? null : view.box };
}

/** Asks what is wanted and not yet asked, one after the other, as each understands those before it. */
async function askOn() {
  while (turns.length < wanted.length && (await ask(wanted[turns.length])));
}

function build() {
  const box = el('textarea', { id: 'question', rows: '1', maxlength: '4000', enterkeyhint: 'send', placeholder: 'Ask a question', 'aria-describedby': 'keys' });
  const within = el('select', { id: 'within', change: () => { inside = within.value; replace(askAddress()); } }, el('option', { value: '' }, 'All documents'));
  const send = el('button', { type: 'submit', class: 'primary round', 'aria-label': 'Ask', title: 'Ask' }, icon('send'));
  const stop = iconButton('Stop', 'stop', () => turns.at(-1)?.abort?.abort(), { class: 'primary round', hidden: true });
  const form = el('form', { class: 'composer', submit: (event) => {
    event.preventDefault();
    const question = box.value.trim();
    if (!question || view.busy) return box.focus();
    box.value = '';
    return next(question);
  } },
  el('label', { for: 'question', class: 'said' }, 'Your question'), box,
  el('div', { class: 'composer-foot' },
    el('span', { class: 'within' }, el('label', { for: 'within' }, 'Ask in'), within),
    el('span', { id: 'keys', class: 'quiet keys' }, 'Enter sends, Shift+Enter begins a line'), send, stop));
  box.addEventListener('keydown', (event) => {
    // While an input method composes a character, Enter belongs to it.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  const start = el('div', { class: 'start' }, el('h1', {}, 'Ask the paper, and ', el('mark', {}, 'the works it cites')),
    el('p', { class: 'lead' }, 'A policy paper on EU–NATO cooperation and its sources. Every sentence of an answer is quoted to the letter and shows where it stands. Where the documents do not say it, you are told so.'));
  const examples = el('div', { class: 'examples' });
  const log = el('div', { class: 'turns' });
  const status = el('p', { class: 'said', role: 'status' });
  const fresh = el('div', { class: 'fresh' }, el('h1', { class: 'said' }, 'Conversation'), el('a', { class: 'button quiet-button', href: '/ask', 'data-route': true }, icon('plus'), 'New conversation'),
    button('Copy link to it', () => copy(new URL(askAddress(), location.href).href, 'Link'), { class: 'quiet-button', drawn: 'link' }));
  const root = el('div', { class: 'ask' }, start, fresh, log, el('div', { class: 'dock' }, form), examples, status);
  return { root, box, within, send, stop, start, fresh, log, examples, status, busy: false };
}

function arrange() {
  const empty = !turns.length;
  view.root.classList.toggle('empty', empty);
  for (const node of [view.start, view.examples]) node.hidden = !empty;
  view.fresh.hidden = empty;
  view.box.placeholder = empty ? 'Ask a question' : 'Ask a follow-up';
  setTitle(turns[0]?.question ?? '');
}

/** What can be asked, by what there is. */
async function showDocuments() {
  view.within.value = inside;
  if (documents) return;
  try {
    documents = (await api('/v1/documents?limit=200')).documents;
  } catch {
    return; // asking will say what is wrong
  }
  view.within.append(...documents.map((doc) => el('option', { value: doc.id }, doc.title)));
  view.within.value = inside;
  view.within.parentElement.hidden = documents.length < 2;
  const questions = documents.some(({ id }) => id === PAPER) ? ABOUT_THE_PAPER
    : documents.slice(0, 4).map(({ title }) => `What does “${title}” conclude?`);
  if (!questions.length) return;
  view.examples.replaceChildren(el('h2', {}, 'For example'), el('ul', { role: 'list' }, questions.map((question) => el('li', {}, button(question, () => next(question))))),
    el('p', { class: 'quiet' }, plural(documents.length, 'document'), ' in the library. ', el('a', { href: '/library', 'data-route': true }, 'See them')));
}

function next(question) {
  wanted = [...turns.map((turn) => turn.question), question];
  push(addressOf(wanted, inside));
  askOn();
}

/** Asks one question below what is there; resolves to whether there is an answer. */
async function ask(question) {
  closePanel({ restore: false });
  const body = el('div', { class: 'turn-body' });
  const at = turns.length + 1;
  const section = el('section', { class: 'turn', 'aria-labelledby': `turn-${at}` }, el('h2', { id: `turn-${at}`, tabindex: '-1' }, question), body);
  const turn = { question, section, answer: null, abort: new AbortController() };
  turns.push(turn);
  view.log.append(section);
  arrange();
  setBusy(true);
  section.scrollIntoView({ block: 'start' });
  const progress = el('p', { class: 'progress-line', 'data-state': 'working' }, 'Looking in the documents');
  const text = el('div', { class: 'answer-text' });
  body.replaceChildren(progress, skeleton(4));
  view.status.textContent = 'Looking in the documents.';
  try {
    await stream(turn, (answer, hits) => {
      if (!answer) {
        progress.textContent = `Reading ${plural(hits.length, 'passage')} that may answer`;
        return;
      }
      if (!text.parentElement) body.replaceChildren(progress, text);
      progress.textContent = 'Answering';
      text.replaceChildren(...paragraphs(answer.text, answer.citations, () => {}));
    });
    body.replaceChildren(...answerView(turn));
    const count = turn.answer.citations.length;
    view.status.textContent = turn.answer.status === 'answered' ? `Answered, from ${plural(count, 'source')}.` : 'The documents do not answer this.';
    return true;
  } catch (error) {
    turn.answer = null;
    const again = () => retry(turn);
    if (error.name === 'AbortError') {
      view.status.textContent = 'Stopped.';
      body.replaceChildren(...kept([text.parentElement && text]), el('div', { class: 'state' }, icon('stop'), el('p', {}, 'Stopped. What was not finished was not checked.'), el('div', { class: 'actions' }, button('Ask again', again, { drawn: 'again' }))));
    } else {
      view.status.textContent = '';
      body.replaceChildren(failure(error, again));
    }
    return false;
  } finally {
    turn.abort = null;
    if (!turns.some(({ abort }) => abort)) setBusy(false);
  }
}

function retry(turn) {
  if (view.busy || !turns.includes(turn)) return;
  for (const one of turns.splice(turns.indexOf(turn))) one.section.remove();
  askOn();
}

/** Reads the events of one answer into the turn; `show` hears of each step. */
async function stream(turn, show) {
  const before = turns.slice(0, turns.indexOf(turn)).filter(({ answer }) => answer);
  const past = before.flatMap(({ question, answer }) => [{ role: 'user', content: question }, { role: 'assistant', content: answer.answer }]);
  const written = { text: '', citations: [] };
  const body = { question: turn.question, history: past.slice(-REMEMBERED), ...(inside && { filter: { document_id: inside } }) };
  for await (const [name, data] of events('/v1/ask', { body, signal: turn.abort.signal })) {
    if (name === 'search') show(null, data.hits);
    else if (name === 'answer.delta') show(written, (written.text += data.text));
    else if (name === 'citation') written.citations.push(data);
    else if (name === 'answer') turn.answer = data;
    else if (name === 'error') throw new Problem(data);
  }
  if (!turn.answer) throw new Problem({ title: 'The answer broke off', detail: 'The connection ended before the answer did.' });
}

function setBusy(busy) {
  view.busy = busy;
  const had = document.activeElement === (busy ? view.send : view.stop);
  view.send.hidden = busy;
  view.stop.hidden = !busy;
  if (had) (busy ? view.stop : view.box).focus();
}

// --- An answer ---------------------------------------------------------------------------------------------

function answerView(turn) {
  const { answer } = turn;
  const understood = answer.standalone_question !== answer.question && el('p', { class: 'understood' }, el('span', {}, 'Understood as: '), answer.standalone_question);
  const notice = answer.notice && el('p', { class: 'notice' }, icon('warn'), answer.notice);
  if (answer.status !== 'answered') return kept([understood, notice, ...abstained(answer)]);
  const open = (number, from) => openSource(answer.citations, answer.citations.findIndex((one) => one.number === number), { from, snapshot: answer.snapshot, onShow: (cited) => light(turn.section, cited?.number) });
  return kept([understood, notice,
    el('div', { class: 'answer-text' }, paragraphs(answer.answer, answer.citations, open)),
    el('ol', { class: 'sources', role: 'list', 'aria-label': 'Sources' }, answer.citations.map((cited) => el('li', { 'data-number': cited.number },
      el('button', { type: 'button', class: 'source-row', 'aria-haspopup': 'dialog', click: (event) => open(cited.number, event.currentTarget) },
        el('span', { class: 'source-number' }, String(cited.number)),
        el('span', { class: 'source-name' }, el('span', {}, cited.document.title), el('span', { class: 'quiet' }, [cited.document.authors[0] ?? cited.document.publisher, place(cited.locator)].filter(Boolean).join(' · '))),
        el('span', { class: 'tick' }, icon('check'), 'To the letter'))))),
    el('div', { class: 'actions answer-actions' },
      button('Copy answer', () => copy(asText(answer), 'Answer with its sources'), { class: 'quiet-button', drawn: 'copy' }),
      found(answer))]);
}

/** The answer in paragraphs, its numbers as buttons, each range cut so that it can be lit with its source. */
function paragraphs(answer, citations, open) {
  const text = codePoints(answer);
  const edges = citations.flatMap(({ answer_span: span }) => [span.start, span.end]);
  const parts = pieces(0, text.length, edges).map(([start, end]) => {
    const numbers = citations.filter(({ answer_span: span }) => span.start <= start && end <= span.end).map(({ number }) => number);
    return el('span', numbers.length ? { 'data-numbers': numbers.join(' ') } : {}, withNumbers(text.slice(start, end), citations, open));
  });
  return [el('p', {}, parts)];
}

/** Of the pieces of a text, each second one is what the group caught: a number. */
function withNumbers(text, citations, open) {
  return text.split(/\s?\[(\d+)\]/).map((piece, odd) => {
    if (odd % 2 === 0) return piece;
    const cited = citations.find(({ number }) => number === Number(piece));
    if (!cited) return el('sup', { class: 'pending' }, piece);
    // A word joiner holds the number to its word, lest a line begin with it.
    return ['\u2060', el('button', { type: 'button', class: 'number', 'aria-haspopup': 'dialog', 'aria-label': `Source ${piece}: ${cited.reference}`, click: (event) => open(cited.number, event.currentTarget) }, piece)];
  });
}

function light(section, number) {
  for (const node of section.querySelectorAll('[data-numbers]')) node.classList.toggle('lit', node.dataset.numbers.split(' ').includes(String(number)));
  for (const node of section.querySelectorAll('[data-number]')) node.classList.toggle('lit', node.dataset.number === String(number));
}

/** The answer and its references, as it is put into a note or a message. */
const asText = ({ answer, citations }) => `${answer}\n\n${citations.map(({ number, reference }) => `[${number}] ${reference}`).join('\n')}\n`;

function abstained({ answer, reason, nearest }) {
  return [
    el('div', { class: 'state abstained' }, icon('question'), el('h3', {}, 'The documents do not say'), el('p', {}, answer), reason && reason !== answer && el('p', { class: 'quiet' }, reason)),
    nearest.length > 0 && el('section', { class: 'nearest', 'aria-label': 'Nearest evidence' },
      el('h3', {}, 'Nearest evidence'), el('p', { class: 'quiet' }, 'These passages come closest. They do not answer the question.'), hitList(nearest)),
  ];
}

const found = ({ hits }) => hits.length > 0 && el('details', { class: 'found' }, el('summary', {}, `${plural(hits.length, 'passage')} found`), hitList(hits));

addEventListener('snapshot-changed', () => { documents = null; view?.within.replaceChildren(el('option', { value: '' }, 'All documents')); });
