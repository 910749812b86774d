// Data in words: dates, places, works, and the names of states. Nothing here touches the page.

import { el, icon, link } from './dom.js';

export const documentPath = (id, place) => `/documents/${encodeURIComponent(id)}${place ? `?start=${place.start}&end=${place.end}` : ''}`;

/** `2025-03` as `March 2025`; a date is shown only as exactly as it is known. */
export function readableDate(issued) {
  const [year, month, day] = String(issued ?? '').split('-').map(Number);
  if (!year) return '';
  const parts = { year: 'numeric', ...(month && { month: 'long' }), ...(day && { day: 'numeric' }) };
  return new Intl.DateTimeFormat('en-GB', { ...parts, timeZone: 'UTC' }).format(new Date(Date.UTC(year, (month || 1) - 1, day || 1)));
}

export const facts = (doc) => [doc.authors.join(', '), doc.publisher, readableDate(doc.issued)].filter(Boolean).filter((fact, at, all) => all.indexOf(fact) === at).join(' · ');

export const pageName = (page) => page.label ?? String(page.number);

/** Page, section and paragraph in words; what a source has not, is left out. */
export function place({ page, headings, paragraph }) {
  return [page && `page ${pageName(page)}`, headings.join(' › '), paragraph && `paragraph ${paragraph}`].filter(Boolean).join(' · ');
}

/** PDF, Word and so on, by the file's name. */
export function fileKind(source) {
  const kinds = { pdf: 'PDF', docx: 'Word', html: 'Web page', htm: 'Web page', md: 'Markdown', txt: 'Text' };
  return kinds[source.split('.').pop().toLowerCase()] ?? 'File';
}

export function language(code) {
  try {
    return new Intl.DisplayNames('en-GB', { type: 'language' }).of(code);
  } catch {
    return code;
  }
}

export function creators(csl) {
  const who = (csl.author ?? csl.editor ?? []).map((name) => name.family ?? name.literal).filter(Boolean);
  return who.length > 3 ? `${who[0]} et al.` : who.join(', ');
}

export const workYear = (csl) => String(csl.issued?.['date-parts']?.[0]?.[0] ?? 'no date');

/** Who, title, year; the title leads to the work where its address is known. */
export function work(csl) {
  const who = creators(csl);
  const host = URL.canParse(csl.URL ?? '') ? new URL(csl.URL).hostname.replace(/^www\./, '') : '';
  return [who && `${who}, `, el('cite', {}, csl.title ?? csl.id), ` (${workYear(csl)})`,
    host && [' ', link(csl.URL, { class: 'host' }, host, icon('out'))]];
}

export const QUOTATION = {
  exact: ['check', 'To the letter', 'These words stand in the documents exactly so.'],
  normalized: ['check', 'The same words', 'Only marks, spacing, case or hyphens differ.'],
  altered: ['warn', 'Altered', 'The documents say something close, but not this.'],
  absent: ['question', 'Not in the documents', 'Nothing like it was found.'],
};

export const LABEL = {
  supported: ['check', 'Supported'],
  contradicted: ['close', 'Contradicted'],
  not_found: ['question', 'Not found'],
};

export const EDIT = {
  number: 'Number changed', date: 'Date changed', negation: 'Negation changed', modal: 'Modal verb changed', name: 'Name changed',
  insertion: 'Added in yours', deletion: 'Left out in yours', wording: 'Words changed',
};
