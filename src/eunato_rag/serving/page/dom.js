// Small tools that every part of the page uses: elements, icons, text by code points, the clipboard.
// Data enters the page as text nodes, never as markup.

export const byId = (id) => document.getElementById(id);

const STROKES = {
  ask: 'M4 5h16v11H10l-5 4v-4H4z',
  check: 'M4 12.5l5 5L20 6.5',
  library: 'M5 4v16M9.5 4v16M14 4.6l4.6 15.2',
  close: 'M6 6l12 12M18 6L6 18',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  send: 'M12 19V5M6 11l6-6 6 6',
  stop: 'M7 7h10v10H7z',
  before: 'M15 5l-7 7 7 7',
  after: 'M9 5l7 7-7 7',
  out: 'M9 6H5v13h13v-4M13 4h7v7M20 4l-9 9',
  read: 'M12 6c-2-1.3-4.6-2-8-2v14c3.400 0 6 .7 8 2 2-1.300 4.600-2 8-2V4c-3.400 0-6 .7-8 2zM12 6v14',
  link: 'M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.700-5.700L12 7M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.700 5.700L12 17',
  light: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.400 1.400M17.600 17.600L19 19M19 5l-1.400 1.400M6.400 17.600L5 19',
  dark: 'M20 14.500A8 8 0 1 1 9.500 4a6.500 6.500 0 0 0 10.500 10.500z',
  key: 'M8 11a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM11 12l8-8M15.500 7.500l3 3',
  question: 'M9 9a3 3 0 1 1 4.500 2.600c-1 .6-1.500 1.200-1.500 2.400M12 18v.01',
  away: 'M5 12h14',
  warn: 'M12 4L2.500 20h19zM12 10v5M12 17.500v.01',
  file: 'M6 3h8l4 4v14H6zM14 3v4h4',
  bin: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
  save: 'M12 4v11M7 11l5 5 5-5M5 20h14',
  again: 'M19 8a8 8 0 1 0 1 6M19 3v5h-5',
  plus: 'M12 5v14M5 12h14',
};

/** A drawing beside a word; it says nothing by itself. */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(svg.namespaceURI, 'path');
  path.setAttribute('d', STROKES[name]);
  svg.append(path);
  return svg;
}

/** An element; attributes that are functions are listeners, `true` is a bare attribute, children are nodes, strings, lists, or nothing. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...kept(children));
  return node;
}

/** Children without the nothings among them. */
export const kept = (children) => children.flat(3).filter((child) => child !== null && child !== undefined && child !== false && child !== '');

export const hidden = (...words) => el('span', { class: 'said' }, ...words);

export const button = (label, click, { drawn, ...attributes } = {}) => el('button', { type: 'button', click, ...attributes }, drawn && icon(drawn), label);

/** A button that shows only its drawing. */
export const iconButton = (label, drawn, click, attributes = {}) =>
  el('button', { type: 'button', class: 'bare', 'aria-label': label, title: label, click, ...attributes }, icon(drawn));

/** A link to the web or to this service; plain text where the address is neither, whatever the data says. */
export function link(address, attributes = {}, ...children) {
  const safe = URL.canParse(address ?? '', location.href) && /^https?:$/.test(new URL(address, location.href).protocol);
  if (!safe) return el('span', {}, ...children);
  const elsewhere = new URL(address, location.href).origin !== location.origin;
  return el('a', { href: address, ...(elsewhere && { rel: 'noreferrer', target: '_blank' }), ...attributes }, ...children);
}

/** Text that is cut by code points, as the API counts; JavaScript counts UTF-16 units. */
export function codePoints(text) {
  const points = Array.from(text);
  return { length: points.length, slice: (start, end) => points.slice(start, end).join('') };
}

/** A part of a long text that begins at `origin`, cut by offsets of the whole, which has `length` code points. */
export function partOf(text, origin, length) {
  const points = Array.from(text);
  return { length, slice: (start, end) => points.slice(Math.max(0, start - origin), Math.max(0, end - origin)).join('') };
}

/** The range from start to end, cut into pieces at those edges that lie within it. */
export function pieces(start, end, edges) {
  const cuts = [...new Set([start, ...edges.filter((edge) => edge > start && edge < end), end])].sort((a, b) => a - b);
  return cuts.slice(1).map((cut, at) => [cuts[at], cut]);
}

/** The pieces of a text, each that lies within a span made by `dress`; the text begins at `origin`. */
export function dressed(text, spans, dress, origin = 0) {
  const points = codePoints(text);
  const edges = spans.flatMap(({ start, end }) => [start, end]);
  return pieces(origin, origin + points.length, edges).map(([start, end]) => {
    const words = points.slice(start - origin, end - origin);
    const span = spans.find((one) => one.start <= start && end <= one.end);
    return span ? dress(words, span) : words;
  });
}

export const plural = (count, noun, many = `${noun}s`) => `${count.toLocaleString('en-GB')} ${count === 1 ? noun : many}`;

/** Says something to who listens rather than looks, and to everybody for a moment. */
export function say(words) {
  const toast = byId('toast');
  const host = document.querySelector('dialog:modal') ?? document.body; // what lies outside a modal dialog is silent
  if (toast.parentElement !== host) host.append(toast);
  clearTimeout(say.timer);
  setTimeout(() => { toast.textContent = words; toast.classList.add('shown'); }, 30);
  say.timer = setTimeout(() => toast.classList.remove('shown'), 2600);
}

/** Copies, and says how it went; without HTTPS a browser gives no clipboard, so the old way is the second. */
export async function copy(text, what) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const before = document.activeElement;
    const area = el('textarea', { class: 'said', readonly: true, 'aria-hidden': 'true' });
    area.value = text;
    (before?.closest('dialog') ?? document.body).append(area);
    area.select();
    done = document.execCommand('copy');
    area.remove();
    before?.focus();
  }
  say(done ? `${what} copied` : 'This browser does not allow copying');
}

/** Offers bytes or text as a file. */
export function download(name, content, type) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  el('a', { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Lines that stand where text will be. */
export const skeleton = (lines = 4) => el('div', { class: 'skeleton', 'aria-hidden': 'true' }, Array.from({ length: lines }, () => el('span')));

export function setTitle(...parts) {
  document.title = [...parts.filter(Boolean), 'EU–NATO Sources'].join(' – ');
}

/** What storage holds, or what stands in for it where storage is forbidden or empty. */
export function stored(storage, key, otherwise) {
  try {
    return window[storage].getItem(key) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function store(storage, key, value) {
  try {
    if (value) window[storage].setItem(key, value);
    else window[storage].removeItem(key);
  } catch { /* forbidden: it holds until the page is left */ }
}
