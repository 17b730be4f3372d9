/** `openid-client`, with the signatures of ID tokens checked, too. */
import * as oidc from 'openid-client';
import { APP, REDIRECT_URI, SCOPE, TOKEN_EXCHANGE } from './app.js';

const AT_LOOPBACK = { execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks] };

/** The client, by the metadata of the server. `clockSkew` is how far its clock is off, in seconds. */
export async function discover(url, { dpop = false, clockSkew = 0 } = {}) {
  const client = { [oidc.clockSkew]: clockSkew };
  const config = await oidc.discovery(new URL(url), APP, client, oidc.None(), AT_LOOPBACK);
  const proofs = dpop ? { DPoP: oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair()) } : {};
  return {
    signIn: (browse, more) => signIn(config, proofs, browse, more),
    refresh: async ({ refresh_token: token }) => withClaims(await oidc.refreshTokenGrant(config, token, undefined, proofs)),
    signInOnDevice: (decide) => signInOnDevice(config, proofs, decide),
    revoke: ({ refresh_token: token }) => oidc.tokenRevocation(config, token),
    exchange: async (subject) => withClaims(await oidc.genericGrantRequest(config, TOKEN_EXCHANGE, subject, proofs)),
  };
}

async function signIn(config, proofs, browse, more) {
  const [pkceCodeVerifier, expectedState, expectedNonce] = [oidc.randomPKCECodeVerifier(), oidc.randomState(), oidc.randomNonce()];
  const address = oidc.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT_URI,
    scope: SCOPE,
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...more,
  });
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
  return withClaims(await oidc.authorizationCodeGrant(config, await browse(address), checks, undefined, proofs));
}

/** The person decides when the device has heard that nobody has. Nobody is there to be spared, so it asks each second. */
async function signInOnDevice(config, proofs, decide) {
  const begun = await oidc.initiateDeviceAuthorization(config, { scope: SCOPE, device: 'a television' });
  const heard = [];
  config[oidc.customFetch] = async (...request) => {
    const answer = await fetch(...request);
    const { error } = await answer.clone().json();
    if (error) heard.push(error);
    if (error === 'authorization_pending') await decide(begun);
    return answer;
  };
  const tokens = await oidc.pollDeviceAuthorizationGrant(config, { ...begun, interval: 1 }, undefined, proofs);
  return { ...withClaims(tokens), heard };
}

const withClaims = (tokens) => ({ ...tokens, claims: tokens.claims() });
