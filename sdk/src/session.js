// @ts-check
/** A session: what a page is told of it, what storage keeps of it, and how an answer of the server becomes one. */
import { UnexpectedAnswerError } from './errors.js';
import { asObject, asText } from './http.js';

/**
 * @typedef {object} Session who is signed in here; nothing of it opens anything
 * @property {string} identityId what data is kept under
 * @property {string} identityPoolId
 * @property {string} region
 * @property {boolean} guest
 * @property {string} [id] its name in `sessions()`; a guest has none
 * @property {string} [provider]
 * @property {{name?: string, avatar?: string}} user what the provider tells for screens
 */

/** @typedef {{accessKeyId: string, secretAccessKey: string, sessionToken: string}} Keys */

/**
 * @typedef {object} Secrets
 * @property {string} [refreshToken] a guest has none, nor has a page whose session is in a cookie
 * @property {string} [token] the OpenID token; a guest has none
 * @property {Keys} credentials
 */

/**
 * @typedef {object} Kept what storage holds
 * @property {1} v the form of this record
 * @property {string} version drawn for every write, so that equal means untouched
 * @property {Session} session
 * @property {Secrets} secrets
 * @property {number} receivedAt by the device's clock
 * @property {number} tokenLife in milliseconds
 * @property {number} credentialsLife
 */

/** @typedef {Omit<Kept, 'v' | 'version'>} Received */
/** @typedef {import('../wire.js').Tokens} Tokens */
/** @typedef {import('../wire.js').CredentialsWithLife} CredentialsWithLife */
/** @typedef {import('../wire.js').User} User */
/** @template T @typedef {import('./http.js').Unread<T>} Unread */

/**
 * @param {Unread<Tokens>} answer of the token endpoint
 * @param {number} receivedAt
 * @param {boolean} [cookies] whether the refresh token is in a cookie
 * @returns {Received}
 */
export function readSession(answer, receivedAt, cookies) {
  /** @type {Unread<CredentialsWithLife>} */
  const given = asObject(answer.credentials) ?? {};
  return {
    session: readPerson(answer),
    secrets: {
      refreshToken: cookies ? undefined : required(answer, 'refresh_token'),
      token: required(answer, 'access_token'),
      credentials: readKeys(given, ['access_key_id', 'secret_access_key', 'session_token']),
    },
    receivedAt,
    tokenLife: seconds(answer),
    credentialsLife: seconds(given),
  };
}

/** @param {Unread<Tokens>} answer @returns {Session} */
function readPerson(answer) {
  /** @type {Unread<User>} */
  const user = asObject(answer.user) ?? {};
  return {
    identityId: required(answer, 'identity_id'),
    identityPoolId: required(answer, 'identity_pool_id'),
    region: required(answer, 'region'),
    guest: false,
    id: required(answer, 'session_id'),
    provider: asText(answer.provider),
    user: { name: asText(user.name), avatar: asText(user.avatar) },
  };
}

/**
 * @template T
 * @param {T} given
 * @param {[keyof T & string, keyof T & string, keyof T & string]} names
 * @returns {Keys}
 */
export function readKeys(given, [id, secret, token]) {
  return { accessKeyId: required(given, id), secretAccessKey: required(given, secret), sessionToken: required(given, token) };
}

/** @param {Unread<Tokens | CredentialsWithLife>} answer @returns {number} milliseconds */
function seconds({ expires_in: life }) {
  if (typeof life !== 'number' || !(life > 0)) throw new UnexpectedAnswerError(200, 'expires_in is no time');
  return life * 1000;
}

/** @template T @param {T} answer @param {keyof T & string} name */
export function required(answer, name) {
  const value = asText(answer[name]);
  if (!value) throw new UnexpectedAnswerError(200, `no ${name}`);
  return value;
}

/** Whether both are of one person at one sign-in. @param {Kept} a @param {Kept} b */
export function isSameSession(a, b) {
  return a.session.identityId === b.session.identityId && a.session.id === b.session.id;
}
