// @ts-check
/**
 * Guests: an identity that nobody has signed in to yet, and its credentials, from the identity pool, by two unsigned
 * calls. Daypass says which pool that is, and where it answers. The pool says when credentials end and not how long
 * they live, so that is read off the clock of the same answer.
 */
import { DaypassError } from './errors.js';
import { asObject } from './http.js';
import { readKeys, required } from './session.js';

/** @typedef {import('./endpoint.js').Endpoint} Endpoint */
/** @typedef {import('./session.js').Received} Received */

/** @param {Endpoint} endpoint @param {() => number} now */
export async function newGuest(endpoint, now) {
  const pool = await endpoint.providers();
  if (pool.guests === false) throw new DaypassError('no_guests', 'The identity pool takes no guests: allow them, and give it a role for them');
  const identityPoolId = required(pool, 'identity_pool_id');
  const identityId = await call(endpoint, pool, 'GetId', { IdentityPoolId: identityPoolId }, (answer) => required(answer, 'IdentityId'));
  return credentialsOf(endpoint, pool, { identityId, identityPoolId }, now);
}

/** The same guest with other credentials. @param {Endpoint} endpoint @param {Guest} guest @param {() => number} now */
export async function sameGuest(endpoint, guest, now) {
  return credentialsOf(endpoint, await endpoint.providers(), guest, now);
}

/** @typedef {{identityId: string, identityPoolId: string}} Guest */
/** @typedef {import('./http.js').Unread<import('../wire.js').Providers>} Pool what Daypass says of it */

/**
 * @param {Endpoint} endpoint
 * @param {Pool} pool
 * @param {Guest} guest
 * @param {() => number} now
 * @returns {Promise<Received>}
 */
function credentialsOf(endpoint, pool, { identityId, identityPoolId }, now) {
  const [region = ''] = identityPoolId.split(':');
  return call(endpoint, pool, 'GetCredentialsForIdentity', { IdentityId: identityId }, (answer, date) => {
    const given = asObject(answer.Credentials) ?? {};
    return {
      session: { identityId, identityPoolId, region, guest: true, user: {} },
      secrets: { credentials: readKeys(given, ['AccessKeyId', 'SecretKey', 'SessionToken']) },
      receivedAt: now(),
      tokenLife: 0,
      credentialsLife: Number(given.Expiration) * 1000 - (Date.parse(date ?? '') || now()),
    };
  });
}

/**
 * @template T
 * @param {Endpoint} endpoint
 * @param {Pool} pool
 * @param {string} operation
 * @param {object} body
 * @param {(answer: Record<string, unknown>, date: string | null) => T} read
 */
function call(endpoint, pool, operation, body, read) {
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `AWSCognitoIdentityService.${operation}` };
  const url = new URL(required(pool, 'identity_pool_endpoint')).href;
  return endpoint.ask(url, { method: 'POST', headers, body: JSON.stringify(body) }, read);
}
