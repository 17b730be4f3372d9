// @ts-check
/** A session that is bound to a key: what is signed, and what becomes of a key that is another one. */
import assert from 'node:assert/strict';
import { createHash, webcrypto } from 'node:crypto';
import { test } from 'node:test';
import { json } from './support/stub-daypass.js';
import { Browser } from './support/tabs.js';
import { comeBack, left } from './support/ways.js';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };
const ES256 = { name: 'ECDSA', hash: 'SHA-256' };

/** A key of a browser's, and what it was called by. */
async function makeKey() {
  const pair = await webcrypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
  /** @type {string[]} */
  const names = [];
  const key = async (/** @type {string} */ name) => {
    names.push(name);
    const publicKey = await webcrypto.subtle.exportKey('jwk', pair.publicKey);
    return { publicKey, sign: async (/** @type {Uint8Array<ArrayBuffer>} */ data) => new Uint8Array(await webcrypto.subtle.sign(ES256, pair.privateKey, data)) };
  };
  return { key, names };
}

/** @param {Browser} browser @param {Partial<import('../src/index.js').Platform>} platform */
const tabOf = (browser, platform) => browser.tab({ dpop: true }, platform);

/** The claims of a proof, which has to be signed by the key that it shows. @param {string | null | undefined} proof */
async function verify(proof) {
  const [head = '', body = '', signature = ''] = String(proof).split('.');
  const [{ typ, alg, jwk }, claims] = [head, body].map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
  assert.deepEqual([typ, alg, Object.keys(jwk).sort()], ['dpop+jwt', 'ES256', ['crv', 'kty', 'x', 'y']], 'nothing of the private key');
  const key = await webcrypto.subtle.importKey('jwk', jwk, ALGORITHM, false, ['verify']);
  assert.ok(await webcrypto.subtle.verify(ES256, key, Buffer.from(signature, 'base64url'), Buffer.from(`${head}.${body}`)));
  return { claims, jwk };
}

test('what begins, goes on with, shows or links a session is signed, and nothing else', async () => {
  const browser = new Browser();
  const { key, names } = await makeKey();
  const tab = tabOf(browser, { key });
  const { answer } = await left(browser, tab);
  await comeBack(tab, answer);
  await tab.client.credentials({ forceRefresh: true });
  const { secrets } = JSON.parse([...browser.storage.map.values()][0] ?? '');
  const [device] = await tab.client.sessions();
  await tab.client.endSession('another');
  await tab.client.link('other');
  await comeBack(tab, browser.daypass.agree(new URL(tab.went.at(-1) ?? '')));
  await tab.client.providers();
  await tab.client.signOut();
  assert.ok(device);

  const seen = [];
  for (const { path, method, headers } of browser.daypass.asked) {
    if (!headers.has('dpop')) {
      seen.push(`${method} ${path} unsigned`);
      continue;
    }
    const { claims } = await verify(headers.get('dpop'));
    assert.deepEqual([claims.htm, claims.htu], [method, `https://login.test${path}`]);
    assert.equal(claims.iat, Math.floor(browser.time.now() / 1000));
    const hash = createHash('sha256').update(secrets.refreshToken).digest('base64url');
    assert.equal(claims.ath, headers.has('authorization') ? hash : undefined);
    seen.push(`${method} ${path}`);
  }
  assert.deepEqual(seen, [
    'POST /oauth2/token', 'POST /oauth2/token', 'GET /v1/sessions', 'DELETE /v1/sessions/another', 'POST /v1/link',
    'GET /v1/providers unsigned', 'POST /oauth2/revoke unsigned',
  ]);
  assert.deepEqual(names, ['daypass:https://login.test:web:key'], 'the key is asked for once');
});

test('no two proofs are the same', async () => {
  const browser = new Browser();
  const tab = tabOf(browser, await makeKey());
  await browser.signIn(tab);
  for (let round = 0; round < 5; round += 1) await tab.client.credentials({ forceRefresh: true });
  const proofs = await Promise.all(browser.daypass.asked.map(({ headers }) => verify(headers.get('dpop'))));
  assert.equal(new Set(proofs.map(({ claims }) => claims.jti)).size, 6);
  assert.equal(new Set(proofs.map(({ jwk }) => jwk.x)).size, 1);
});

test('a device whose clock is wrong signs the nonce that it is given, and the next time at once', async () => {
  const browser = new Browser();
  const tab = tabOf(browser, await makeKey());
  const wanted = () => json({ error: 'use_dpop_nonce', code: 'use_dpop_nonce' }, 400, { 'dpop-nonce': 'the-nonce' });
  browser.daypass.before.push(wanted);
  assert.equal((await browser.signIn(tab)).user.name, 'ada');
  await tab.client.credentials({ forceRefresh: true });
  const proofs = await Promise.all(browser.daypass.asked.map(({ headers }) => verify(headers.get('dpop'))));
  assert.deepEqual(proofs.map(({ claims }) => claims.nonce), [undefined, 'the-nonce', 'the-nonce']);
});

test('a nonce that does not help is asked for once more, and then told', async () => {
  const browser = new Browser();
  const tab = tabOf(browser, await makeKey());
  const wanted = () => json({ error: 'use_dpop_nonce', code: 'use_dpop_nonce' }, 400, { 'dpop-nonce': 'n' });
  browser.daypass.before.push(wanted, wanted);
  await assert.rejects(browser.signIn(tab), { code: 'use_dpop_nonce' });
  assert.equal(browser.daypass.asked.length, 2);
});

test('a key that is another one than the session’s ends it, in every tab', async () => {
  const browser = new Browser();
  const tab = tabOf(browser, await makeKey());
  await browser.signIn(tab);
  browser.daypass.before.push(() => json({ error: 'invalid_dpop_proof', code: 'invalid_dpop_proof' }, 400));
  await assert.rejects(tab.client.credentials({ forceRefresh: true }), { code: 'signed_out', reason: 'key_lost' });
  assert.equal(browser.storage.map.size, 0);
});

test('a browser that has no place for a key says so, asks nobody, and tries again', async () => {
  const browser = new Browser();
  let isThere = false;
  const { key } = await makeKey();
  const tab = tabOf(browser, {
    key: async (name) => {
      if (!isThere) throw Object.assign(new Error('no IndexedDB'), { code: 'no_key' });
      return key(name);
    },
  });
  await assert.rejects(browser.signIn(tab));
  assert.equal(browser.daypass.asked.length, 0);
  isThere = true;
  assert.equal((await browser.signIn(tab)).user.name, 'ada');
});
