// @ts-check
/** The names of the server's answers: the compiler knows them, and nothing else of an answer is believed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readKeys, readSession, required } from '../src/session.js';

/** @typedef {import('../src/http.js').Unread<import('../wire.js').Tokens>} Answer */

/** @type {Answer} */
const EMPTY = {};

test('a name that the server does not have is none that may be read', () => {
  // @ts-expect-error it is `identity_id`
  assert.throws(() => required(EMPTY, 'identityId'), { code: 'unexpected_answer' });
  // @ts-expect-error it is `secret_access_key`
  assert.throws(() => readKeys(EMPTY.credentials ?? EMPTY, ['access_key_id', 'secret_key', 'session_token']), { code: 'unexpected_answer' });
});

test('a value of another type than the server gives is as good as none', () => {
  /** @type {Answer} */
  const answer = { identity_id: 1, access_token: null, refresh_token: 'dpr_' };
  assert.throws(() => readSession(answer, 0), { code: 'unexpected_answer', message: /no identity_id/ });
});
