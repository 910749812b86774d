// A document's text as elements: blocks, tables, markers of notes, beginnings of pages, and one range marked to the letter.
// Each text node knows where it begins in the canonical text, so that what a person selects is a range of it again.

import { el, kept, pieces } from './dom.js';
import { marker, noteItem } from './notes.js';
import { pageName } from './words.js';

const origins = new WeakMap(); // text nodes -> where they begin in the canonical text, in code points

/** The blocks as elements: grouped by matter, list items in lists, tables by rows, the notes apart. */
export function renderBlocks(doc, text, range, footnotes) {
  const body = [];
  const notes = [];
  const blocks = doc.blocks.length ? doc.blocks : [{ kind: 'paragraph', start: 0, end: doc.end, level: 0, matter: 'body' }];
  const anchors = footnotes.flatMap((note) => note.anchors.map(({ offset }, at) => ({ offset, note, id: `ref-${note.number}-${at}` })));
  // A page may begin between two blocks; its label then stands at the beginning of the second.
  const within = doc.pages.filter((page) => page.start < blocks.at(-1).end && page.end > blocks[0].start);
  const pages = within.map((page) => ({ label: pageName(page), start: Math.max(page.start, blocks.find(({ end }) => page.start < end)?.start ?? 0) }));
  const drawn = { text, range, anchors, pages, noted: new Map(footnotes.map((note) => [note.start, note])), first: true };
  for (const block of blocks) {
    if (block.kind === 'note') {
      notes.push(noteItem(drawn.noted.get(block.start), el('p', { lang: doc.csl.language }, runs(drawn, block.start, block.end))));
      continue;
    }
    let group = body.at(-1);
    if (group?.dataset.matter !== block.matter) body.push((group = matterGroup(block.matter, doc.csl.language)));
    if (block.kind === 'list_item') {
      if (group.lastElementChild?.tagName !== 'UL') group.append(el('ul', { role: 'list' }));
      group.lastElementChild.append(el('li', { 'data-level': block.level }, runs(drawn, block.start, block.end)));
    } else if (block.kind === 'table') {
      group.append(table(drawn, block));
    } else if (block.kind === 'heading') {
      const level = Math.min(6, Math.max(1, block.level) + 1);
      // The title of the whole stands above already; here it is text.
      group.append(el(block.level > 0 ? `h${level}` : 'p', { id: `at-${block.start}`, class: block.level > 0 ? null : 'title-line' }, runs(drawn, block.start, block.end)));
    } else {
      group.append(el('p', { class: block.kind === 'caption' ? 'caption' : null }, runs(drawn, block.start, block.end)));
    }
  }
  for (const group of body.filter((one) => one.localName === 'details')) group.open = group.querySelector('mark') !== null || body.length === 1;
  return { body, notes };
}

/** What stands before the text proper is folded away, as long as nothing in it is asked for. */
function matterGroup(matter, lang) {
  const attributes = { class: 'matter', 'data-matter': matter, lang };
  return matter === 'front' ? el('details', attributes, el('summary', {}, 'Before the text: title, authors, preliminary notes')) : el('div', attributes);
}

/** Rows are lines, cells stand between bars; a table that is one long line or one column is shown as text. */
function table(drawn, { start, end }) {
  const rows = [];
  let at = start;
  for (const line of drawn.text.slice(start, end).split('\n')) {
    const cells = [];
    let from = at;
    for (const cell of line.split(' | ')) {
      const length = [...cell].length;
      cells.push([from, from + length]);
      from += length + 3;
    }
    rows.push(cells);
    at += [...line].length + 1;
  }
  const widest = Math.max(...rows.map((cells) => cells.length));
  if (widest < 2 || rows.length < 2) return el('p', { class: 'table-text' }, runs(drawn, start, end));
  return el('div', { class: 'table-box', tabindex: '0', role: 'region', 'aria-label': 'Table' }, el('table', {}, el('tbody', {}, rows.map((cells) =>
    el('tr', {}, cells.map(([from, to], column) => el('td', { colspan: column === cells.length - 1 && cells.length < widest ? widest - column : null }, from < to ? runs(drawn, from, to) : null)))))));
}

/**
 * A stretch of text, with the range marked, the notes' markers put back and the pages' beginnings shown.
 * A marker stands behind the text that ends at its anchor, and so belongs to a range with start < anchor <= end.
 */
function runs(drawn, from, to) {
  const { text, range, anchors, pages } = drawn;
  const nodes = [];
  let mark = null;
  const near = anchors.filter(({ offset }) => offset > from && offset <= to);
  const edges = [range?.start, range?.end, ...near.map(({ offset }) => offset), ...pages.map(({ start }) => start)];
  for (const [start, end] of pieces(from, to, edges)) {
    const words = document.createTextNode(text.slice(start, end));
    origins.set(words, start);
    const page = pages.find((one) => one.start === start);
    const run = kept([page && el('span', { class: 'page-label', 'data-page': `p. ${page.label}`, id: `page-${page.label}` }), words, near.filter(({ offset }) => offset === end).map(marker)]);
    if (!range || start < range.start || end > range.end) {
      mark = null;
      nodes.push(...run);
    } else {
      // Only the first part of a range that runs over several blocks is the target of a jump.
      if (!mark) nodes.push((mark = el('mark', drawn.first ? { id: 'cited', tabindex: '-1' } : {})));
      drawn.first = false;
      mark.append(...run);
    }
  }
  return nodes;
}

/** The selection as a range of the canonical text; markers and labels in it are no part of it. */
export function selectedRange(article, length) {
  const selection = document.getSelection();
  if (!selection.rangeCount || selection.isCollapsed) return null;
  const chosen = selection.getRangeAt(0);
  if (!article.contains(chosen.commonAncestorContainer)) return null;
  const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
  let [start, end] = [null, null];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const origin = origins.get(node);
    if (origin === undefined || !chosen.intersectsNode(node)) continue;
    const from = node === chosen.startContainer ? chosen.startOffset : 0;
    const to = node === chosen.endContainer ? chosen.endOffset : node.length;
    if (from >= to) continue;
    start ??= origin + [...node.data.slice(0, from)].length;
    end = origin + [...node.data.slice(0, to)].length;
  }
  return start !== null && start < end && end <= length ? { start, end } : null;
}
