// The service's API over fetch: JSON, server-sent events, problems (RFC 9457), and the key where one is needed.

import { button, el, icon, store, stored } from './dom.js';

const KEY = 'access-key';
let held = stored('sessionStorage', KEY, '');

export const accessKey = () => held;
export function setAccessKey(value) {
  held = value.trim();
  store('sessionStorage', KEY, held);
}

/** What went wrong, in words for a person. `status` is 0 where no answer came. */
export class Problem extends Error {
  constructor({ title, detail, code = '', status = 0, request_id: request = '', errors = [] }, retryAfter = 0) {
    super(detail || title);
    Object.assign(this, { title, code, status, request, errors, retryAfter });
  }

  get needsKey() {
    return this.status === 401 || this.status === 403;
  }
}

async function send(path, { body, form, method, headers = {}, signal, accept = 'application/json' } = {}) {
  const sent = { Accept: accept, ...headers };
  if (held) sent.Authorization = `Bearer ${held}`;
  if (body !== undefined) sent['Content-Type'] = 'application/json';
  let response;
  try {
    response = await fetch(path, {
      method: method ?? (body === undefined && !form ? 'GET' : 'POST'),
      body: form ?? (body === undefined ? undefined : JSON.stringify(body)),
      headers: sent,
      signal,
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw unreachable();
  }
  if (response.ok) return response;
  const data = await response.json().catch(() => null);
  const told = data?.title ? data : { title: 'The service failed', detail: `It answered with status ${response.status} and no explanation.` };
  throw new Problem({ ...told, status: response.status }, Number(response.headers.get('Retry-After')) || 0);
}

function unreachable() {
  return navigator.onLine
    ? new Problem({ title: 'The service cannot be reached', detail: 'It may be stopped or still starting.', code: 'unreachable' })
    : new Problem({ title: 'You are offline', detail: 'What is on the page stays readable. This will be tried again once there is a connection.', code: 'offline' });
}

/** One answer in JSON. Throws a Problem, or the AbortError of the signal. */
export async function api(path, options = {}) {
  const response = await send(path, options);
  try {
    return await response.json();
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw unreachable();
  }
}

/** A file's bytes; a link or an image by itself would carry no key. */
export const bytes = async (path) => (await send(path, { accept: '*/*' })).blob();

/** Server-sent events as [name, data]; by fetch, because an EventSource sends neither body nor key. */
export async function* events(path, options = {}) {
  const response = await send(path, { ...options, accept: 'text/event-stream' });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let kept = '';
  for (;;) {
    let chunk;
    try {
      chunk = await reader.read();
    } catch (error) {
      if (error.name === 'AbortError') throw error;
      throw unreachable();
    }
    if (chunk.done) return;
    const frames = (kept + chunk.value).split('\n\n');
    kept = frames.pop();
    for (const frame of frames) {
      const fields = frame.split('\n').filter((line) => !line.startsWith(':')).map((line) => line.split(/: ?(.*)/s));
      const data = fields.filter(([name]) => name === 'data').map(([, value]) => value).join('\n');
      if (data) yield [fields.find(([name]) => name === 'event')?.[1] ?? 'message', JSON.parse(data)];
    }
  }
}

/**
 * What is shown in place of what failed: what happened, whether waiting helps, and the way on.
 * Tries again by itself when the device is back online, never otherwise.
 */
export function failure(problem, again) {
  if (!(problem instanceof Problem)) console.error(problem);
  const wait = el('span');
  const retry = again && button('Try again', () => go(), { drawn: 'again' });
  const view = el('section', { class: 'state failed', role: 'alert' },
    icon('warn'), el('h2', { tabindex: '-1' }, problem.title ?? 'This page failed'), el('p', {}, problem.message),
    el('div', { class: 'actions' }, problem.needsKey && button('Enter an access key', () => dispatchEvent(new CustomEvent('key-wanted', { detail: again })), { class: 'primary', drawn: 'key' }), retry, wait),
    problem.request && el('p', { class: 'quiet' }, `Request ${problem.request}`));
  let gone = false;
  const go = () => {
    if (gone) return;
    gone = true;
    removeEventListener('online', go);
    again();
  };
  if (again && problem.code === 'offline') addEventListener('online', go);
  if (again && problem.retryAfter) countDown(wait, Math.min(problem.retryAfter, 600));
  return view;
}

function countDown(node, seconds) {
  node.className = 'quiet';
  node.textContent = seconds > 0 ? `The service asks to wait ${seconds} s.` : 'You can try again now.';
  if (seconds > 0) setTimeout(() => node.isConnected && countDown(node, seconds - 1), 1000);
}
