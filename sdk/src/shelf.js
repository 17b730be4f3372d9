// @ts-check
/**
 * The place of one session in a storage, under the broker's URL and the app. What lies there in another form, or is
 * no JSON at all, is no session. A storage that takes nothing is given up for the page's memory: there the session
 * lives as long as the page.
 */
import { asObject, asText } from './http.js';
import { memoryStorage } from './platform.js';

/** @typedef {import('./session.js').Kept} Kept */
/** @typedef {import('./session.js').Received} Received */

export class Shelf {
  #storage;
  #name;
  #draw;

  /**
   * @param {import('./platform.js').SessionStorage} storage
   * @param {string} name
   * @param {() => string} draw a text that was not drawn before
   */
  constructor(storage, name, draw) {
    this.#storage = storage;
    this.#name = name;
    this.#draw = draw;
  }

  /** @returns {Promise<Kept | undefined>} */
  async read() {
    return parse(await this.#storage.getItem(this.#name));
  }

  /**
   * Puts another in the place of what lies there, if it is this. Nothing comes between the look and the act where the
   * storage answers at once.
   * @param {Kept} before
   * @param {Received} received
   * @returns {Promise<Kept | undefined>}
   */
  async replace(before, received) {
    const text = this.#storage.getItem(this.#name);
    const now = parse(text instanceof Promise ? await text : text);
    return now?.version === before.version ? this.write(received) : undefined;
  }

  /** @param {Received} received @returns {Promise<Kept>} as it lies there now */
  async write(received) {
    const text = JSON.stringify({ v: 1, version: this.#draw(), ...received });
    try {
      await this.#storage.setItem(this.#name, text);
    } catch {
      await this.clear().catch(() => {});
      this.#storage = memoryStorage();
      this.#storage.setItem(this.#name, text);
    }
    return /** @type {Kept} */ (parse(text));
  }

  async clear() {
    await this.#storage.removeItem(this.#name);
  }
}

/** @param {unknown} text @returns {Kept | undefined} */
function parse(text) {
  const kept = asObject(readJson(text));
  const whole = kept?.v === 1 && asText(kept.version) && asObject(kept.secrets) && asObject(kept.session);
  return whole ? /** @type {Kept} */ (/** @type {unknown} */ (kept)) : undefined;
}

/** @param {unknown} text @returns {unknown} */
function readJson(text) {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}
