// What can be done with a range of a document's text, marked or selected: link to it, quote it, cite it.

import { button, copy, el, say } from './dom.js';
import { copyReference } from './references.js';
import { selectedRange } from './text.js';
import { documentPath } from './words.js';

const cite = (range) => copyReference(range).catch((problem) => say(problem.message));

/** What can be done with a range of the text. */
export function tools(doc, text, { start, end }) {
  return [
    button('Link', () => copy(new URL(documentPath(doc.id, { start, end }), location.href).href, 'Link to this passage'), { drawn: 'link', 'aria-label': 'Copy link to this passage' }),
    button('Reference', () => cite({ document_id: doc.id, start, end }), { drawn: 'copy', 'aria-label': 'Copy reference' }),
    button('Quotation', () => copy(`“${text.slice(start, end)}”`, 'Quotation'), { drawn: 'copy', 'aria-label': 'Copy quotation' }),
  ];
}

let watched = null;

/** Offers what can be done with selected text, right behind the block in which the selection ends: one Tab away. */
export function watchSelection(doc, text, article) {
  watched?.abort();
  watched = new AbortController();
  const bar = el('div', { class: 'selection', role: 'toolbar', 'aria-label': 'Selected passage' });
  bar.addEventListener('pointerdown', (event) => event.preventDefault()); // the selection stays
  const show = () => {
    const range = selectedRange(article, text.length);
    if (!range) {
      if (!bar.contains(document.activeElement)) bar.remove();
      return;
    }
    const chosen = document.getSelection().getRangeAt(0);
    const block = [chosen.endContainer, chosen.startContainer].map((node) => (node.nodeType === Node.TEXT_NODE ? node.parentElement : node).closest('p, ul, h2, h3, h4, h5, h6, .table-box')).find((one) => one && article.contains(one));
    if (!block) return;
    bar.replaceChildren(...tools(doc, text, range));
    block.after(bar);
    const [all, box] = [chosen.getBoundingClientRect(), article.getBoundingClientRect()];
    bar.style.top = `${all.bottom - box.top + 8}px`;
    bar.style.left = `${Math.max(0, Math.min(all.left - box.left, box.width - bar.offsetWidth))}px`;
  };
  let timer = 0;
  document.addEventListener('selectionchange', () => {
    if (!article.isConnected) return watched.abort();
    clearTimeout(timer);
    timer = setTimeout(show, 120);
    return null;
  }, { signal: watched.signal });
}
