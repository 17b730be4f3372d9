// @ts-check
/**
 * Proof Key for Code Exchange (RFC 7636), the only thing that ties an authorization code to the
 * browser that asked for it. Only the S256 method exists here: with `plain`, whoever sees the
 * authorization request could redeem the code.
 */
import { encode } from './base64url.js';

/** @typedef {(length: number) => Uint8Array} RandomBytes */

/** @type {RandomBytes} */
export const secureRandom = (length) => globalThis.crypto.getRandomValues(new Uint8Array(length));

/**
 * 256 bits in 43 characters: what RFC 7636 section 4.1 recommends for a verifier, and enough that
 * a `state` cannot be guessed.
 * @param {RandomBytes} [random]
 * @returns {string}
 */
export function randomToken(random = secureRandom) {
  return encode(random(32));
}
