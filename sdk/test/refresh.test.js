// @ts-check
/** How a session is kept alive: each step, and what can come between. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SignedOutError } from '../src/index.js';
import { json } from './support/stub-daypass.js';
import { Browser, settle } from './support/tabs.js';

const HOUR = 3_600;
/** Later than any margin: 30 % of five minutes and more before the end. */
const DUE = HOUR - 299;

const dropped = () => {
  throw new TypeError('Failed to fetch');
};
const never = () => /** @type {Promise<never>} */ (new Promise(() => {}));

/** @param {unknown} error @param {string} [reason] */
function isSignedOut(error, reason) {
  assert.ok(error instanceof SignedOutError);
  assert.equal(error.code, 'signed_out');
  assert.equal(error.reason, reason);
  return true;
}

test('1: credentials come out of memory while they are young', async () => {
  const browser = new Browser();
  const { client } = await browser.signedIn();
  const first = await client.credentials();
  await browser.time.pass(HOUR - 300 - 360 - 1);
  assert.equal((await client.credentials()).accessKeyId, first.accessKeyId);
  assert.equal(browser.daypass.refreshes, 0);
  assert.equal(browser.locks.requests.length, 0);
});

test('1: the margin is a fifth of a short life, and some of it is chance', async () => {
  const browser = new Browser();
  browser.daypass.credentialsLife = 30;
  const { client } = await browser.signedIn();
  await browser.time.pass(20.9);
  await client.credentials();
  assert.equal(browser.daypass.refreshes, 0);
  await browser.time.pass(3.2);
  await client.credentials();
  assert.equal(browser.daypass.refreshes, 1);
});

test('1: tabs do not all find their credentials due at one moment', async () => {
  const browser = new Browser();
  await browser.signedIn();
  const due = [];
  for (const lot of [0, 255]) {
    const tab = browser.tab({}, { random: (length) => new Uint8Array(length).fill(lot) });
    await tab.client.session();
    due.push(tab);
  }
  await browser.time.pass(HOUR - 400);
  const [late, early] = due;
  await late?.client.credentials();
  assert.equal(browser.daypass.refreshes, 0);
  await early?.client.credentials();
  assert.equal(browser.daypass.refreshes, 1);
});

for (const locks of ['with', 'without']) {
  test(`2: many callers of a tab share one refresh, ${locks} locks`, async () => {
    const browser = new Browser();
    const { client } = browser.tab({}, locks === 'with' ? {} : { locks: undefined });
    await client.handOver({ provider: 'sandbox', accessToken: 'of-ada' });
    await browser.time.pass(DUE);
    const given = await Promise.all(Array.from({ length: 20 }, () => client.credentials()));
    assert.equal(new Set(given.map(({ accessKeyId }) => accessKeyId)).size, 1);
    assert.equal(browser.daypass.refreshes, 1);
  });
}

test('2: a lock that does not come within 5 s is gone without, and not stolen', async () => {
  const browser = new Browser();
  const { client } = await browser.signedIn();
  await browser.time.pass(DUE);
  void browser.locks.request('daypass:https://login.test:web', { signal: new AbortController().signal }, never);
  const given = client.credentials();
  await browser.time.pass(4.9);
  assert.equal(browser.daypass.refreshes, 0);
  await browser.time.pass(0.2);
  await given;
  assert.equal(browser.daypass.refreshes, 1);
  assert.equal(browser.locks.held, true);
});

test('2: without locks the server alone decides', async () => {
  const browser = new Browser();
  const tabs = [browser.tab({}, { locks: undefined }), browser.tab({}, { locks: undefined })];
  await browser.signIn(/** @type {any} */ (tabs[0]));
  await settle();
  await browser.time.pass(DUE);
  const given = await Promise.all(tabs.map(({ client }) => client.credentials()));
  assert.equal(browser.daypass.refreshes, 2);
  assert.equal(new Set(given.map(({ accessKeyId }) => accessKeyId)).size, 1, 'the slower one drops its own and takes what is there');
  await settle();
  await browser.time.pass(DUE);
  await Promise.all(tabs.map(({ client }) => client.credentials()));
  assert.deepEqual(tabs.flatMap((tab) => tab.events()).filter((event) => event === 'signout'), []);
});

test('2: a lock manager that refuses is no lock manager', async () => {
  const browser = new Browser();
  const locks = { request: async () => Promise.reject(new DOMException('not here', 'SecurityError')) };
  const { client } = await browser.signedIn();
  const framed = browser.tab({}, { locks });
  await framed.client.session();
  await browser.time.pass(DUE);
  await framed.client.credentials();
  await client.session();
  assert.equal(browser.daypass.refreshes, 1);
});

test('2: a failure of the work is not taken for one of the lock, and does not repeat it', async () => {
  const browser = new Browser();
  const { client } = await browser.signedIn();
  await browser.time.pass(DUE);
  browser.daypass.before.push(dropped);
  await client.credentials();
  assert.equal(browser.daypass.refreshes, 1);
});

test('3: whoever waited for the lock finds in the storage what another tab got', async () => {
  const browser = new Browser();
  const one = await browser.signedIn();
  const two = browser.tab();
  await two.client.session();
  await browser.time.pass(DUE);
  const [first, second] = await Promise.all([one.client.credentials(), two.client.credentials()]);
  assert.equal(first.accessKeyId, second.accessKeyId);
  assert.equal(browser.daypass.refreshes, 1);
});

test('3: also one that was asked to fetch anew, since that is anew', async () => {
  const browser = new Browser();
  const one = await browser.signedIn();
  const two = browser.tab();
  await two.client.session();
  await Promise.all([one, two].map(({ client }) => client.credentials({ forceRefresh: true })));
  assert.equal(browser.daypass.refreshes, 1);
});

test('4: an answer that does not come within 10 s is a failure', async () => {
  const browser = new Browser();
  const tab = await browser.signedIn();
  const first = await tab.client.credentials();
  await browser.time.pass(DUE);
  browser.daypass.before.push(never);
  const given = tab.client.credentials();
  await browser.time.pass(9.9);
  assert.equal(tab.heard.length, 1);
  await browser.time.pass(0.2);
  assert.equal((await given).accessKeyId, first.accessKeyId, 'the old ones live');
  assert.equal(tab.heard[1]?.[0], 'error');
  assert.equal(tab.heard[1]?.[1].code, 'network');
});

test('4: a sign-out during a refresh stays a sign-out, and what came too late is ended', async () => {
  const browser = new Browser();
  const tab = await browser.signedIn();
  await browser.time.pass(DUE);
  /** @type {() => void} */
  let answer = () => {};
  browser.daypass.after.push(() => new Promise((resolve) => (answer = () => resolve(undefined))));
  const given = tab.client.credentials();
  const refused = assert.rejects(given, (error) => isSignedOut(error, 'signed_out'));
  await settle();
  await tab.client.signOut();
  answer();
  await refused;
  assert.equal(browser.storage.map.size, 0);
  assert.deepEqual(tab.events(), ['signin', 'signout']);
  await settle();
  assert.equal(browser.daypass.count('/oauth2/revoke'), 2);
});

test('4: a session that another tab writes once more after its end is none, and is taken out again', async () => {
  const browser = new Browser();
  const [one, two] = [await browser.signedIn(), browser.tab()];
  await two.client.session();
  const [[name, text] = ['', '']] = [...browser.storage.map];
  await one.client.signOut();
  await settle();
  for (const tab of [one, two]) {
    browser.storage.map.set(name, text);
    tab.window.dispatchEvent(Object.assign(new Event('storage'), { key: name }));
    await settle();
    assert.equal(await tab.client.session(), undefined);
    await browser.time.pass(1);
    assert.equal(browser.storage.map.size, 0);
    assert.equal(tab.events().filter((event) => event === 'signout').length, 1);
  }
});

test('4: nor does a slow tab bring back the person before', async () => {
  const browser = new Browser();
  const [one, two] = [await browser.signedIn('ada'), browser.tab()];
  await two.client.session();
  const [[name, text] = ['', '']] = [...browser.storage.map];
  await browser.signIn(one, 'grace');
  await settle();
  browser.storage.map.set(name, text);
  for (const tab of [two, one]) {
    tab.window.dispatchEvent(Object.assign(new Event('storage'), { key: name }));
    await settle();
    assert.notEqual((await tab.client.session())?.user.name, 'ada');
  }
  await browser.time.pass(1);
  assert.doesNotMatch([...browser.storage.map.values()].join(), /ada/);
});

test('4: a tab to which the storage shows late who is there now takes nobody out', async () => {
  const browser = new Browser();
  const one = await browser.signedIn('ada');
  const [[name, old] = ['', '']] = [...browser.storage.map];
  let isLate = false;
  const getItem = (/** @type {string} */ name) => (isLate ? old : browser.storage.getItem(name));
  const two = browser.tab({ storage: { ...browser.storage, getItem } });
  await two.client.session();
  isLate = true;
  await browser.signIn(one, 'grace');
  await settle();
  assert.equal(await two.client.session(), undefined);
  isLate = false;
  two.window.dispatchEvent(Object.assign(new Event('storage'), { key: name }));
  await browser.time.pass(2);
  for (const { client } of [one, two]) assert.equal((await client.session())?.user.name, 'grace');
  assert.equal(browser.storage.map.size, 1);
  assert.deepEqual(two.events(), ['signout', 'signin']);
});

test('5: what another tab has written is waited for, when the storage shows it late', async () => {
  const browser = new Browser();
  const one = await browser.signedIn();
  const [old = ''] = [...browser.storage.map.values()];
  let isLate = false;
  const getItem = (/** @type {string} */ name) => (isLate ? old : browser.storage.getItem(name));
  const two = browser.tab({ storage: { ...browser.storage, getItem } });
  await two.client.session();
  await browser.time.pass(DUE);
  isLate = true;
  const { accessKeyId } = await one.client.credentials();
  await settle();
  const given = two.client.credentials();
  await browser.time.pass(0.1);
  isLate = false;
  await browser.time.pass(0.1);
  assert.equal((await given).accessKeyId, accessKeyId);
  assert.equal(browser.daypass.refreshes, 1);
});

test('5: whoever had to wait for the lock looks a moment longer, told or not', async () => {
  const browser = new Browser();
  const one = await browser.signedIn();
  const [old = ''] = [...browser.storage.map.values()];
  let isLate = false;
  const getItem = (/** @type {string} */ name) => (isLate ? old : browser.storage.getItem(name));
  const two = browser.tab({ storage: { ...browser.storage, getItem } }, { channel: undefined });
  await two.client.session();
  await browser.time.pass(DUE);
  isLate = true;
  browser.daypass.after.push(() => new Promise((resolve) => void browser.time.setTimeout(() => resolve(undefined), 30)));
  const given = Promise.all([one, two].map(({ client }) => client.credentials()));
  await browser.time.pass(0.08);
  isLate = false;
  await browser.time.pass(0.1);
  const [first, second] = await given;
  assert.equal(first?.accessKeyId, second?.accessKeyId);
  assert.equal(browser.daypass.refreshes, 1);
});

test('5: whoever had the lock at once asks at once', async () => {
  const browser = new Browser();
  const { client } = await browser.signedIn();
  await browser.time.pass(DUE);
  const before = browser.time.steady;
  await client.credentials();
  assert.deepEqual([browser.daypass.refreshes, browser.time.steady], [1, before]);
});

test('5: what never arrives is not waited for', async () => {
  const browser = new Browser();
  const { client } = await browser.signedIn();
  browser.hub.channel('daypass:https://login.test:web').postMessage({ type: 'changed', generation: 'x' });
  await browser.time.pass(DUE);
  const given = client.credentials();
  await browser.time.pass(0.6);
  await given;
  assert.equal(browser.daypass.refreshes, 1);
});

test('5: a browser without channels tells by its storage', async () => {
  const browser = new Browser();
  const one = browser.tab({}, { channel: undefined });
  const two = browser.tab({}, { channel: undefined });
  await two.client.session();
  await browser.signIn(one);
  two.window.dispatchEvent(Object.assign(new Event('storage'), { key: 'daypass:https://login.test:web' }));
  two.window.dispatchEvent(Object.assign(new Event('storage'), { key: 'else' }));
  await settle();
  assert.deepEqual(two.events(), ['signin']);
});

test('4: somebody else who signs in during a refresh is not overwritten', async () => {
  const browser = new Browser();
  const one = await browser.signedIn('ada');
  const two = browser.tab();
  await browser.time.pass(DUE);
  /** @type {() => void} */
  let answer = () => {};
  browser.daypass.after.push(() => new Promise((resolve) => (answer = () => resolve(undefined))));
  const given = one.client.credentials();
  await settle();
  await browser.signIn(two, 'grace');
  answer();
  assert.match((await given).accessKeyId, /grace/);
  assert.equal((await one.client.session())?.user.name, 'grace');
});

test('5: the others are told without a token, and read the storage', async () => {
  const browser = new Browser();
  const one = await browser.signedIn();
  const two = browser.tab();
  await two.client.session();
  const { accessKeyId } = await one.client.credentials({ forceRefresh: true });
  await settle();
  assert.deepEqual(two.events(), ['refresh']);
  assert.equal((await two.client.credentials()).accessKeyId, accessKeyId);
  for (const message of browser.hub.messages) {
    assert.deepEqual(Object.keys(message).sort(), ['generation', 'type']);
    assert.doesNotMatch(JSON.stringify(message), /dpr_|token|secret|ASIA/);
  }
});

for (const [what, failure] of /** @type {[string, () => any][]} */ ([
  ['no network', dropped],
  ['a proxy’s page', () => new Response('<html>', { status: 200 })],
  ['500', () => json({ error: 'server_error' }, 500)],
  ['429', () => json({ error: 'slow_down' }, 429)],
  ['an app that the operator took away', () => json({ error: 'invalid_client' }, 401)],
  ['no answer of ours', () => json({ ok: true })],
])) {
  test(`6: ${what} is nobody’s affair while the old credentials live`, async () => {
    const browser = new Browser();
    const { client } = await browser.signedIn();
    const first = await client.credentials();
    await browser.time.pass(DUE);
    browser.daypass.before.push(failure);
    assert.equal((await client.credentials()).accessKeyId, first.accessKeyId);
    assert.equal((await client.credentials()).accessKeyId, first.accessKeyId);
    assert.equal(browser.daypass.refreshes, 1, 'and nobody asks again at once');
    await browser.time.pass(1.1);
    assert.notEqual((await client.credentials()).accessKeyId, first.accessKeyId);
  });
}

test('6: waits double up to a minute, and begin anew after an answer', async () => {
  const browser = new Browser();
  browser.daypass.credentialsLife = 12 * HOUR;
  const { client } = await browser.signedIn();
  await browser.time.pass(12 * HOUR - 299);
  for (const longest of [1, 2, 4, 8, 16, 32, 60, 60]) {
    browser.daypass.before.push(dropped);
    const before = browser.daypass.refreshes;
    await client.credentials();
    assert.equal(browser.daypass.refreshes, before + 1);
    await browser.time.pass(longest / 2 - 0.1);
    await client.credentials();
    assert.equal(browser.daypass.refreshes, before + 1, `not before half of ${longest} s`);
    await browser.time.pass(longest / 2 + 0.1);
  }
  await client.credentials();
  await browser.time.pass(12 * HOUR - 299);
  browser.daypass.before.push(dropped);
  await client.credentials();
  await browser.time.pass(1.1);
  await client.credentials();
  assert.equal(browser.daypass.refreshes, 11);
});

test('6: Retry-After is waited for', async () => {
  const browser = new Browser();
  const { client } = await browser.signedIn();
  await browser.time.pass(DUE);
  browser.daypass.before.push(() => json({ error: 'temporarily_unavailable' }, 503, { 'retry-after': '20' }));
  await client.credentials();
  await browser.time.pass(19.9);
  await client.credentials();
  assert.equal(browser.daypass.refreshes, 1);
  await browser.time.pass(0.2);
  await client.credentials();
  assert.equal(browser.daypass.refreshes, 2);
});

test('6: a lost answer is asked for again with the same token, for those who have nothing else', async () => {
  const browser = new Browser();
  const tab = await browser.signedIn();
  await browser.time.pass(HOUR + 1);
  browser.daypass.after.push(dropped);
  const given = tab.client.credentials();
  await browser.time.pass(1.1);
  await given;
  const tokens = browser.daypass.asked.filter(({ form }) => form.refresh_token).map(({ form }) => form.refresh_token);
  assert.equal(tokens.length, 2);
  assert.equal(new Set(tokens).size, 1);
  await browser.time.pass(DUE);
  await tab.client.credentials();
  assert.deepEqual(tab.events(), ['signin', 'refresh', 'refresh']);
});

test('6: a third failure in a row is told, with the time to wait', async () => {
  const browser = new Browser();
  const { client } = await browser.signedIn();
  await browser.time.pass(HOUR + 1);
  browser.daypass.before.push(...Array.from({ length: 3 }, () => () => json({ error: 'temporarily_unavailable' }, 503, { 'retry-after': '2' })));
  const refused = assert.rejects(client.credentials(), { name: 'RefusedError', status: 503, retryAfter: 2 });
  await browser.time.pass(5);
  await refused;
  assert.equal(browser.daypass.refreshes, 3);
});

test('6: nobody is kept waiting for as long as a busy server asks for', async () => {
  const browser = new Browser();
  const { client } = await browser.signedIn();
  await browser.time.pass(HOUR + 1);
  browser.daypass.before.push(() => json({ error: 'temporarily_unavailable' }, 503, { 'retry-after': '20' }));
  await assert.rejects(client.credentials(), { retryAfter: 20 });
  await assert.rejects(client.credentials(), { retryAfter: 20 });
  assert.equal(browser.daypass.refreshes, 1);
});

test('6: a network that is back is asked at once, however long the wait was to be', async () => {
  const browser = new Browser();
  const tab = await browser.signedIn();
  await browser.time.pass(DUE);
  browser.daypass.before.push(dropped);
  await tab.client.credentials();
  tab.window.dispatchEvent(new Event('online'));
  await settle();
  assert.equal(browser.daypass.refreshes, 2);
});

test('6: what trying again cannot mend is told at once', async () => {
  const browser = new Browser();
  const { client } = await browser.signedIn();
  await browser.time.pass(HOUR + 1);
  browser.daypass.before.push(() => json({ error: 'invalid_client' }, 400));
  await assert.rejects(client.credentials(), { code: 'invalid_client' });
  assert.ok(await client.session(), 'and nobody is signed out by an operator’s mistake');
});

test('6: nobody asks while there is no network, and at once when it is back', async () => {
  const browser = new Browser();
  const tab = await browser.signedIn();
  await browser.time.pass(HOUR + 1);
  tab.window.navigator.onLine = false;
  await assert.rejects(tab.client.credentials(), { code: 'network' });
  assert.equal(browser.daypass.refreshes, 0);
  tab.window.navigator.onLine = true;
  tab.window.dispatchEvent(new Event('online'));
  await settle();
  assert.equal(browser.daypass.refreshes, 1);
});

for (const reason of ['expired', 'signed_out', 'reused', 'revoked', 'login_unlinked', 'identity_gone', 'upstream', 'malformed']) {
  test(`7: invalid_grant (${reason}) ends the session, once, in every tab`, async () => {
    const browser = new Browser();
    const one = await browser.signedIn();
    const two = browser.tab();
    await two.client.session();
    for (const session of browser.daypass.sessions.values()) session.ended = reason;
    await assert.rejects(one.client.credentials({ forceRefresh: true }), (error) => isSignedOut(error, reason));
    await settle();
    assert.equal(browser.storage.map.size, 0);
    assert.deepEqual(one.events(), ['signin', 'signout']);
    assert.deepEqual(two.events(), ['signout']);
    for (const { heard } of [one, two]) assert.equal(heard.at(-1)?.[1].reason, reason);
    await assert.rejects(two.client.credentials(), (error) => isSignedOut(error, reason));
    assert.equal(browser.daypass.refreshes, 1);
  });
}

test('7: invalid_grant is no last word when the storage has changed meanwhile', async () => {
  const browser = new Browser();
  const one = await browser.signedIn();
  await browser.time.pass(DUE);
  const stale = browser.tab({}, { locks: undefined });
  await stale.client.session();
  /** @type {() => void} */
  let answer = () => {};
  browser.daypass.before.push(() => new Promise((resolve) => {
    answer = () => resolve(json({ error: 'invalid_grant', reason: 'reused' }, 400));
  }));
  const given = stale.client.credentials();
  await settle();
  const fresh = await one.client.credentials();
  answer();
  assert.equal((await given).accessKeyId, fresh.accessKeyId);
  assert.deepEqual(stale.events().filter((event) => event === 'signout'), []);
});

test('8: a listener may call back, and is called when the lock is free', async () => {
  const browser = new Browser();
  const { client } = await browser.signedIn();
  /** @type {boolean[]} */
  const held = [];
  client.on('refresh', () => {
    held.push(browser.locks.held);
    throw new Error('a listener’s own affair');
  });
  const again = new Promise((resolve) => client.on('refresh', () => resolve(client.credentials())));
  const reported = /** @type {any} */ (globalThis).reportError;
  /** @type {any} */ (globalThis).reportError = () => {};
  const given = await client.credentials({ forceRefresh: true });
  assert.deepEqual(await again, given);
  /** @type {any} */ (globalThis).reportError = reported;
  assert.deepEqual(held, [false]);
});

test('expiration is in the time of the device, however wrong that is', async () => {
  for (const wrong of [-600_000, 600_000]) {
    const browser = new Browser();
    browser.time.wall += wrong;
    const { client } = await browser.signedIn();
    await browser.time.pass(100);
    const { expiration } = await client.credentials();
    assert.equal(expiration.getTime() - browser.time.now(), (HOUR - 100) * 1_000);
  }
});

test('a clock that is set back makes nothing live longer', async () => {
  const browser = new Browser();
  const { client } = await browser.signedIn();
  await browser.time.pass(1_800);
  browser.time.wall -= 1_700_000;
  const { expiration } = await client.credentials();
  assert.equal(expiration.getTime() - browser.time.now(), 1_800_000);
  await browser.time.pass(1_501);
  await client.credentials();
  assert.equal(browser.daypass.refreshes, 1);
});

test('what was received in the future is due, also in a page that is loaded anew', async () => {
  const browser = new Browser();
  await browser.signedIn();
  browser.time.wall -= 7_200_000;
  const reloaded = browser.tab();
  await reloaded.client.credentials();
  await reloaded.client.credentials();
  assert.equal(browser.daypass.refreshes, 1);
});

test('a clock that is set back a little costs no request', async () => {
  const browser = new Browser();
  const { client } = await browser.signedIn();
  browser.time.wall -= 1_000;
  await client.credentials();
  assert.equal(browser.daypass.refreshes, 0);
});

test('a page that comes back sees what happened, and asks for what is due', async () => {
  const browser = new Browser();
  const one = await browser.signedIn();
  const frozen = browser.tab({}, { channel: undefined });
  await frozen.client.session();
  await one.client.signOut();
  frozen.window.document.dispatchEvent(new Event('visibilitychange'));
  await settle();
  assert.deepEqual(frozen.events(), ['signout']);
  await browser.signIn(one, 'grace');
  frozen.window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
  await settle();
  assert.deepEqual(frozen.events(), ['signout', 'signin']);
  await browser.time.pass(DUE);
  frozen.window.document.dispatchEvent(new Event('visibilitychange'));
  await settle();
  assert.equal(browser.daypass.refreshes, 1);
});

test('a page that was hidden in the cache hands out nothing of before', async () => {
  const browser = new Browser();
  const one = await browser.signedIn();
  const cached = browser.tab({}, { channel: undefined });
  await cached.client.credentials();
  cached.window.dispatchEvent(new Event('pagehide'));
  await one.client.signOut();
  await assert.rejects(cached.client.credentials(), (error) => isSignedOut(error, 'signed_out'));
});

test('another person wipes the one before, in every tab', async () => {
  const browser = new Browser();
  const one = await browser.signedIn('ada');
  const two = browser.tab();
  await two.client.credentials();
  await browser.signIn(one, 'grace');
  await settle();
  assert.deepEqual(one.events(), ['signin', 'signout', 'signin']);
  assert.deepEqual(two.events().filter((event) => event !== 'refresh'), ['signout', 'signin']);
  assert.equal(one.heard[1]?.[1].reason, 'replaced');
  assert.equal(one.heard[1]?.[1].session.user.name, 'ada');
  assert.match((await two.client.credentials()).accessKeyId, /grace/);
  assert.doesNotMatch(JSON.stringify([...browser.storage.map.values()]), /ada/);
  assert.equal([...browser.daypass.sessions.values()].find(({ person }) => person === 'ada')?.ended, 'signed_out');
});

test('the same person who signs in again leaves no session behind', async () => {
  const browser = new Browser();
  const tab = await browser.signedIn();
  await browser.signIn(tab);
  await settle();
  assert.deepEqual(tab.events(), ['signin', 'signin']);
  assert.equal((await tab.client.sessions()).length, 1);
});

test('a storage that takes nothing makes the session the page’s own', async () => {
  const browser = new Browser();
  const full = { ...browser.storage, setItem: () => { throw new DOMException('full', 'QuotaExceededError'); } };
  const tab = browser.tab({ storage: full });
  await browser.signIn(tab);
  await tab.client.credentials({ forceRefresh: true });
  await tab.client.credentials({ forceRefresh: true });
  assert.equal(browser.daypass.refreshes, 2);
  assert.equal(browser.storage.map.size, 0);
});

test('a storage may answer later', async () => {
  const browser = new Browser();
  const { getItem, setItem, removeItem } = browser.storage;
  const later = () => new Promise((resolve) => setImmediate(resolve));
  const storage = {
    getItem: (/** @type {string} */ name) => later().then(() => getItem(name)),
    setItem: (/** @type {string} */ name, /** @type {string} */ value) => later().then(() => setItem(name, value)),
    removeItem: (/** @type {string} */ name) => later().then(() => removeItem(name)),
  };
  const tab = browser.tab({ storage });
  await browser.signIn(tab);
  await browser.time.pass(DUE);
  const [one, two] = await Promise.all([tab.client.credentials(), tab.client.credentials()]);
  assert.equal(one.accessKeyId, two.accessKeyId);
  assert.equal(browser.daypass.refreshes, 1);
  await tab.client.signOut();
  assert.equal(browser.storage.map.size, 0);
});

for (const text of ['', 'no JSON', '{"v":2}', '[]', '{"v":1,"version":"x"}']) {
  test(`what lies in the storage as ${text || 'nothing'} is no session`, async () => {
    const browser = new Browser();
    browser.storage.map.set('daypass:https://login.test:web', text);
    assert.equal(await browser.tab().client.session(), undefined);
  });
}

test('apps and Daypasses do not see each other’s sessions', async () => {
  const browser = new Browser();
  await browser.signedIn();
  assert.equal(await browser.tab({ app: 'other' }).client.session(), undefined);
  assert.equal(await browser.tab({ url: 'https://other.test' }).client.session(), undefined);
  assert.ok(await browser.tab({ url: 'https://login.test/' }).client.session(), 'a slash is no other Daypass');
});

test('no timer and no channel stays when a client is disposed of', async () => {
  const browser = new Browser();
  const one = await browser.signedIn();
  const two = browser.tab();
  await two.client.session();
  two.client.dispose();
  await one.client.credentials({ forceRefresh: true });
  await settle();
  assert.deepEqual(two.events(), []);
  assert.equal(browser.time.timers, 0);
  await two.client.session();
});
