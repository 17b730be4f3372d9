// @ts-check
/**
 * The Daypass broker, seen from a web page: which identity providers it offers, the way to one of
 * them and back, and the exchange of a proof of login for an identity and its OpenID token.
 * Nothing that is received is stored: where a token lives, and for how long, is the page's choice.
 */
import { DaypassError, UnexpectedAnswerError } from './errors.js';
import { asObject, asText, browserFetch, readObject, send } from './http.js';
import { abandonLogin, beginHostedLogin, beginLogin, endLogin } from './login.js';
import { secureRandom } from './pkce.js';

/** @typedef {import('./login.js').Provider} Provider */
/** @typedef {import('./login.js').CodeProof} CodeProof */
/** @typedef {import('./login.js').LoginCodeProof} LoginCodeProof */
/** @typedef {{provider: string, accessToken: string}} AccessTokenProof only for providers that accept it */

/**
 * @typedef {object} Exchange
 * @property {string} identityId
 * @property {string} token the OpenID token of the identity, a JWT
 * @property {Date} expiresAt
 * @property {string} identityPoolId
 * @property {string} region
 * @property {string} provider
 * @property {{name?: string, avatar?: string}} user what the identity provider tells; empty where it tells nothing
 */

/** The broker refused. `code` is the problem's, as `proof_refused` or `subject_missing`. */
export class BrokerError extends DaypassError {
  /** @param {Response} response @param {Record<string, unknown>} problem RFC 9457 */
  constructor(response, problem) {
    const title = asText(problem.title) ?? `HTTP ${response.status}`;
    super(asText(problem.code) ?? 'unexpected_answer', title);
    /** @readonly */
    this.status = response.status;
    /** @readonly */
    this.detail = asText(problem.detail);
    /** What the operator needs to find this refusal in the logs. @readonly */
    this.requestId = asText(problem.request_id);
    /** Seconds to wait before another attempt, where the broker says so. @readonly */
    this.retryAfter = Number.parseInt(response.headers.get('retry-after') ?? '', 10) || undefined;
  }
}

export class Broker {
  #url;
  #fetch;
  #storage;
  #random;

  /**
   * @param {object} options
   * @param {string} options.url the broker's origin
   * @param {import('./http.js').Fetch} [options.fetch]
   * @param {import('./login.js').LoginStorage} [options.storage] survives the trip to the provider
   * @param {import('./pkce.js').RandomBytes} [options.random]
   */
  constructor({ url, fetch = browserFetch, storage = globalThis.sessionStorage, random = secureRandom }) {
    this.#url = url;
    this.#fetch = fetch;
    this.#storage = storage;
    this.#random = random;
  }

  /** @returns {Promise<Provider[]>} */
  async providers() {
    const answer = await this.#call('/v1/providers', { method: 'GET' });
    if (!Array.isArray(answer.providers)) throw new UnexpectedAnswerError(200, 'no list of providers');
    return answer.providers.map(readProvider);
  }

  /**
   * Begins a login. Navigate to the URL that comes back.
   * @param {Provider} provider
   * @param {string} redirectUri
   * @returns {Promise<string>}
   */
  startLogin(provider, redirectUri) {
    return beginLogin(provider, redirectUri, this.#storage, this.#random);
  }

  /**
   * Begins a login by way of Daypass's own sign-in. Navigate to the URL that comes back.
   * @param {Provider} provider
   * @param {{app: string, redirectUri: string}} app as it is registered with the broker
   * @returns {Promise<string>}
   */
  startHostedLogin(provider, app) {
    return beginHostedLogin(provider, app, this.#storage, this.#random);
  }

  /**
   * Ends a login, if `address` is where an identity provider sent the person back to. Take the
   * address out of the address bar before calling, so that the code stays in no history.
   * @param {string} address
   * @returns {Promise<Exchange | undefined>}
   */
  async finishLogin(address) {
    const proof = endLogin(address, this.#storage);
    return proof && this.exchange(proof);
  }

  /** Forgets a login that was started and not finished. */
  abandonLogin() {
    abandonLogin(this.#storage);
  }

  /**
   * @param {CodeProof | LoginCodeProof | AccessTokenProof} proof
   * @returns {Promise<Exchange>}
   */
  async exchange(proof) {
    const answer = await this.#call('/v1/exchange', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(proofOnTheWire(proof)),
    });
    return readExchange(answer);
  }

  /** @param {string} path @param {RequestInit} init */
  async #call(path, init) {
    const response = await send(this.#fetch, new URL(path, this.#url).href, init);
    const answer = await readObject(response);
    if (!answer) throw new UnexpectedAnswerError(response.status, 'no JSON object');
    if (!response.ok) throw new BrokerError(response, answer);
    return answer;
  }
}

/** @param {CodeProof | LoginCodeProof | AccessTokenProof} proof */
function proofOnTheWire(proof) {
  if ('accessToken' in proof) return { provider: proof.provider, access_token: proof.accessToken };
  const spent = { code_verifier: proof.codeVerifier, redirect_uri: proof.redirectUri };
  if ('loginCode' in proof) return { app: proof.app, login_code: proof.loginCode, ...spent };
  return { provider: proof.provider, code: proof.code, ...spent };
}

/**
 * @param {unknown} value
 * @returns {Provider}
 */
function readProvider(value) {
  const entry = asObject(value) ?? {};
  const id = required(entry, 'id');
  return {
    id,
    name: asText(entry.name) ?? id,
    authorizationEndpoint: asText(entry.authorization_endpoint) ?? '',
    loginUrl: asText(entry.login_url) ?? '',
    hidden: entry.hidden === true,
    clientId: asText(entry.client_id) ?? '',
    scope: asText(entry.scope) ?? '',
    accepts: Array.isArray(entry.accepts) ? entry.accepts.map(String) : [],
  };
}

/**
 * @param {Record<string, unknown>} answer
 * @returns {Exchange}
 */
function readExchange(answer) {
  const user = asObject(answer.user) ?? {};
  const expiresAt = new Date(required(answer, 'expires_at'));
  if (Number.isNaN(expiresAt.getTime())) throw new UnexpectedAnswerError(200, 'expires_at is no time');
  return {
    identityId: required(answer, 'identity_id'),
    token: required(answer, 'token'),
    expiresAt,
    identityPoolId: required(answer, 'identity_pool_id'),
    region: required(answer, 'region'),
    provider: required(answer, 'provider'),
    user: { name: asText(user.name), avatar: asText(user.avatar) },
  };
}

/** @param {Record<string, unknown>} answer @param {string} name */
function required(answer, name) {
  const value = asText(answer[name]);
  if (!value) throw new UnexpectedAnswerError(200, `no ${name}`);
  return value;
}
