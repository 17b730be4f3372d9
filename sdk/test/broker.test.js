// @ts-check
import { countingRandom, fakeFetch, json, memoryStorage } from './support/fakes.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker, BrokerError } from '../src/broker.js';
import { LoginError, NetworkError, UnexpectedAnswerError } from '../src/index.js';

const URL_OF_BROKER = 'http://127.0.0.1:9400';
const PROOF = { provider: 'snapchat', code: 'the-code', codeVerifier: 'the-verifier', redirectUri: 'http://127.0.0.1:9400/' };
const ANSWER = {
  identity_id: 'us-east-1:11111111-2222-3333-4444-555555555555',
  token: 'head.claims.signature',
  expires_at: '2026-11-23T09:30:00Z',
  identity_pool_id: 'us-east-1:pool',
  region: 'us-east-1',
  provider: 'snapchat',
  user: { name: 'Ada', avatar: 'http://127.0.0.1:9402/ada.svg' },
};
const PROVIDERS = {
  providers: [
    { id: 'snapchat', name: 'Snapchat', authorization_endpoint: 'http://idp.test/auth', client_id: 'us', scope: 'a b', pkce: 'required', login_url: 'http://broker.test/login/snapchat', hidden: true, accepts: ['code'] },
    { id: 'bare' },
  ],
};

/** @param {...(Response | Error)} answers */
function brokerThatHears(...answers) {
  const { fetch, calls } = fakeFetch(...answers);
  const storage = memoryStorage();
  const broker = new Broker({ url: URL_OF_BROKER, fetch, storage, random: countingRandom() });
  return { broker, calls, storage };
}

test('lists the providers that a login page may offer', async () => {
  const { broker, calls } = brokerThatHears(json(PROVIDERS));
  const [snapchat, bare] = await broker.providers();
  assert.equal(calls[0]?.url, `${URL_OF_BROKER}/v1/providers`);
  assert.deepEqual(snapchat, {
    id: 'snapchat',
    name: 'Snapchat',
    authorizationEndpoint: 'http://idp.test/auth',
    loginUrl: 'http://broker.test/login/snapchat',
    hidden: true,
    clientId: 'us',
    scope: 'a b',
    accepts: ['code'],
  });
  assert.deepEqual(bare, { id: 'bare', name: 'bare', authorizationEndpoint: '', loginUrl: '', hidden: false, clientId: '', scope: '', accepts: [] });
});

test('exchanges a code', async () => {
  const { broker, calls } = brokerThatHears(json(ANSWER));
  assert.deepEqual(await broker.exchange(PROOF), {
    identityId: ANSWER.identity_id,
    token: ANSWER.token,
    expiresAt: new Date('2026-11-23T09:30:00Z'),
    identityPoolId: 'us-east-1:pool',
    region: 'us-east-1',
    provider: 'snapchat',
    user: ANSWER.user,
  });
  assert.equal(calls[0]?.url, `${URL_OF_BROKER}/v1/exchange`);
  assert.deepEqual(JSON.parse(String(calls[0]?.init.body)), {
    provider: 'snapchat',
    code: 'the-code',
    code_verifier: 'the-verifier',
    redirect_uri: 'http://127.0.0.1:9400/',
  });
});

test('exchanges a bare access token', async () => {
  const { broker, calls } = brokerThatHears(json(ANSWER));
  await broker.exchange({ provider: 'snapchat-token', accessToken: 'opaque' });
  assert.deepEqual(JSON.parse(String(calls[0]?.init.body)), { provider: 'snapchat-token', access_token: 'opaque' });
});

test('a request carries no cookies, is not cached, names no referrer and follows no redirect', async () => {
  const { broker, calls } = brokerThatHears(json(ANSWER));
  await broker.exchange(PROOF);
  const { credentials, cache, referrerPolicy, redirect } = calls[0]?.init ?? {};
  assert.deepEqual(
    { credentials, cache, referrerPolicy, redirect },
    { credentials: 'omit', cache: 'no-store', referrerPolicy: 'no-referrer', redirect: 'error' },
  );
});

test('a whole login: there, back, exchanged', async () => {
  const { broker, calls, storage } = brokerThatHears(json(PROVIDERS), json(ANSWER));
  const [provider] = await broker.providers();
  assert.ok(provider);
  const url = new URL(await broker.startLogin(provider, PROOF.redirectUri));
  const state = url.searchParams.get('state');
  const exchange = await broker.finishLogin(`${PROOF.redirectUri}?code=c&state=${state}`);
  assert.equal(exchange?.identityId, ANSWER.identity_id);
  assert.equal(calls.length, 2);
  assert.equal(storage.map.size, 0, 'nothing of the login is left behind');
});

test('an ordinary visit exchanges nothing', async () => {
  const { broker, calls } = brokerThatHears();
  assert.equal(await broker.finishLogin(PROOF.redirectUri), undefined);
  assert.equal(calls.length, 0);
});

test('a forged answer never reaches the broker', async () => {
  const { broker, calls } = brokerThatHears(json(PROVIDERS));
  const [provider] = await broker.providers();
  assert.ok(provider);
  await broker.startLogin(provider, PROOF.redirectUri);
  await assert.rejects(broker.finishLogin(`${PROOF.redirectUri}?code=c&state=forged`), LoginError);
  assert.equal(calls.length, 1);
});

test('a refusal keeps its code, status, detail and request ID', async () => {
  const problem = {
    type: 'about:blank', title: 'The proof was refused', status: 401,
    detail: 'Snapchat refused the code', code: 'proof_refused', request_id: 'r-1',
  };
  const { broker } = brokerThatHears(json(problem, { status: 401 }));
  await assert.rejects(broker.exchange(PROOF), (error) => {
    assert.ok(error instanceof BrokerError);
    assert.equal(error.name, 'BrokerError');
    assert.equal(error.code, 'proof_refused');
    assert.equal(error.status, 401);
    assert.equal(error.message, 'The proof was refused');
    assert.equal(error.detail, 'Snapchat refused the code');
    assert.equal(error.requestId, 'r-1');
    assert.equal(error.retryAfter, undefined);
    return true;
  });
});

test('a provider that is down says when to come back', async () => {
  const answer = json({ code: 'provider_unavailable' }, { status: 503, headers: { 'retry-after': '7' } });
  const { broker } = brokerThatHears(answer);
  await assert.rejects(broker.exchange(PROOF), { code: 'provider_unavailable', retryAfter: 7 });
});

test('a refusal without a code is an unexpected answer', async () => {
  const { broker } = brokerThatHears(json({}, { status: 418 }));
  await assert.rejects(broker.exchange(PROOF), { code: 'unexpected_answer', status: 418, message: 'HTTP 418' });
});

for (const [what, body] of Object.entries({ "a proxy's page": '<html>', nothing: '', 'a list': '[]', null: 'null' })) {
  for (const status of [200, 502]) {
    test(`${what} with HTTP ${status} is an unexpected answer`, async () => {
      const { broker } = brokerThatHears(new Response(body, { status }));
      await assert.rejects(broker.exchange(PROOF), (error) => {
        assert.ok(error instanceof UnexpectedAnswerError);
        assert.equal(error.code, 'unexpected_answer');
        assert.equal(error.status, status);
        return true;
      });
    });
  }
}

for (const member of ['identity_id', 'token', 'expires_at', 'identity_pool_id', 'region', 'provider']) {
  for (const value of [undefined, '', 7, null]) {
    test(`an exchange whose ${member} is ${JSON.stringify(value)} is an unexpected answer`, async () => {
      const { broker } = brokerThatHears(json({ ...ANSWER, [member]: value }));
      await assert.rejects(broker.exchange(PROOF), UnexpectedAnswerError);
    });
  }
}

test('an exchange that ends at no time is an unexpected answer', async () => {
  const { broker } = brokerThatHears(json({ ...ANSWER, expires_at: 'soon' }));
  await assert.rejects(broker.exchange(PROOF), UnexpectedAnswerError);
});

test('a person of whom nothing is told is still a person', async () => {
  const { broker } = brokerThatHears(json({ ...ANSWER, user: undefined }));
  const { user } = await broker.exchange(PROOF);
  assert.deepEqual(user, { name: undefined, avatar: undefined });
});

for (const answer of [{}, { providers: {} }, { providers: [{}] }, { providers: ['snapchat'] }]) {
  test(`${JSON.stringify(answer)} is no list of providers`, async () => {
    const { broker } = brokerThatHears(json(answer));
    await assert.rejects(broker.providers(), UnexpectedAnswerError);
  });
}

test('silence is a network error that names the origin and repeats no secret', async () => {
  const { broker } = brokerThatHears(new TypeError('Failed to fetch'));
  await assert.rejects(broker.exchange(PROOF), (error) => {
    assert.ok(error instanceof NetworkError);
    assert.equal(error.code, 'network');
    assert.match(error.message, /127\.0\.0\.1:9400/);
    assert.ok(!error.message.includes(PROOF.code) && !error.message.includes(PROOF.codeVerifier));
    return true;
  });
});

test('an abandoned login leaves nothing behind', async () => {
  const { broker, storage } = brokerThatHears(json(PROVIDERS));
  const [provider] = await broker.providers();
  assert.ok(provider);
  await broker.startLogin(provider, PROOF.redirectUri);
  broker.abandonLogin();
  assert.equal(storage.map.size, 0);
});
