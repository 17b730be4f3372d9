// @ts-check
/** The way to the sign-in and back: by leaving the page, or in a window of its own. */
import { asObject } from './http.js';
import { openPopup } from './popup.js';
import { answerIn, authorizationUrl, begin, forPopup, isForPopup, redeem } from './sign-in.js';

/** @typedef {import('./sign-in.js').BegunSignIn} BegunSignIn */
/** @typedef {import('./sign-in.js').Answer} Answer */

/**
 * @typedef {object} Travelling
 * @property {import('./platform.js').Platform} platform
 * @property {string} base the broker's URL
 * @property {string} app
 * @property {string} [redirectUri]
 * @property {string} name of what lies in the tab's storage, and of the window
 * @property {import('./platform.js').SessionStorage} tab
 * @property {import('./popup.js').PopupAnswers} popups
 */

/** @typedef {Record<string, string>} Grant what the token endpoint takes */

export class Arrivals {
  #with;

  /** @param {Travelling} travelling */
  constructor(travelling) {
    this.#with = travelling;
  }

  /** Leaves the page. @param {string} [provider] */
  async leave(provider) {
    const { platform, tab, name } = this.#with;
    const begun = this.#begin();
    const url = await this.#url(begun, { provider });
    await tab.setItem(name, JSON.stringify(begun));
    platform.navigate(url);
  }

  /**
   * Opens a window, at once. `answered` is the answer, whenever it comes; `closed` ends when the person gives up.
   * @param {string} [provider]
   */
  open(provider) {
    const { platform, name, popups } = this.#with;
    const popup = openPopup(platform.window, name);
    const begun = forPopup(this.#begin());
    let isOver = false;
    const answered = popups.wait(begun.state).finally(() => (isOver = true));
    const shown = this.#url(begun, { provider, mode: 'web_message' }).then((url) => popup.location.replace(url));
    const grant = Promise.all([answered, shown]).then(([answer]) => this.#redeem(answer, begun));
    shown.catch(() => popup.close());
    return { grant, closed: popups.closing(popup, () => isOver) };
  }

  /**
   * What came back in an address, which is taken out of the address bar before anything else is done with it.
   * @param {string | undefined} address
   * @returns {Promise<Grant | undefined>}
   */
  async arrive(address) {
    const { platform, base, popups } = this.#with;
    const here = platform.window?.location?.href;
    const begun = await this.#begun();
    const found = answerIn(address ?? here, base, begun?.state);
    if (!found) return undefined;
    if (here === (address ?? here)) platform.window?.history.replaceState(platform.window.history.state, '', found.rest);
    if (isForPopup(found.answer)) return popups.handOver(found.answer);
    await this.abandon();
    return this.#redeem(found.answer, begun);
  }

  /** Forgets a sign-in that was begun and not ended. */
  async abandon() {
    this.#with.popups.cancel();
    await this.#with.tab.removeItem(this.#with.name);
  }

  /** @returns {BegunSignIn} */
  #begin() {
    const { redirectUri, platform } = this.#with;
    const { origin = '', pathname = '' } = platform.window?.location ?? {};
    return begin(redirectUri ?? origin + pathname, platform.random);
  }

  /** @returns {Promise<BegunSignIn | undefined>} */
  async #begun() {
    const text = await this.#with.tab.getItem(this.#with.name);
    return /** @type {BegunSignIn | undefined} */ (text ? asObject(JSON.parse(text)) : undefined);
  }

  /** @param {BegunSignIn} begun @param {{provider?: string, mode?: string}} wishes */
  #url(begun, wishes) {
    const { base, app, platform } = this.#with;
    return authorizationUrl({ base, app, ...wishes }, begun, platform.sha256);
  }

  /** @param {Answer} answer @param {BegunSignIn | undefined} begun @returns {Grant} */
  #redeem(answer, begun) {
    return redeem(answer, begun, this.#with.base);
  }
}
