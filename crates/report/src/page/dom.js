// Elements and texts. Nothing here makes markup of a text.

/** An element with a class, attributes and children; children that are no nodes are texts. */
function el(name, className, attributes, ...children) {
  const it = document.createElement(name);
  if (className) it.className = className;
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined) continue;
    if (key.startsWith('on')) it.addEventListener(key.slice(2), value);
    else it.setAttribute(key, value);
  }
  it.append(...children.filter((child) => child !== null && child !== undefined && child !== ''));
  return it;
}

const byId = (id) => document.getElementById(id);

/** What a template of the page holds. What several have in common stands in templates of its own. */
function ofTemplate(id) {
  const it = byId(id);
  if (!it) return document.createDocumentFragment();
  const content = it.content.cloneNode(true);
  for (const place of content.querySelectorAll('[data-part]')) place.replaceWith(ofTemplate(`part-${place.dataset.part}`));
  return content;
}

const pad = (number) => String(number).padStart(2, '0');

/** `2026-03-02 10:00:00`, UTC. */
function when(time) {
  if (time === null || time === undefined) return '';
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return String(time);
  const day = `${at.getUTCFullYear()}-${pad(at.getUTCMonth() + 1)}-${pad(at.getUTCDate())}`;
  return `${day} ${clock(time)}`;
}

/** `10:00:00`. */
function clock(time) {
  const at = new Date(time);
  return `${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}:${pad(at.getUTCSeconds())}`;
}

const count = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ',');

/** A template with its values: `{n}`. */
const say = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');

/** A sentence of ours: what stands between back-quotes is a value. */
function sentence(text) {
  const it = document.createDocumentFragment();
  text.split('`').forEach((part, at) => it.append(at % 2 ? el('code', '', {}, part) : part));
  return it;
}

// Rows are made when they are seen: a list is cut into pieces with the height that they will have.
const PIECE = 60;
const pieces = new Map();
const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) if (isIntersecting) fillPiece(target);
}, { rootMargin: '600px 0px' });

function fillPiece(piece) {
  const make = pieces.get(piece);
  if (!make) return;
  pieces.delete(piece);
  watcher.unobserve(piece);
  piece.style.minHeight = '';
  piece.append(...make());
}

/** Puts rows into a place: `make` makes the nodes of one thing, which takes about `height` pixels. */
function rowsInto(place, things, height, make) {
  for (const piece of place.querySelectorAll('.piece')) {
    pieces.delete(piece);
    watcher.unobserve(piece);
  }
  place.replaceChildren();
  for (let at = 0; at < things.length; at += PIECE) {
    const some = things.slice(at, at + PIECE);
    const piece = el('div', 'piece');
    piece.style.minHeight = `${some.length * height}px`;
    pieces.set(piece, () => some.flatMap(make));
    place.append(piece);
    watcher.observe(piece);
  }
}
