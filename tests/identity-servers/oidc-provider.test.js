/**
 * The npm package oidc-provider, a certified OpenID Connect server, as two providers of one daypass: by its ID tokens,
 * and by its opaque access tokens, which introspection (RFC 7662) and userinfo tell about. Another client of the same
 * server, with the same people, plays the app that tries to get in with what they gave it.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import Provider from 'oidc-provider';
import { startDaypass } from '../../sdk/test/support/daypass.js';
import { Browser, pkce } from './browser.js';
import { APP, CONFIG_OF_APP, exchangeAt } from './daypass.js';

const OURS = { client_id: 'ours', client_secret: 'the secret of our client' };
const THEIRS = { client_id: 'theirs', client_secret: 'the secret of their client' };

describe('oidc-provider', () => {
  let server, issuer, running, url, enter, refuse;

  before(async () => {
    let answer;
    server = createServer((request, response) => answer(request, response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    issuer = `http://127.0.0.1:${server.address().port}`;
    process.env.OURS_SECRET = OURS.client_secret;
    running = await startDaypass(config(issuer));
    url = running.ready.server_url;
    ({ enter, refuse } = exchangeAt(url));
    answer = identityServer(issuer, url).callback();
  }, { timeout: 60_000 });
  after(async () => {
    await running?.stop();
    server.close();
    server.closeAllConnections();
  });

  /** Has a person log in at a client, and answers the code and what belongs to it. */
  const code = async (client, person, scope = 'openid profile') => {
    const { verifier, challenge } = pkce();
    const nonce = pkce().verifier;
    const query = new URLSearchParams({
      response_type: 'code', client_id: client.client_id, redirect_uri: APP, scope, nonce, state: 'of the app',
      code_challenge: challenge, code_challenge_method: 'S256',
    });
    const back = await new Browser().travel(`${issuer}/auth?${query}`, { end: APP, person });
    return { code: back.searchParams.get('code'), code_verifier: verifier, redirect_uri: APP, nonce };
  };

  /** Asks the server as a client does. */
  const ask = async (client, path, form) => {
    const basic = [client.client_id, client.client_secret].map(encodeURIComponent).join(':').replaceAll('%20', '+');
    const headers = { authorization: `Basic ${Buffer.from(basic).toString('base64')}` };
    const answer = await fetch(issuer + path, { method: 'POST', headers, body: new URLSearchParams(form) });
    assert.equal(answer.status, 200);
    return answer;
  };

  /** What a client has after a login: an access token, an ID token, and the nonce of that. */
  const tokens = async (client, person) => {
    const { nonce, ...redemption } = await code(client, person);
    const answer = await ask(client, '/token', { grant_type: 'authorization_code', ...redemption });
    return { ...(await answer.json()), nonce };
  };

  /** The hosted login, from the app and back to it. */
  const hostedLogin = async (provider, person) => {
    const { verifier, challenge } = pkce();
    const query = new URLSearchParams({ app: 'shop', redirect_uri: APP, state: 'of the app', code_challenge: challenge });
    const back = await new Browser().travel(`${url}/login/${provider}?${query}`, { end: APP, person });
    assert.deepEqual([back.searchParams.get('state'), back.searchParams.get('iss')], ['of the app', url]);
    return { login_code: back.searchParams.get('code'), app: 'shop', code_verifier: verifier, redirect_uri: APP };
  };

  test('the hosted login, a code and an ID token lead to one identity', async () => {
    const hosted = await enter(await hostedLogin('by-id-token', 'ada'));
    const byCode = await enter({ provider: 'by-id-token', ...(await code(OURS, 'ada')) });
    const { id_token, nonce } = await tokens(OURS, 'ada');
    const byToken = await enter({ provider: 'by-id-token', id_token, nonce });
    assert.deepEqual([byCode.identity_id, byToken.identity_id], [hosted.identity_id, hosted.identity_id]);
    const grace = await enter(await hostedLogin('by-id-token', 'grace'));
    assert.notEqual(grace.identity_id, hosted.identity_id);
  });

  test('the hosted login, a code and an access token lead to one identity', async () => {
    const hosted = await enter(await hostedLogin('by-introspection', 'ada'));
    const byCode = await enter({ provider: 'by-introspection', ...(await code(OURS, 'ada')) });
    const { access_token } = await tokens(OURS, 'ada');
    const byToken = await enter({ provider: 'by-introspection', access_token });
    assert.deepEqual([byCode.identity_id, byToken.identity_id], [hosted.identity_id, hosted.identity_id]);
    assert.equal(hosted.user.name, 'The person ada');
  });

  test('nothing that a person gave to another app opens their account here', async () => {
    const { id_token, access_token, nonce } = await tokens(THEIRS, 'ada');
    await refuse({ provider: 'by-id-token', id_token, nonce }, 'proof_of_another_app');
    await refuse({ provider: 'by-introspection', access_token }, 'proof_of_another_app');
    await refuse({ provider: 'by-id-token', ...(await code(THEIRS, 'ada')) }, 'proof_refused');
    await refuse({ provider: 'by-introspection', ...(await code(THEIRS, 'ada')) }, 'proof_refused');
  });

  test('a code counts once, and only with its verifier and its nonce', async () => {
    const spent = await code(OURS, 'ada');
    await enter({ provider: 'by-id-token', ...spent });
    await refuse({ provider: 'by-id-token', ...spent }, 'proof_refused');
    const wrong = pkce().verifier;
    await refuse({ provider: 'by-id-token', ...(await code(OURS, 'ada')), code_verifier: wrong }, 'proof_refused');
    await refuse({ provider: 'by-id-token', ...(await code(OURS, 'ada')), nonce: wrong }, 'id_token_refused');
  });

  test('a token that was revoked is refused', async () => {
    const { access_token } = await tokens(OURS, 'ada');
    await ask(OURS, '/token/revocation', { token: access_token });
    await refuse({ provider: 'by-introspection', access_token }, 'provider_reported_error');
  });

  test('an ID token with one character changed is refused', async () => {
    const { id_token, nonce } = await tokens(OURS, 'ada');
    const [header, claims, signature] = id_token.split('.');
    const other = signature.startsWith('A') ? 'B' : 'A';
    const forged = [header, claims, other + signature.slice(1)].join('.');
    await refuse({ provider: 'by-id-token', id_token: forged, nonce }, 'id_token_refused');
  });
});

/** The server, with the pages for logins that it brings along for development: anybody may be anybody there. */
function identityServer(issuer, daypass) {
  const client = (names, callbacks) => ({ ...names, redirect_uris: [APP, ...callbacks] });
  const callback = (provider) => `${daypass}/login/${provider}/callback`;
  return new Provider(issuer, {
    clients: [client(OURS, [callback('by-id-token'), callback('by-introspection')]), client(THEIRS, [])],
    claims: { openid: ['sub'], profile: ['name'] },
    features: { introspection: { enabled: true }, revocation: { enabled: true } },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, name: `The person ${sub}` }) }),
    pkce: { methods: ['S256'], required: () => true },
  });
}

const config = (issuer) => `${CONFIG_OF_APP}
[[provider]]
id = "by-id-token"
client_id = "${OURS.client_id}"
client_secret = { env = "OURS_SECRET" }
name = "A login with ID tokens"
register = "A client."
id_scope = "global"
accept = ["code", "id_token"]
scopes = ["openid"]
authorize.url = "${issuer}/auth"
exchange = { url = "${issuer}/token", client_auth = "basic", reads_id_token = true }
id_token = { issuers = ["${issuer}"], keys = { discovery = "${issuer}" }, subject = { at = "/sub" } }
binding.kind = "id_token"

[[provider]]
id = "by-introspection"
client_id = "${OURS.client_id}"
client_secret = { env = "OURS_SECRET" }
name = "A login with opaque tokens"
register = "A client."
id_scope = "global"
accept = ["code", "access_token"]
scopes = ["openid", "profile"]
authorize.url = "${issuer}/auth"
exchange = { url = "${issuer}/token", client_auth = "basic" }
profile = { url = "${issuer}/me", subject = { at = "/sub" }, name = "/name" }

[provider.binding]
kind = "client_auth_endpoint"
method = "POST"
url = "${issuer}/token/introspection"
auth = "client_basic"
form = { token = "{token}" }
success = [{ at = "/active", is = { equal = true } }]
client = { at = "/client_id" }
user = { at = "/sub" }
`;
