// What an operator does: re-index with progress, put documents in and take them out, choose the snapshot that is served.

import { api, events, failure } from './api.js';
import { confirmed } from './confirm.js';
import { button, byId, el, icon, plural, say } from './dom.js';
import { allDocuments, fill, firstOf, firstRows } from './library.js';
import { fileKind } from './words.js';

const STAGES = { read: 'Reading the documents', chunk: 'Cutting them into passages', embed: 'Embedding the passages', publish: 'Verifying and publishing' };
const STATES = { queued: 'Waiting', running: 'At work', succeeded: 'Done', failed: 'Failed', cancelled: 'Cancelled' };
const KINDS = { reindex: 'Re-index', add: 'Add a document', remove: 'Remove a document' };

let following = null; // the job that is followed, so that it is followed once

/** All of it, or, where this person or this service may not, one word on that. */
export function indexView(body) {
  fill(body, async () => {
    try {
      await api('/v1/jobs?limit=1');
    } catch (problem) {
      if (problem.status !== 404) throw problem;
      return el('div', { class: 'state' }, icon('library'), el('h2', {}, 'The index is not changed from here'), el('p', {}, 'This service was started without a corpus folder. On its machine: eunato-rag reindex'));
    }
    return operations();
  });
}

function operations() {
  const now = el('div', { class: 'job-now' });
  const parts = Object.fromEntries(['jobs', 'documents', 'snapshots'].map((name) => [name, el('div', {})]));
  const refresh = () => {
    showJobs(parts.jobs, now, refresh);
    showDocuments(parts.documents, now, refresh);
    showSnapshots(parts.snapshots, refresh);
  };
  const full = el('input', { type: 'checkbox', id: 'full' });
  const section = (title, ...children) => el('section', { class: 'operation' }, el('h2', {}, title), children);
  refresh();
  return [
    section('Bring the index up to date',
      el('p', {}, 'Reads every file of the corpus and publishes a new snapshot. Questions are answered from the present one until it is done.'),
      el('div', { class: 'actions' }, button('Re-index', () => begin(now, refresh, () => api('/v1/jobs', { body: { full: full.checked }, headers: { 'Idempotency-Key': crypto.randomUUID?.() ?? String(Math.random()) } })), { class: 'primary', drawn: 'again' }),
        el('span', { class: 'check-field' }, full, el('label', { for: 'full' }, 'Embed everything again'))), now),
    section('Documents', upload(now, refresh), parts.documents), section('Snapshots', parts.snapshots), section('Jobs', parts.jobs)];
}

/** Starts a job and follows it to its end. */
async function begin(now, refresh, start) {
  try {
    follow(await start(), now, refresh);
  } catch (problem) {
    now.replaceChildren(failure(problem, () => begin(now, refresh, start)));
  }
}

async function follow(job, now, refresh) {
  const abort = new AbortController();
  following?.abort();
  following = abort;
  const bar = el('progress', { 'aria-label': 'Progress', max: '1' });
  const words = el('p', { role: 'status' });
  const cancel = button('Cancel', () => api(`/v1/jobs/${job.id}/cancel`, { method: 'POST' }).catch((problem) => say(problem.message)), { drawn: 'stop' });
  now.replaceChildren(el('div', { class: 'job-card' }, el('p', { class: 'label' }, KINDS[job.kind] ?? job.kind), words, bar, el('div', { class: 'actions' }, cancel)));
  const show = ({ state, progress: { stage, done, total } }) => {
    const name = state === 'queued' ? 'Waiting for its turn' : STAGES[stage] ?? (stage || 'Starting');
    if (words.dataset.stage !== name) words.textContent = words.dataset.stage = name; // said once a stage, not at each step
    if (total && state === 'running') bar.value = done / total;
    else bar.removeAttribute('value');
  };
  show(job);
  try {
    let last = job;
    for await (const [name, data] of events(`/v1/jobs/${job.id}/events`, { signal: abort.signal })) {
      if (!now.isConnected) return abort.abort();
      last = data;
      if (name === 'progress') show(data);
    }
    if (last.state === 'queued' || last.state === 'running') last = await api(`/v1/jobs/${job.id}`);
    now.replaceChildren(outcome(last));
    dispatchEvent(new Event('snapshot-changed'));
    refresh();
  } catch (problem) {
    if (problem.name !== 'AbortError') now.replaceChildren(failure(problem, () => follow(job, now, refresh)));
  }
  return null;
}

function outcome({ kind, state, report, error }) {
  const drawn = { succeeded: 'check', cancelled: 'stop' }[state] ?? 'warn';
  const failed = report?.failed ?? [];
  return el('div', { class: `job-card ${state}`, role: 'status' }, el('p', { class: 'outcome' }, icon(drawn), el('strong', {}, `${KINDS[kind] ?? kind}: ${STATES[state]?.toLowerCase() ?? state}`)),
    report && el('p', {}, `${plural(report.documents, 'document')}, ${plural(report.passages, 'passage')}; ${report.embedded.toLocaleString('en-GB')} embedded, ${report.reused.toLocaleString('en-GB')} kept.`),
    error && el('p', {}, error),
    failed.length > 0 && el('ul', {}, failed.map((one) => el('li', {}, `${one.source ?? one[0]}: ${one.error ?? one[1]}`)),
      report.counts?.failed > failed.length && el('li', {}, `and ${plural(report.counts.failed - failed.length, 'other')}`)));
}

function upload(now, refresh) {
  const send = (file) => {
    const form = new FormData();
    form.append('file', file);
    begin(now, refresh, () => api('/v1/documents', { form, headers: { 'Idempotency-Key': `${file.name}-${file.size}-${file.lastModified}` } }));
    byId('main').scrollIntoView();
  };
  const field = el('input', { type: 'file', id: 'upload', class: 'said', accept: '.pdf,.html,.htm,.docx,.md,.txt', change: () => { if (field.files[0]) send(field.files[0]); field.value = ''; } });
  const zone = el('div', { class: 'drop' }, field, el('label', { for: 'upload', class: 'button' }, icon('plus'), 'Add a document'), el('p', { class: 'quiet' }, 'PDF, Word, HTML, Markdown or text; or drop a file here.'));
  for (const [kind, over] of [['dragover', true], ['dragleave', false], ['drop', false]]) {
    zone.addEventListener(kind, (event) => { event.preventDefault(); zone.classList.toggle('over', over); });
  }
  zone.addEventListener('drop', ({ dataTransfer }) => dataTransfer.files[0] && send(dataTransfer.files[0]));
  return zone;
}

function showDocuments(box, now, refresh) {
  fill(box, async () => {
    const documents = await allDocuments();
    const remove = async (doc) => {
      const yes = await confirmed(`Remove “${doc.title}”?`, 'It is taken out of the index. Its file is kept in the corpus folder, below .removed.', 'Remove');
      if (yes) begin(now, refresh, () => api(`/v1/documents/${encodeURIComponent(doc.id)}`, { method: 'DELETE' }));
    };
    const more = firstOf(documents);
    return [more && el('p', { class: 'quiet' }, `${plural(documents.length, 'document')}${more}; remove others by DELETE /v1/documents/ID.`), el('ul', { class: 'plain-rows', role: 'list' }, firstRows(documents).map((doc) => el('li', {}, el('span', {}, doc.title, el('span', { class: 'quiet' }, `${doc.source} · ${fileKind(doc.source)}`)),
      button('Remove', () => remove(doc), { class: 'quiet-button', drawn: 'bin', 'aria-label': `Remove ${doc.title}` }))))].filter(Boolean);
  });
}

const when = (time) => (time ? new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(time)) : 'unknown');

function showSnapshots(box, refresh) {
  fill(box, async () => {
    const { snapshots } = await api('/v1/snapshots');
    const activate = async (one) => {
      if (!(await confirmed('Serve this snapshot?', `Made ${when(one.created)}. It is verified first; questions are then answered from it.`, 'Serve it'))) return;
      try {
        await api(`/v1/snapshots/${one.id}/activate`, { method: 'POST' });
        say('Another snapshot is served now');
        dispatchEvent(new Event('snapshot-changed'));
        refresh();
      } catch (problem) {
        box.prepend(failure(problem, refresh));
      }
    };
    return el('ul', { class: 'plain-rows', role: 'list' }, snapshots.map((one) => el('li', {}, el('span', {}, when(one.created),
      el('span', { class: 'quiet' }, one.fault ?? `${plural(one.documents, 'document')}, ${plural(one.passages, 'passage')}, ${(one.bytes / 2 ** 20).toFixed(0)} MB · `, !one.fault && el('code', {}, one.id))),
    one.current ? el('span', { class: 'served' }, icon('check'), 'Served') : !one.fault && button('Serve', () => activate(one), { class: 'quiet-button', 'aria-label': `Serve the snapshot of ${when(one.created)}` }))));
  });
}

function showJobs(box, now, refresh) {
  fill(box, async () => {
    const { jobs } = await api('/v1/jobs?limit=20');
    const active = jobs.find(({ state }) => state === 'running' || state === 'queued');
    if (active && !now.childElementCount) follow(active, now, refresh);
    if (!jobs.length) return el('p', { class: 'quiet' }, 'None yet.');
    return el('ul', { class: 'plain-rows', role: 'list' }, jobs.map((job) => el('li', {}, el('span', {}, KINDS[job.kind] ?? job.kind, el('span', { class: 'quiet' }, when(job.created), job.error && ` · ${job.error}`)),
      el('span', { class: `job-state ${job.state}` }, STATES[job.state] ?? job.state))));
  });
}
