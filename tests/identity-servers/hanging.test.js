/** A provider that takes every question and answers none, beside one that answers: nobody of the second waits for the first. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { startDaypass } from '../../sdk/test/support/daypass.js';
import { CONFIG_OF_APP, exchangeAt } from './daypass.js';

/** More than there are places for one host. */
const WAITING = 200;
const SERVED = 500;

describe('a provider that hangs', () => {
  let silent, speaking, running;
  let asked = 0;

  before(async () => {
    silent = await listen(() => { asked += 1; });
    speaking = await listen((request, response) => {
      const sub = request.headers.authorization.replace('Bearer ', '');
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ sub, client_id: 'ours' }));
    });
    process.env.UNUSED_SECRET = 'no userinfo needs it';
    running = await startDaypass(CONFIG_OF_APP + provider('silent', silent) + provider('speaking', speaking));
  }, { timeout: 60_000 });
  after(async () => {
    for (const server of [silent, speaking]) {
      server?.closeAllConnections();
      server?.close();
    }
    await running?.stop();
  });

  test('slows no other', async () => {
    const hangUp = new AbortController();
    const { enter } = exchangeAt(running.ready.server_url, { signal: hangUp.signal });
    let answered = 0;
    const waiting = Array.from({ length: WAITING }, async (_, number) => {
      await enter({ provider: 'silent', access_token: `person ${number}` }).catch(() => {});
      answered += 1;
    });
    while (asked === 0) await new Promise(setImmediate);

    const served = exchangeAt(running.ready.server_url);
    const logins = Array.from({ length: SERVED }, (_, number) =>
      served.enter({ provider: 'speaking', access_token: `person${number}` }));
    const people = new Set((await Promise.all(logins)).map(({ identity_id }) => identity_id));
    assert.equal(people.size, SERVED);
    assert.equal(answered, 0, 'all who ask the silent one still wait');

    hangUp.abort();
    await Promise.all(waiting);
  });
});

async function listen(answer) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function provider(id, server) {
  const url = `http://127.0.0.1:${server.address().port}/me`;
  return `
[[provider]]
id = "${id}"
client_id = "ours"
client_secret = { env = "UNUSED_SECRET" }
name = "${id}"
register = "A client."
id_scope = "global"
accept = ["access_token"]
profile = { url = "${url}", subject = { at = "/sub" } }
binding = { kind = "profile", client = { at = "/client_id" } }
`;
}
