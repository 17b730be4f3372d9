// @ts-check
/**
 * What every failure of this SDK has in common: a stable `code` to branch on, and a message for
 * people. Codes never change their meaning; messages may be reworded at any time, so no program
 * should read them. No error carries a token, a code or a secret.
 */

/** The base of all errors thrown by this SDK. */
export class DaypassError extends Error {
  /**
   * @param {string} code stable, for programs
   * @param {string} message for people
   * @param {ErrorOptions} [options]
   */
  constructor(code, message, options) {
    super(message, options);
    this.name = new.target.name;
    /** @readonly */
    this.code = code;
  }
}

/**
 * There was no answer that this page may read: the server is down, the name does not resolve, or
 * its CORS rules refuse this origin. Browsers do not say which.
 */
export class NetworkError extends DaypassError {
  /** @param {string} origin @param {unknown} cause */
  constructor(origin, cause) {
    super('network', `No readable answer from ${origin}`, { cause });
  }
}

/** There was an answer, but not of the shape that the API promises: a proxy's page, for example. */
export class UnexpectedAnswerError extends DaypassError {
  /** @param {number} status the HTTP status @param {string} what what the answer lacks */
  constructor(status, what) {
    super('unexpected_answer', `HTTP ${status}: ${what}`);
    /** @readonly */
    this.status = status;
  }
}
