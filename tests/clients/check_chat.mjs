// The same as check_chat.py, with npm's ws.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';

const [url, folder] = process.argv.slice(2);
const WebSocket = createRequire(`${folder}/`)('ws');

// A client whose messages can be taken one by one.
async function open() {
  const socket = new WebSocket(url);
  const waiting = [], takers = [];
  socket.on('message', (data) => {
    const message = JSON.parse(data);
    if (takers.length) takers.shift()(message); else waiting.push(message);
  });
  await once(socket, 'open');
  const next = () => (waiting.length ? Promise.resolve(waiting.shift()) : new Promise((taker) => takers.push(taker)));
  return { socket, next, send: (message) => socket.send(JSON.stringify(message)) };
}

setTimeout(() => { console.error('too slow'); process.exit(1); }, 20000).unref();
const a = await open(), b = await open();
a.send({ type: 'login', name: 'node a' });
assert.equal((await a.next()).user_list.at(-1).name, 'node a');
const me = (await a.next()).uid;
b.send({ type: 'login', name: '猪猪' });
const users = (await b.next()).user_list;
const other = users.at(-1).uid;
assert.deepEqual(users.map((user) => user.uid), [me, other]);
assert.deepEqual(await b.next(), await a.next());
for (const to of ['all', other]) {
  a.send({ type: 'say', to_uid: to, content: 'hi,  all ! 😀' });
  const said = await a.next();
  assert.deepEqual([said.from_uid, said.to_uid, said.content], [me, to, 'hi,  all ! 😀']);
  assert.deepEqual(await b.next(), said);
}
a.socket.send('nonsense');
assert.equal((await a.next()).code, 'bad-json');
a.socket.ping('are you there');
assert.equal(String((await once(a.socket, 'pong'))[0]), 'are you there');
a.socket.close(1000, 'bye');
assert.equal((await once(a.socket, 'close'))[0], 1000);
assert.equal((await b.next()).type, 'logout');
b.socket.terminate();
console.log('ok');
