// @ts-check
/**
 * How this SDK talks HTTP: requests carry no cookies, leave nothing in the HTTP cache, name no
 * referrer and follow no redirect, because most of them bear a token that must reach exactly one
 * place. Small readers turn answers into values without trusting their shape.
 */
import { NetworkError } from './errors.js';

/** @typedef {(url: string, init: RequestInit) => Promise<Response>} Fetch */

/**
 * What an answer may hold: its names are the server's, its values are not believed before they are looked at.
 * @template T
 * @typedef {{[K in keyof T]?: unknown}} Unread
 */

/** @type {RequestInit} */
const CAREFUL = {
  credentials: 'omit',
  cache: 'no-store',
  redirect: 'error',
  referrerPolicy: 'no-referrer',
};

/** The browser's own `fetch`, looked up when called so that it keeps its `this`. @type {Fetch} */
export const browserFetch = (url, init) => globalThis.fetch(url, init);

/**
 * @param {Fetch} fetch
 * @param {string} url
 * @param {RequestInit} [init]
 * @returns {Promise<Response>}
 */
export async function send(fetch, url, init) {
  try {
    return await fetch(url, { ...CAREFUL, ...init });
  } catch (cause) {
    throw new NetworkError(new URL(url).origin, cause);
  }
}

/**
 * A module that is fetched only by those who need it.
 * @template T
 * @param {Promise<T>} module
 * @returns {Promise<T>}
 */
export async function late(module) {
  try {
    return await module;
  } catch (cause) {
    throw new NetworkError('where this SDK comes from', cause);
  }
}

/**
 * The JSON object in an answer, or `undefined` where the body is anything else.
 * @param {Response} response
 * @returns {Promise<Record<string, unknown> | undefined>}
 */
export async function readObject(response) {
  try {
    return asObject(await response.json());
  } catch {
    return undefined;
  }
}

/**
 * @param {unknown} value
 * @returns {Record<string, unknown> | undefined}
 */
export function asObject(value) {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? /** @type {Record<string, unknown>} */ (value) : undefined;
}

/**
 * @param {unknown} value
 * @returns {string | undefined}
 */
export function asText(value) {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
