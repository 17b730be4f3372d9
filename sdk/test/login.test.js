// @ts-check
import { countingRandom, memoryStorage } from './support/fakes.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoginError } from '../src/login-error.js';
import { abandonLogin, beginHostedLogin, beginLogin, endLogin } from '../src/login.js';
import { codeChallenge } from '../src/pkce.js';

const REDIRECT_URI = 'http://127.0.0.1:9400/';
const PROVIDER = {
  id: 'snapchat',
  name: 'Snapchat',
  authorizationEndpoint: 'http://127.0.0.1:9402/accounts/oauth2/auth?tenant=one',
  loginUrl: 'http://127.0.0.1:9400/login/snapchat',
  hidden: false,
  clientId: 'our-client',
  scope: 'https://scopes.test/external_id https://scopes.test/display_name',
  accepts: ['code'],
};

/** A login on its way: the tab's storage and the state that went out. */
async function begun() {
  const storage = memoryStorage();
  const url = new URL(await beginLogin(PROVIDER, REDIRECT_URI, storage, countingRandom()));
  return { storage, state: url.searchParams.get('state') ?? '' };
}

/** @param {Record<string, string>} parameters */
const callback = (parameters) => `${REDIRECT_URI}?${new URLSearchParams(parameters)}`;

/** @param {string} code */
const refusedAs = (code) => (/** @type {unknown} */ error) => error instanceof LoginError && error.code === code;

test('sends the person to the provider with state and an S256 challenge', async () => {
  const storage = memoryStorage();
  const url = new URL(await beginLogin(PROVIDER, REDIRECT_URI, storage, countingRandom()));
  const login = JSON.parse(storage.map.get('daypass.login') ?? '');

  assert.equal(url.origin + url.pathname, 'http://127.0.0.1:9402/accounts/oauth2/auth');
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    tenant: 'one',
    response_type: 'code',
    client_id: 'our-client',
    redirect_uri: REDIRECT_URI,
    scope: PROVIDER.scope,
    state: login.state,
    code_challenge: await codeChallenge(login.codeVerifier),
    code_challenge_method: 'S256',
  });
  assert.notEqual(login.state, login.codeVerifier);
  assert.ok(!url.href.includes(login.codeVerifier));
});

for (const endpoint of ['javascript:alert(1)', 'data:text/html,hello', 'file:///etc/passwd']) {
  test(`sends nobody to ${endpoint}`, async () => {
    const storage = memoryStorage();
    const provider = { ...PROVIDER, authorizationEndpoint: endpoint };
    await assert.rejects(beginLogin(provider, REDIRECT_URI, storage), refusedAs('unsafe_endpoint'));
    assert.equal(storage.map.size, 0);
  });
}

test('turns the answer into the proof that the broker redeems', async () => {
  const { storage, state } = await begun();
  const { codeVerifier } = JSON.parse(storage.map.get('daypass.login') ?? '');
  assert.deepEqual(endLogin(callback({ code: 'the-code', state }), storage), {
    provider: 'snapchat',
    code: 'the-code',
    codeVerifier,
    redirectUri: REDIRECT_URI,
  });
});

test('sends the person to the sign-in of Daypass, and turns its answer into the proof that the broker redeems', async () => {
  const storage = memoryStorage();
  const app = { app: 'shop', redirectUri: REDIRECT_URI };
  const url = new URL(await beginHostedLogin(PROVIDER, app, storage, countingRandom()));
  const { state, codeVerifier } = JSON.parse(storage.map.get('daypass.login') ?? '');
  assert.equal(url.origin + url.pathname, PROVIDER.loginUrl);
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    app: 'shop', redirect_uri: REDIRECT_URI, state, code_challenge: await codeChallenge(codeVerifier),
  });
  assert.deepEqual(endLogin(callback({ code: 'the-code', state, iss: 'http://127.0.0.1:9400' }), storage), {
    app: 'shop', loginCode: 'the-code', codeVerifier, redirectUri: REDIRECT_URI,
  });
});

for (const address of ['', 'javascript:alert(1)']) {
  test(`sends nobody to the sign-in ${address || 'that there is not'}`, async () => {
    const storage = memoryStorage();
    const login = beginHostedLogin({ ...PROVIDER, loginUrl: address }, { app: 'a', redirectUri: REDIRECT_URI }, storage);
    await assert.rejects(login, refusedAs('unsafe_endpoint'));
    assert.equal(storage.map.size, 0);
  });
}

test('an ordinary visit is no answer and disturbs no login', async () => {
  const { storage } = await begun();
  assert.equal(endLogin('http://127.0.0.1:9400/?utm=1', storage), undefined);
  assert.equal(storage.map.size, 1);
});

test('an answer is believed once', async () => {
  const { storage, state } = await begun();
  endLogin(callback({ code: 'the-code', state }), storage);
  assert.throws(() => endLogin(callback({ code: 'the-code', state }), storage), refusedAs('no_login_started'));
});

test('an answer that nobody asked for is refused', () => {
  assert.throws(() => endLogin(callback({ code: 'c', state: 's' }), memoryStorage()), refusedAs('no_login_started'));
});

test('an abandoned login cannot be ended', async () => {
  const { storage, state } = await begun();
  abandonLogin(storage);
  assert.throws(() => endLogin(callback({ code: 'c', state }), storage), refusedAs('no_login_started'));
});

/** @type {Record<string, (state: string) => string>} */
const forged = {
  'another state': () => callback({ code: 'c', state: 'forged' }),
  'an empty state': () => callback({ code: 'c', state: '' }),
  'no state': () => callback({ code: 'c' }),
  'a longer state': (state) => callback({ code: 'c', state: `${state}x` }),
  'an error with another state': () => callback({ error: 'access_denied', state: 'forged' }),
};

for (const [what, address] of Object.entries(forged)) {
  test(`an answer with ${what} is refused and ends the login`, async () => {
    const { storage, state } = await begun();
    assert.throws(() => endLogin(address(state), storage), refusedAs('state_mismatch'));
    assert.equal(storage.map.size, 0);
  });
}

for (const name of ['code', 'state', 'error']) {
  test(`an answer that repeats ${name} is refused`, async () => {
    const { storage, state } = await begun();
    const address = `${callback({ code: 'c', state, error: '' })}&${name}=twice`;
    assert.throws(() => endLogin(address, storage), refusedAs('malformed_callback'));
  });
}

test('an answer with an empty code is refused', async () => {
  const { storage, state } = await begun();
  assert.throws(() => endLogin(callback({ code: '', state }), storage), refusedAs('malformed_callback'));
});

test("the provider's refusal keeps its code, even beside an authorization code", async () => {
  const { storage, state } = await begun();
  const address = callback({ error: 'access_denied', code: 'c', state });
  assert.throws(() => endLogin(address, storage), refusedAs('access_denied'));
});
