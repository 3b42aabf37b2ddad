// What a message is on the wire: its JSON, and the bytes of its frame (RFC 6455 §5.2).

import { address, connection } from './connection.js';
import { element, formatNumber, texts } from './state.js';

const MAX_SHOWN = 4096; // characters of JSON that are kept and shown of one message

const encoder = new TextEncoder();
export const byteLength = (text) => encoder.encode(text).length;

// What is remembered of a message's JSON. Frames of the client are masked.
export function wireOf(json, masked) {
  const payload = byteLength(json);
  const lengthBytes = payload < 126 ? 0 : payload < 65536 ? 2 : 8;
  return {
    json: json.length > MAX_SHOWN ? `${json.slice(0, MAX_SHOWN)}…` : json,
    payload,
    frame: 2 + lengthBytes + (masked ? 4 : 0) + payload,
    masked,
    compressed: connection.compressed,
  };
}

// A disclosure with both directions; what is in it is made when it is opened.
export function wireDetails(sent, received) {
  const bytes = (wire) => formatNumber(wire.frame);
  const summary = element('summary', '', sent
    ? texts.wireBoth(bytes(sent), bytes(received))
    : texts.wireReceived(bytes(received)));
  const details = element('details', 'wire', summary);
  details.addEventListener('toggle', () => {
    if (!details.open || details.childElementCount > 1) return;
    for (const [title, wire] of [[texts.wireSent, sent], [texts.wireGot, received]]) {
      if (!wire) continue;
      const json = element('code', '', wire.json);
      json.dir = 'ltr';
      details.append(element('p', '', `${title} `, element('span', 'size', sizes(wire))), json);
    }
  });
  return details;
}

function sizes(wire) {
  if (wire.compressed) return texts.wireCompressed(formatNumber(wire.payload));
  const say = wire.masked ? texts.wireMasked : texts.wireUnmasked;
  const where = address.startsWith('wss:') ? texts.wireInTls : texts.wireInTcp;
  return say(formatNumber(wire.payload), formatNumber(wire.frame), where);
}
