// @ts-check
/** An app whose session is in a cookie of Daypass's: the page has no refresh token, and asks in its stead. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryStorage, RefusedError, SignedOutError } from '../src/index.js';
import { json } from './support/stub-daypass.js';
import { Browser, settle } from './support/tabs.js';
import { comeBack, left } from './support/ways.js';

const DUE = 3_301;

/** A tab of such an app. @param {Browser} browser @param {Partial<import('../src/index.js').DaypassOptions>} [options] @param {Partial<import('../src/index.js').Platform>} [platform] */
const tabOf = (browser, options = {}, platform = {}) => browser.tab({ cookies: true, ...options }, platform);

/** @param {Browser} browser */
async function signedIn(browser) {
  const tab = tabOf(browser);
  await browser.signIn(tab);
  return tab;
}

test('no refresh token is in the page, and everything works by the cookie', async () => {
  const browser = new Browser();
  const tab = tabOf(browser);
  const { answer } = await left(browser, tab);
  const session = await comeBack(tab, answer);
  assert.equal(session?.user.name, 'ada');
  const token = browser.daypass.cookie ?? '';
  assert.match(token, /^dpr_/);
  await browser.time.pass(DUE);
  await tab.client.credentials();
  assert.equal(browser.daypass.refreshes, 1);
  assert.deepEqual((await tab.client.sessions()).map(({ current }) => current), [true]);
  const everything = JSON.stringify([[...browser.storage.map.values()], [...tab.tabStorage.map.values()], tab.heard, browser.hub.messages]);
  assert.ok(!everything.includes('dpr_'), everything);

  const asked = browser.daypass.asked.filter(({ path }) => path !== '/v1/providers');
  assert.ok(asked.length >= 3);
  for (const { path, headers, credentials, form } of asked) {
    assert.equal(headers.get('daypass-app'), 'web', path);
    assert.equal(credentials, 'include', path);
    assert.equal(headers.has('authorization') || 'refresh_token' in form || 'token' in form, false, path);
  }
});

test('cookies go where the session is asked for, and nowhere else', async () => {
  const browser = new Browser();
  const tab = tabOf(browser);
  await tab.client.providers();
  await tab.client.guest();
  assert.ok(browser.daypass.asked.length >= 3);
  for (const { path, headers, credentials } of browser.daypass.asked) {
    assert.deepEqual([headers.has('daypass-app'), credentials], [false, 'omit'], path);
  }
});

test('an app without a cookie sends none', async () => {
  const browser = new Browser();
  const tab = await browser.signedIn();
  await tab.client.sessions();
  for (const { headers, credentials } of browser.daypass.asked) assert.deepEqual([headers.has('daypass-app'), credentials], [false, 'omit']);
});

test('signing out ends the cookie’s session, here or everywhere', async () => {
  const browser = new Browser();
  const tab = await signedIn(browser);
  await tab.client.signOut();
  assert.equal(browser.daypass.cookie, undefined);
  assert.deepEqual([...browser.daypass.sessions.values()].map(({ ended }) => ended), ['signed_out']);
  await browser.signIn(tab);
  await tab.client.signOut({ everywhere: true });
  assert.deepEqual([...browser.daypass.sessions.values()].map(({ ended }) => ended), ['signed_out', 'revoked']);
  await assert.rejects(tab.client.sessions(), SignedOutError);
});

test('a link goes by the cookie', async () => {
  const browser = new Browser();
  const tab = await signedIn(browser);
  await tab.client.link('other');
  browser.daypass.person = 'grace';
  await comeBack(tab, browser.daypass.agree(new URL(tab.went.at(-1) ?? '')));
  assert.equal(browser.daypass.identities.get('grace'), 'us-east-1:of-ada');
  const [asked] = browser.daypass.asked.filter(({ path }) => path === '/v1/link');
  assert.equal(asked?.credentials, 'include');
  assert.equal(asked?.headers.get('content-type'), 'application/json');
  assert.deepEqual(browser.daypass.shown, [undefined]);
});

test('a code is redeemed under the lock that a refresh holds, and listeners hear of it when that is free', async () => {
  const browser = new Browser();
  const [one, two] = [await signedIn(browser), tabOf(browser)];
  await two.client.session();
  /** @type {boolean[]} */
  const held = [];
  for (const event of /** @type {const} */ (['signin', 'signout'])) two.client.on(event, () => held.push(browser.locks.held));
  /** @type {string[]} */
  const order = [];
  browser.daypass.before.push(async () => {
    order.push('refresh begins');
    await settle();
    order.push('refresh ends');
  }, () => void order.push('code'));
  const refreshed = one.client.credentials({ forceRefresh: true });
  await settle();
  const signed = browser.signIn(two, 'grace');
  await Promise.all([refreshed, signed]);
  assert.deepEqual(order, ['refresh begins', 'refresh ends', 'code']);
  await settle();
  assert.equal((await one.client.session())?.user.name, 'grace');
  assert.ok(held.length >= 2);
  assert.deepEqual(held.filter(Boolean), []);
});

test('nor do they hear of somebody who is found only then', async () => {
  const browser = new Browser();
  const deaf = tabOf(browser, {}, { channel: undefined });
  await browser.signIn(deaf, 'ada');
  await browser.signIn(tabOf(browser), 'grace');
  /** @type {boolean[]} */
  const held = [];
  for (const event of /** @type {const} */ (['signin', 'signout'])) deaf.client.on(event, () => held.push(browser.locks.held));
  await browser.signIn(deaf, 'alan');
  assert.deepEqual(deaf.events(), ['signin', 'signout', 'signin', 'signout', 'signin']);
  assert.deepEqual(held, [false, false, false, false]);
});

test('an app with tokens redeems without waiting for a lock', async () => {
  const browser = new Browser();
  void browser.locks.request('daypass:https://login.test:web', { signal: new AbortController().signal }, () => new Promise(() => {}));
  assert.equal((await browser.signIn(browser.tab())).user.name, 'ada');
});

test('a refresh by which somebody else answers wipes the one before, and then shows them', async () => {
  const browser = new Browser();
  const [one, two] = [await signedIn(browser), tabOf(browser)];
  await two.client.session();
  // On another origin of the same app, which shares the cookie and not the storage.
  await browser.signIn(tabOf(browser, { storage: memoryStorage() }, { channel: undefined }), 'grace');
  await settle();
  assert.equal((await one.client.session())?.user.name, 'ada');
  await one.client.credentials({ forceRefresh: true });
  await settle();
  for (const { heard, events } of [one, two]) {
    assert.deepEqual(events().slice(-2), ['signout', 'signin']);
    const [, { session, reason }] = heard.find(([event]) => event === 'signout') ?? [];
    assert.deepEqual([session.user.name, reason], ['ada', 'replaced']);
  }
  assert.equal((await two.client.session())?.user.name, 'grace');
  assert.ok(!JSON.stringify([...browser.storage.map.values()]).includes('of-ada'));
});

test('a page whose storage is empty finds out who is there, once', async () => {
  const browser = new Browser();
  await signedIn(browser);
  const [one, two] = [memoryStorage(), memoryStorage()].map((storage) => tabOf(browser, { storage }, { channel: undefined }));
  assert.equal((await one?.client.handleRedirect())?.user.name, 'ada');
  assert.deepEqual(one?.events(), ['signin']);
  await one?.client.handleRedirect();
  assert.equal(browser.daypass.refreshes, 1);
  browser.daypass.cookie = undefined;
  assert.equal(await two?.client.handleRedirect(), undefined);
  assert.equal(await two?.client.session(), undefined);
});

test('a page that cannot ask who is there says so, and takes nobody for signed out', async () => {
  const browser = new Browser();
  const tab = tabOf(browser);
  browser.daypass.before.push(() => { throw new TypeError('Failed to fetch'); });
  await assert.rejects(tab.client.handleRedirect(), { code: 'network' });
  browser.daypass.before.push(() => json({ error: 'invalid_request', code: 'malformed_request' }, 400));
  await assert.rejects(tab.client.handleRedirect(), RefusedError);
});

test('a cookie that is gone ends the session', async () => {
  const browser = new Browser();
  const tab = await signedIn(browser);
  browser.daypass.cookie = undefined;
  await assert.rejects(tab.client.credentials({ forceRefresh: true }), { code: 'signed_out', reason: 'no_cookie' });
  assert.equal(browser.storage.map.size, 0);
});

test('the session before ends by itself, and is not asked for', async () => {
  const browser = new Browser();
  const tab = await signedIn(browser);
  await browser.signIn(tab, 'grace');
  assert.equal(browser.daypass.count('/oauth2/revoke'), 0);
  assert.deepEqual([...browser.daypass.sessions.values()].map(({ ended }) => ended), ['signed_out', undefined]);
});
