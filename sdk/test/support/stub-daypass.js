// @ts-check
/**
 * A Daypass that keeps to the wire and to nothing else: apps sign in without a question, sessions have generations
 * whose predecessor may be repeated for half a minute, and a test may have it fail, lose an answer, or be slow.
 */
import { createHash } from 'node:crypto';
import './webcrypto.js';

/** @typedef {{id: string, person: string, identityId: string, generation: number, rotatedAt: number, ended?: string, device?: string, retriedLate?: boolean}} StubSession */
/** @typedef {{path: string, method: string, form: Record<string, string>, operation?: string, headers: Headers, credentials?: string}} Asked */
/** @typedef {() => Promise<Response | undefined | void> | Response | undefined | void} Mishap instead of an answer; with none, before it */

export const POOL = 'us-east-1:00000000-1111-2222-3333-444444444444';

export class StubDaypass {
  /** @type {Map<string, StubSession>} */
  sessions = new Map();
  /** @type {Map<string, {person: string, challenge: string, redirectUri: string}>} */
  codes = new Map();
  /** @type {Asked[]} */
  asked = [];
  /** @type {Map<string, string>} identities by person */
  identities = new Map();
  /** @type {Set<string>} */
  guests = new Set();
  /** The refresh tokens that links came with. @type {(string | undefined)[]} */
  shown = [];
  /** What happens instead of the next answers, one after the other. @type {Mishap[]} */
  before = [];
  /** What happens to the next answers when all is written. @type {Mishap[]} */
  after = [];
  credentialsLife = 3600;
  tokenLife = 900;
  /** Whether the pool takes guests. */
  takesGuests = true;
  /** The refresh token in the cookie of an app that has one. @type {string | undefined} */
  cookie;
  person = 'ada';
  url = 'https://login.test';
  #number = 0;
  #now;

  /** @param {() => number} now */
  constructor(now = Date.now) {
    this.#now = now;
  }

  /** @param {string} path @param {string} [grant] */
  count(path, grant) {
    return this.asked.filter((asked) => asked.path === path && (!grant || asked.form.grant_type === grant)).length;
  }

  get refreshes() {
    return this.count('/oauth2/token', 'refresh_token');
  }

  /** @param {string} address @param {RequestInit} init @returns {Promise<Response>} */
  async answer(address, init = {}) {
    const { pathname } = new URL(address);
    const headers = new Headers(init.headers);
    const isForm = init.body instanceof URLSearchParams;
    const form = isForm ? Object.fromEntries(/** @type {URLSearchParams} */ (init.body)) : {};
    const operation = headers.get('x-amz-target')?.split('.')[1];
    const asked = { path: pathname, method: init.method ?? 'GET', form, operation, headers, credentials: init.credentials };
    this.asked.push(asked);
    const instead = await this.before.shift()?.();
    if (instead) return instead;
    const body = isForm || !init.body ? {} : JSON.parse(String(init.body));
    const response = this.#route(asked, headers, body);
    return (await this.after.shift()?.()) ?? response;
  }

  /** @param {Asked} asked @param {Headers} headers @param {any} body */
  #route({ path, method, form, operation }, headers, body) {
    if (path === '/oauth2/token') return this.#token(form, headers);
    if (path === '/oauth2/revoke') return this.#revoke(form, headers);
    if (path.startsWith('/v1/sessions')) return this.#list(method, path.split('/')[3], headers);
    if (path === '/v1/link') return this.#link(body, headers);
    if (path === '/v1/providers') return json(this.#providers());
    if (operation) return this.#pool(operation, body);
    return json({ code: 'not_found' }, 404);
  }

  /** Somebody agrees at the provider: a code for the app. @param {URL} authorize */
  agree(authorize) {
    const { state, code_challenge: challenge, redirect_uri: redirectUri } = Object.fromEntries(authorize.searchParams);
    const code = this.#draw('code');
    this.codes.set(code, { person: this.person, challenge: challenge ?? '', redirectUri: redirectUri ?? '' });
    return { code, state: state ?? '', iss: this.url };
  }

  #providers() {
    const providers = [{ id: 'sandbox', name: 'Sandbox', login_url: `${this.url}/login/sandbox` }];
    return { identity_pool_id: POOL, region: 'us-east-1', identity_pool_endpoint: this.url, guests: this.takesGuests, providers };
  }

  /** Apps with a cookie get what they get without the refresh token. @param {Record<string, string>} form @param {Headers} headers */
  #token(form, headers) {
    const isOfCookie = headers.has('daypass-app');
    if (!isOfCookie || form.grant_type !== 'refresh_token') return this.#grant(form, isOfCookie);
    if (form.refresh_token) return json({ error: 'invalid_request', code: 'malformed_request' }, 400);
    return this.cookie ? this.#grant({ ...form, refresh_token: this.cookie }, true) : refused('invalid_grant', 'no_cookie');
  }

  /** @param {Record<string, string>} form @param {boolean} isOfCookie */
  async #grant(form, isOfCookie) {
    const response = this.#granted(form);
    if (!isOfCookie || !response.ok) return response;
    const { refresh_token: token, ...answer } = await response.json();
    const { session: before } = this.#find(this.cookie ?? '');
    if (before && before.id !== answer.session_id) before.ended = 'signed_out';
    this.cookie = token;
    return json(answer);
  }

  /** @param {Record<string, string>} form */
  #granted(form) {
    if (form.grant_type === 'refresh_token') return this.#refresh(form.refresh_token ?? '');
    if (form.grant_type === 'authorization_code') return this.#redeem(form);
    return this.#signIn(this.person, form);
  }

  /** Whose session comes along, in whatever way. @param {Headers} headers @param {string} [token] */
  #mine(headers, token) {
    return this.#find((headers.has('daypass-app') ? this.cookie : token) ?? '').session;
  }

  /** @param {any} body @param {Headers} headers */
  #link({ login_code: code, first }, headers) {
    const found = this.codes.get(code);
    this.codes.delete(code);
    this.shown.push(first?.refresh_token);
    const mine = this.#mine(headers, first?.refresh_token);
    if (!found) return json({ code: 'login_code_refused', title: 'The code is spent' }, 401);
    if (!mine || mine.ended) return json({ code: 'refresh_token_refused', title: 'This session is over' }, 401);
    this.identities.set(found.person, this.identities.get(mine.person) ?? '');
    return json({ identity_id: this.identities.get(mine.person), token: 'token-of-a-link', identity_pool_id: POOL, region: 'us-east-1', provider: 'sandbox', user: {} });
  }

  /** @param {Record<string, string>} form */
  #redeem(form) {
    const found = this.codes.get(form.code ?? '');
    this.codes.delete(form.code ?? '');
    const challenge = createHash('sha256').update(form.code_verifier ?? '').digest('base64url');
    const good = found && found.challenge === challenge && found.redirectUri === form.redirect_uri;
    return good ? this.#signIn(found.person, form) : refused('login_code_refused');
  }

  /** @param {string} person @param {Record<string, string>} form */
  #signIn(person, form) {
    const guest = form.identity_id;
    if (!this.identities.has(person)) this.identities.set(person, guest && this.guests.delete(guest) ? guest : `us-east-1:of-${person}`);
    const id = this.#draw('session');
    const session = { id, person, identityId: this.identities.get(person) ?? '', generation: 0, rotatedAt: this.#now(), device: form.device };
    this.sessions.set(id, session);
    return json(this.#answerOf(session));
  }

  /** @param {string} token @returns {{session?: StubSession, generation: number}} */
  #find(token) {
    const [, id = '', generation] = token.split('~');
    return { session: this.sessions.get(id), generation: Number(generation) };
  }

  /** @param {string} token */
  #refresh(token) {
    const { session, generation } = this.#find(token);
    if (!session) return refused('invalid_grant', 'expired');
    if (session.ended) return refused('invalid_grant', session.ended);
    if (generation === session.generation) Object.assign(session, { generation: generation + 1, rotatedAt: this.#now() });
    else if (!this.#mayRepeat(session, generation)) {
      session.ended = 'reused';
      return refused('invalid_grant', 'reused');
    }
    session.identityId = this.identities.get(session.person) ?? session.identityId;
    return json(this.#answerOf(session));
  }

  /** @param {StubSession} session @param {number} generation */
  #mayRepeat(session, generation) {
    if (generation !== session.generation - 1) return false;
    if (this.#now() - session.rotatedAt <= 30_000) return true;
    const isFirst = !session.retriedLate;
    session.retriedLate = true;
    return isFirst;
  }

  /** @param {StubSession} session */
  #answerOf({ id, person, identityId, generation }) {
    return {
      access_token: `token-of-${person}-${this.#draw('t')}`,
      token_type: 'Bearer',
      expires_in: this.tokenLife,
      refresh_token: `dpr_~${id}~${generation}`,
      refresh_expires_in: 604_800,
      identity_id: identityId,
      identity_pool_id: POOL,
      region: 'us-east-1',
      provider: 'sandbox',
      user: { name: person },
      session_id: id,
      credentials: {
        access_key_id: this.#draw(`ASIA-${person}`),
        secret_access_key: `secret-of-${person}`,
        session_token: `session-token-of-${person}`,
        expiration: new Date(this.#now() + this.credentialsLife * 1000).toISOString(),
        expires_in: this.credentialsLife,
      },
    };
  }

  /** @param {Record<string, string>} form @param {Headers} headers */
  #revoke({ token }, headers) {
    const session = this.#mine(headers, token);
    if (session) session.ended = 'signed_out';
    if (headers.has('daypass-app')) this.cookie = undefined;
    return new Response(null, { status: 200 });
  }

  /** @param {string} method @param {string | undefined} id @param {Headers} headers */
  #list(method, id, headers) {
    const mine = this.#mine(headers, headers.get('authorization')?.replace('Bearer ', ''));
    if (!mine || mine.ended) return json({ code: 'session_over', title: 'This session is over' }, 401);
    const theirs = [...this.sessions.values()].filter(({ person, ended }) => person === mine.person && !ended);
    if (method === 'GET') return json({ sessions: theirs.map((session) => entry(session, mine)) });
    for (const session of theirs) if (!id || session.id === id) session.ended = id ? 'signed_out' : 'revoked';
    return new Response(null, { status: 204 });
  }

  /** @param {string} operation @param {any} body */
  #pool(operation, body) {
    if (operation === 'GetId') {
      const identityId = this.#draw('us-east-1:guest');
      this.guests.add(identityId);
      return json({ IdentityId: identityId });
    }
    if (!this.guests.has(body.IdentityId)) return json({ __type: 'NotAuthorizedException', message: 'Access is forbidden.' }, 400);
    const keys = { AccessKeyId: this.#draw('ASIA-guest'), SecretKey: 'secret-of-guest', SessionToken: 'session-token-of-guest' };
    const credentials = { ...keys, Expiration: this.#now() / 1000 + this.credentialsLife };
    return json({ IdentityId: body.IdentityId, Credentials: credentials }, 200, { date: new Date(this.#now()).toUTCString() });
  }

  /** @param {string} what */
  #draw(what) {
    this.#number += 1;
    return `${what}-${this.#number}`;
  }
}

/** @param {StubSession} session @param {StubSession} mine */
function entry({ id, device }, mine) {
  const [created_at, last_used_at, expires_at] = ['2026-11-28T10:00:00Z', '2026-11-28T11:00:00Z', '2026-12-05T11:00:00Z'];
  return { id, current: id === mine.id, app: 'web', provider: 'sandbox', device, created_at, last_used_at, expires_at };
}

/** @param {unknown} body @param {number} [status] @param {Record<string, string>} [headers] */
export function json(body, status = 200, headers = {}) {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } });
}

/** @param {string} code @param {string} [reason] */
function refused(code, reason) {
  return json({ error: 'invalid_grant', error_description: 'The grant is not good', code, reason }, 400);
}
