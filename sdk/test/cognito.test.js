// @ts-check
import { fakeFetch, json } from './support/fakes.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CognitoError, getCredentialsForIdentity } from '../src/cognito.js';
import { NetworkError, UnexpectedAnswerError } from '../src/index.js';

const ASKED = { endpoint: 'http://127.0.0.1:9400', identityId: 'us-east-1:abc', token: 'head.claims.signature' };
const CREDENTIALS = { AccessKeyId: 'ASIAEXAMPLE', SecretKey: 'secret', SessionToken: 'session', Expiration: 1795420800 };

/** @param {Response | Error} answer */
function ask(answer) {
  const { fetch, calls } = fakeFetch(answer);
  return { calls, result: getCredentialsForIdentity({ ...ASKED, fetch }) };
}

test('asks as every AWS SDK does, and reads epoch seconds', async () => {
  const { calls, result } = ask(json({ IdentityId: ASKED.identityId, Credentials: CREDENTIALS }));
  assert.deepEqual(await result, {
    accessKeyId: 'ASIAEXAMPLE',
    secretAccessKey: 'secret',
    sessionToken: 'session',
    expiration: new Date('2026-11-23T08:00:00Z'),
  });
  assert.equal(calls[0]?.url, 'http://127.0.0.1:9400/');
  assert.equal(calls[0]?.init.method, 'POST');
  const headers = new Headers(calls[0]?.init.headers);
  assert.equal(headers.get('content-type'), 'application/x-amz-json-1.1');
  assert.equal(headers.get('x-amz-target'), 'AWSCognitoIdentityService.GetCredentialsForIdentity');
  assert.deepEqual(JSON.parse(String(calls[0]?.init.body)), {
    IdentityId: 'us-east-1:abc',
    Logins: { 'cognito-identity.amazonaws.com': 'head.claims.signature' },
  });
});

for (const type of ['NotAuthorizedException', 'com.amazonaws.cognito#NotAuthorizedException']) {
  test(`a refusal of type ${type} has AWS's name as its code`, async () => {
    const { result } = ask(json({ __type: type, message: 'Token is expired.' }, { status: 400, headers: { 'x-amzn-requestid': 'r-1' } }));
    await assert.rejects(result, (error) => {
      assert.ok(error instanceof CognitoError);
      assert.equal(error.code, 'NotAuthorizedException');
      assert.equal(error.message, 'Token is expired.');
      assert.equal(error.status, 400);
      assert.equal(error.requestId, 'r-1');
      return true;
    });
  });
}

test('a refusal that says nothing is an UnknownError', async () => {
  await assert.rejects(ask(json({}, { status: 500 })).result, { code: 'UnknownError', status: 500 });
});

test('an answer that is no JSON is an unexpected one', async () => {
  await assert.rejects(ask(new Response('<html>', { status: 502 })).result, UnexpectedAnswerError);
});

for (const member of Object.keys(CREDENTIALS)) {
  test(`credentials without ${member} are none`, async () => {
    const incomplete = { ...CREDENTIALS, [member]: undefined };
    await assert.rejects(ask(json({ Credentials: incomplete })).result, UnexpectedAnswerError);
  });
}

test('an expiration that is text is none', async () => {
  const odd = { ...CREDENTIALS, Expiration: '2026-11-23T08:00:00Z' };
  await assert.rejects(ask(json({ Credentials: odd })).result, UnexpectedAnswerError);
});

test('silence is a network error without the token', async () => {
  await assert.rejects(ask(new TypeError('Failed to fetch')).result, (error) => {
    assert.ok(error instanceof NetworkError);
    assert.ok(!error.message.includes(ASKED.token));
    return true;
  });
});
