// The frame: which place an address leads to, moving between places without loading the page again, colours, the key, the connection.

import { moved, push } from './address.js';
import { accessKey } from './api.js';
import { askAddress, askPage } from './ask.js';
import { checkAddress, checkPage } from './check.js';
import { askForKey } from './confirm.js';
import { byId, icon, store } from './dom.js';
import { libraryPage } from './library.js';
import { closePanel } from './panel.js';
import { readerPage } from './reader.js';

const PLACES = [
  ['ask', /^\/(ask)?$/, askPage],
  ['check', /^\/check$/, checkPage],
  ['library', /^\/documents\/[^/]+$/, readerPage],
  ['library', /^\/library(\/|$)/, libraryPage],
];
const main = byId('main');
const left = new WeakMap(); // places that are kept -> how far they were scrolled when they were left

/** Shows the place of the present address. */
function show({ focus = true } = {}) {
  const { pathname, search, hash } = location;
  closePanel({ restore: false });
  const [name, , page] = PLACES.find(([, pattern]) => pattern.test(pathname)) ?? PLACES[0];
  for (const entry of document.querySelectorAll('.tab-bar [data-place]')) {
    if (entry.dataset.place === name) entry.setAttribute('aria-current', 'page');
    else entry.removeAttribute('aria-current');
  }
  document.body.dataset.place = name;
  const before = main.firstElementChild;
  const { root, focus: wanted } = page({ pathname, search, hash });
  if (root !== before) {
    if (before) left.set(before, scrollY);
    main.replaceChildren(root);
    if (!hash) scrollTo({ top: left.get(root) ?? 0, behavior: 'instant' });
  }
  if (!focus || root === before) return;
  if (wanted && matchMedia('(hover: hover)').matches) wanted.focus({ preventScroll: true });
  else main.focus({ preventScroll: true });
}

function go(address) {
  if (address !== location.pathname + location.search + location.hash) push(address);
  show();
}

document.addEventListener('click', (event) => {
  const followed = event.target.closest?.('a[data-route]');
  if (!followed || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const place = 'home' in followed.dataset ? 'ask' : followed.dataset.place;
  const elsewhere = place && document.body.dataset.place !== place;
  // A place is returned to as it was left; Ask, chosen while one is there, begins anew.
  go(elsewhere && place === 'ask' ? askAddress() : elsewhere && place === 'check' ? checkAddress() : followed.pathname + followed.search + followed.hash);
});
addEventListener('popstate', () => moved() && show());

// --- Colours -----------------------------------------------------------------------------------------------

const dark = matchMedia('(prefers-color-scheme: dark)');
const theme = byId('theme');
function showTheme() {
  const isDark = (document.documentElement.dataset.theme ?? (dark.matches ? 'dark' : 'light')) === 'dark';
  const label = isDark ? 'Use light colours' : 'Use dark colours';
  theme.replaceChildren(icon(isDark ? 'light' : 'dark'));
  theme.setAttribute('aria-label', label);
  theme.title = label;
}
theme.addEventListener('click', () => {
  const now = document.documentElement.dataset.theme ?? (dark.matches ? 'dark' : 'light');
  const wanted = now === 'dark' ? 'light' : 'dark';
  const device = dark.matches ? 'dark' : 'light';
  // Back at what the device wants, the device decides again.
  store('localStorage', 'theme', wanted === device ? '' : wanted);
  if (wanted === device) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = wanted;
  showTheme();
});
dark.addEventListener('change', showTheme);
showTheme();

// --- Key and connection ------------------------------------------------------------------------------------

byId('key-open').append(icon('key'));
byId('key-open').classList.toggle('set', Boolean(accessKey()));
byId('key-open').addEventListener('click', () => askForKey(() => show({ focus: false })));
addEventListener('key-wanted', ({ detail }) => askForKey(detail));
byId('panel-close').append(icon('close'));
for (const entry of document.querySelectorAll('.tab-bar [data-place]')) entry.prepend(icon(entry.dataset.place));

const offline = byId('offline');
const showConnection = () => { offline.textContent = navigator.onLine ? '' : 'You are offline. What is on the page stays readable.'; };
for (const kind of ['online', 'offline']) addEventListener(kind, showConnection);
showConnection();

show({ focus: location.pathname === '/' && !location.search });
