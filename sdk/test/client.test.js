// @ts-check
/** What a page asks of the client: to sign in by redirect, by popup or with what it has, guests, and to sign out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDaypass, LoginError, memoryStorage, RefusedError, SignedOutError } from '../src/index.js';
import { json, POOL } from './support/stub-daypass.js';
import { Browser, settle } from './support/tabs.js';
import { comeBack, left, popped, post, refusedAs } from './support/ways.js';

test('goes to the authorization endpoint with state and an S256 challenge', async () => {
  const browser = new Browser();
  const tab = browser.tab();
  const { url } = await left(browser, tab);
  assert.equal(url.origin + url.pathname, 'https://login.test/oauth2/authorize');
  const { state, code_challenge, ...rest } = Object.fromEntries(url.searchParams);
  assert.deepEqual(rest, {
    response_type: 'code', client_id: 'web', redirect_uri: 'https://app.test/', code_challenge_method: 'S256', provider: 'sandbox',
  });
  assert.match(String(state), /^[\w-]{43}$/);
  assert.match(String(code_challenge), /^[\w-]{43}$/);
  const begun = [...tab.tabStorage.map.values()].join();
  assert.ok(begun.includes(String(state)) && !begun.includes(String(code_challenge)));
  assert.equal(browser.storage.map.size, 0, 'what was begun is this tab’s alone');
});

test('without a provider the person chooses at Daypass', async () => {
  const tab = new Browser().tab({ redirectUri: 'https://app.test/back' });
  await tab.client.signIn();
  const { searchParams } = new URL(tab.went[0] ?? '');
  assert.equal(searchParams.has('provider'), false);
  assert.equal(searchParams.get('redirect_uri'), 'https://app.test/back');
});

test('comes back with a session, and without a code in the address', async () => {
  const browser = new Browser();
  const tab = browser.tab();
  const { answer } = await left(browser, tab);
  const session = await comeBack(tab, answer, 'q=1&');
  assert.deepEqual(session, {
    identityId: 'us-east-1:of-ada', identityPoolId: POOL, region: 'us-east-1', guest: false, id: session?.id, provider: 'sandbox', user: { name: 'ada' },
  });
  assert.equal(tab.window.location.href, 'https://app.test/?q=1#part');
  assert.deepEqual(tab.window.entries.map(({ replaced }) => replaced), ['{"router":1}'], 'a router keeps its state');
  assert.deepEqual(await tab.client.session(), session);
  assert.deepEqual(await tab.client.handleRedirect(), session, 'a page that was not come back to says who is there');
  assert.equal(browser.daypass.sessions.get(session?.id ?? '')?.device, 'Chrome on Linux');
});

test('the code is out of the address before anybody is asked', async () => {
  const browser = new Browser();
  /** @type {string[]} */
  const addresses = [];
  const tab = browser.tab({}, {
    fetch: async (url, init) => {
      addresses.push(tab.window.location.href);
      return browser.daypass.answer(url, init);
    },
  });
  const { answer } = await left(browser, tab);
  await comeBack(tab, answer);
  assert.deepEqual(addresses, ['https://app.test/#part']);
});

test('two effects that come back at once are one sign-in', async () => {
  const browser = new Browser();
  const tab = browser.tab();
  const { answer } = await left(browser, tab);
  const [one, two] = await Promise.all([comeBack(tab, answer), tab.client.handleRedirect()]);
  assert.equal(one, two);
  assert.equal(browser.daypass.count('/oauth2/token'), 1);
});

/** @type {[string, string, (answer: any) => Record<string, string>][]} */
const forged = [
  ['another state', 'state_mismatch', (answer) => ({ ...answer, state: 'forged' })],
  ['the issuer of another', 'issuer_mismatch', (answer) => ({ ...answer, iss: 'https://evil.test' })],
  ['no issuer', 'issuer_mismatch', ({ iss: _, ...answer }) => answer],
  ['a refusal', 'access_denied', ({ code: _, ...answer }) => ({ ...answer, error: 'access_denied', error_description: 'no' })],
  ['a refusal beside a code', 'access_denied', (answer) => ({ ...answer, error: 'access_denied' })],
  ['an empty code', 'malformed_callback', (answer) => ({ ...answer, code: '' })],
];

for (const [what, code, change] of forged) {
  test(`an answer with ${what} is ${code}, and is not sent on`, async () => {
    const browser = new Browser();
    const tab = browser.tab();
    const { answer } = await left(browser, tab);
    await assert.rejects(comeBack(tab, change(answer)), refusedAs(code));
    assert.equal(browser.daypass.count('/oauth2/token'), 0);
    assert.equal(tab.window.location.href, 'https://app.test/#part');
    assert.equal(tab.tabStorage.map.size, 0, 'what was begun is over');
    await assert.rejects(comeBack(tab, answer), refusedAs('no_login_started'));
  });
}

for (const name of ['code', 'state', 'iss', 'error']) {
  test(`an answer that repeats ${name} is none`, async () => {
    const browser = new Browser();
    const tab = browser.tab();
    const { answer } = await left(browser, tab);
    const twice = comeBack(tab, answer, `${name}=x&${name === 'error' ? 'error=y&' : ''}`);
    await assert.rejects(twice, (error) => error instanceof LoginError);
    assert.equal(browser.daypass.count('/oauth2/token'), 0);
  });
}

test('an answer that nobody asked for is refused', async () => {
  const tab = new Browser().tab();
  await assert.rejects(comeBack(tab, { code: 'c', state: 's', iss: 'https://login.test' }), refusedAs('no_login_started'));
});

test('a page’s own parameters are left to it', async () => {
  const tab = new Browser().tab();
  for (const query of ['code=SUMMER', 'code=c&state=of-another-library', 'error=1']) {
    tab.window.location.href = `https://app.test/?${query}`;
    assert.equal(await tab.client.handleRedirect(), undefined);
    assert.equal(tab.window.location.href, `https://app.test/?${query}`);
  }
});

test('a code of somebody else’s is refused by Daypass, and leaves whoever is signed in', async () => {
  const browser = new Browser();
  const tab = await browser.signedIn('ada');
  const { url } = await left(browser, tab);
  const stolen = { ...browser.daypass.agree(new URL(url.href.replace(/code_challenge=[^&]*/, 'code_challenge=x'))) };
  await assert.rejects(comeBack(tab, stolen), (error) => error instanceof RefusedError && error.code === 'login_code_refused');
  assert.equal((await tab.client.session())?.user.name, 'ada');
});

test('an app that is no page hands in the address that it was called back with', async () => {
  const browser = new Browser();
  const tab = browser.tab({ redirectUri: 'com.example.notes:/signed-in' }, { window: undefined, tabStorage: undefined });
  const { answer } = await left(browser, tab);
  const session = await tab.client.handleRedirect(`com.example.notes:/signed-in?${new URLSearchParams(answer)}`);
  assert.equal(session?.user.name, 'ada');
  await tab.client.credentials({ forceRefresh: true });
});

test('where there is a window without a document, as in React Native, it is left alone', async (t) => {
  /** @type {any} */ (globalThis).window = globalThis;
  t.after(() => delete (/** @type {any} */ (globalThis).window));
  const browser = new Browser();
  const answer = (/** @type {string} */ url, /** @type {RequestInit} */ init) => browser.daypass.answer(url, init);
  const client = createDaypass({ url: browser.daypass.url, app: 'phone', storage: memoryStorage(), platform: { fetch: answer, navigate: () => {} } });
  await client.handOver({ provider: 'sandbox', accessToken: 'of-ada' });
  await client.credentials({ forceRefresh: true });
  await assert.rejects(client.signIn({ via: 'popup' }), refusedAs('popup_blocked'));
  client.dispose();
});

test('a popup’s answer comes as a message of Daypass’s page', async () => {
  const browser = new Browser();
  const tab = browser.tab();
  const { session, url } = await popped(tab);
  assert.equal(url.searchParams.get('response_mode'), 'web_message');
  const response = browser.daypass.agree(url);
  post(tab, { type: 'authorization_response', response }, 'https://evil.test');
  post(tab, { type: 'authorization_response', response: { ...response, state: 'popup.other' } });
  post(tab, { type: 'else', response });
  post(tab, undefined);
  await settle();
  assert.equal(browser.daypass.count('/oauth2/token'), 0);
  post(tab, { type: 'authorization_response', response });
  assert.equal((await session)?.user.name, 'ada');
  await browser.time.pass(600);
  assert.equal(browser.time.timers, 0);
});

test('a popup that was cut off ends on the app’s page, which hands its answer to the tab that waits', async () => {
  const browser = new Browser();
  const [tab, bystander, window] = [browser.tab(), browser.tab(), browser.tab()];
  const { session, url } = await popped(tab);
  tab.window.opened.closed = true;
  tab.window.document.hasFocus = () => false;
  await browser.time.pass(60);
  const there = comeBack(window, browser.daypass.agree(url));
  assert.equal((await session)?.user.name, 'ada');
  await there;
  assert.deepEqual([window, bystander].map(({ window: { closed } }) => closed), [true, false]);
  assert.equal(window.window.location.href, 'https://app.test/#part');
  assert.equal(browser.daypass.count('/oauth2/token'), 1);
  for (const message of browser.hub.messages) assert.doesNotMatch(JSON.stringify(message), /dpr_|secret|ASIA|token-of/);
});

test('a forged answer for a popup is taken by no tab', async () => {
  const browser = new Browser();
  const [tab, window] = [browser.tab(), browser.tab()];
  await popped(tab);
  const refused = assert.rejects(comeBack(window, { code: 'c', state: 'popup.x', iss: 'https://login.test' }), refusedAs('no_login_started'));
  await browser.time.pass(3.1);
  await refused;
  assert.equal(window.window.closed, false);
  assert.equal(browser.daypass.count('/oauth2/token'), 0);
});

test('a window that the person closes ends the wait, and an answer that comes all the same counts', async () => {
  const browser = new Browser();
  const tab = browser.tab();
  const { session, url } = await popped(tab);
  const refused = assert.rejects(session, refusedAs('popup_closed'));
  tab.window.opened.closed = true;
  await browser.time.pass(4);
  await refused;
  post(tab, { type: 'authorization_response', response: browser.daypass.agree(url) });
  await settle();
  assert.deepEqual(tab.events(), ['signin']);
});

test('a popup says no, is replaced, is blocked, or is forgotten', async () => {
  const browser = new Browser();
  const tab = browser.tab();
  const first = await popped(tab);
  const second = await popped(tab);
  await assert.rejects(first.session, refusedAs('popup_replaced'));
  post(tab, { type: 'authorization_response', response: { error: 'access_denied', state: second.url.searchParams.get('state') } });
  await assert.rejects(second.session, refusedAs('access_denied'));
  const third = await popped(tab);
  const late = assert.rejects(third.session, refusedAs('popup_timeout'));
  await browser.time.pass(600);
  await late;
  tab.window.mayOpen = false;
  await assert.rejects(tab.client.signIn({ via: 'popup' }), refusedAs('popup_blocked'));
  assert.equal((await tab.client.session()), undefined);
});

test('what a provider’s own SDK gave is handed over by token exchange', async () => {
  const browser = new Browser();
  const { client } = browser.tab({ device: 'Kiosk 4' });
  await client.handOver({ provider: 'google', idToken: 'the-id-token', nonce: 'n' });
  await client.handOver({ provider: 'github', accessToken: 'the-access-token' });
  const [id, access] = browser.daypass.asked.filter(({ path }) => path === '/oauth2/token').map(({ form }) => form);
  assert.deepEqual(id, {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', client_id: 'web', device: 'Kiosk 4', credentials: 'true',
    subject_token: 'the-id-token', subject_token_type: 'urn:ietf:params:oauth:token-type:id_token', subject_issuer: 'google', nonce: 'n',
  });
  assert.equal(access?.subject_token_type, 'urn:ietf:params:oauth:token-type:access_token');
  assert.equal(access?.subject_issuer, 'github');
});

test('a guest stays the same, in all tabs, and keeps the identity at a sign-in', async () => {
  const browser = new Browser();
  const [one, two] = [browser.tab(), browser.tab()];
  const [guest, same] = await Promise.all([one.client.guest(), two.client.guest()]);
  assert.deepEqual(guest, same);
  assert.equal(guest.guest, true);
  assert.equal(guest.region, 'us-east-1');
  assert.equal(browser.daypass.asked.filter(({ operation }) => operation === 'GetId').length, 1);
  assert.match((await one.client.credentials()).accessKeyId, /guest/);
  await assert.rejects(one.client.token(), { code: 'guest' });
  await assert.rejects(one.client.sessions(), SignedOutError);
  const session = await browser.signIn(one);
  assert.equal(session.identityId, guest.identityId);
  assert.equal(session.guest, false);
  await settle();
  assert.deepEqual(one.events(), ['signin', 'signin']);
  assert.deepEqual(await two.client.guest(), session, 'whoever is signed in is no guest');
});

test('where the pool takes no guests, a page is told so, and nobody is made', async () => {
  const browser = new Browser();
  browser.daypass.takesGuests = false;
  const { client } = browser.tab();
  await assert.rejects(client.guest(), { code: 'no_guests' });
  assert.equal(browser.daypass.asked.filter(({ operation }) => operation).length, 0);
  assert.equal(await client.session(), undefined);
});

test('guests are asked for where Daypass says that the pool answers, as in front of Amazon’s', async () => {
  const browser = new Browser();
  /** @type {string[]} */
  const asked = [];
  const tab = browser.tab({}, {
    fetch: async (url, init) => {
      asked.push(url);
      const answer = await browser.daypass.answer(url, init);
      if (!url.endsWith('/v1/providers')) return answer;
      const { guests: _, ...said } = await answer.json();
      return json({ ...said, identity_pool_endpoint: 'https://cognito-identity.us-east-1.amazonaws.com' });
    },
  });
  await tab.client.guest();
  assert.deepEqual(asked, ['https://login.test/v1/providers', ...Array(2).fill('https://cognito-identity.us-east-1.amazonaws.com/')]);
});

test('a guest’s credentials are asked for anew, by a clock that may be wrong', async () => {
  const browser = new Browser();
  browser.time.wall += 7_200_000;
  const { client } = browser.tab();
  await client.guest();
  const { accessKeyId, expiration } = await client.credentials();
  assert.ok(Math.abs(expiration.getTime() - browser.time.now() - 3_600_000) <= 1_000);
  await browser.time.pass(3_301);
  assert.notEqual((await client.credentials()).accessKeyId, accessKeyId);
  browser.daypass.guests.clear();
  await assert.rejects(client.credentials({ forceRefresh: true }), { code: 'signed_out', reason: 'identity_gone' });
});

test('a guest who signs in as somebody with an identity becomes that one', async () => {
  const browser = new Browser();
  browser.daypass.identities.set('ada', 'us-east-1:of-ada');
  const tab = browser.tab();
  const guest = await tab.client.guest();
  assert.notEqual((await browser.signIn(tab)).identityId, guest.identityId);
  assert.deepEqual(tab.events(), ['signin', 'signout', 'signin']);
});

test('signing out ends the session here, in other tabs, and at Daypass', async () => {
  const browser = new Browser();
  const one = await browser.signedIn();
  const two = browser.tab();
  await two.client.session();
  await one.client.signOut();
  await settle();
  assert.equal(await one.client.session(), undefined);
  assert.equal(browser.storage.map.size, 0);
  assert.deepEqual(two.events(), ['signout']);
  assert.deepEqual([...browser.daypass.sessions.values()].map(({ ended }) => ended), ['signed_out']);
  await one.client.signOut();
  assert.equal(browser.daypass.count('/oauth2/revoke'), 1, 'nobody signs out twice');
});

test('a guest who signs out is forgotten, and Daypass is not asked', async () => {
  const browser = new Browser();
  const { client } = browser.tab();
  const { identityId } = await client.guest();
  await client.signOut();
  assert.equal(await client.session(), undefined);
  assert.equal(browser.daypass.count('/oauth2/revoke'), 0);
  assert.notEqual((await client.guest()).identityId, identityId);
});

test('an answer without a refresh token is none, where no cookie has it', async () => {
  const browser = new Browser();
  const tab = browser.tab({}, {
    fetch: async (url, init) => {
      const { refresh_token: _, ...answer } = await (await browser.daypass.answer(url, init)).json();
      return json(answer);
    },
  });
  await assert.rejects(browser.signIn(tab), { code: 'unexpected_answer' });
  assert.equal(await tab.client.session(), undefined);
});

test('somebody whom this tab has not seen yet is signed out all the same by the next one', async () => {
  const browser = new Browser();
  const deaf = browser.tab({}, { channel: undefined });
  await browser.signIn(deaf, 'ada');
  await browser.signIn(browser.tab(), 'grace');
  await browser.signIn(deaf, 'alan');
  await settle();
  assert.deepEqual([...browser.daypass.sessions.values()].map(({ person, ended }) => [person, ended]), [
    ['ada', 'signed_out'], ['grace', 'signed_out'], ['alan', undefined],
  ]);
});

test('signing out forgets a sign-in that was begun', async () => {
  const browser = new Browser();
  const tab = browser.tab();
  const { answer } = await left(browser, tab);
  await tab.client.signOut();
  assert.equal(tab.tabStorage.map.size, 0);
  await assert.rejects(comeBack(tab, answer), refusedAs('no_login_started'));
});

test('signing out without a network signs out here, tries again, and says that Daypass does not know', async () => {
  const browser = new Browser();
  const tab = await browser.signedIn();
  const fails = () => { throw new TypeError('Failed to fetch'); };
  browser.daypass.before.push(fails, fails);
  const out = tab.client.signOut();
  await settle();
  assert.equal(await tab.client.session(), undefined);
  await browser.time.pass(3);
  await out;
  assert.equal(browser.daypass.count('/oauth2/revoke'), 3);

  await browser.signIn(tab);
  browser.daypass.before.push(fails, fails, fails);
  const refused = assert.rejects(tab.client.signOut(), { code: 'network' });
  await browser.time.pass(3);
  await refused;
  assert.equal(await tab.client.session(), undefined);
});

test('a person sees all devices, ends one, and signs out everywhere', async () => {
  const browser = new Browser();
  const phone = browser.tab({ storage: memoryStorage(), device: 'Phone' }, { channel: undefined, locks: undefined });
  await browser.signIn(phone);
  const tab = await browser.signedIn();
  const listed = await tab.client.sessions();
  assert.deepEqual(listed.map(({ device, current }) => [device, current]), [['Phone', false], ['Chrome on Linux', true]]);
  assert.ok(listed[0]?.createdAt instanceof Date);
  await tab.client.endSession(listed[0]?.id ?? '');
  await assert.rejects(phone.client.credentials({ forceRefresh: true }), { reason: 'signed_out' });
  await tab.client.endSession(listed[1]?.id ?? '');
  assert.equal(await tab.client.session(), undefined);

  await browser.signIn(phone);
  await browser.signIn(tab);
  await tab.client.signOut({ everywhere: true });
  assert.equal(await tab.client.session(), undefined);
  await assert.rejects(phone.client.credentials({ forceRefresh: true }), { reason: 'revoked' });
});

test('who is not signed in has neither credentials, token nor devices', async () => {
  const { client } = new Browser().tab();
  for (const asked of [client.credentials(), client.token(), client.sessions(), client.endSession('x')]) {
    await assert.rejects(asked, SignedOutError);
  }
});

test('the token is fresh by itself', async () => {
  const browser = new Browser();
  const { client } = await browser.signedIn();
  const first = await client.token();
  assert.equal(await client.token(), first);
  await browser.time.pass(900 - 180 + 1);
  assert.notEqual(await client.token(), first);
  assert.equal(browser.daypass.refreshes, 1);
});

test('credentials are what the AWS SDK and Amplify take', async () => {
  const browser = new Browser();
  const tab = browser.tab();
  assert.equal(tab.client.credentials.memoized, true);
  assert.equal(await tab.client.amplify.getCredentialsAndIdentityId(), undefined);
  const { identityId } = await browser.signIn(tab);
  const { credentials } = tab.client;
  const given = await credentials();
  assert.deepEqual(Object.keys(given).sort(), ['accessKeyId', 'expiration', 'secretAccessKey', 'sessionToken']);
  assert.deepEqual(await tab.client.amplify.getCredentialsAndIdentityId(), { credentials: given, identityId });
  const anew = await tab.client.amplify.getCredentialsAndIdentityId({ forceRefresh: true });
  assert.notEqual(anew?.credentials.accessKeyId, given.accessKeyId);
  tab.client.amplify.clearCredentialsAndIdentityId();
  assert.deepEqual(await tab.client.amplify.getCredentialsAndIdentityId(), anew);
});

test('providers that people may be offered', async () => {
  const browser = new Browser();
  const { client } = browser.tab();
  assert.deepEqual(await client.providers(), [{ id: 'sandbox', name: 'Sandbox' }]);
  browser.daypass.before.push(() => json({ providers: [{ id: 'a', name: 'A', login_url: '', hidden: false }, { id: 'b', name: 'B', login_url: 'u', hidden: true }] }));
  assert.deepEqual(await client.providers(), []);
});

test('no secret is in what is thrown, logged, put into addresses or told to other tabs', async () => {
  const browser = new Browser();
  const tab = await browser.signedIn();
  const kept = [...browser.storage.map.values()].join();
  const { secrets } = JSON.parse(kept);
  const all = [secrets.refreshToken, secrets.token, ...Object.values(secrets.credentials)];
  assert.equal(all.length, 5);
  /** @type {unknown[]} */
  const thrown = [];
  for (const failure of [json({ error: 'invalid_client' }, 400), new Response('<html>'), json({ error: 'invalid_grant', reason: 'expired' }, 400)]) {
    browser.daypass.before.push(() => failure);
    await tab.client.credentials({ forceRefresh: true }).catch((error) => thrown.push(error));
    await browser.time.pass(61);
  }
  const seen = JSON.stringify([thrown, thrown.map(String), tab.heard, browser.hub.messages, tab.went, browser.daypass.asked.map(({ path }) => path)]);
  for (const secret of all) assert.ok(!seen.includes(String(secret)), String(secret));
});
