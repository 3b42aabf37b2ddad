// The chat page. Whatever comes from others reaches the document as text (textContent), never as markup.

import { words, choose } from './texts.js';

const KEPT = 1000; // messages that stay on the page
const FIRST_WAIT = 500, LONGEST_WAIT = 15000; // milliseconds between two tries to connect

const $ = (id) => document.getElementById(id);
const port = document.querySelector('meta[name="ws-port"]').content;
const address = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.hostname}:${port}/`;

const memory = {
  get(key) { try { return localStorage.getItem(key); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(key, value); } catch { /* private window: forgotten */ } },
};

let language = words[memory.get('language')] ? memory.get('language') : choose(navigator.languages ?? []);
let say = words[language];

let socket = null;
let tries = 0;
let retry = null; // timer of the next try, and when it is
let name = null; // what we log in with, once we know
let me = null; // our uid while logged in
let here = new Map(); // uid → name, who is here
let known = new Map(); // uid → name, whoever has been here since we logged in
let bearers = new Map(); // name → how many of the known have it
let to = 'all'; // 'all' or a uid; stays what it is when that user leaves, so that nothing private is ever said to all
let lastSent = '';
let unread = 0;

// ---- connection -------------------------------------------------------------------------------------------------

function connect() {
  clearInterval(retry?.timer);
  retry = null;
  show('connecting', tries ? say.lost(0) : say.connecting);
  let ours;
  try { ours = new WebSocket(address); } catch { return wait(); }
  socket = ours;
  ours.onopen = () => {
    tries = 0;
    show('connected', say.connected);
    if (name === null) askName(); else login();
  };
  ours.onmessage = ({ data }) => { if (ours === socket) hear(data); };
  ours.onclose = () => { if (ours === socket) wait(); };
}

function wait() {
  socket = null;
  me = null;
  here.clear();
  showUsers();
  const longest = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** tries);
  tries += 1;
  // Not all pages at the same moment, when a server comes back.
  const due = Date.now() + longest * (0.5 + Math.random() / 2);
  const tick = () => {
    const left = due - Date.now();
    if (left <= 0) connect(); else show('lost', say.lost(left > 1000 ? Math.ceil(left / 1000) : 0));
  };
  retry = { due, timer: setInterval(tick, 250) };
  tick();
}

function hurry() { if (retry && document.visibilityState === 'visible') connect(); }
addEventListener('online', hurry);
document.addEventListener('visibilitychange', () => { if (!document.hidden) { unread = 0; showTitle(); hurry(); } });
// A page that leaves says so; one that comes back out of the browser's cache begins anew.
addEventListener('pagehide', () => { const leaving = socket; socket = null; clearInterval(retry?.timer); leaving?.close(1000); });
addEventListener('pageshow', (event) => { if (event.persisted) connect(); });

function send(message) {
  if (socket?.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify(message));
  return true;
}

function login() { send({ type: 'login', name }); }

function hear(data) {
  let message;
  try { message = JSON.parse(data); } catch { return; }
  switch (message.type) {
    case 'user_list': {
      // A new list begins a new time: uids of the one before may mean somebody else.
      const again = known.size > 0;
      for (const label of document.querySelectorAll('#log [data-uid]')) delete label.dataset.uid;
      here = new Map(message.user_list.map((user) => [user.uid, user.name]));
      if (to !== 'all') { to = { gone: known.get(to) ?? to.gone ?? '' }; }
      known.clear();
      bearers.clear();
      for (const [uid, name] of here) meet(uid, name);
      me = message.user_list.at(-1)?.uid ?? null;
      $('who').close();
      if (again) note([say.again]);
      showUsers();
      $('text').focus();
      break;
    }
    case 'login':
      here.set(message.uid, message.name);
      if (!known.has(message.uid)) meet(message.uid, message.name);
      showUsers();
      note(say.joined(label(message.uid)), message.time);
      break;
    case 'logout': {
      here.delete(message.uid);
      note(say.parted(label(message.uid)), message.time);
      showUsers();
      break;
    }
    case 'say':
      showMessage(message);
      break;
    case 'error':
      if (message.code === 'bad-name') askName(say.errors['bad-name']);
      else {
        note([say.errors[message.code] ?? say.error(message.code)], null, true);
        if (['bad-content', 'too-fast', 'unknown-uid'].includes(message.code) && !$('text').value) $('text').value = lastSent;
      }
      break;
  }
}

// ---- who --------------------------------------------------------------------------------------------------------

// Somebody is here whom we have not met. The second of a name makes the first one ambiguous, too.
function meet(uid, called) {
  known.set(uid, called);
  bearers.set(called, (bearers.get(called) ?? 0) + 1);
  if (bearers.get(called) === 2) relabel();
}

// How a user is called: by name, and by number too where two have had the same name.
function nameOf(uid) {
  const called = known.get(uid) ?? '?';
  return bearers.get(called) > 1 ? `${called} #${uid}` : called;
}

function label(uid) {
  const who = document.createElement('bdi');
  who.className = 'who';
  who.dataset.uid = uid;
  who.style.setProperty('--hue', (uid * 137) % 360);
  who.textContent = nameOf(uid);
  return who;
}

function relabel() {
  for (const who of document.querySelectorAll('#log [data-uid]')) who.textContent = nameOf(Number(who.dataset.uid));
}

// A crowd may come at once: the list is drawn once for all of them.
let drawing = null;
function showUsers() { drawing ??= setTimeout(() => { drawing = null; drawUsers(); }, 20); }

function drawUsers() {
  const list = $('users');
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.uid : null;
  list.replaceChildren(...[...here.keys()].map((uid) => {
    const item = document.createElement('li');
    const button = document.createElement('button');
    button.type = 'button';
    button.dataset.uid = uid;
    button.append(label(uid));
    if (uid === me) {
      button.disabled = true;
      button.append(` (${say.you})`);
    } else {
      button.setAttribute('aria-label', say.talkTo(nameOf(uid)));
      button.setAttribute('aria-pressed', String(uid === to));
      button.onclick = () => { to = uid === to ? 'all' : uid; showUsers(); $('text').focus(); };
    }
    item.append(button);
    return item;
  }));
  if (focused) list.querySelector(`[data-uid="${Number(focused)}"]`)?.focus();
  $('count').textContent = here.size ? String(here.size) : '';

  const option = (value, text) => { const o = document.createElement('option'); o.value = value; o.textContent = text; return o; };
  const options = [option('all', say.everyone)];
  for (const uid of here.keys()) if (uid !== me) options.push(option(uid, nameOf(uid)));
  const gone = to !== 'all' && !here.has(to);
  if (gone) options.push(option('gone', say.left(typeof to === 'object' ? to.gone : nameOf(to))));
  $('to').replaceChildren(...options);
  $('to').value = gone ? 'gone' : String(to);
  $('composer').classList.toggle('whisper', to !== 'all');
}

function askName(fault = '') {
  name = null;
  $('name-fault').textContent = fault;
  $('name').value ||= memory.get('name') ?? '';
  if (!$('who').open) $('who').showModal();
  $('name').focus();
  $('name').select();
}

$('who').addEventListener('cancel', (event) => event.preventDefault());
$('login').addEventListener('submit', (event) => {
  event.preventDefault();
  const wanted = $('name').value.trim();
  if (!wanted) { askName(say.noName); return; }
  name = wanted;
  memory.set('name', name);
  $('name-fault').textContent = '';
  login();
});
$('name').addEventListener('invalid', (event) => { event.preventDefault(); askName(say.noName); });

// ---- what is said -----------------------------------------------------------------------------------------------

function showMessage({ from_uid, to_uid, content, time }) {
  const item = document.createElement('li');
  const own = from_uid === me, whisper = to_uid !== 'all';
  item.className = `message${own ? ' own' : ''}${whisper ? ' private' : ''}`;
  const head = document.createElement('p');
  head.className = 'head';
  head.append(label(from_uid));
  if (own) head.append(` (${say.you})`);
  if (whisper) {
    const mark = document.createElement('span');
    mark.className = 'mark';
    mark.append(...(own ? say.privateTo(label(to_uid)) : [say.private]));
    head.append(' ', mark);
  }
  head.append(' ', clock(time));
  const body = document.createElement('p');
  body.className = 'body';
  body.dir = 'auto';
  body.textContent = content;
  item.append(head, body);
  add(item, own);
  if (!own && document.hidden) { unread += 1; showTitle(); }
}

function note(parts, time = null, warning = false) {
  const item = document.createElement('li');
  item.className = warning ? 'note warning' : 'note';
  item.append(...parts);
  if (time) item.append(' ', clock(time));
  add(item, false);
}

function clock(time) {
  const element = document.createElement('time');
  element.dateTime = time;
  element.title = time;
  element.textContent = String(time).slice(-8);
  return element;
}

function add(item, follow) {
  const log = $('log');
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  log.append(item);
  while (log.childElementCount > KEPT) log.firstElementChild.remove();
  if (atEnd || follow) log.scrollTop = log.scrollHeight; else $('newer').hidden = false;
}

$('log').addEventListener('scroll', () => {
  const log = $('log');
  if (log.scrollHeight - log.scrollTop - log.clientHeight < 40) $('newer').hidden = true;
}, { passive: true });
$('newer').addEventListener('click', () => { $('log').scrollTop = $('log').scrollHeight; $('text').focus(); });

$('to').addEventListener('change', () => {
  const chosen = $('to').value;
  if (chosen !== 'gone') to = chosen === 'all' ? 'all' : Number(chosen);
  showUsers();
  $('text').focus();
});

$('text').addEventListener('keydown', (event) => {
  // While an input method composes, Enter belongs to it (keyCode 229 in browsers that end composing first).
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
    event.preventDefault();
    $('composer').requestSubmit();
  }
});

$('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  const content = $('text').value;
  if (!content.trim()) return;
  if (to !== 'all' && !here.has(to)) { note([say.gone], null, true); return; }
  if (me === null || !send({ type: 'say', to_uid: to, content })) { note([say.offline], null, true); return; }
  lastSent = content;
  $('text').value = '';
});

// ---- words ------------------------------------------------------------------------------------------------------

function show(state, text) {
  const status = $('status');
  status.dataset.state = state;
  if (status.textContent !== text) status.textContent = text;
  $('send').disabled = state !== 'connected';
}

function showTitle() { document.title = unread ? `(${unread}) wschat` : 'wschat'; }

function speak() {
  say = words[language];
  document.documentElement.lang = language;
  $('language').value = language;
  for (const element of document.querySelectorAll('[data-word]')) element.textContent = say[element.dataset.word];
  for (const element of document.querySelectorAll('[data-label]')) element.setAttribute('aria-label', say[element.dataset.label]);
  $('name-fault').textContent = '';
  if (socket?.readyState === WebSocket.OPEN) show('connected', say.connected);
  showUsers();
}

$('language').addEventListener('change', () => { language = $('language').value; memory.set('language', language); speak(); });

speak();
connect();
