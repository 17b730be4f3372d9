// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from '../src/base64url.js';
import { decodeWithoutVerifying } from '../../crates/development/src/playground/jwt.js';

/** @param {string} text */
const part = (text) => encode(new TextEncoder().encode(text));

test('shows header and claims, beyond ASCII too', () => {
  const token = `${part('{"alg":"RS512","typ":"JWS"}')}.${part('{"sub":"us-east-1:abc","name":"Zoë 🎫"}')}.c2ln`;
  const { header, claims } = decodeWithoutVerifying(token);
  assert.deepEqual(header, { alg: 'RS512', typ: 'JWS' });
  assert.deepEqual(claims, { sub: 'us-east-1:abc', name: 'Zoë 🎫' });
});

const SECRET = 'top-secret-claim';
const refused = {
  'nothing at all': '',
  'two parts': `${part('{}')}.${part('{}')}`,
  'four parts': `${part('{}')}.${part('{}')}.c2ln.c2ln`,
  'an empty signature': `${part('{}')}.${part('{}')}.`,
  'a part that is no base64': `${part('{}')}.!!!.c2ln`,
  'claims that are no JSON': `${part('{}')}.${part(SECRET)}.c2ln`,
  'claims that are no object': `${part('{}')}.${part('["a"]')}.c2ln`,
  'claims that are no UTF-8': `${part('{}')}.${encode(Uint8Array.of(0x22, 0xff, 0x22))}.c2ln`,
};

for (const [what, token] of Object.entries(refused)) {
  test(`refuses ${what}, without repeating it`, () => {
    assert.throws(
      () => decodeWithoutVerifying(token),
      (/** @type {any} */ error) => {
        assert.equal(error.code, 'malformed_token');
        assert.equal(error.cause, undefined);
        assert.ok(!error.message.includes(SECRET));
        return true;
      },
    );
  });
}
