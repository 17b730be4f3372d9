// @ts-check
/**
 * When to ask again after a failure: 1 s, then twice as long each time up to a minute, some of it by chance, later if
 * the server says so, and not at all while the browser knows that there is no network.
 */
import { NetworkError } from './errors.js';
import { fraction } from './lifetime.js';

const LONGEST = 60_000;

export class Patience {
  #platform;
  #origin;
  #failures = 0;
  #until = -Infinity;
  /** @type {unknown} */
  #last;

  /** @param {Pick<import('./platform.js').Platform, 'elapsed' | 'random' | 'window'>} platform @param {string} origin */
  constructor(platform, origin) {
    this.#platform = platform;
    this.#origin = origin;
  }

  /** Throws while it is too early to ask. */
  check() {
    const { window, elapsed } = this.#platform;
    if (window?.navigator?.onLine === false) throw new NetworkError(this.#origin, 'offline');
    if (elapsed() < this.#until) throw this.#last;
  }

  /** Notes a failure. @param {unknown} error @returns {number} how long to wait, in milliseconds */
  failed(error) {
    const { elapsed, random } = this.#platform;
    const step = Math.min(LONGEST, 1_000 * 2 ** this.#failures) * (0.5 + fraction(random) / 2);
    const wait = Math.max(step, 1_000 * (retryAfter(error) ?? 0));
    this.#failures += 1;
    this.#until = elapsed() + wait;
    this.#last = error;
    return wait;
  }

  get failures() {
    return this.#failures;
  }

  /** Somebody answered, or the network is back. */
  over() {
    this.#failures = 0;
    this.#until = -Infinity;
  }
}

/** @param {unknown} error @returns {number | undefined} */
const retryAfter = (error) => /** @type {{retryAfter?: number}} */ (error).retryAfter;

/**
 * Does what is to be done all the same, as well as it can.
 * @param {Pick<import('./platform.js').Platform, 'setTimeout'>} platform
 * @param {() => Promise<void>} work
 */
export async function insist({ setTimeout }, work) {
  for (const pause of [1_000, 2_000]) {
    try {
      return await work();
    } catch (error) {
      if (!isPassing(error)) throw error;
      await new Promise((resolve) => setTimeout(() => resolve(undefined), pause));
    }
  }
  return work();
}

/** Whether asking once more with the same can help. @param {unknown} error */
export function isPassing(error) {
  const { code, status = 0 } = /** @type {{code?: string, status?: number}} */ (error);
  return code === 'network' || code === 'unexpected_answer' || status === 429 || status >= 500;
}
