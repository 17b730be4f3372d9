// @ts-check
/**
 * Looks inside a JSON Web Token and VERIFIES NOTHING: not the signature, not the issuer, not the
 * expiry. It is for showing a person what a token says. Anything that decides by a token must
 * verify it with the issuer's keys first, on a server.
 */
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
  const value = parseJson(part);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed();
  return /** @type {Record<string, unknown>} */ (value);
}

/**
 * The cause of a failure is dropped on purpose: `JSON.parse` quotes its input, a part of the token.
 * @param {string} part
 * @returns {unknown}
 */
function parseJson(part) {
  try {
    const binary = atob(part.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw malformed();
  }
}

const malformed = () => Object.assign(new Error('This is not a signed JSON Web Token'), { code: 'malformed_token' });
