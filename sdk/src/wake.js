// @ts-check
/**
 * When a page comes back before somebody's eyes, out of the back/forward cache, or onto the network. A timer would
 * come late after a sleep and not at all in a frozen tab, so nobody relies on one.
 */

/**
 * @param {Window | undefined} window
 * @param {{wake: () => void, forget: () => void, online: () => void}} listener
 * @returns {() => void} stops it
 */
export function watchPage(window, { wake, forget, online }) {
  const document = window?.document;
  /** @type {[EventTarget | undefined, string, (event: any) => void][]} */
  const listeners = [
    [document, 'visibilitychange', () => document?.visibilityState === 'visible' && wake()],
    [window, 'pagehide', forget],
    [window, 'pageshow', ({ persisted }) => persisted && wake()],
    [window, 'online', online],
  ];
  for (const [target, event, listener] of listeners) target?.addEventListener(event, listener);
  return () => {
    for (const [target, event, listener] of listeners) target?.removeEventListener(event, listener);
  };
}
