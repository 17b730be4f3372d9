// @ts-check
/** Listeners, and what they are told. A listener that throws is its own affair: the others hear all the same. */

/** @typedef {import('./session.js').Session} Session */

/**
 * Why a session is over: `signed_out` (by the person), `replaced` (another person, or another sign-in of the same),
 * and what the server says: `expired`, `reused`, `revoked`, `login_unlinked`, `identity_gone`, `upstream`, `malformed`,
 * `no_cookie`, and `key_lost`, where the key is another one than the session is bound to.
 * @typedef {string} EndReason
 */

/**
 * @typedef {object} DaypassEvents
 * @property {Session} signin somebody is signed in, or a guest, in whichever tab it was done
 * @property {{session: Session, reason: EndReason}} signout in every tab, once: forget what you show of them
 * @property {Session} refresh there are new credentials and a new token
 * @property {unknown} error asking in the background failed; what is there may still be good
 */

export class Events {
  /** @type {Map<string, Set<(detail: any) => void>>} */
  #listeners = new Map();

  /**
   * @template {keyof DaypassEvents} E
   * @param {E} event
   * @param {(detail: DaypassEvents[E]) => void} listener
   * @returns {() => void} stops it
   */
  on(event, listener) {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** @template {keyof DaypassEvents} E @param {E} event @param {DaypassEvents[E]} detail */
  emit(event, detail) {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        listener(detail);
      } catch (error) {
        globalThis.reportError?.(error);
      }
    }
  }

  clear() {
    this.#listeners.clear();
  }
}
