// @ts-check
/**
 * Daypass as a client of one app sees it: the token endpoint with its grants, revocation, and the person's list of
 * sessions. Each question has ten seconds. Tokens travel in bodies and in the `Authorization` header, never in an
 * address.
 */
import { DaypassError, UnexpectedAnswerError } from './errors.js';
import { asText, readObject, send } from './http.js';
import { readSession } from './session.js';

/**
 * @typedef {object} DeviceSession one of the person's sign-ins
 * @property {string} id
 * @property {boolean} current whether it is the one that asks
 * @property {string} app
 * @property {string} provider
 * @property {string} [device]
 * @property {Date} createdAt
 * @property {Date} lastUsedAt
 * @property {Date} expiresAt
 */

/** @typedef {{id: string, name: string}} ProviderChoice an identity provider that people may be offered */
/** @typedef {Record<string, any>} Answer a JSON object; an empty one stands for anything else */
/** @typedef {import('../wire.js').Problem & import('../wire.js').OAuthError} Refusal in the words of one of them */
/** @typedef {import('../wire.js').Sessions} Sessions */
/** @typedef {import('../wire.js').Session} ListedSession */
/** @typedef {import('../wire.js').Providers} Providers */
/** @typedef {keyof import('../wire.js').AuthorizationCodeGrant} OfCode */
/** @typedef {keyof import('../wire.js').RefreshTokenGrant} OfRefresh */
/** @typedef {keyof import('../wire.js').TokenExchangeGrant} OfExchange */
/** @typedef {Partial<Record<OfCode | OfRefresh | OfExchange, string>>} Grant what the token endpoint is sent */
/** @typedef {Pick<import('../wire.js').Link, 'login_code' | 'code_verifier' | 'redirect_uri'>} Link a code of another login */
/** @template T @typedef {import('./http.js').Unread<T>} Unread */

const ANSWER_WITHIN = 10_000;

/** Daypass refused. `code` is one of docs/errors.md, of RFC 6749, as `invalid_grant`, or AWS's name of an exception. */
export class RefusedError extends DaypassError {
  /** @param {Response} response @param {Record<string, unknown>} answer */
  constructor(response, answer) {
    /** @type {Unread<Refusal & {__type: string, message: string}>} */
    const told = answer;
    const code = asText(told.code ?? told.error ?? told.__type) ?? 'unexpected_answer';
    super(code, asText(told.error_description ?? told.title ?? told.message) ?? `HTTP ${response.status}`);
    /** @readonly */
    this.status = response.status;
    /** The OAuth error, where it is one. @readonly */
    this.error = asText(told.error);
    /** Why a session is over. @readonly */
    this.reason = asText(told.reason);
    /** What the operator needs to find this refusal in the logs. @readonly */
    this.requestId = asText(told.request_id);
    /** Seconds to wait before another attempt, where Daypass says so. @readonly */
    this.retryAfter = retryAfter(response);
  }
}

/** @param {Response} response */
function retryAfter({ headers }) {
  const seconds = Number.parseInt(headers.get('retry-after') ?? '', 10);
  return seconds > 0 ? seconds : undefined;
}

/**
 * @typedef {object} Asking
 * @property {string} base the broker's URL
 * @property {string} app
 * @property {string} [device]
 * @property {boolean} [cookies] whether the session is in a cookie
 */

export class Endpoint {
  #platform;
  #base;
  #app;
  #device;
  #cookies;

  /** @param {import('./platform.js').Platform} platform @param {Asking} options */
  constructor(platform, { base, app, device, cookies }) {
    this.#platform = platform;
    this.#base = base;
    this.#app = app;
    this.#device = device;
    this.#cookies = cookies;
  }

  /** @param {Grant} grant @returns {Promise<import('./session.js').Received>} */
  grant(grant) {
    const body = form({ client_id: this.#app, device: this.#device, ...grant, credentials: 'true' });
    return this.#own('/oauth2/token', { method: 'POST', body }, (answer) => readSession(answer, this.#platform.now(), this.#cookies));
  }

  /** The page may be left meanwhile. @param {string} [token] */
  async revoke(token) {
    const body = form({ token, client_id: this.#app });
    await this.#own('/oauth2/revoke', { method: 'POST', body, keepalive: true }, whole);
  }

  /** @param {string} [token] @returns {Promise<DeviceSession[]>} */
  async sessions(token) {
    /** @type {Unread<Sessions>} */
    const { sessions } = await this.#own('/v1/sessions', bearer('GET', token), whole);
    if (!Array.isArray(sessions)) throw new UnexpectedAnswerError(200, 'no list of sessions');
    return sessions.map(readDevice);
  }

  /** Ends one session of the person's, or all of them. @param {string} [token] @param {string} [id] */
  async endSessions(token, id) {
    const path = id === undefined ? '' : `/${encodeURIComponent(id)}`;
    await this.#own(`/v1/sessions${path}`, { ...bearer('DELETE', token), keepalive: true }, whole);
  }

  /**
   * Makes another login lead to the identity of the session.
   * @param {Link} login
   * @param {string} [token]
   * @returns {Promise<Unread<import('../wire.js').Identity>>}
   */
  link(login, token) {
    const asked = /** @type {import('../wire.js').Link} */ ({ ...login, app: this.#app, first: { refresh_token: token } });
    const body = JSON.stringify(asked);
    return this.#own('/v1/link', { method: 'POST', headers: { 'content-type': 'application/json' }, body }, whole);
  }

  /** Everything that is said of the providers, and of the pool. @returns {Promise<Unread<Providers>>} */
  providers() {
    return this.ask(`${this.#base}/v1/providers`, {}, whole);
  }

  /**
   * What a session has to come along with. The header makes browsers ask first, whether this page may, before they send the cookie.
   * @template T
   * @param {string} path
   * @param {RequestInit} init
   * @param {(answer: Answer) => T} read
   */
  #own(path, init, read) {
    const cookies = this.#cookies && { credentials: /** @type {const} */ ('include'), headers: { ...init.headers, 'daypass-app': this.#app } };
    return this.ask(this.#base + path, { ...init, ...cookies }, read);
  }

  /**
   * @template T
   * @param {string} url
   * @param {RequestInit} init
   * @param {(answer: Answer, date: string | null) => T} read
   * @returns {Promise<T>}
   */
  async ask(url, init, read) {
    const { fetch, setTimeout, clearTimeout } = this.#platform;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), ANSWER_WITHIN);
    try {
      const response = await send(fetch, url, { ...init, signal: late.signal });
      const answer = (await readObject(response)) ?? {};
      if (!response.ok) throw new RefusedError(response, answer);
      return read(answer, response.headers.get('date'));
    } finally {
      clearTimeout(timer);
    }
  }
}

/** @param {Answer} answer */
const whole = (answer) => answer;

/** @param {Record<string, string | undefined>} fields */
function form(fields) {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return new URLSearchParams(/** @type {[string, string][]} */ (given));
}

/** @param {string} method @param {string | undefined} token @returns {RequestInit} */
const bearer = (method, token) => ({ method, headers: token ? { authorization: `Bearer ${token}` } : {} });

/** @param {Unread<ListedSession>} entry @returns {DeviceSession} */
function readDevice(entry) {
  const { id, current, app, provider, device, created_at, last_used_at, expires_at } = entry;
  const [createdAt, lastUsedAt, expiresAt] = [created_at, last_used_at, expires_at].map((time) => new Date(/** @type {string} */ (time)));
  return /** @type {DeviceSession} */ ({ id, current: current === true, app, provider, device, createdAt, lastUsedAt, expiresAt });
}
