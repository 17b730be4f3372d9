// @ts-check
import './support/webcrypto.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from '../src/base64url.js';
import { browserPlatform } from '../src/platform.js';
import { randomToken } from '../src/pkce.js';
import { authorizationUrl } from '../src/sign-in.js';

// RFC 7636, appendix B.
const OCTETS = [
  116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105, 214, 191,
  240, 91, 88, 5, 88, 83, 132, 141, 121,
];
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

test('the verifier of RFC 7636 appendix B', () => {
  assert.equal(randomToken(() => Uint8Array.from(OCTETS)), VERIFIER);
});

test('the challenge of RFC 7636 appendix B', async () => {
  const begun = { state: 's', codeVerifier: VERIFIER, redirectUri: 'https://app.test/' };
  const url = await authorizationUrl({ base: 'https://login.test', app: 'web' }, begun, browserPlatform().sha256);
  const { code_challenge, code_challenge_method } = Object.fromEntries(new URL(url).searchParams);
  assert.deepEqual([code_challenge, code_challenge_method], [CHALLENGE, 'S256']);
});

test('a token has 256 bits in the alphabet that needs no escaping, and never comes twice', () => {
  const tokens = Array.from({ length: 100 }, () => randomToken());
  for (const token of tokens) assert.match(token, /^[A-Za-z0-9_-]{43}$/);
  assert.equal(new Set(tokens).size, tokens.length);
});

test('base64url is that of others, for every byte and every length', () => {
  for (let length = 0; length < 300; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, index) => 255 - (index % 256));
    assert.equal(encode(bytes), Buffer.from(bytes).toString('base64url'));
  }
});
