// @ts-check
/** Base64 in the URL-safe alphabet without padding (RFC 4648 section 5), as JWT and PKCE use it. */

/**
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function encode(bytes) {
  const binary = String.fromCharCode(...bytes);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
