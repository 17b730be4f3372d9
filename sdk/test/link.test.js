// @ts-check
/** A second login that leads to the identity of whoever is signed in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefusedError, SignedOutError } from '../src/index.js';
import { Browser, settle } from './support/tabs.js';
import { comeBack, popped, post, refusedAs } from './support/ways.js';

/** Somebody who is signed in, and has gone to the other provider as grace. @param {Browser} browser */
async function gone(browser) {
  const tab = await browser.signedIn('ada');
  await tab.client.link('other');
  browser.daypass.person = 'grace';
  const url = new URL(tab.went.at(-1) ?? '');
  return { tab, url, answer: browser.daypass.agree(url) };
}

/** @param {Browser} browser */
const links = ({ daypass }) => daypass.count('/v1/link');

test('a login is linked by redirect, and whoever is signed in stays so', async () => {
  const browser = new Browser();
  const { tab, url, answer } = await gone(browser);
  assert.equal(url.searchParams.get('provider'), 'other');
  const before = await tab.client.session();
  const session = await comeBack(tab, answer);
  assert.deepEqual(session, before);
  assert.equal(browser.daypass.identities.get('grace'), 'us-east-1:of-ada', 'both lead to one identity');
  assert.equal(browser.daypass.count('/oauth2/token'), 1, 'no session of the other login begins');
  assert.equal(links(browser), 1);
  assert.deepEqual(tab.events(), ['signin']);
  assert.equal(tab.tabStorage.map.size, 0);
});

test('a login is linked by popup, whose window is opened before anything is waited for', async () => {
  const browser = new Browser();
  const tab = await browser.signedIn('ada');
  const { session, url } = await popped(tab, () => tab.client.link('other', { via: 'popup' }));
  assert.equal(url.searchParams.get('provider'), 'other');
  browser.daypass.person = 'grace';
  post(tab, { type: 'authorization_response', response: browser.daypass.agree(url) });
  assert.equal((await session)?.identityId, 'us-east-1:of-ada');
  assert.equal(browser.daypass.identities.get('grace'), 'us-east-1:of-ada');
  assert.equal(links(browser), 1);
});

test('nobody’s login is linked to somebody who has signed in since', async () => {
  const browser = new Browser();
  const { tab, answer } = await gone(browser);
  await browser.signIn(browser.tab(), 'alan');
  await settle();
  await assert.rejects(comeBack(tab, answer), refusedAs('session_changed'));
  assert.equal(links(browser), 0);
  assert.equal((await tab.client.session())?.user.name, 'alan', 'who is signed in is left alone');
});

test('nor after the person has signed out, and in again', async () => {
  const browser = new Browser();
  const { tab, answer } = await gone(browser);
  const other = browser.tab();
  await other.client.signOut();
  await browser.signIn(other, 'ada');
  await settle();
  await assert.rejects(comeBack(tab, answer), refusedAs('session_changed'));
  assert.equal(links(browser), 0);
});

test('a forged answer links nothing', async () => {
  const browser = new Browser();
  const { tab, answer } = await gone(browser);
  await assert.rejects(comeBack(tab, { ...answer, state: 'forged' }), refusedAs('state_mismatch'));
  assert.equal(links(browser), 0);
});

test('a person who says no keeps what there was', async () => {
  const browser = new Browser();
  const { tab, answer: { code: _, ...answer } } = await gone(browser);
  await assert.rejects(comeBack(tab, { ...answer, error: 'access_denied' }), refusedAs('access_denied'));
  assert.equal((await tab.client.session())?.user.name, 'ada');
  assert.equal(links(browser), 0);
});

test('who is not signed in, or a guest, has nothing to link to, and no window stays open', async () => {
  const browser = new Browser();
  const tab = browser.tab();
  await assert.rejects(tab.client.link('other'), SignedOutError);
  await assert.rejects(tab.client.link('other', { via: 'popup' }), SignedOutError);
  assert.equal(tab.window.opened.closed, true);
  assert.equal(tab.window.opened.url, undefined);
  await tab.client.guest();
  await assert.rejects(tab.client.link('other'), SignedOutError);
  assert.deepEqual(tab.went, []);
  tab.window.mayOpen = false;
  await assert.rejects(tab.client.link('other', { via: 'popup' }), refusedAs('popup_blocked'));
});

test('a link that Daypass refuses is told with its code', async () => {
  const browser = new Browser();
  const { tab, answer } = await gone(browser);
  browser.daypass.codes.clear();
  await assert.rejects(comeBack(tab, answer), (error) => error instanceof RefusedError && error.code === 'login_code_refused');
  assert.equal((await tab.client.session())?.user.name, 'ada');
});

test('a link uses the newest token, whichever tab has it', async () => {
  const browser = new Browser();
  const { tab, answer } = await gone(browser);
  const other = browser.tab();
  await other.client.credentials({ forceRefresh: true });
  const { secrets } = JSON.parse([...browser.storage.map.values()][0] ?? '');
  /** @type {string[]} */
  const bodies = [];
  const back = browser.tab({}, {
    tabStorage: tab.tabStorage,
    fetch: (url, init) => (bodies.push(String(init.body)), browser.daypass.answer(url, init)),
  });
  await comeBack(back, answer);
  const { first, ...login } = JSON.parse(bodies.at(-1) ?? '');
  assert.deepEqual(first, { refresh_token: secrets.refreshToken });
  assert.deepEqual(Object.keys(login).sort(), ['app', 'code_verifier', 'login_code', 'redirect_uri']);
});

test('also in a tab that has not heard of it', async () => {
  const browser = new Browser();
  const tab = browser.tab({}, { channel: undefined });
  await browser.signIn(tab, 'ada');
  await tab.client.link('other');
  const answer = browser.daypass.agree(new URL(tab.went.at(-1) ?? ''));
  await browser.tab().client.credentials({ forceRefresh: true });
  const session = await comeBack(tab, answer);
  assert.deepEqual(browser.daypass.shown, [`dpr_~${session?.id}~1`]);
});

test('an identity that has become another one by a merge wipes the one before, in every tab', async () => {
  const browser = new Browser();
  const { tab, answer } = await gone(browser);
  const two = browser.tab();
  await two.client.session();
  browser.daypass.identities.set('ada', 'us-east-1:merged');
  const session = await comeBack(tab, answer);
  assert.equal(session?.identityId, 'us-east-1:merged');
  await settle();
  for (const { events } of [tab, two]) assert.deepEqual(events().slice(-2), ['signout', 'signin']);
  assert.equal(tab.heard.find(([event]) => event === 'signout')?.[1].reason, 'replaced');
  assert.ok(!JSON.stringify([...browser.storage.map.values()]).includes('us-east-1:of-ada'));
});

test('so does a refresh that finds the identity merged', async () => {
  const browser = new Browser();
  const tab = await browser.signedIn('ada');
  browser.daypass.identities.set('ada', 'us-east-1:merged');
  await tab.client.credentials({ forceRefresh: true });
  assert.deepEqual(tab.events(), ['signin', 'signout', 'signin']);
  assert.equal((await tab.client.session())?.identityId, 'us-east-1:merged');
});
