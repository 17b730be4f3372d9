// @ts-check
/** One page of Daypass's own in a real Chromium: nothing that it complains of is unexpected, and no address that it was at goes along. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watch } from './watch.js';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {Awaited<ReturnType<typeof import('./chromium.js').startChromium>>} Chromium */
/** @typedef {{expects?: RegExp, colorScheme?: 'dark' | 'light', viewport?: {width: number, height: number}}} Options */
/** @typedef {{chromium: () => Chromium, secrets: RegExp, after?: (page: Page) => Promise<void>}} Kind `secrets` that no referrer may have */

/**
 * Rarely, on a busy machine, Chromium asks once more for a picture of the sandbox's page when the next page is there
 * already, whose policy refuses it. No page of the sign-in has a picture.
 */
const OF_THE_PAGE_BEFORE = /img-src.*\/avatars\/\w+\.svg|\/avatars\/\w+\.svg.*img-src/;

/** How the tests of a file are written down. @param {Kind} kind */
export function pageTests({ chromium, secrets, after }) {
  /** @param {string} name @param {Options} options @param {(page: Page) => Promise<void>} body */
  return (name, { expects, ...contextOptions }, body) => test(name, { timeout: 60_000 }, async () => {
    const context = await chromium().newContext(contextOptions);
    context.setDefaultTimeout(15_000);
    try {
      const page = await context.newPage();
      const seen = await watch(page);
      await body(page);
      const unexpected = seen.complaints.filter((line) => !expects?.test(line) && !OF_THE_PAGE_BEFORE.test(line));
      assert.deepEqual(unexpected, []);
      await after?.(page);
      assert.deepEqual(seen.requests.filter(({ referrer }) => secrets.test(referrer)), [], 'a secret in a referrer');
    } finally {
      await context.close();
    }
  });
}
