// @ts-check
/** @typedef {import('playwright-core').Page} Page */

/**
 * Does what closes a window of itself, and waits until it is closed. A click of that kind may meet the end of its own
 * page before it is told that it was made.
 *
 * @param {Page} popup @param {() => Promise<void>} act
 */
export async function untilClosed(popup, act) {
  const closed = popup.waitForEvent('close');
  const acted = act().catch((error) => {
    if (!/has been closed/.test(error.message)) throw error;
  });
  await Promise.all([closed, acted]);
}
