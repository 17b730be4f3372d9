// @ts-check
/** The way to the sign-in and back: by leaving the page, or in a window of its own. */
import { asObject, late } from './http.js';
import { LoginError } from './login-error.js';
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
 * @property {() => Promise<import('./popup.js').PopupAnswers>} popups
 * @property {() => void} cancel ends the wait for one
 */

/** @typedef {Record<string, string>} Grant what the token endpoint takes */
/** @typedef {{grant: Grant, link?: string}} Arrival how a way ended, and the session that a login is to be linked to */

const FEATURES = 'popup,width=480,height=640';

export class Arrivals {
  #with;

  /** @param {Travelling} travelling */
  constructor(travelling) {
    this.#with = travelling;
  }

  /** Leaves the page. @param {string} [provider] @param {string} [link] */
  async leave(provider, link) {
    const { platform, tab, name } = this.#with;
    const begun = { ...this.#begin(), link };
    const url = await this.#url(begun, { provider });
    await tab.setItem(name, JSON.stringify(begun));
    platform.navigate(url);
  }

  /**
   * Opens a window, at once: browsers open them only for a click, before anything is waited for.
   * @template T
   * @param {string | undefined} provider
   * @param {Promise<unknown>} first what has to be well before anybody is sent anywhere
   * @param {(grant: Grant) => Promise<T>} finish with the answer, whenever it comes
   * @returns {Promise<T>} which ends when the person gives up
   */
  async open(provider, first, finish) {
    const { platform, name } = this.#with;
    const popup = platform.window?.open('', name, FEATURES);
    if (!popup) throw new LoginError('popup_blocked', 'No window was opened: sign in on a click, or by redirect');
    const begun = forPopup(this.#begin());
    const url = first.then(() => this.#url(begun, { provider, mode: 'web_message' }));
    url.catch(() => popup.close());
    const popups = await this.#popups().catch((error) => (popup.close(), Promise.reject(error)));
    const { answer, closed } = popups.show(popup, begun.state, url);
    return Promise.race([answer.then((heard) => finish(this.#redeem(heard, begun))), closed]);
  }

  #popups() {
    return late(this.#with.popups());
  }

  /**
   * What came back in an address, which is taken out of the address bar before anything else is done with it.
   * @param {string | undefined} address
   * @returns {Promise<Arrival | undefined>}
   */
  async arrive(address) {
    const { platform, base } = this.#with;
    const here = platform.window?.location?.href;
    const begun = await this.#begun();
    const found = answerIn(address ?? here, base, begun?.state);
    if (!found) return undefined;
    if (here === (address ?? here)) platform.window?.history.replaceState(platform.window.history.state, '', found.rest);
    if (isForPopup(found.answer)) return (await this.#popups()).handOver(found.answer);
    await this.abandon();
    return { grant: this.#redeem(found.answer, begun), link: begun?.link };
  }

  /** Forgets a sign-in that was begun and not ended. */
  async abandon() {
    this.#with.cancel();
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
