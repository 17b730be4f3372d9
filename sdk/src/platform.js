// @ts-check
/**
 * What the client needs of its surroundings. A browser has all of it; what a platform lacks is handed to
 * `createDaypass` as `platform`, member by member, and what is left out is what a browser would have.
 */
import { DaypassError } from './errors.js';
import { browserFetch } from './http.js';
import { secureRandom } from './pkce.js';

/** @typedef {import('./http.js').Fetch} Fetch */
/** @typedef {import('./pkce.js').RandomBytes} RandomBytes */
/** @typedef {string | null | undefined} Stored */

/**
 * @typedef {object} SessionStorage where a session lies; each member may answer at once or by a promise
 * @property {(name: string) => Stored | Promise<Stored>} getItem
 * @property {(name: string, value: string) => unknown} setItem
 * @property {(name: string) => unknown} removeItem
 */

/**
 * @typedef {object} Channel a BroadcastChannel, as far as it is used
 * @property {(message: unknown) => void} postMessage
 * @property {((event: any) => void) | null} onmessage
 * @property {() => void} close
 */

/**
 * @typedef {object} Locks a LockManager, as far as it is used
 * @property {<T>(name: string, options: {signal: AbortSignal}, work: () => Promise<T>) => Promise<T>} request
 */

/**
 * @typedef {object} Platform
 * @property {Fetch} fetch
 * @property {() => number} now the clock of the device, in milliseconds, which people and networks set
 * @property {() => number} elapsed a clock that nobody sets, in milliseconds from any beginning
 * @property {RandomBytes} random
 * @property {(data: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>} sha256
 * @property {(work: () => void, milliseconds: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {Locks} [locks] shared by the tabs of an origin
 * @property {(name: string) => Channel} [channel] to the other tabs of the origin
 * @property {SessionStorage} [tabStorage] survives the way to the sign-in and back, and is this tab's alone
 * @property {(url: string) => unknown} navigate where people go to sign in
 * @property {(name: string) => Promise<import('./key.js').ProofKey>} [key] the key that sessions are bound to
 * @property {Window} [window]
 */

/** What calls itself a window and has no document, as React Native does, is none. @returns {Platform} */
export function browserPlatform() {
  const { document, navigator } = /** @type {{document?: Document, navigator?: Navigator}} */ (globalThis);
  const window = document?.defaultView ?? undefined;
  return {
    fetch: browserFetch,
    now: () => Date.now(),
    elapsed: () => performance.now(),
    random: secureRandom,
    sha256,
    setTimeout: (work, milliseconds) => setTimeout(work, milliseconds),
    clearTimeout: (timer) => clearTimeout(timer),
    locks: navigator?.locks,
    channel: window && 'BroadcastChannel' in window ? (name) => new BroadcastChannel(name) : undefined,
    tabStorage: webStorage('sessionStorage'),
    navigate: (url) => window?.location.assign(url),
    window,
  };
}

/** Browsers have it for pages that came by https or from the machine itself. @type {Platform['sha256']} */
async function sha256(data) {
  const { subtle } = globalThis.crypto;
  if (!subtle) throw new DaypassError('insecure_context', 'Sign-in needs a page that came by https, or from localhost');
  return new Uint8Array(await subtle.digest('SHA-256', data));
}

/**
 * A storage of the browser, where it has one and lets this page have it.
 * @param {'localStorage' | 'sessionStorage'} name
 * @returns {SessionStorage | undefined}
 */
export function webStorage(name) {
  try {
    return globalThis[name];
  } catch {
    return undefined;
  }
}

/** A storage that ends with the page. @returns {SessionStorage} */
export function memoryStorage() {
  const map = new Map();
  return {
    getItem: (name) => map.get(name) ?? null,
    setItem: (name, value) => map.set(name, value),
    removeItem: (name) => map.delete(name),
  };
}
