// @ts-check
/** Stand-ins for the network and the tab's storage, which remember what was asked of them. */
import './webcrypto.js';

/** @typedef {{url: string, init: RequestInit}} Call */

/**
 * A `fetch` that gives these answers in turn; an `Error` among them is thrown.
 * @param {...(Response | Error)} answers
 */
export function fakeFetch(...answers) {
  /** @type {Call[]} */
  const calls = [];
  /** @type {import('../../src/http.js').Fetch} */
  const fetch = async (url, init) => {
    calls.push({ url, init });
    const answer = answers.shift() ?? new Error(`Nothing is prepared for ${url}`);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { fetch, calls };
}

/** @param {unknown} body @param {ResponseInit} [init] */
export function json(body, init) {
  return new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' }, ...init });
}

/** @param {Record<string, string>} [entries] */
export function memoryStorage(entries = {}) {
  const map = new Map(Object.entries(entries));
  return {
    map,
    getItem: (/** @type {string} */ name) => map.get(name) ?? null,
    setItem: (/** @type {string} */ name, /** @type {string} */ value) => void map.set(name, value),
    removeItem: (/** @type {string} */ name) => void map.delete(name),
  };
}
