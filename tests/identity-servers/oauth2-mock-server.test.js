/**
 * The npm package oauth2-mock-server, which signs whatever it is told to with keys that it publishes: an issuer whose ID
 * tokens say what they should, and one whose tokens do not.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { OAuth2Server } from 'oauth2-mock-server';
import { startDaypass } from '../../sdk/test/support/daypass.js';
import { CONFIG_OF_APP, exchangeAt } from './daypass.js';

const ACCEPTED = ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const HOUR = 3600;

describe('oauth2-mock-server', () => {
  let server, running, enter, refuse;

  before(async () => {
    server = await mockServer();
    process.env.UNUSED_SECRET = 'no ID token needs it';
    running = await startDaypass(config(server.issuer.url));
    ({ enter, refuse } = exchangeAt(running.ready.server_url));
  }, { timeout: 60_000 });
  after(async () => {
    await running?.stop();
    await server?.stop();
  });

  /** An honest ID token, but for these claims; one that is undefined is left out. */
  const signed = (claims = {}, kid = 'RS256', issuer = server.issuer) =>
    issuer.buildToken({
      kid,
      scopesOrTransform: (_, payload) => Object.assign(payload, { sub: 'ada', aud: 'ours' }, claims),
    });
  const proof = (id_token, more = {}) => ({ provider: 'mock', id_token, ...more });

  for (const algorithm of ACCEPTED) {
    test(`a token signed by ${algorithm} signs its person in`, async () => {
      const { identity_id } = await enter(proof(await signed({ name: 'Ada' }, algorithm)));
      assert.equal(identity_id, (await enter(proof(await signed()))).identity_id);
    });
  }

  test('a token that says that it is signed in another way is refused', async () => {
    const [, claims, signature] = (await signed()).split('.');
    for (const alg of ['none', 'HS256', 'ES256K', 'PS256', 'EdDSA']) {
      const header = Buffer.from(JSON.stringify({ alg, kid: 'RS256' })).toString('base64url');
      for (const end of [signature, '']) await refuse(proof(`${header}.${claims}.${end}`), 'id_token_refused');
    }
  });

  test('a token for one of several audiences counts only if its azp is ours', async () => {
    await enter(proof(await signed({ aud: ['ours', 'theirs'], azp: 'ours' })));
    await refuse(proof(await signed({ aud: ['ours', 'theirs'], azp: 'theirs' })), 'proof_of_another_app');
  });

  test('a token for another app is refused, by whatever name it comes near to ours', async () => {
    for (const aud of ['theirs', 'OURS', 'ours ', 'our', '', [], ['theirs'], null, 7, { ours: true }]) {
      await refuse(proof(await signed({ aud })), 'proof_of_another_app', 'id_token_refused');
    }
    await refuse(proof(await signed({ aud: 'theirs' })), 'proof_of_another_app');
  });

  test('a token is refused once it ended, and before it begins', async () => {
    const now = Math.floor(Date.now() / 1000);
    const refused = async (claims, why) => {
      assert.match(await refuse(proof(await signed(claims)), 'id_token_refused'), why);
    };
    await refused({ exp: now - 10 * HOUR, iat: now - 11 * HOUR }, /expired/);
    await refused({ nbf: now + HOUR }, /not valid before/);
    await refused({ exp: undefined }, /no exp/);
  });

  test('a token of another issuer is refused', async () => {
    for (const iss of [`${server.issuer.url}/`, 'https://evil.example', undefined]) {
      await refuse(proof(await signed({ iss })), 'id_token_refused');
    }
  });

  test('a token without a usable subject is refused', async () => {
    for (const sub of ['', 'a\nb', 'x'.repeat(10_000), -7, 7.5, 2 ** 70, true, [7], null, undefined]) {
      await refuse(proof(await signed({ sub })), 'subject_missing', 'id_token_refused');
    }
  });

  test('a subject that is a whole number is whom its digits name', async () => {
    const enterAs = async (sub) => (await enter(proof(await signed({ sub })))).identity_id;
    assert.equal(await enterAs(7), await enterAs('7'));
    assert.notEqual(await enterAs(7), await enterAs('07'));
  });

  test('a nonce that was sent along has to stand in the token', async () => {
    await enter(proof(await signed({ nonce: 'of this login' }), { nonce: 'of this login' }));
    await refuse(proof(await signed({ nonce: 'of another' }), { nonce: 'of this login' }), 'id_token_refused');
    await refuse(proof(await signed(), { nonce: 'of this login' }), 'id_token_refused');
  });

  test('a token in the name of this issuer, signed with a key of another, is refused', async () => {
    const other = await mockServer();
    try {
      other.issuer.url = server.issuer.url;
      await refuse(proof(await signed({}, 'RS256', other.issuer)), 'id_token_refused');
    } finally {
      await other.stop();
    }
  });

  test('a token whose header promises no signature, or a symmetric one, is refused', async () => {
    const [header, claims, signature] = (await signed()).split('.');
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString());
    for (const alg of ['none', 'None', 'HS256', 'ES256', 'RS384']) {
      const other = Buffer.from(JSON.stringify({ alg, kid, typ: 'JWT' })).toString('base64url');
      for (const end of [signature, '']) {
        await refuse(proof([other, claims, end].join('.')), 'id_token_refused');
      }
    }
  });
});

/** A server with one key for each algorithm, named after it. */
async function mockServer() {
  const server = new OAuth2Server();
  for (const kid of ACCEPTED) await server.issuer.keys.generate(kid, { kid });
  await server.start(0, '127.0.0.1');
  return server;
}

const config = (issuer) => `${CONFIG_OF_APP}
[[provider]]
id = "mock"
client_id = "ours"
client_secret = { env = "UNUSED_SECRET" }
name = "A login with ID tokens"
register = "A client."
id_scope = "global"
accept = ["id_token"]
id_token = { issuers = ["${issuer}"], keys = { discovery = "${issuer}" }, subject = { at = "/sub" } }
binding.kind = "id_token"
`;
