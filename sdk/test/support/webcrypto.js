// @ts-check
/**
 * Browsers and Node.js 20 have `globalThis.crypto`; Debian 12's Node.js 18 keeps the same object in
 * a module. Import this first, so that the SDK finds what it finds in a browser.
 */
import { webcrypto } from 'node:crypto';

globalThis.crypto ??= /** @type {Crypto} */ (/** @type {unknown} */ (webcrypto));
