// @ts-check
/**
 * A sign-in in a window of its own, which is open already. Its answer comes as a message from Daypass's page; or, where a provider's page has cut the tie between the
 * windows (Cross-Origin-Opener-Policy), from the app's own page that the window ends on, over a channel of the origin.
 * A cut window looks closed while it is open, so `closed` alone proves nothing.
 */
import { asObject } from './http.js';
import { LoginError } from './login-error.js';
import { readAnswer } from './sign-in.js';

/** @typedef {import('./sign-in.js').Answer} Answer */
/** @typedef {import('./platform.js').Platform} Platform */

/** A sign-in at Daypass ends after this time by itself. */
const LONGEST = 600_000;
const LOOK_EVERY = 500;
/** The answer of a window that was closed by its own page is on its way then. */
const CLOSED_FOR = 3_000;
const NOBODY_ANSWERS = 3_000;

export class PopupAnswers {
  #platform;
  #base;
  #post;
  /** @type {{state: string, resolve: (answer: Answer) => void, reject: (error: Error) => void} | undefined} */
  #waiting;
  /** @type {Map<string, () => void>} */
  #handedOver = new Map();

  /** @param {Platform} platform @param {string} base @param {(message: object) => void} post to the other tabs */
  constructor(platform, base, post) {
    this.#platform = platform;
    this.#base = base;
    this.#post = post;
  }

  /**
   * Sends the window on its way. `answer` is the answer, whenever it comes; `closed` ends when the person gives up.
   * @param {Window} popup
   * @param {string} state
   * @param {Promise<string>} url
   */
  show(popup, state, url) {
    let isOver = false;
    const answered = this.wait(state).finally(() => (isOver = true));
    const shown = url.then((address) => popup.location.replace(address));
    const answer = Promise.all([answered, shown]).then(([heard]) => heard);
    return { answer, closed: this.closing(popup, () => isOver) };
  }

  /**
   * The answer with this state, however it comes. A later wait ends an earlier one.
   * @param {string} state
   * @returns {Promise<Answer>}
   */
  wait(state) {
    this.cancel();
    return new Promise((resolve, reject) => {
      const timer = this.#platform.setTimeout(() => this.#fail('popup_timeout'), LONGEST);
      const settled = () => this.#platform.clearTimeout(timer);
      this.#waiting = {
        state,
        resolve: (answer) => (settled(), resolve(answer)),
        reject: (error) => (settled(), reject(error)),
      };
    });
  }

  cancel() {
    this.#fail('popup_replaced');
  }

  /** @param {string} code */
  #fail(code) {
    this.#waiting?.reject(new LoginError(code, 'The window for the sign-in gave no answer'));
    this.#waiting = undefined;
  }

  /** A message of Daypass's page in the window. @param {{origin: string, data: any}} event */
  hear({ origin, data }) {
    if (origin === new URL(this.#base).origin && asObject(data)?.type === 'authorization_response') this.#take(data.response);
  }

  /** A message of another tab of this app. @param {Record<string, any>} message */
  hearTab({ type, response, state }) {
    if (type === 'answer' && this.#take(response)) this.#post({ type: 'answered', state: response.state });
    if (type === 'answered') this.#handedOver.get(state)?.();
  }

  /** @param {unknown} response @returns {boolean} whether it was waited for */
  #take(response) {
    const answer = readAnswer(response);
    const { state, resolve } = this.#waiting ?? {};
    if (!state || answer.state !== state) return false;
    this.#waiting = undefined;
    resolve?.(answer);
    return true;
  }

  /** From the window that a sign-in ended in to the tab that waits for it. @param {Answer} answer @returns {Promise<undefined>} */
  async handOver(answer) {
    const { setTimeout, clearTimeout, window } = this.#platform;
    const heard = await new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), NOBODY_ANSWERS);
      this.#handedOver.set(answer.state ?? '', () => (clearTimeout(timer), resolve(true)));
      this.#post({ type: 'answer', response: answer });
    });
    this.#handedOver.delete(answer.state ?? '');
    if (!heard) throw new LoginError('no_login_started', 'No tab waits for this sign-in');
    window?.close();
  }

  /**
   * Ends, as a refusal, when the person has closed the window: it looks closed, and this page has the focus.
   * @param {Window} popup
   * @param {() => boolean} isOver
   * @returns {Promise<never>}
   */
  closing(popup, isOver) {
    const { setTimeout, window } = this.#platform;
    return new Promise((_resolve, reject) => {
      let seen = 0;
      const look = () => {
        if (isOver()) return;
        seen = popup.closed && window?.document.hasFocus() ? seen + LOOK_EVERY : 0;
        if (seen > CLOSED_FOR) reject(new LoginError('popup_closed', 'The window was closed before the sign-in ended'));
        else setTimeout(look, LOOK_EVERY);
      };
      look();
    });
  }
}
