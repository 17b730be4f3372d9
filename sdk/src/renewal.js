// @ts-check
/** How a session is asked for anew: a person's with its refresh token, a guest's from the identity pool. */
import { RefusedError } from './endpoint.js';
import { late } from './http.js';

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
      if (session.guest) return await (await late(import('./guest.js'))).sameGuest(endpoint, session, now);
      return await endpoint.grant({ grant_type: 'refresh_token', refresh_token: secrets.refreshToken });
    } catch (error) {
      const reason = endOf(error);
      if (reason) return reason;
      throw error;
    }
  };
}

/** Why a session is over, if the error says that it is. @param {unknown} error */
export function endOf(error) {
  if (!(error instanceof RefusedError)) return undefined;
  if (error.error === 'invalid_grant') return error.reason ?? 'expired';
  if (error.code === 'invalid_dpop_proof') return 'key_lost';
  return NO_GUEST.includes(error.code) ? 'identity_gone' : undefined;
}
