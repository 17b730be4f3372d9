// @ts-check
/**
 * One app's sign-in at one Daypass. What is done here is what a page asks for; that the session lives, and is one for
 * all tabs, is the keeper's work.
 */
import { assemble } from './assembly.js';
import { DaypassError } from './errors.js';
import { Events } from './events.js';
import { late } from './http.js';
import { SignedOutError } from './keeper.js';
import { insist } from './patience.js';
import { endOf } from './renewal.js';

/** @typedef {import('./session.js').Session} Session */
/** @typedef {import('./session.js').Kept} Kept */
/** @typedef {import('./endpoint.js').DeviceSession} DeviceSession */
/** @typedef {import('./endpoint.js').ProviderChoice} ProviderChoice */
/** @typedef {import('../wire.js').Provider} Provider */
/** @typedef {import('./events.js').DaypassEvents} DaypassEvents */
/** @typedef {import('./platform.js').Platform} Platform */

/**
 * @typedef {object} DaypassOptions
 * @property {string} url Daypass's `public_url`
 * @property {string} app the `id` of the `[[app]]`
 * @property {string} [redirectUri] one of the app's `redirect_uris`; the address of this page if absent
 * @property {import('./platform.js').SessionStorage} [storage] where the session lies: `localStorage` if absent
 * @property {boolean} [cookies] the session is in a cookie of Daypass's, for an app with `session_cookie`
 * @property {boolean} [dpop] the session is bound to a key that does not leave this browser
 * @property {string} [device] what the person calls the device
 * @property {Partial<Platform>} [platform] what this platform has in place of a browser's
 */

/**
 * @typedef {object} SignInOptions
 * @property {string} [provider] its ID; without one the person chooses on Daypass's page
 * @property {'redirect' | 'popup'} [via]
 */

/** @typedef {{provider: string, nonce?: string} & ({accessToken: string} | {idToken: string})} Proof what a provider's own SDK gave */

/**
 * @typedef {object} AwsCredentials as every AWS SDK for JavaScript takes them
 * @property {string} accessKeyId
 * @property {string} secretAccessKey
 * @property {string} sessionToken
 * @property {Date} expiration by the device's own clock
 */

/** @typedef {{forceRefresh?: boolean}} Asking */

/**
 * An `AwsCredentialIdentityProvider`. It says that it remembers by itself, so that all clients share one state.
 * @typedef {((asking?: Asking) => Promise<AwsCredentials>) & {memoized: true}} CredentialsProvider
 */

/**
 * What Amplify takes as `credentialsProvider`.
 * @typedef {object} AmplifyProvider
 * @property {(asking?: Asking) => Promise<{credentials: AwsCredentials, identityId: string} | undefined>} getCredentialsAndIdentityId
 * @property {() => void} clearCredentialsAndIdentityId
 */

const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:';
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

export class Daypass {
  #parts;
  #events = new Events();
  /** @type {Promise<Session | undefined> | undefined} */
  #returning;

  /** @param {DaypassOptions} options */
  constructor(options) {
    this.#parts = assemble(options, this.#events);
    const { keeper } = this.#parts;
    /**
     * AWS credentials, for `credentials` of any client of the AWS SDK.
     * @readonly
     * @type {CredentialsProvider}
     */
    this.credentials = Object.assign((/** @type {Asking | undefined} */ asking) => this.#credentials(asking), {
      memoized: /** @type {const} */ (true),
    });
    /**
     * For `Amplify.configure(…, { Auth: { credentialsProvider: daypass.amplify } })`.
     * @readonly
     * @type {AmplifyProvider}
     */
    this.amplify = {
      getCredentialsAndIdentityId: (asking) => this.#forAmplify(asking),
      clearCredentialsAndIdentityId: () => keeper.forget(),
    };
  }

  /**
   * To the sign-in. By redirect the page is left, and `handleRedirect` ends it; by popup the session is the answer.
   * Call it on a click, before anything is waited for: browsers open windows for nothing else.
   * @param {SignInOptions} [options]
   * @returns {Promise<Session | undefined>}
   */
  async signIn({ provider, via = 'redirect' } = {}) {
    const { arrivals } = this.#parts;
    if (via === 'redirect') return void (await arrivals.leave(provider));
    // Should the answer come after the person has given up, they are signed in, and `signin` says so.
    return arrivals.open(provider, Promise.resolve(), (grant) => this.#signInBy(grant));
  }

  /**
   * To the sign-in at another provider, whose login is to lead to the same identity from then on. If it led to another
   * one, that one ends. Ways and answer are those of `signIn`; whoever is signed in stays so.
   * @param {string} provider its ID
   * @param {{via?: 'redirect' | 'popup'}} [options]
   * @returns {Promise<Session | undefined>}
   */
  async link(provider, { via = 'redirect' } = {}) {
    const { arrivals } = this.#parts;
    const first = this.#signedIn();
    // A window that was not opened is told instead.
    first.catch(() => {});
    if (via === 'redirect') return void (await arrivals.leave(provider, (await first).session.id));
    return arrivals.open(provider, first, async (grant) => this.#link(grant, (await first).session.id));
  }

  /** @param {Record<string, string>} grant @param {string | undefined} id of the session that asked for it */
  async #link(grant, id) {
    return (await late(import('./link.js'))).link(this.#parts, grant, id);
  }

  /**
   * Ends a sign-in if this page is where it came back to, and says who is signed in. Call it when the page starts.
   * @param {string} [address] where an app that is no page was called back
   * @returns {Promise<Session | undefined>}
   */
  handleRedirect(address) {
    this.#returning ??= this.#arrive(address).finally(() => {
      this.#returning = undefined;
    });
    return this.#returning;
  }

  /** @param {string | undefined} address */
  async #arrive(address) {
    const { grant, link } = (await this.#parts.arrivals.arrive(address)) ?? {};
    if (grant) return link ? this.#link(grant, link) : this.#signInBy(grant);
    return (await this.session()) ?? (this.#parts.cookies ? this.#resume() : undefined);
  }

  /** Whose cookie there is, where the storage does not say: it may have been emptied, or be another origin's. */
  async #resume() {
    const { keeper, endpoint } = this.#parts;
    try {
      return (await keeper.currentOr(() => endpoint.grant({ grant_type: 'refresh_token' }))).session;
    } catch (error) {
      if (endOf(error)) return undefined;
      throw error;
    }
  }

  /**
   * Signs in with what a provider's own SDK gave to the app.
   * @param {Proof} proof
   * @returns {Promise<Session>}
   */
  handOver(proof) {
    const isAccessToken = 'accessToken' in proof;
    return this.#signInBy({
      grant_type: TOKEN_EXCHANGE,
      subject_token: isAccessToken ? proof.accessToken : proof.idToken,
      subject_token_type: TOKEN_TYPE + (isAccessToken ? 'access_token' : 'id_token'),
      subject_issuer: proof.provider,
      nonce: proof.nonce,
    });
  }

  /** A guest who signs in keeps the identity. @param {import('./endpoint.js').Grant} grant @returns {Promise<Session>} */
  async #signInBy(grant) {
    const before = await this.session();
    const identity_id = before?.guest ? before.identityId : undefined;
    return (await this.#parts.keeper.adopt(() => this.#parts.endpoint.grant({ ...grant, identity_id }))).session;
  }

  /**
   * Whoever is signed in; if nobody is, a guest, who stays the same in this browser.
   * @returns {Promise<Session>}
   */
  async guest() {
    const { keeper, endpoint, platform } = this.#parts;
    const { newGuest } = await late(import('./guest.js'));
    return (await keeper.currentOr(() => newGuest(endpoint, platform.now))).session;
  }

  /** Whoever is signed in, here or in another tab. @returns {Promise<Session | undefined>} */
  async session() {
    return (await this.#parts.keeper.current())?.session;
  }

  /**
   * The OpenID token, for a backend of yours or an AWS client that wants one.
   * @param {Asking} [asking]
   * @returns {Promise<string>}
   */
  async token({ forceRefresh = false } = {}) {
    if ((await this.session())?.guest) throw new DaypassError('guest', 'A guest has no token: sign in first');
    const { kept } = await this.#parts.keeper.need('token', forceRefresh);
    return kept.secrets.token ?? '';
  }

  /** @param {Asking} [asking] @returns {Promise<AwsCredentials>} */
  async #credentials({ forceRefresh = false } = {}) {
    const held = await this.#parts.keeper.need('credentials', forceRefresh);
    const expiration = new Date(this.#parts.platform.now() + this.#parts.keeper.timeLeft(held, 'credentials'));
    return { ...held.kept.secrets.credentials, expiration };
  }

  /** @param {Asking} [asking] */
  async #forAmplify(asking) {
    const session = await this.session();
    return session && { credentials: await this.#credentials(asking), identityId: session.identityId };
  }

  /**
   * Signs out of this browser, all tabs of it, whatever Daypass answers; and at Daypass, on this device or on all of
   * the person's. It throws if Daypass could not be told.
   * @param {{everywhere?: boolean}} [options]
   */
  async signOut({ everywhere = false } = {}) {
    await this.#parts.arrivals.abandon();
    const { keeper, endpoint, platform } = this.#parts;
    const before = await keeper.end('signed_out');
    if (!before || before.session.guest) return;
    const { refreshToken } = before.secrets;
    await insist(platform, () => (everywhere ? endpoint.endSessions(refreshToken) : endpoint.revoke(refreshToken)));
  }

  /** The person's sign-ins on all devices. @returns {Promise<DeviceSession[]>} */
  async sessions() {
    return this.#parts.endpoint.sessions((await this.#signedIn()).refreshToken);
  }

  /** Ends one of them; this one too is left in order. @param {string} id */
  async endSession(id) {
    const { refreshToken, session } = await this.#signedIn();
    if (session.id === id) return this.signOut();
    await this.#parts.endpoint.endSessions(refreshToken, id);
  }

  async #signedIn() {
    await this.#parts.keeper.look();
    const { session, secrets } = (await this.#parts.keeper.current()) ?? {};
    if (!session || session.guest) throw new SignedOutError();
    return { session, refreshToken: secrets?.refreshToken };
  }

  /** The providers that people may be offered. @returns {Promise<ProviderChoice[]>} */
  async providers() {
    const { providers } = await this.#parts.endpoint.providers();
    const offered = /** @type {Provider[]} */ (providers ?? []).filter(({ hidden, login_url: url }) => url && !hidden);
    return offered.map(({ id, name }) => ({ id, name: name ?? id }));
  }

  /**
   * @template {keyof DaypassEvents} E
   * @param {E} event
   * @param {(detail: DaypassEvents[E]) => void} listener
   * @returns {() => void} stops it
   */
  on(event, listener) {
    return this.#events.on(event, listener);
  }

  /** Lets go of the page. The session stays where it is. */
  dispose() {
    this.#parts.stop();
    this.#events.clear();
  }
}

/**
 * @param {DaypassOptions} options
 * @returns {Daypass}
 */
export function createDaypass(options) {
  return new Daypass(options);
}
