// Who is here, how they are called, and to whom one writes.

import { $, element, language, onLanguage, session, texts } from './state.js';

export const here = new Map(); // uid → name
const bearers = new Map(); // name → how many who are here have it
export const me = { uid: null, generation: 0 };
// 'all', or { uid, name, generation }. It stays what it is when that user leaves, so that nothing private ever goes to all.
export let recipient = 'all';
// Set by the page: called when the recipient or the list has changed, and when one has been chosen by hand.
export const handlers = { changed() {}, chosen() {} };

// ---- who is here ------------------------------------------------------------------------------------------------

// A new list begins a new generation: a uid of the one before may mean somebody else.
export function replaceAll(list) {
  me.generation += 1;
  here.clear();
  bearers.clear();
  for (const { uid, name } of list) { here.set(uid, name); count(name, 1); }
  me.uid = list.at(-1)?.uid ?? null;
  const wanted = session.get('recipient');
  if (recipient === 'all' && wanted) recipient = { ...wanted, generation: here.get(wanted.uid) === wanted.name ? me.generation : 0 };
  session.set('recipient', null);
  for (const made of document.querySelectorAll('.who[data-uid]')) { delete made.dataset.uid; number(made); }
  draw();
}

export function clear() { here.clear(); bearers.clear(); me.uid = null; draw(); }

export function add(uid, name) {
  if (here.has(uid)) return; // the newcomer is in its own list already
  here.set(uid, name);
  count(name, 1);
  renumber(name);
  draw();
}

export function remove(uid) {
  const name = here.get(uid);
  if (!here.delete(uid)) return;
  count(name, -1);
  renumber(name);
  draw();
}

function count(name, change) {
  const total = (bearers.get(name) ?? 0) + change;
  if (total) bearers.set(name, total); else bearers.delete(name);
}

export const userOf = (uid) => ({ uid, name: here.get(uid) ?? '?', generation: me.generation });
export const isHere = (user) => user.generation === me.generation && here.has(user.uid);

// ---- how they are called ----------------------------------------------------------------------------------------

const isShared = (name) => bearers.get(name) > 1;
const numbered = (uid, name) => (isShared(name) ? `${name} #${uid}` : name);

// A name, with the user's number outside of its direction while two who are here share it.
export function label(user) {
  const made = element('span', 'who', element('bdi', '', user.name));
  made.style.setProperty('--hue', (user.uid * 137) % 360);
  made.title = `#${user.uid}`;
  if (isHere(user)) { made.dataset.uid = user.uid; number(made); }
  return made;
}

function number(made) {
  const name = made.firstChild.textContent, uid = Number(made.dataset.uid); // NaN is nobody
  made.querySelector('.number')?.remove();
  if (here.has(uid) && isShared(name)) made.append(element('span', 'number', ` #${uid}`));
}

function renumber(name) {
  for (const made of document.querySelectorAll('.who[data-uid]')) if (made.firstChild.textContent === name) number(made);
}

// ---- to whom one writes -----------------------------------------------------------------------------------------

export function choose(chosen) { recipient = chosen; drawNow(); }
const isAbsent = () => recipient !== 'all' && !isHere(recipient);
// While we are not here ourselves, nobody can be said to have left.
export const isGone = () => me.uid !== null && isAbsent();
export const recipientName = () => (isHere(recipient) ? numbered(recipient.uid, recipient.name) : recipient.name);

// ---- the list ---------------------------------------------------------------------------------------------------

// A crowd may come at once: the list is drawn once for all of them.
let drawing = null;
function draw() { drawing ??= setTimeout(drawNow, 20); }

const entries = new Map(), options = new Map(); // uid → element

function drawNow() {
  clearTimeout(drawing);
  drawing = null;
  const collator = new Intl.Collator(language, { numeric: true });
  const sorted = [...here].sort(([a, one], [b, other]) =>
    (b === me.uid) - (a === me.uid) || collator.compare(one, other) || a - b);
  sync($('users'), entries, sorted.map(([uid]) => uid), makeEntry);
  for (const [uid, name] of sorted) showEntry(entries.get(uid), uid, name);

  const absent = isAbsent();
  const keys = ['all', ...sorted.map(([uid]) => uid).filter((uid) => uid !== me.uid), ...(absent ? ['absent'] : [])];
  sync($('to'), options, keys, (key) => { const option = element('option'); option.value = key; return option; });
  for (const key of keys) {
    options.get(key).textContent = key === 'all' ? texts.everyone : key === 'absent' ? (isGone() ? texts.hasLeft(recipient.name) : recipient.name) : numbered(key, here.get(key));
  }
  $('to').value = absent ? 'absent' : String(recipient === 'all' ? 'all' : recipient.uid);
  $('count').textContent = here.size ? String(here.size) : '';
  // Not disabled: it would lose the focus.
  $('users-toggle').setAttribute('aria-disabled', String(!here.size));
  if (!here.size) showList(false);
  handlers.changed();
}

// Makes the children of `parent` those of `keys`, in this order, and moves no element that may stay: it would lose the focus.
function sync(parent, elements, keys, make) {
  const wanted = new Set(keys);
  for (const [key, old] of elements) {
    if (wanted.has(key)) continue;
    elements.delete(key);
    const focused = old.contains(document.activeElement);
    const next = old.nextElementSibling ?? old.previousElementSibling;
    old.remove();
    if (focused) (next?.querySelector('button:enabled') ?? parent.querySelector('button:enabled') ?? $('text')).focus();
  }
  let place = parent.firstElementChild;
  for (const key of keys) {
    if (!elements.has(key)) elements.set(key, make(key));
    const child = elements.get(key);
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
}

function makeEntry(uid) {
  const button = element('button');
  button.type = 'button';
  button.addEventListener('click', () => {
    choose(recipient !== 'all' && isHere(recipient) && recipient.uid === uid ? 'all' : userOf(uid));
    handlers.chosen();
  });
  return element('li', '', button);
}

function showEntry(entry, uid, name) {
  const button = entry.firstElementChild;
  button.replaceChildren(label(userOf(uid)));
  if (uid === me.uid) {
    button.disabled = true;
    button.append(` (${texts.you})`);
    button.removeAttribute('aria-label');
    button.removeAttribute('aria-pressed');
  } else {
    button.disabled = false;
    button.setAttribute('aria-label', texts.talkTo(numbered(uid, name)));
    button.setAttribute('aria-pressed', String(recipient !== 'all' && isHere(recipient) && recipient.uid === uid));
  }
}

$('to').addEventListener('change', () => {
  const chosen = $('to').value;
  if (chosen !== 'absent') choose(chosen === 'all' ? 'all' : userOf(Number(chosen)));
});

// In a small window the list is a sheet over the chat, until one chooses or turns elsewhere.
const isListOpen = () => $('people').classList.contains('open');
function showList(open) {
  $('people').classList.toggle('open', open);
  $('users-toggle').setAttribute('aria-expanded', String(open));
}
$('users-toggle').addEventListener('click', () => showList(!isListOpen() && here.size > 0));
for (const turned of ['pointerdown', 'focusin']) {
  document.addEventListener(turned, ({ target }) => { if (!$('people').contains(target)) showList(false); });
}
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || !isListOpen()) return;
  showList(false);
  $('users-toggle').focus();
});
$('users').addEventListener('click', () => showList(false));

onLanguage(draw);
