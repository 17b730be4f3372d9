// @ts-check
/**
 * A browser without a browser: tabs that share a storage, locks and a channel, in front of a stub of Daypass, on a
 * clock that a test moves.
 */
import { randomBytes } from 'node:crypto';
import { createDaypass } from '../../src/index.js';
// Parts that come late: what is fetched already, comes at once.
import '../../src/dpop.js';
import '../../src/guest.js';
import '../../src/link.js';
import '../../src/popup.js';
import { memoryStorage } from './fakes.js';
import { StubDaypass } from './stub-daypass.js';

/** @typedef {{at: number, work: () => void}} Timer */

/** Time, which passes when a test says so. The device's clock may be set; the other one nobody sets. */
export class Time {
  wall = Date.parse('2026-11-28T10:00:00Z');
  steady = 1_000;
  /** @type {Set<Timer>} */
  #timers = new Set();

  now = () => this.wall;
  elapsed = () => this.steady;
  /** @param {() => void} work @param {number} milliseconds */
  setTimeout = (work, milliseconds) => {
    const timer = { at: this.steady + milliseconds, work };
    this.#timers.add(timer);
    return timer;
  };
  /** @param {Timer} timer */
  clearTimeout = (timer) => void this.#timers.delete(timer);

  get timers() {
    return this.#timers.size;
  }

  /** Lets seconds pass, and everything happen in them. @param {number} seconds */
  async pass(seconds) {
    const end = this.steady + seconds * 1_000;
    await settle();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#goTo(next.at);
      this.#timers.delete(next);
      next.work();
      await settle();
    }
    this.#goTo(end);
  }

  /** @param {number} end */
  #next(end) {
    return [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
  }

  /** @param {number} steady */
  #goTo(steady) {
    this.wall += steady - this.steady;
    this.steady = steady;
  }
}

/** Lets everything happen that waits for nothing but its turn. */
export async function settle() {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Locks as browsers have them. */
export class FakeLocks {
  /** @type {{name: string, signal: AbortSignal}[]} */
  requests = [];
  held = false;
  /** @type {(() => void)[]} */
  #queue = [];

  /** @template T @param {string} name @param {{signal: AbortSignal}} options @param {() => Promise<T>} work @returns {Promise<T>} */
  request = async (name, { signal }, work) => {
    this.requests.push({ name, signal });
    await new Promise((resolve, reject) => {
      if (!this.held) return resolve((this.held = true));
      const turn = () => resolve(undefined);
      this.#queue.push(turn);
      signal.addEventListener('abort', () => {
        this.#queue = this.#queue.filter((other) => other !== turn);
        reject(new DOMException('aborted', 'AbortError'));
      });
    });
    this.held = true;
    try {
      return await work();
    } finally {
      this.free();
    }
  };

  free() {
    this.held = false;
    this.#queue.shift()?.();
  }
}

/** Channels between the tabs. */
export class Hub {
  /** @type {{name: string, channel: any}[]} */
  #open = [];
  /** @type {any[]} */
  messages = [];

  /** @param {string} name */
  channel = (name) => {
    const channel = {
      onmessage: /** @type {((event: {data: any}) => void) | null} */ (null),
      postMessage: (/** @type {any} */ data) => {
        this.messages.push(data);
        const others = this.#open.filter((other) => other.name === name && other.channel !== channel);
        for (const other of others) setImmediate(() => other.channel.onmessage?.({ data: structuredClone(data) }));
      },
      close: () => void (this.#open = this.#open.filter((other) => other.channel !== channel)),
    };
    this.#open.push({ name, channel });
    return channel;
  };
}

/** What a tab has of a window, as far as the SDK looks. */
export class FakeWindow extends EventTarget {
  document = Object.assign(new EventTarget(), { visibilityState: 'visible', hasFocus: () => /** @type {boolean} */ (true) });
  navigator = { onLine: true, userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/150.0 Safari/537.36' };
  /** @type {{href: string, replaced: string}[]} */
  entries = [];
  /** @type {boolean} */
  closed = false;
  /** @type {any} */
  opened;
  mayOpen = true;
  location = { href: 'https://app.test/', origin: 'https://app.test', pathname: '/' };
  history = {
    state: { router: 1 },
    replaceState: (/** @type {unknown} */ state, /** @type {string} */ _, /** @type {string} */ url) => {
      this.entries.push({ href: this.location.href, replaced: JSON.stringify(state) });
      this.location.href = url;
    },
  };

  open() {
    if (!this.mayOpen) return null;
    this.opened = { closed: false, location: { replace: (/** @type {string} */ url) => (this.opened.url = url) }, close: () => (this.opened.closed = true) };
    return this.opened;
  }

  close() {
    this.closed = true;
  }
}

export class Browser {
  time = new Time();
  daypass = new StubDaypass(() => this.time.steady);
  storage = memoryStorage();
  locks = new FakeLocks();
  hub = new Hub();

  /** @param {Partial<import('../../src/client.js').DaypassOptions>} [options] @param {Partial<import('../../src/platform.js').Platform>} [platform] */
  tab({ storage = this.storage, ...options } = {}, platform = {}) {
    const window = new FakeWindow();
    const tabStorage = memoryStorage();
    /** @type {string[]} */
    const went = [];
    const { now, elapsed, setTimeout, clearTimeout } = this.time;
    const client = createDaypass({
      url: this.daypass.url,
      app: 'web',
      storage,
      ...options,
      platform: {
        now, elapsed, setTimeout, clearTimeout,
        fetch: (url, init) => answerOrAbort(this.daypass.answer(url, init), init.signal),
        random: (length) => new Uint8Array(randomBytes(length)),
        locks: this.locks,
        channel: this.hub.channel,
        tabStorage,
        window: /** @type {any} */ (window),
        navigate: (url) => went.push(url),
        ...platform,
      },
    });
    /** @type {[string, any][]} */
    const heard = [];
    for (const event of /** @type {const} */ (['signin', 'signout', 'refresh', 'error'])) {
      client.on(event, (detail) => heard.push([event, detail]));
    }
    const events = () => heard.map(([event]) => event).filter((event) => event !== 'error');
    return { client, window, tabStorage, went, heard, events };
  }

  /** A tab in which somebody has signed in. @param {string} [person] */
  async signedIn(person = 'ada') {
    const tab = this.tab();
    await this.signIn(tab, person);
    return tab;
  }

  /** @param {ReturnType<Browser['tab']>} tab @param {string} [person] */
  async signIn(tab, person = 'ada') {
    this.daypass.person = person;
    return tab.client.handOver({ provider: 'sandbox', accessToken: `of-${person}` });
  }
}

/** As `fetch` does: what is aborted is waited for no longer. @template T @param {Promise<T>} answer @param {AbortSignal | null | undefined} signal @returns {Promise<T>} */
function answerOrAbort(answer, signal) {
  return new Promise((resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
    answer.then(resolve, reject);
  });
}
