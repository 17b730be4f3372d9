// @ts-check
/**
 * Shows who is signed in: the person, the identity, the token's content and the credentials. The
 * whole token is put into the document only while its disclosure is open; the secret key and the
 * session token never are.
 */
import { decodeWithoutVerifying } from '/playground/sdk/jwt.js';
import { countDownTo } from './countdown.js';
import { byId, fillDescriptions, make } from './dom.js';

/** @typedef {import('/playground/sdk/broker.js').Exchange} Exchange */
/** @typedef {import('/playground/sdk/cognito.js').TemporaryCredentials} TemporaryCredentials */

/** @param {Exchange} exchange */
export function personName(exchange) {
  return exchange.user.name ?? 'Somebody who shared no name';
}

/** @param {Exchange} exchange @param {string} providerName */
export function showPerson(exchange, providerName) {
  byId('person-name').textContent = personName(exchange);
  byId('person-provider').textContent = providerName;
  byId('identity-id').textContent = exchange.identityId;
  byId('avatar').replaceChildren(portrait(exchange));
}

/** @param {Exchange} exchange */
function portrait(exchange) {
  const { avatar } = exchange.user;
  if (!avatar) return document.createTextNode(personName(exchange).slice(0, 1));
  const image = make('img', { src: avatar, alt: '', width: 64, height: 64, referrerPolicy: 'no-referrer' });
  // The page shows the sandbox's pictures only: another provider's would tell it who is here.
  image.onerror = () => image.replaceWith(personName(exchange).slice(0, 1));
  return image;
}

/** @param {Exchange} exchange */
export function showToken({ token, expiresAt }) {
  const { header, claims } = decodeWithoutVerifying(token);
  fillDescriptions(byId('token-header'), readable(header));
  fillDescriptions(byId('token-claims'), readable(claims));
  countDownTo('token', expiresAt);

  const disclosure = /** @type {HTMLDetailsElement} */ (byId('raw-token'));
  disclosure.open = false;
  disclosure.ontoggle = () => {
    byId('raw-token-text').textContent = disclosure.open ? token : '';
  };
  byId('copy-token').onclick = () => copy(token);
}

/** @param {string} token */
async function copy(token) {
  try {
    await navigator.clipboard.writeText(token);
    byId('copy-result').textContent = 'Copied.';
  } catch {
    byId('copy-result').textContent = 'The browser did not allow it.';
  }
}

/**
 * @param {Record<string, unknown>} claims
 * @returns {[string, string][]}
 */
function readable(claims) {
  return Object.entries(claims).map(([name, value]) => [name, inWords(name, value)]);
}

/** @param {string} name @param {unknown} value @returns {string} */
function inWords(name, value) {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map((part) => inWords('', part)).join('\n');
  const json = JSON.stringify(value, null, 1);
  const isTime = typeof value === 'number' && ['exp', 'iat', 'nbf', 'auth_time'].includes(name);
  return isTime ? `${json} (${new Date(value * 1000).toLocaleTimeString()})` : json;
}

/** @param {TemporaryCredentials} credentials */
export function showCredentials({ accessKeyId, secretAccessKey, sessionToken, expiration }) {
  fillDescriptions(byId('credentials-list'), [
    ['Access key ID', accessKeyId],
    ['Secret access key', shortened(secretAccessKey)],
    ['Session token', shortened(sessionToken)],
  ]);
  countDownTo('credentials', expiration);
}

/** @param {string} secret */
const shortened = (secret) => `${secret.slice(0, 4)}… (${secret.length} characters)`;
