// The place beside the page where sources and notes open: a column on a desktop, a drawer on a tablet, a sheet on a telephone.
// One dialog: modal where it covers the page, not modal where it stands beside it. The focus returns to what opened it.

import { byId, kept } from './dom.js';

const beside = matchMedia('(min-width: 68rem)');
const panel = byId('panel');
let opener = null;
let closed = null;

/** Shows what `body` holds under a heading. `onClose` hears of the end, however it comes about. */
export function openPanel({ title, body, tools = [], foot = [], from, onClose }) {
  if (panel.open) closed?.();
  else opener = null;
  if (from && !panel.contains(from)) opener = from;
  closed = onClose ?? null;
  byId('panel-title').textContent = title;
  byId('panel-tools').replaceChildren(...kept(tools));
  byId('panel-body').replaceChildren(...kept([body]));
  byId('panel-foot').replaceChildren(...kept(foot));
  byId('panel-body').scrollTop = 0;
  if (!panel.open) show();
  byId('panel-title').focus({ preventScroll: true });
}

export function closePanel({ restore = true } = {}) {
  if (!panel.open) return;
  panel.close();
  document.body.classList.remove('beside');
  closed?.();
  closed = null;
  if (restore) (opener?.isConnected ? opener : byId('main')).focus({ preventScroll: true });
  byId('panel-body').replaceChildren();
}

function show() {
  document.body.classList.toggle('beside', beside.matches);
  if (beside.matches) panel.show();
  else panel.showModal();
}

beside.addEventListener('change', () => {
  if (!panel.open) return;
  panel.close();
  show();
});
panel.addEventListener('cancel', (event) => {
  event.preventDefault();
  closePanel();
});
panel.addEventListener('click', (event) => {
  const { left, right, top, bottom } = panel.getBoundingClientRect();
  const outside = event.clientX < left || event.clientX > right || event.clientY < top || event.clientY > bottom;
  if (event.target === panel && outside) closePanel();
});
addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && panel.open && !document.querySelector('dialog:modal') && !event.defaultPrevented) closePanel();
});
byId('panel-close').addEventListener('click', () => closePanel());
