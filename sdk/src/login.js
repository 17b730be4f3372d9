// @ts-check
/**
 * The browser's half of an OAuth 2.0 login by authorization code with PKCE: sends the person to
 * the identity provider, or to Daypass's own sign-in that speaks to any of them, and recognises the
 * answer when they come back. An answer is believed only
 * if its `state` is the one that this very tab sent out, and it is believed once: the login that
 * was begun is forgotten before its answer is judged.
 */
import { asText } from './http.js';
import { LoginError } from './login-error.js';
import { codeChallenge, randomToken, secureRandom } from './pkce.js';

/** @typedef {Pick<globalThis.Storage, 'getItem' | 'setItem' | 'removeItem'>} LoginStorage */

/**
 * @typedef {object} Provider what a login page needs to know about an identity provider
 * @property {string} id
 * @property {string} name
 * @property {string} authorizationEndpoint empty where logins do not start at a plain address
 * @property {string} loginUrl the sign-in of Daypass's that goes on to it; empty where there is none
 * @property {string} clientId
 * @property {string} scope
 * @property {boolean} hidden whether people are not to be offered it
 * @property {string[]} accepts the proofs that the broker takes from it: `code`, `access_token` …
 */

/**
 * @typedef {object} CodeProof what the broker needs to redeem the code
 * @property {string} provider
 * @property {string} code
 * @property {string} codeVerifier
 * @property {string} redirectUri
 */

/**
 * @typedef {object} LoginCodeProof what the broker needs to redeem a code of its own sign-in
 * @property {string} app
 * @property {string} loginCode
 * @property {string} codeVerifier
 * @property {string} redirectUri
 */

/**
 * @typedef {object} BegunLogin
 * @property {string} [provider] where the provider itself answers
 * @property {string} [app] where Daypass's sign-in does
 * @property {string} state
 * @property {string} codeVerifier
 * @property {string} redirectUri
 */

const STORAGE_KEY = 'daypass.login';

/**
 * Remembers a new login in `storage` and says where to send the person.
 * @param {Provider} provider
 * @param {string} redirectUri registered with the provider and the broker, byte for byte
 * @param {LoginStorage} storage
 * @param {import('./pkce.js').RandomBytes} [random]
 * @returns {Promise<string>} the authorization URL
 */
export async function beginLogin(provider, redirectUri, storage, random = secureRandom) {
  const login = { provider: provider.id, redirectUri, ...secrets(random) };
  const url = await authorizationUrl(provider, login);
  storage.setItem(STORAGE_KEY, JSON.stringify(login));
  return url;
}

/**
 * The same by way of Daypass's own sign-in, which knows what each provider wants to be asked.
 * @param {Provider} provider
 * @param {{app: string, redirectUri: string}} app as it is registered with the broker
 * @param {LoginStorage} storage
 * @param {import('./pkce.js').RandomBytes} [random]
 * @returns {Promise<string>} the address of the sign-in
 */
export async function beginHostedLogin(provider, { app, redirectUri }, storage, random = secureRandom) {
  const login = { app, redirectUri, ...secrets(random) };
  const url = webPage(provider.loginUrl, provider);
  const { state, codeVerifier } = login;
  addParameters(url, { app, redirect_uri: redirectUri, state, code_challenge: await codeChallenge(codeVerifier) });
  storage.setItem(STORAGE_KEY, JSON.stringify(login));
  return url.href;
}

/** @param {import('./pkce.js').RandomBytes} random */
function secrets(random) {
  return { state: randomToken(random), codeVerifier: randomToken(random) };
}

/**
 * Reads the address that the identity provider sent the person back to.
 * @param {string} address
 * @param {LoginStorage} storage
 * @returns {CodeProof | LoginCodeProof | undefined} nothing where the address is not the end of a login
 */
export function endLogin(address, storage) {
  const { searchParams } = new URL(address);
  if (!searchParams.has('code') && !searchParams.has('error')) return undefined;
  const begun = takeBegunLogin(storage);
  const answer = readAnswer(searchParams);
  if (!begun) throw new LoginError('no_login_started', 'No login was started in this tab');
  const { provider, app, codeVerifier, redirectUri } = begun;
  if (answer.state !== begun.state) throw new LoginError('state_mismatch', 'This answer belongs to another login');
  if (answer.error) throw new LoginError(answer.error, 'The identity provider ended the login');
  if (!answer.code) throw new LoginError('malformed_callback', 'The answer has no authorization code');
  if (app !== undefined) return { app, loginCode: answer.code, codeVerifier, redirectUri };
  return { provider: provider ?? '', code: answer.code, codeVerifier, redirectUri };
}

/**
 * @param {Provider} provider
 * @param {BegunLogin} login
 */
async function authorizationUrl(provider, login) {
  const url = webPage(provider.authorizationEndpoint, provider);
  addParameters(url, {
    response_type: 'code',
    client_id: provider.clientId,
    redirect_uri: login.redirectUri,
    scope: provider.scope,
    state: login.state,
    code_challenge: await codeChallenge(login.codeVerifier),
    code_challenge_method: 'S256',
  });
  return url.href;
}

/**
 * An address to navigate to. A `javascript:` address would run in the page that does so.
 * @param {string} address
 * @param {Provider} provider
 */
function webPage(address, provider) {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url && ['https:', 'http:'].includes(url.protocol)) return url;
  throw new LoginError('unsafe_endpoint', `Logins at ${provider.name} do not start at a web page`);
}

/** @param {URL} url @param {Record<string, string>} parameters */
function addParameters(url, parameters) {
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
}

/** @param {URLSearchParams} parameters */
function readAnswer(parameters) {
  return {
    state: single(parameters, 'state'),
    code: single(parameters, 'code'),
    error: single(parameters, 'error'),
  };
}

/**
 * RFC 6749 section 3.1 forbids to repeat a parameter; two readers could choose different ones.
 * @param {URLSearchParams} parameters
 * @param {string} name
 */
function single(parameters, name) {
  const values = parameters.getAll(name);
  if (values.length > 1) throw new LoginError('malformed_callback', `The answer repeats ${name}`);
  return asText(values[0]);
}

/**
 * @param {LoginStorage} storage
 * @returns {BegunLogin | undefined}
 */
function takeBegunLogin(storage) {
  const stored = storage.getItem(STORAGE_KEY);
  storage.removeItem(STORAGE_KEY);
  return stored === null ? undefined : JSON.parse(stored);
}

/**
 * Forgets a login that was begun and will not be ended, as when the person signs out.
 * @param {LoginStorage} storage
 */
export function abandonLogin(storage) {
  storage.removeItem(STORAGE_KEY);
}
