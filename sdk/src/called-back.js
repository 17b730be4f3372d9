// @ts-check
/** How an app that is no page comes back from a sign-in: the system calls it with an address. */

/** @typedef {{handleRedirect: (address?: string) => Promise<unknown>}} Returning a client, as far as it is used */
/** @typedef {(error: unknown) => void} Failing */

/**
 * Ends sign-ins by the addresses that come: one after the other, since two at once would be taken for one; and each once,
 * since systems tell of the address that an app was started with in two ways.
 * @param {Returning} daypass
 * @param {Failing} [onError] hears of a sign-in that did not end well
 */
export function calledBack(daypass, onError = () => {}) {
  /** @type {string | undefined} */
  let last;
  let before = Promise.resolve();
  return (/** @type {string | null | undefined} */ address) => {
    if (!address || address === last) return before;
    last = address;
    // What the page has begun by itself is over first.
    before = before
      .then(() => daypass.handleRedirect().catch(() => {}))
      .then(() => daypass.handleRedirect(address))
      .then(() => {}, onError);
    return before;
  };
}
