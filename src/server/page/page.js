// The chat page: logs in, hands the server's messages on, and says how the connection is.

import * as composer from './composer.js';
import { address, connect, connection, disconnect, drop, handlers as connectionHandlers, hurry, send } from './connection.js';
import * as messages from './messages.js';
import { $, element, formatNumber, language, local, onLanguage, session, setLanguage, setting, textOf, texts } from './state.js';
import * as users from './users.js';
import { wireOf } from './wire.js';

const EXAMPLE = 'hi,  all !'; // what is said in the documents, with both blanks
const LOGIN_TIMEOUT = 10; // seconds without an answer after which the login is given up

// ---- login ------------------------------------------------------------------------------------------------------

const login = {
  name: session.get('name'), // with which we log in on every connection, once it is known
  since: 0, // when it was sent; 0 when no answer is awaited
  byHand: false, // from the form, not by itself after a lost connection or a reload
  fault: null, // a key of the texts and its values
};
const FAULTS_OF_NAMES = ['noName', 'nameTooLong', 'nameForbidden', 'nameRefused'];
const MAX_NAME = Number(setting('max-name'));
const FORBIDDEN = forbiddenInNames();

// The rule of the server (names.rs), so that one is told which part of it a name breaks.
function forbiddenInNames() {
  const rule = String.raw`[[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\uFFFC]--[\u200C\u200D\uFE0E\uFE0F]]|^[\p{M}\u200C\u200D]|[\u200C\u200D]$|\p{M}{5}`;
  try { return new RegExp(rule, 'v'); } catch { return /[\p{Cc}\p{Co}]/u; }
}

function faultOf(name) {
  const length = [...name].length;
  if (!length) return ['noName'];
  if (length > MAX_NAME) return ['nameTooLong', length, MAX_NAME];
  return FORBIDDEN.test(name) ? ['nameForbidden'] : null;
}

function sendLogin() {
  if (login.name === null || login.since || !send(JSON.stringify({ type: 'login', name: login.name }))) return;
  login.since = Date.now();
  watchTime();
  showLogin();
}

function refuseLogin(fault) {
  login.name = null;
  login.since = 0;
  login.fault = fault;
  session.set('name', null);
  showPart('login');
  $('name').focus();
}

// No answer has come: the connection is given up, since a late one would be one to a name that may have been changed. Who has
// pressed the button may do so again; who was in before is logged in again by itself.
function giveUpLogin() {
  drop();
  if ($('login-part').hidden) return;
  login.name = null;
  login.fault = ['loginUnanswered', formatNumber(LOGIN_TIMEOUT)];
  showLogin();
}

function unreachableHint() {
  const hint = texts.unreachableHint(address);
  return address.startsWith('wss:') ? `${hint} ${texts.certificateHint(address.replace('wss:', 'https:'))}` : hint;
}

function showLogin() {
  const waiting = login.name !== null;
  $('enter').setAttribute('aria-disabled', String(waiting));
  $('enter').textContent = waiting ? texts.entering : texts.enter;
  const text = login.fault ? textOf(login.fault) : '';
  if ($('name-fault').textContent !== text) $('name-fault').textContent = text;
  if (FAULTS_OF_NAMES.includes(login.fault?.[0])) $('name').setAttribute('aria-invalid', 'true'); else $('name').removeAttribute('aria-invalid');
  const isLost = connection.state !== 'connected';
  $('login-state').textContent = isLost ? `${statusText()} ${connection.wasOpen ? '' : unreachableHint()} ${waiting ? texts.willEnter : ''}`.trim()
    : silentFor() ? statusText() : '';
}

$('login').addEventListener('submit', (event) => {
  event.preventDefault();
  if (login.name !== null) return;
  const name = $('name').value.trim();
  login.fault = faultOf(name);
  if (login.fault) { showLogin(); $('name').focus(); return; }
  login.name = name;
  login.byHand = true;
  local.set('name', name);
  sendLogin();
  showLogin();
});
$('name').addEventListener('input', () => {
  login.fault = null;
  if (!login.since) login.name = null; // another name, before the first one was sent
  showLogin();
});

function showPart(part) {
  $('login-part').hidden = part !== 'login';
  $('chat').hidden = part !== 'chat';
  $('leave').hidden = part !== 'chat';
  $('example').disabled = users.me.uid === null;
  if (part === 'chat') messages.followEnd();
  showLogin();
}

$('leave').addEventListener('click', () => {
  login.name = null;
  session.set('name', null);
  disconnect();
  showPart('login');
  $('name').focus();
  connect();
});

// ---- what the server sends --------------------------------------------------------------------------------------

connectionHandlers.open = () => { composer.online(); sendLogin(); };

connectionHandlers.message = (data) => {
  let message;
  try { message = JSON.parse(data); } catch { return; }
  switch (message?.type) {
    case 'user_list': return enter(message.user_list);
    case 'login':
      users.add(message.uid, message.name);
      return messages.addPresence('joined', users.userOf(message.uid), message.time);
    case 'logout': {
      const user = users.userOf(message.uid);
      users.remove(message.uid);
      return messages.addPresence('left', user, message.time);
    }
    case 'say': {
      const own = message.from_uid === users.me.uid;
      return messages.addSay({
        from: users.userOf(message.from_uid),
        to: message.to_uid === 'all' ? 'all' : users.userOf(message.to_uid),
        content: message.content,
        time: message.time,
        own,
        sent: own ? composer.confirm() : null,
        received: wireOf(data, false),
      });
    }
    case 'error': return refused(message.code);
  }
};

function enter(list) {
  const isReturn = users.me.generation > 0;
  users.replaceAll(list);
  login.since = 0;
  session.set('name', login.name);
  showPart('chat');
  showStatus();
  if (isReturn) messages.addNote('again');
  if (login.byHand) {
    // A small window has room for the chat or for the explanation.
    if (matchMedia('(max-width: 46rem), (max-height: 44rem)').matches) $('watch').open = false;
    $('text').focus();
  }
  login.byHand = false;
}

function refused(code) {
  if (!login.since) composer.refused(...(texts[`error-${code}`] ? [`error-${code}`] : ['otherError', code]));
  else if (code === 'bad-name') refuseLogin(['nameRefused']);
  else if (code !== 'already-logged-in') refuseLogin(code === 'too-fast' ? ['loginTooFast'] : ['otherError', code]);
}

connectionHandlers.close = (code) => {
  login.since = 0;
  composer.connectionLost();
  if (users.me.uid !== null) messages.addNote(...(texts[`close-${code}`] ? [`close-${code}`] : ['closed', code]));
  users.clear();
  $('example').disabled = true;
};

// ---- how the connection is --------------------------------------------------------------------------------------

let silence = 0; // seconds that a message has waited for its answer
let shownUnread = { count: 0, private: 0 };

const secondsOfLogin = () => (login.since ? Math.floor((Date.now() - login.since) / 1000) : 0);
// Seconds without an answer, once they are too many.
const silentFor = () => silence || (secondsOfLogin() >= composer.SILENT_SECONDS ? secondsOfLogin() : 0);

function statusText() {
  if (connection.state === 'connected') return silentFor() ? texts.silent : texts.connected;
  if (connection.wasOpen) return texts.lost;
  return connection.state === 'connecting' && !connection.nextTry ? texts.connecting : texts.unreachable;
}

// The sentence is announced when it changes; the number beside it, which changes each second, is not.
function showStatus() {
  const isConnected = connection.state === 'connected';
  const text = statusText(), silence = silentFor();
  if ($('status').textContent !== text) $('status').textContent = text;
  $('connection').dataset.state = isConnected ? (silence ? 'silent' : 'connected') : text === texts.connecting ? 'connecting' : 'lost';
  const left = Math.ceil((connection.nextTry - Date.now()) / 1000);
  $('countdown').textContent = isConnected ? (silence ? texts.seconds(formatNumber(silence)) : '')
    : connection.state === 'waiting' && left > 0 ? texts.nextTry(formatNumber(left)) : connection.nextTry ? texts.trying : '';
  showTitle();
}

function showTitle() {
  const unread = shownUnread.count ? `${texts.titleUnread(formatNumber(shownUnread.count), formatNumber(shownUnread.private), shownUnread.private)} ` : '';
  const isLost = $('connection').dataset.state === 'lost' ? `${texts.lostShort} · ` : '';
  const title = `${isLost}${unread}${texts.title}`;
  if (document.title !== title) document.title = title;
  const icon = shownUnread.count ? 'icon-unread.svg' : 'icon.svg';
  if ($('icon').getAttribute('href') !== icon) $('icon').setAttribute('href', icon);
}

// Twice a second, while there is no connection or no answer to the login.
let timer = null;
function watchTime() {
  timer ??= setInterval(() => {
    if (secondsOfLogin() >= LOGIN_TIMEOUT) giveUpLogin();
    showStatus();
    showLogin();
    if (connection.state === 'connected' && !login.since) { clearInterval(timer); timer = null; }
  }, 500);
}
connectionHandlers.state = () => {
  if (connection.state !== 'connected') watchTime();
  showStatus();
  showLogin();
};
composer.handlers.silence = (seconds) => { silence = seconds; showStatus(); };
messages.handlers.unread = (unread) => { shownUnread = { ...unread }; showTitle(); };

addEventListener('online', hurry);
document.addEventListener('visibilitychange', hurry);

// ---- to whom one writes -----------------------------------------------------------------------------------------

users.handlers.changed = composer.showRecipient;
users.handlers.chosen = () => $('text').focus();
messages.handlers.reply = (user) => { users.choose(user); $('text').focus(); };
// A name in the log stands for its user.
$('messages').addEventListener('click', ({ target }) => {
  const uid = Number(target.closest('.who[data-uid]')?.dataset.uid);
  if (!users.here.has(uid) || uid === users.me.uid) return;
  users.choose(users.userOf(uid));
  $('text').focus();
});

// ---- how to watch -----------------------------------------------------------------------------------------------

$('copy').addEventListener('click', async () => {
  try {
    await navigator.clipboard.writeText($('command').textContent);
    $('copied').textContent = texts.copied;
  } catch {
    // Without the right to write to the clipboard: selected, to be copied by hand.
    getSelection().selectAllChildren($('command'));
    $('copied').textContent = texts.selected;
  }
  setTimeout(() => { $('copied').textContent = ''; }, 4000);
});
$('example').addEventListener('click', () => composer.say(EXAMPLE, 'all'));
// It must not push the login out of a small window.
$('watch').open = local.get('watch') ?? !matchMedia('(max-width: 46rem) and (max-height: 44rem)').matches;
$('watch').firstElementChild.addEventListener('click', () => local.set('watch', !$('watch').open));
$('show-wire').checked = local.get('wire') ?? true;
$('show-wire').addEventListener('change', showWire);
function showWire() {
  local.set('wire', $('show-wire').checked);
  document.body.classList.toggle('without-wire', !$('show-wire').checked);
}

// ---- start ------------------------------------------------------------------------------------------------------

// A page that leaves says so; one that comes back out of the browser's cache begins anew.
addEventListener('pagehide', () => { messages.remember(); composer.remember(); disconnect(); });
addEventListener('pageshow', (event) => { if (event.persisted) connect(); });

// What stands between backquotes is code.
const withCode = (text) => text.split('`').map((part, index) => (index % 2 ? element('code', '', part) : part));

$('language').addEventListener('change', () => setLanguage($('language').value));
onLanguage(() => {
  document.documentElement.lang = language;
  $('language').value = language;
  for (const translated of document.querySelectorAll('[data-text]')) translated.replaceChildren(...withCode(texts[translated.dataset.text]));
  for (const labelled of document.querySelectorAll('[data-label]')) labelled.setAttribute('aria-label', texts[labelled.dataset.label]);
  showStatus();
  showLogin();
});

showWire();
$('name').value = login.name ?? local.get('name') ?? '';
messages.restore();
composer.restore();
showPart(login.name === null ? 'login' : 'chat');
$('page').hidden = false;
if (login.name === null) { $('name').focus(); $('name').select(); }
connect();
