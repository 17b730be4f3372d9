// @ts-check
/**
 * Guests: an identity that nobody has signed in to yet, and its credentials, from the identity pool, by two unsigned
 * calls. The pool says when credentials end and not how long they live, so that is read off the clock of the same
 * answer.
 */
import { asObject } from './http.js';
import { readKeys, required } from './session.js';

/** @typedef {import('./endpoint.js').Endpoint} Endpoint */
/** @typedef {import('./session.js').Received} Received */

/** @param {Endpoint} endpoint @param {string} identityPoolId @param {() => number} now */
export async function newGuest(endpoint, identityPoolId, now) {
  const identityId = await endpoint.pool('GetId', { IdentityPoolId: identityPoolId }, (answer) => required(answer, 'IdentityId'));
  return guestSession(endpoint, { identityId, identityPoolId }, now);
}

/**
 * @param {Endpoint} endpoint
 * @param {{identityId: string, identityPoolId: string}} guest
 * @param {() => number} now
 * @returns {Promise<Received>}
 */
export function guestSession(endpoint, { identityId, identityPoolId }, now) {
  const [region = ''] = identityPoolId.split(':');
  return endpoint.pool('GetCredentialsForIdentity', { IdentityId: identityId }, (answer, date) => {
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
