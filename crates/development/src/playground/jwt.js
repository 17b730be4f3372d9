// @ts-check
/**
 * Looks inside a JSON Web Token and VERIFIES NOTHING: not the signature, not the issuer, not the
 * expiry. It is for showing a person what a token says. Anything that decides by a token must
 * verify it with the issuer's keys first, on a server.
 */
import { decode } from './base64url.js';
import { DaypassError } from './errors.js';
import { asObject } from './http.js';

/** @typedef {{header: Record<string, unknown>, claims: Record<string, unknown>}} UnverifiedJwt */

/**
 * @param {string} token three base64url parts joined by dots
 * @returns {UnverifiedJwt} what the token claims, which may be a lie
 */
export function decodeWithoutVerifying(token) {
  const [header, claims, signature, ...more] = token.split('.');
  if (!header || !claims || !signature || more.length > 0) throw malformed();
  return { header: readPart(header), claims: readPart(claims) };
}

/** @param {string} part */
function readPart(part) {
  const value = asObject(parseJson(part));
  if (!value) throw malformed();
  return value;
}

/**
 * The cause of a failure is dropped on purpose: `JSON.parse` quotes its input, a part of the token.
 * @param {string} part
 * @returns {unknown}
 */
function parseJson(part) {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(decode(part)));
  } catch {
    throw malformed();
  }
}

const malformed = () => new DaypassError('malformed_token', 'This is not a signed JSON Web Token');
