// The WebSocket: connects, notices when that fails, and tries again.

import { setting } from './state.js';

const FIRST_WAIT = 500, LONGEST_WAIT = 15_000; // milliseconds between two tries
const CONNECT_TIMEOUT = 10_000; // milliseconds that a handshake may take

const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
export const address = `${scheme}://${setting('ws-host') || location.hostname}:${setting('ws-port')}/`;

let socket = null;
let timer = null; // of the connect timeout, or of the next try
let tries = 0;

// What others may look at. `state`: connecting, connected, or waiting for the next try. `wasOpen`: at least one try succeeded.
export const connection = { state: 'connecting', wasOpen: false, nextTry: 0, compressed: false };
// Set by the page.
export const handlers = { open() {}, message() {}, close() {}, state() {} };

function setState(state) { connection.state = state; handlers.state(); }

export function connect() {
  clearTimeout(timer);
  setState('connecting');
  let ours;
  try { ours = new WebSocket(address); } catch { return retry(); }
  socket = ours;
  timer = setTimeout(() => drop(), CONNECT_TIMEOUT);
  ours.onopen = () => {
    if (ours !== socket) return;
    clearTimeout(timer);
    tries = 0;
    connection.wasOpen = true;
    connection.compressed = ours.extensions.includes('permessage-deflate');
    setState('connected');
    handlers.open();
  };
  ours.onmessage = ({ data }) => { if (ours === socket) handlers.message(data); };
  ours.onclose = ({ code, reason }) => { if (ours === socket) ended(code, reason); };
}

// Gives up a connection that does not answer.
export function drop() {
  const dropped = socket;
  ended(1006, '');
  dropped?.close();
}

function ended(code, reason) {
  const wasConnected = connection.state === 'connected';
  socket = null;
  if (wasConnected) handlers.close(code, reason);
  retry();
}

function retry() {
  clearTimeout(timer);
  const longest = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** tries);
  tries += 1;
  // Not all pages at the same moment, when a server comes back.
  const wait = longest * (0.5 + Math.random() / 2);
  connection.nextTry = Date.now() + wait;
  timer = setTimeout(connect, wait);
  setState('waiting');
}

export function send(text) {
  if (socket?.readyState !== WebSocket.OPEN) return false;
  socket.send(text);
  return true;
}

// Ends the connection with a closing handshake (1000).
export function disconnect() {
  clearTimeout(timer);
  const leaving = socket;
  socket = null;
  leaving?.close(1000);
  if (connection.state === 'connected') handlers.close(1000, '');
  Object.assign(connection, { wasOpen: false, nextTry: 0 });
  setState('waiting');
}

export function hurry() { if (connection.state === 'waiting' && !document.hidden) connect(); }
