/** `oauth4webapi`, which checks each answer in a step of its own. */
import * as oauth from 'oauth4webapi';
import { APP, REDIRECT_URI, SCOPE, TOKEN_EXCHANGE } from './app.js';

const AT_LOOPBACK = { [oauth.allowInsecureRequests]: true };

/** The client, by the metadata of the server. `clockSkew` is how far its clock is off, in seconds. */
export async function discover(url, { dpop = false, clockSkew = 0, algorithm = 'oidc' } = {}) {
  const issuer = new URL(url);
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...AT_LOOPBACK, algorithm }));
  const client = { client_id: APP, [oauth.clockSkew]: clockSkew };
  const key = await oauth.generateKeyPair('ES256');
  return new Client(server, client, dpop ? { ...AT_LOOPBACK, DPoP: oauth.DPoP(client, key) } : AT_LOOPBACK);
}

class Client {
  constructor(server, client, options) {
    Object.assign(this, { server, client, options });
  }

  async signIn(browse, more = {}) {
    const [verifier, state, nonce] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState(), oauth.generateRandomNonce()];
    const address = new URL(this.server.authorization_endpoint);
    const parameters = {
      response_type: 'code',
      client_id: APP,
      redirect_uri: REDIRECT_URI,
      scope: SCOPE,
      state,
      nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...more,
    };
    for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
    const callback = oauth.validateAuthResponse(this.server, this.client, await browse(address), state);
    const checks = { expectedNonce: nonce, requireIdToken: true };
    return this.ask(
      (...us) => oauth.authorizationCodeGrantRequest(...us, callback, REDIRECT_URI, verifier, this.options),
      (answer) => oauth.processAuthorizationCodeResponse(this.server, this.client, answer, checks),
    );
  }

  refresh({ refresh_token: token }) {
    return this.ask(
      (...us) => oauth.refreshTokenGrantRequest(...us, token, this.options),
      (answer) => oauth.processRefreshTokenResponse(this.server, this.client, answer),
    );
  }

  exchange(subject) {
    return this.ask(
      (...us) => oauth.genericTokenEndpointRequest(...us, TOKEN_EXCHANGE, subject, this.options),
      (answer) => oauth.processGenericTokenEndpointResponse(this.server, this.client, answer),
    );
  }

  async revoke({ refresh_token: token }) {
    await oauth.processRevocationResponse(await oauth.revocationRequest(this.server, this.client, oauth.None(), token, AT_LOOPBACK));
  }

  /** Asks once more if the server has a nonce for the proof, and checks the signature of the ID token, too. */
  async ask(request, process) {
    const send = () => request(this.server, this.client, oauth.None());
    let answer = await send();
    const tokens = await process(answer).catch(async (error) => {
      if (!oauth.isDPoPNonceError(error)) throw error;
      answer = await send();
      return process(answer);
    });
    if (tokens.id_token) await oauth.validateApplicationLevelSignature(this.server, answer, AT_LOOPBACK);
    return { ...tokens, claims: oauth.getValidatedIdTokenClaims(tokens) };
  }
}
