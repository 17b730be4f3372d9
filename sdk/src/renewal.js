// @ts-check
/** How a session is asked for anew: a person's with its refresh token, a guest's from the identity pool. */
import { RefusedError } from './endpoint.js';
import { guestSession } from './guest.js';

/** @typedef {import('./endpoint.js').Endpoint} Endpoint */
/** @typedef {import('./session.js').Kept} Kept */
/** @typedef {import('./session.js').Received} Received */

/** What a pool says of a guest who is none any more. */
const NO_GUEST = ['ResourceNotFoundException', 'NotAuthorizedException'];

/**
 * @param {Endpoint} endpoint
 * @param {() => number} now
 * @returns {(kept: Kept) => Promise<Received | import('./events.js').EndReason>} the next, or why there is none
 */
export function renewal(endpoint, now) {
  return async ({ session, secrets }) => {
    try {
      if (session.guest) return await guestSession(endpoint, session, now);
      return await endpoint.grant({ grant_type: 'refresh_token', refresh_token: secrets.refreshToken });
    } catch (error) {
      const reason = endOf(error);
      if (reason) return reason;
      throw error;
    }
  };
}

/** @param {unknown} error */
function endOf(error) {
  if (!(error instanceof RefusedError)) return undefined;
  if (error.error === 'invalid_grant') return error.reason ?? 'expired';
  return NO_GUEST.includes(error.code) ? 'identity_gone' : undefined;
}
