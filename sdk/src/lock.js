// @ts-check
/**
 * One at a time among the tabs of an origin. The lock saves requests and nothing more: what is right is decided by
 * the server, so a lock that does not come within five seconds is gone without, and never stolen. A tab that a browser
 * has halted would keep all others waiting otherwise.
 */

/** @typedef {Pick<import('./platform.js').Platform, 'locks' | 'setTimeout' | 'clearTimeout'>} Locking */

const LONGEST_WAIT = 5_000;

/**
 * @template T
 * @param {Locking} platform
 * @param {string} name
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function underLock({ locks, setTimeout, clearTimeout }, name, work) {
  if (!locks) return work();
  const waiting = new AbortController();
  const timer = setTimeout(() => waiting.abort(), LONGEST_WAIT);
  /** @type {Promise<T> | undefined} */
  let begun;
  const begin = () => {
    clearTimeout(timer);
    return (begun = work());
  };
  try {
    return await locks.request(name, { signal: waiting.signal }, begin);
  } catch {
    return await (begun ?? work());
  } finally {
    clearTimeout(timer);
  }
}
