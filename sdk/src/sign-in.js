// @ts-check
/**
 * The browser's half of a sign-in by authorization code with PKCE: where to send the person, and whether what comes
 * back is the answer to that. An answer is believed if its `state` is the one that went out and its `iss` is the
 * Daypass that was asked, and it is believed once.
 */
import { encode } from './base64url.js';
import { asObject, asText } from './http.js';
import { LoginError } from './login-error.js';
import { randomToken } from './pkce.js';

/** @typedef {{state: string, codeVerifier: string, redirectUri: string, link?: string}} BegunSignIn */
/** @typedef {{state?: string, code?: string, error?: string, iss?: string}} Answer */

/**
 * @typedef {object} Request
 * @property {string} base the broker's URL
 * @property {string} app
 * @property {string} [provider]
 * @property {string} [mode] `web_message` where a window is to hear the answer
 */

/** The parameters that an answer is made of. */
const OURS = ['code', 'state', 'iss', 'error', 'error_description', 'error_uri'];

/** Marks a `state` of a popup, so that the page it ends on knows that another window waits. */
const OF_POPUP = 'popup.';

/** @param {string} redirectUri @param {import('./pkce.js').RandomBytes} random @returns {BegunSignIn} */
export function begin(redirectUri, random) {
  return { state: randomToken(random), codeVerifier: randomToken(random), redirectUri };
}

/** @param {BegunSignIn} begun @returns {BegunSignIn} */
export const forPopup = (begun) => ({ ...begun, state: OF_POPUP + begun.state });

/** @param {Answer} answer */
export const isForPopup = ({ state }) => state?.startsWith(OF_POPUP) === true;

/**
 * @param {Request} request
 * @param {BegunSignIn} begun
 * @param {import('./platform.js').Platform['sha256']} sha256
 */
export async function authorizationUrl({ base, app, provider, mode }, { state, codeVerifier, redirectUri }, sha256) {
  const url = new URL(`${base}/oauth2/authorize`);
  const challenge = encode(await sha256(new TextEncoder().encode(codeVerifier)));
  const parameters = {
    response_type: 'code',
    client_id: app,
    redirect_uri: redirectUri,
    state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...(provider && { provider }),
    ...(mode && { response_mode: mode }),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

/**
 * The answer in an address, and the address without it. Nothing where the address has no answer of this Daypass's: a
 * page may have other parameters, and other sign-ins.
 * @param {string | undefined} address
 * @param {string} base
 * @param {string | undefined} state the one that this tab sent out
 * @returns {{answer: Answer, rest: string} | undefined}
 */
export function answerIn(address, base, state) {
  if (!address) return undefined;
  const url = new URL(address);
  const parameters = url.searchParams;
  const isAnswer = parameters.has('state') && (parameters.has('code') || parameters.has('error'));
  const isOurs = parameters.getAll('iss').includes(base) || parameters.getAll('state').includes(state ?? '');
  if (!isAnswer || !isOurs) return undefined;
  const values = Object.fromEntries(OURS.map((name) => [name, parameters.getAll(name)]));
  for (const name of OURS) parameters.delete(name);
  return { answer: onlyOnce(values), rest: url.href };
}

/** RFC 6749 section 3.1 forbids to repeat a parameter; two readers could choose different ones. @param {Record<string, string[]>} values @returns {Answer} */
function onlyOnce(values) {
  const isRepeated = Object.values(values).some(({ length }) => length > 1);
  return isRepeated ? { state: values.state?.[0] } : readAnswer(Object.fromEntries(Object.entries(values).map(([name, [value]]) => [name, value])));
}

/** @param {unknown} value a message of a popup, or the parameters of an address @returns {Answer} */
export function readAnswer(value) {
  const { state, code, error, iss } = asObject(value) ?? {};
  return { state: asText(state), code: asText(code), error: asText(error), iss: asText(iss) };
}

/**
 * What the token endpoint takes for the answer.
 * @param {Answer} answer
 * @param {BegunSignIn | undefined} begun
 * @param {string} base
 */
export function redeem({ state, code, error, iss }, begun, base) {
  if (!begun) throw new LoginError('no_login_started', 'No sign-in was started in this tab');
  if (state !== begun.state) throw new LoginError('state_mismatch', 'This answer belongs to another sign-in');
  if (iss !== base && (code || iss)) throw new LoginError('issuer_mismatch', 'This answer is of another Daypass');
  if (error) throw new LoginError(error, 'The sign-in ended without a login');
  if (!code) throw new LoginError('malformed_callback', 'The answer has no authorization code, or repeats a parameter');
  return { grant_type: 'authorization_code', code, code_verifier: begun.codeVerifier, redirect_uri: begun.redirectUri };
}
