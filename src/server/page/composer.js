// Writing: to whom, what is on its way, and what has not been sent.
//
// The server answers each message in order, with its echo or with an error: the oldest message without an answer is the one
// that is answered.

import { drop, send } from './connection.js';
import { followEnd } from './messages.js';
import { $, element, formatBytes, formatNumber, onLanguage, session, setting, textOf, texts } from './state.js';
import { choose, isGone, isHere, me, recipient, recipientName } from './users.js';
import { byteLength, wireOf } from './wire.js';

const MAX_CONTENT = Number(setting('max-content')); // bytes
export const SILENT_SECONDS = 3; // without an answer: this is said
const DEAD_SECONDS = 60; // without an answer: the connection is given up

// Set by the page: called when the time without an answer changes.
export const handlers = { silence() {} };

const pending = []; // { content, to, sent, at, fault, element }
const isWaiting = (item) => item.fault === null;

// Rounded sizes that are the same say nothing.
function tooLong(size) {
  const inBytes = (bytes) => texts.bytes(formatNumber(bytes));
  const write = formatBytes(size) === formatBytes(MAX_CONTENT) ? inBytes : formatBytes;
  return ['tooLong', write(size), write(MAX_CONTENT)];
}

// ---- sending ----------------------------------------------------------------------------------------------------

// Sends, or says why not. Returns whether it was sent.
export function say(content, to) {
  const size = byteLength(content);
  if (size > MAX_CONTENT) return refuse(...tooLong(size));
  if (me.uid === null) return refuse('offline');
  if (to !== 'all' && !isHere(to)) return refuse('gone');
  const json = JSON.stringify({ type: 'say', to_uid: to === 'all' ? 'all' : to.uid, content });
  if (!send(json)) return refuse('offline');
  const item = { content, to, sent: wireOf(json, true), at: Date.now(), fault: null, element: element('li') };
  pending.push(item);
  $('pending').append(item.element);
  show(item);
  showFault(null);
  followEnd();
  tick();
  return true;
}

// The echo of our oldest message has come.
export function confirm() {
  const item = pending.find(isWaiting);
  if (item) remove(item);
  return item?.sent ?? null;
}

// Our oldest message has been refused, for the reason that the key in the texts says.
export function refused(...fault) {
  const item = pending.find(isWaiting);
  if (item) fail(item, fault);
  showFault(fault);
}

// The connection has ended: nothing that is still waiting will be answered.
export function connectionLost() {
  for (const item of pending.filter(isWaiting)) fail(item, ['unconfirmed']);
  handlers.silence(0);
}

function fail(item, fault) { item.fault = fault; show(item); followEnd(); }

function remove(item) { pending.splice(pending.indexOf(item), 1); item.element.remove(); }

function show(item) {
  const seconds = Math.floor((Date.now() - item.at) / 1000);
  item.element.className = `message own ${isWaiting(item) ? 'waiting' : 'failed'}${item.to === 'all' ? '' : ' private'}`;
  const body = element('p', 'body', item.content.length > 300 ? `${item.content.slice(0, 300)}…` : item.content);
  body.dir = 'auto';
  const state = element('p', 'state');
  if (!isWaiting(item)) state.append(texts.notSent(textOf(item.fault)));
  else if (seconds >= SILENT_SECONDS) state.append(texts.noAnswerFor(formatNumber(seconds)));
  else if (seconds >= 1) state.append(texts.sending);
  item.element.replaceChildren(body, state);
  if (isWaiting(item)) return;
  const discard = () => { remove(item); $('text').focus(); };
  item.element.append(element('div', 'row', button('sendAgain', () => again(item)), button('discard', discard)));
}

function button(key, action) {
  const made = element('button', '', texts[key]);
  made.type = 'button';
  made.addEventListener('click', action);
  return made;
}

function again(item) {
  // A private message whose recipient has gone needs another one: it goes back to where one writes.
  if (me.uid !== null && item.to !== 'all' && !isHere(item.to)) {
    $('text').value = $('text').value ? `${item.content}\n${$('text').value}` : item.content;
    choose({ ...item.to, generation: 0 });
    showFault(['gone']);
  } else if (!say(item.content, item.to)) return;
  remove(item);
  $('text').focus();
}

// Once a second, while something waits for its answer.
let ticking = null;
function tick() {
  ticking ??= setInterval(() => {
    const waiting = pending.filter(isWaiting);
    for (const item of waiting) show(item);
    const seconds = waiting.length ? Math.floor((Date.now() - waiting[0].at) / 1000) : 0;
    handlers.silence(seconds >= SILENT_SECONDS ? seconds : 0);
    if (seconds >= DEAD_SECONDS) drop();
    if (!pending.some(isWaiting)) { clearInterval(ticking); ticking = null; }
  }, 1000);
}

// ---- the form ---------------------------------------------------------------------------------------------------

let fault = null; // a key of the texts and its values

// One line, replaced and not repeated.
function showFault(shown) {
  fault = shown;
  const text = shown ? textOf(shown) : '';
  if ($('composer-fault').textContent !== text) $('composer-fault').textContent = text;
  if (shown?.[0] === 'tooLong') $('text').setAttribute('aria-invalid', 'true'); else $('text').removeAttribute('aria-invalid');
}

function refuse(...reason) { showFault(reason); return false; }

export function showRecipient() {
  const isPrivate = recipient !== 'all';
  $('composer').classList.toggle('private', isPrivate);
  const label = !isPrivate ? texts.messageToAll : isGone() ? texts.messageToGone(recipient.name) : texts.messageTo(recipientName());
  $('text').setAttribute('aria-label', label);
  $('text').placeholder = label;
  if (fault?.[0] === 'gone' && !isGone()) showFault(null);
}

$('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  const content = $('text').value;
  if (content.trim() && say(content, recipient)) $('text').value = '';
});

$('text').addEventListener('keydown', (event) => {
  // While an input method composes, its keys are its own (keyCode 229 in browsers that end composing first).
  if (event.isComposing || event.keyCode === 229) return;
  if (event.key === 'Enter' && !event.shiftKey) {
    event.preventDefault();
    $('composer').requestSubmit();
  } else if (event.key === 'Escape' && recipient !== 'all') choose('all');
});

$('text').addEventListener('input', () => {
  const { value } = $('text');
  // No character of UTF-16 takes more than three bytes of UTF-8.
  const size = value.length * 3 > MAX_CONTENT ? byteLength(value) : 0;
  if (size > MAX_CONTENT) showFault(tooLong(size));
  else if (fault) showFault(null);
});

export function online() { if (fault?.[0] === 'offline') showFault(null); }

onLanguage(() => {
  showRecipient();
  showFault(fault);
  for (const item of pending) show(item);
});

// ---- reload -----------------------------------------------------------------------------------------------------

export function remember() {
  session.set('draft', $('text').value);
  session.set('unsent', pending.map(({ content, to }) => ({ content, to })));
  session.set('recipient', recipient === 'all' ? null : { uid: recipient.uid, name: recipient.name });
}

export function restore() {
  $('text').value ||= session.get('draft') ?? '';
  for (const { content, to } of session.get('unsent') ?? []) {
    const item = { content, to: to === 'all' ? to : { ...to, generation: 0 }, sent: null, at: 0, fault: ['unconfirmed'], element: element('li') };
    pending.push(item);
    $('pending').append(item.element);
    show(item);
  }
  session.set('unsent', []);
}
