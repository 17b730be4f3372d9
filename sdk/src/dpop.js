// @ts-check
/**
 * Proofs of possession (RFC 9449): each request that a session comes along with is signed by a key that this browser has
 * and nobody can take out of it, so that a refresh token that was copied is of no use elsewhere.
 */
import { encode } from './base64url.js';
import { browserKey } from './key.js';

/** @typedef {import('./http.js').Fetch} Fetch */
/** @typedef {import('./platform.js').Platform} Platform */
/** @typedef {import('./key.js').ProofKey} ProofKey */

/** What a session goes on, shows its devices, or is linked by. To end one takes no key. */
const PROVED = /\/(oauth2\/token|v1\/link|v1\/sessions(\/[^/]*)?)$/;

/** @param {Platform} platform @param {string} name of the key @returns {Fetch} */
export function provingFetch(platform, name) {
  /** @type {string | undefined} */
  let nonce;
  /** @type {Promise<ProofKey> | undefined} */
  let key;
  /** @param {string} url @param {RequestInit} init */
  const attempt = async (url, init) => {
    key ??= (platform.key ?? browserKey)(name);
    key.catch(() => (key = undefined));
    const headers = new Headers(init.headers);
    headers.set('dpop', await proof(await key, platform, { url, method: init.method ?? 'GET', token: tokenOf(headers), nonce }));
    const response = await platform.fetch(url, { ...init, headers });
    const given = response.headers.get('dpop-nonce');
    if (given) nonce = given;
    return { response, isWanted: given !== null && response.status === 400 };
  };
  return async (url, init) => {
    if (!PROVED.test(new URL(url).pathname)) return platform.fetch(url, init);
    const { response, isWanted } = await attempt(url, init);
    // A device whose clock is wrong is told what to sign in its place.
    return isWanted ? (await attempt(url, init)).response : response;
  };
}

/** @param {Headers} headers */
const tokenOf = (headers) => headers.get('authorization')?.replace(/^Bearer /, '');

/**
 * @param {ProofKey} key
 * @param {Platform} platform
 * @param {{url: string, method: string, token?: string, nonce?: string}} request
 */
async function proof({ publicKey: { kty, crv, x, y }, sign }, { now, random, sha256 }, { url, method, token, nonce }) {
  const ath = token && encode(await sha256(new TextEncoder().encode(token)));
  const claims = { jti: encode(random(16)), htm: method, htu: url, iat: Math.floor(now() / 1000), ath, nonce };
  const signed = [{ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } }, claims].map((part) => encode(new TextEncoder().encode(JSON.stringify(part)))).join('.');
  return `${signed}.${encode(await sign(new TextEncoder().encode(signed)))}`;
}
