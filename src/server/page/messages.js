// The log: what was said, who came and left. The end stays in sight unless one has scrolled away from it.

import { $, element, formatBytes, formatNumber, language, onLanguage, session, textOf, texts } from './state.js';
import { label } from './users.js';
import { byteLength, wireDetails } from './wire.js';

const MAX_ITEMS = 1000, MAX_RESTORED = 200;
const GROUP_SECONDS = 60; // messages of one author within this are one group
const BACK_MILLISECONDS = 10_000; // who leaves and comes again within this is "back"
const MAX_NAMES = 3; // a note names so many users, and counts more
const FOLD_CHARACTERS = 1500, FOLD_LINES = 20;

// Set by the page: called when the counts of unread messages change, and when a private message is to be answered.
export const handlers = { unread() {}, reply() {} };

const items = [];
const scroller = $('scroller'), list = $('messages');

// ---- what is said -----------------------------------------------------------------------------------------------

// `item`: from, to ('all' or a user), content, time, own, sent and received (see wire.js).
export function addSay(item) {
  addItem({ ...item, kind: 'say', render: renderSay });
}

function renderSay(item) {
  const isPrivate = item.to !== 'all';
  const classes = ['message', item.own && 'own', isPrivate && 'private', item.continued && 'continued'];
  item.element.className = classes.filter(Boolean).join(' ');
  const head = element('p', 'head');
  if (item.own) head.append(element('span', 'you', texts.youSay), ' ');
  else head.append(label(item.from), ' ');
  if (isPrivate) {
    head.append(element('span', 'mark', ...(item.own ? texts.privateTo(label(item.to)) : [texts.private])), ' ');
  }
  head.append(clock(item.time));
  item.element.replaceChildren(head, ...bodyOf(item));
  if (isPrivate && !item.own && item.from.generation) {
    const reply = element('button', 'reply', texts.reply);
    reply.type = 'button';
    reply.addEventListener('click', () => handlers.reply(item.from));
    item.element.append(reply);
  }
  if (item.received) item.element.append(wireDetails(item.sent, item.received));
}

function bodyOf(item) {
  const body = element('p', 'body');
  body.dir = 'auto';
  body.title = item.time;
  const short = shorten(item.content);
  if (short === item.content) {
    body.append(...withLinks(item.content, false));
    return [body];
  }
  const more = element('button', 'more');
  more.type = 'button';
  const show = (all) => {
    body.replaceChildren(...withLinks(all ? item.content : short, !all), ...(all ? [] : ['…']));
    more.textContent = all ? texts.showLess : texts.showAll(formatBytes(byteLength(item.content)));
    more.setAttribute('aria-expanded', String(all));
  };
  more.addEventListener('click', () => { show(more.getAttribute('aria-expanded') === 'false'); setAtEnd(isAtEnd()); });
  show(false);
  return [body, more];
}

// The beginning of a long text; never half of a surrogate pair.
export function shorten(text) {
  let end = Math.min(text.length, FOLD_CHARACTERS);
  for (let line = 0, at = -1; line < FOLD_LINES; line += 1) {
    at = text.indexOf('\n', at + 1);
    if (at < 0 || at >= end) break;
    if (line === FOLD_LINES - 1) end = at;
  }
  return end >= text.length ? text : text.slice(0, end).replace(/[\uD800-\uDBFF]$/, '');
}

// The text with its http and https addresses as links. Nothing is fetched before one follows them.
function withLinks(text, isCut) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(/https?:\/\/[^\s<>"'`{}|\\^「」『』（）。，、！？]+/gi)) {
    const shown = match[0].replace(/[.,;:!?)\]]+$/, '');
    // A cut address leads elsewhere.
    if (isCut && match.index + match[0].length === text.length) continue;
    if (!URL.canParse(shown)) continue;
    const link = element('a', '', shown);
    link.href = shown;
    link.target = '_blank';
    link.rel = 'noopener noreferrer';
    parts.push(text.slice(end, match.index), link);
    end = match.index + shown.length;
  }
  parts.push(text.slice(end));
  return parts;
}

// A time as it was on the wire: that of the server's clock.
function clock(time) {
  const made = element('time', '', String(time).slice(-8));
  made.dateTime = time;
  made.title = texts.serverTime(time);
  return made;
}

// ---- notes ------------------------------------------------------------------------------------------------------

const recentlyLeft = new Map(); // name → { item, event, at }

// Somebody has joined or left. Consecutive notes are one.
export function addPresence(what, who, time) {
  const event = { what, who, time };
  if (what === 'joined') {
    const left = recentlyLeft.get(who.name);
    recentlyLeft.delete(who.name);
    if (left && Date.now() - left.at < BACK_MILLISECONDS) {
      Object.assign(left.event, { what: 'back', who, time });
      announce(left.event);
      changed.add(left.item);
      schedule();
      return;
    }
  }
  announce(event);
  let item = items.at(-1);
  if (item?.kind === 'presence') {
    item.events.push(event);
    if (item.events.length > MAX_ITEMS) item.events.shift();
    changed.add(item);
    schedule();
  } else {
    item = { kind: 'presence', events: [event], render: renderPresence };
    addItem(item);
  }
  if (what === 'left') {
    recentlyLeft.set(who.name, { item, event, at: Date.now() });
    if (recentlyLeft.size > MAX_ITEMS) recentlyLeft.delete(recentlyLeft.keys().next().value);
  }
}

function renderPresence(item) {
  item.element.className = 'note';
  item.element.setAttribute('aria-live', 'off'); // see `announce`
  item.element.replaceChildren(...presenceParts(item.events), ' ', clock(item.events.at(-1).time));
  item.element.title = item.events.length > MAX_NAMES ? item.events.map(({ who }) => who.name).slice(0, 100).join(', ') : '';
}

function presenceParts(all) {
  const parts = [];
  for (const what of ['joined', 'left', 'back']) {
    const events = all.filter((event) => event.what === what);
    if (!events.length) continue;
    if (parts.length) parts.push(' · ');
    parts.push(...(events.length > MAX_NAMES
      ? texts[what]([formatNumber(events.length)], events.length)
      : texts[what](listOf(events.map(({ who }) => label(who))), events.length)));
  }
  return parts;
}

// A note grows with each event: a screen reader would say all of it again. It is told the new events alone, once a second.
const unannounced = [];
function announce(event) {
  if (!unannounced.length) {
    setTimeout(() => {
      $('presence').textContent = presenceParts(unannounced).map((part) => part.textContent ?? part).join('');
      unannounced.length = 0;
    }, 1000);
  }
  unannounced.push({ ...event });
}

// "A, B and C", as the language has it.
function listOf(labels) {
  const parts = new Intl.ListFormat(language, { type: 'conjunction' }).formatToParts(labels.map(() => '-'));
  const left = [...labels];
  return parts.map(({ type, value }) => (type === 'element' ? left.shift() : value));
}

// A sentence of the page's own, by its key in the texts. The time is that of this computer.
export function addNote(...note) {
  const time = new Date().toTimeString().slice(0, 8);
  addItem({ kind: 'note', render(item) {
    item.element.className = 'note';
    item.element.replaceChildren(textOf(note), ' ', element('time', '', time));
  } });
}

// ---- the list ---------------------------------------------------------------------------------------------------

const unread = { count: 0, private: 0 };
const marker = element('li', 'unread-marker');
const changed = new Set(); // items that are shown, and not as they are now

// An item is shown with the next frame; of a flood, only what is kept ever is.
function addItem(item) {
  const isUnread = item.kind === 'say' && !item.own && (document.hidden || !atEnd);
  item.isFirstUnread = isUnread && !unread.count;
  const last = items.at(-1);
  item.continued = item.kind === 'say' && last?.kind === 'say' && !item.isFirstUnread && isContinued(last, item);
  items.push(item);
  if (items.length > MAX_ITEMS) removeFirst();
  if (isUnread) {
    unread.count += 1;
    if (item.to !== 'all') unread.private += 1;
  }
  if (item.own) setAtEnd(true);
  schedule();
}

function showItems() {
  for (const item of changed) if (item.element) item.render(item);
  changed.clear();
  const start = items.findLastIndex((item) => item.element) + 1;
  const made = document.createDocumentFragment();
  for (const item of items.slice(start)) {
    item.element = element('li');
    item.render(item);
    if (item.isFirstUnread) made.append(marker);
    made.append(item.element);
  }
  list.append(made);
}

function isContinued(last, item) {
  const same = (a, b) => a === b || (a.uid === b.uid && a.generation === b.generation);
  const seconds = (Date.parse(item.time.replace(' ', 'T')) - Date.parse(last.time.replace(' ', 'T'))) / 1000;
  return last.own === item.own && same(last.from, item.from) && same(last.to, item.to) && seconds >= 0 && seconds < GROUP_SECONDS;
}

function removeFirst() {
  items.shift().element?.remove();
  const first = items[0];
  if (first.continued) { first.continued = false; first.element?.classList.remove('continued'); }
}

function showUnread() {
  $('newer').hidden = atEnd || !unread.count;
  $('newer').textContent = texts.newer(formatNumber(unread.count), unread.count);
  handlers.unread(unread);
}

function seen() {
  if (document.hidden || !atEnd || (!unread.count && $('newer').hidden)) return;
  unread.count = 0;
  unread.private = 0;
  showUnread();
}

// ---- scrolling --------------------------------------------------------------------------------------------------

let atEnd = true;
// While the end is followed the browser must not hold the position when old messages are removed.
function setAtEnd(value) { atEnd = value; scroller.classList.toggle('following', value); }
setAtEnd(true);
let lastTop = 0;
let scheduled = false;
let cost = 0; // milliseconds that the last update took

// One update and one scroll a frame, however many messages come: each would be a layout. On a slow machine there are fewer, so
// that the messages of a flood are taken in between.
function schedule() {
  if (scheduled) return;
  scheduled = true;
  const wait = document.hidden ? 250 : cost > 8 ? Math.min(cost * 2, 500) : 0;
  if (wait) setTimeout(() => (document.hidden ? update() : requestAnimationFrame(update)), wait);
  else requestAnimationFrame(update);
}

function update() {
  const start = performance.now();
  scheduled = false;
  showItems();
  if (atEnd) {
    scroller.scrollTop = scroller.scrollHeight;
    lastTop = scroller.scrollTop;
  }
  cost = performance.now() - start;
  if (unread.count) showUnread();
  seen();
}

const isAtEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 40;

scroller.addEventListener('scroll', () => {
  if (isAtEnd()) setAtEnd(true);
  // Content that has come meanwhile moves the end away, but only people scroll upwards.
  else if (scroller.scrollTop < lastTop) setAtEnd(false);
  lastTop = scroller.scrollTop;
  seen();
}, { passive: true });
new ResizeObserver(schedule).observe(scroller);
// What one opens is brought into sight, and what follows it may be out of sight then.
list.addEventListener('toggle', ({ target }) => {
  if (target.open) target.scrollIntoView({ block: 'nearest' });
  setAtEnd(isAtEnd());
}, { capture: true });

export function followEnd() { setAtEnd(true); schedule(); }
$('newer').addEventListener('click', () => { followEnd(); scroller.focus({ preventScroll: true }); });
document.addEventListener('visibilitychange', () => { if (!document.hidden) schedule(); });

// A screen reader does not say what `action` changes in the log. It is told a moment after the change.
let quiet = null;
function quietly(action) {
  $('live').setAttribute('aria-live', 'off');
  action();
  clearTimeout(quiet);
  quiet = setTimeout(() => $('live').removeAttribute('aria-live'), 500);
}

// ---- language and reload ----------------------------------------------------------------------------------------

onLanguage(() => {
  marker.textContent = texts.unreadMarker;
  quietly(() => { for (const item of items) if (item.element) item.render(item); });
  $('presence').textContent = '';
  showUnread();
});

// What was said, for the same tab after a reload.
export function remember() {
  let room = 500_000;
  const kept = [];
  for (const { kind, from, to, content, time, own, sent, received } of items.slice(-MAX_RESTORED).reverse()) {
    if (kind !== 'say') continue;
    room -= content.length + (received?.json.length ?? 0) + (sent?.json.length ?? 0);
    if (room < 0) break;
    kept.push({ from, to, content, time, own, sent, received });
  }
  session.set('messages', kept.reverse());
}

export function restore() {
  const kept = session.get('messages');
  session.set('messages', null);
  if (!Array.isArray(kept) || !kept.length) return;
  // Nobody of that time can be told for sure from those who are here now.
  const old = (user) => (user === 'all' ? user : { ...user, generation: 0 });
  for (const item of kept) addSay({ ...item, from: old(item.from), to: old(item.to) });
  addNote('reloaded');
}
