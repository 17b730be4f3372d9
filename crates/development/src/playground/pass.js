// @ts-check
/**
 * Shows who is signed in: the person, the identity, the token's content and the credentials. The
 * whole token is put into the document only while its disclosure is open; the secret key and the
 * session token never are, and leave the page only to the clipboard, when somebody says so.
 */
import { countDownTo } from './countdown.js';
import { byId, fillDescriptions, make } from './dom.js';
import { decodeWithoutVerifying } from './jwt.js';
import { nameOf } from './offers.js';

/** @typedef {import('/playground/sdk/index.js').Session} Session */
/** @typedef {import('/playground/sdk/index.js').AwsCredentials} AwsCredentials */

/** @param {Session} session */
export function personName({ guest, user }) {
  return guest ? 'A guest' : (user.name ?? 'Somebody who shared no name');
}

/** @param {Session} session */
export function showPerson(session) {
  byId('person-name').textContent = personName(session);
  byId('person-provider').textContent = session.guest ? 'without a login' : `signed in with ${nameOf(session.provider)}`;
  byId('identity-id').textContent = session.identityId;
  byId('avatar').replaceChildren(portrait(session));
}

/** @param {Session} session */
function portrait(session) {
  const { avatar } = session.user;
  const initial = session.guest ? '?' : personName(session).slice(0, 1);
  if (!avatar) return document.createTextNode(initial);
  const image = make('img', { src: avatar, alt: '', width: 64, height: 64, referrerPolicy: 'no-referrer' });
  // The page shows the sandbox's pictures only: another provider's would tell it who is here.
  image.onerror = () => image.replaceWith(initial);
  return image;
}

/** The one that is shown. @type {string | undefined} */
let shownToken;

/** @param {string} token */
export function showToken(token) {
  const disclosure = /** @type {HTMLDetailsElement} */ (byId('raw-token'));
  if (token === shownToken && byId('token-claims').hasChildNodes()) return;
  shownToken = token;
  const { header, claims } = decodeWithoutVerifying(token);
  fillDescriptions(byId('token-header'), readable(header));
  fillDescriptions(byId('token-claims'), readable(claims));
  // By the device's own clock, which may be another one than Daypass's.
  const life = (Number(claims.exp) - Number(claims.iat)) * 1000;
  countDownTo('token', new Date(Math.min(Date.now() + life, Number(claims.exp) * 1000)));
  disclosure.open = false;
  disclosure.ontoggle = () => {
    byId('raw-token-text').textContent = disclosure.open ? token : '';
  };
  byId('copy-token').onclick = () => copy(token, 'copy-result');
}

/** @param {string} text @param {string} result */
async function copy(text, result) {
  try {
    await navigator.clipboard.writeText(text);
    byId(result).textContent = 'Copied.';
  } catch {
    byId(result).textContent = 'The browser did not allow it.';
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

/** @param {AwsCredentials} credentials @param {{region: string, s3: string, folder: string}} place what they open */
export function showCredentials({ accessKeyId, secretAccessKey, sessionToken, expiration }, { region, s3, folder }) {
  fillDescriptions(byId('credentials-list'), [
    ['Access key ID', accessKeyId],
    ['Secret access key', shortened(secretAccessKey)],
    ['Session token', shortened(sessionToken)],
  ]);
  countDownTo('credentials', expiration);
  byId('terminal-command').textContent = `aws s3 ls ${folder}`;
  const lines = {
    AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken,
    AWS_REGION: region, AWS_ENDPOINT_URL_S3: s3,
  };
  const exports = Object.entries(lines).map(([name, value]) => `export ${name}='${value}'\n`).join('');
  byId('copy-credentials').onclick = () => copy(exports, 'copy-credentials-result');
}

/** @param {string} secret */
const shortened = (secret) => `${secret.slice(0, 4)}… (${secret.length} characters)`;
