/**
 * What an app does without a browser: logs a person in at the sandbox by a form post, with PKCE, and trades
 * the code for an identity at `/v1/exchange`.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';

/** The whole login of one of the sandbox's people. */
export async function logIn(daypass, name) {
  const { providers } = await (await fetch(`${daypass.server_url}/v1/providers`)).json();
  const provider = providers.find(({ id }) => id === 'snapchat');
  const verifier = randomBytes(32).toString('base64url');
  const redirectUri = `${daypass.server_url}/`;
  const code = await consent(provider, { name, redirectUri, verifier });
  const proof = { provider: provider.id, code, code_verifier: verifier, redirect_uri: redirectUri };
  const answer = await fetch(`${daypass.server_url}/v1/exchange`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(proof),
  });
  assert.equal(answer.status, 200);
  const { identity_id: identityId, token } = await answer.json();
  return { identityId, token };
}

/** Posts the form of the consent page, and answers the code with which the person is sent back. */
async function consent(provider, { name, redirectUri, verifier }) {
  const scopes = provider.scope.split(' ');
  const form = new URLSearchParams({
    response_type: 'code',
    client_id: provider.client_id,
    redirect_uri: redirectUri,
    scope: provider.scope,
    state: randomBytes(16).toString('base64url'),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    person: name,
    decision: 'allow',
  });
  for (const scope of scopes) form.append('share', scope);
  const answer = await fetch(provider.authorization_endpoint, { method: 'POST', body: form, redirect: 'manual' });
  const back = new URL(answer.headers.get('location') ?? assert.fail(`the sandbox answered ${answer.status}`));
  assert.equal(back.searchParams.get('state'), form.get('state'));
  return back.searchParams.get('code');
}
