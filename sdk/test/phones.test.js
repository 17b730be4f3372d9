// @ts-check
/** The adapters for Capacitor and React Native, with stand-ins for their plugins, whose real types are compared in examples/. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { capacitor } from '../src/capacitor.js';
import { createDaypass } from '../src/index.js';
import { keychainStorage, reactNative } from '../src/react-native.js';
import { StubDaypass } from './support/stub-daypass.js';

/** @typedef {import('../src/index.js').Daypass} Daypass */
/** @typedef {{options: object, start: (daypass: Daypass, onError?: (error: unknown) => void) => Promise<void>}} Adapter */

const REDIRECT_URI = 'com.example.notes:/callback';

/** A phone: what lies on it, which addresses its browser was sent to, and how its system calls the app. */
class Phone {
  daypass = new StubDaypass();
  /** @type {Map<string, string>} */
  kept = new Map();
  /** @type {string[]} */
  opened = [];
  closed = 0;
  /** @type {string | undefined} */
  launchedWith;
  /** @type {((event: {url: string}) => void)[]} */
  #listeners = [];

  /** @param {{url: string}} event */
  call(event) {
    for (const listener of this.#listeners) listener(event);
  }

  /** @param {string} _event @param {(event: {url: string}) => void} listener */
  listen(_event, listener) {
    this.#listeners.push(listener);
  }

  /** Starts the app, again perhaps. @param {Adapter} adapter */
  async startApp({ options, start }) {
    this.#listeners = [];
    const { platform, storage } = /** @type {import('../src/index.js').DaypassOptions} */ (options);
    const fetch = (/** @type {string} */ url, /** @type {RequestInit} */ init) => this.daypass.answer(url, init);
    const daypass = createDaypass({ url: 'https://login.test', app: 'phone', redirectUri: REDIRECT_URI, storage, platform: { ...platform, fetch } });
    /** @type {unknown[]} */
    const errors = [];
    await start(daypass, (error) => errors.push(error));
    return { daypass, errors };
  }

  /** Where the browser comes back to, once the person has agreed. */
  agreed() {
    return `${REDIRECT_URI}?${new URLSearchParams(this.daypass.agree(new URL(this.opened.at(-1) ?? '')))}`;
  }
}

/** @param {Phone} phone */
const withCapacitor = (phone) => capacitor({
  App: { addListener: async (event, listener) => phone.listen(event, listener), getLaunchUrl: async () => (phone.launchedWith ? { url: phone.launchedWith } : undefined) },
  Browser: { open: async ({ url }) => phone.opened.push(url), close: async () => { phone.closed += 1; throw new Error('There is none'); } },
  Preferences: {
    get: async ({ key }) => ({ value: phone.kept.get(key) ?? null }),
    set: async ({ key, value }) => phone.kept.set(key, value),
    remove: async ({ key }) => phone.kept.delete(key),
  },
});

/** @param {Phone} phone */
const withReactNative = (phone) => reactNative({
  Linking: { addEventListener: (event, listener) => phone.listen(event, listener), getInitialURL: async () => phone.launchedWith ?? null, openURL: async (url) => phone.opened.push(url) },
  storage: keychainStorage({
    ACCESSIBLE: { AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY: 'AfterFirstUnlockThisDeviceOnly' },
    getGenericPassword: async ({ service }) => (phone.kept.has(service) ? { password: phone.kept.get(service) ?? '' } : false),
    setGenericPassword: async (_username, password, { service, accessible }) => {
      assert.equal(accessible, 'AfterFirstUnlockThisDeviceOnly');
      phone.kept.set(service, password);
    },
    resetGenericPassword: async ({ service }) => phone.kept.delete(service),
  }),
  random: (length) => new Uint8Array(randomBytes(length)),
  sha256: async (data) => new Uint8Array(createHash('sha256').update(data).digest()),
});

/** @param {Daypass} daypass @returns {Promise<string | undefined>} */
const signedIn = (daypass) => new Promise((resolve) => daypass.on('signin', ({ user }) => resolve(user?.name)));

for (const [name, adapt] of Object.entries({ Capacitor: withCapacitor, 'React Native': withReactNative })) {
  test(`${name}: a person signs in in the system’s browser, and is signed in when the app starts again`, async () => {
    const phone = new Phone();
    const { daypass, errors } = await phone.startApp(adapt(phone));
    assert.equal(await daypass.session(), undefined);
    await daypass.signIn({ provider: 'sandbox' });
    assert.equal(new URL(phone.opened[0] ?? '').searchParams.get('redirect_uri'), REDIRECT_URI);
    const heard = signedIn(daypass);
    phone.call({ url: phone.agreed() });
    assert.equal(await heard, 'ada');
    assert.deepEqual(errors, []);

    const again = await phone.startApp(adapt(phone));
    assert.equal((await again.daypass.session())?.user?.name, 'ada');
    await again.daypass.signOut();
    assert.deepEqual([...phone.kept.values()], [], 'nothing of it is left on the phone');
  });

  test(`${name}: an app that the system has ended meanwhile is started with the answer, of which it is told twice`, async () => {
    const phone = new Phone();
    const before = await phone.startApp(adapt(phone));
    await before.daypass.signIn({ provider: 'sandbox' });
    phone.launchedWith = phone.agreed();
    const { daypass, errors } = await phone.startApp(adapt(phone));
    phone.call({ url: phone.launchedWith });
    assert.equal((await daypass.session())?.user?.name, 'ada');
    assert.equal(phone.daypass.count('/oauth2/token', 'authorization_code'), 1);
    assert.deepEqual(errors, []);
  });

  test(`${name}: an answer is heard that comes while the page looks whether it was come back to`, async () => {
    const phone = new Phone();
    const { daypass } = await phone.startApp(adapt(phone));
    await daypass.signIn({ provider: 'sandbox' });
    const heard = signedIn(daypass);
    const looking = daypass.handleRedirect();
    phone.call({ url: phone.agreed() });
    assert.equal(await heard, 'ada');
    assert.equal(await looking, undefined);
  });

  test(`${name}: an answer that nobody asked for is told, and an address of the app’s own is passed over`, async () => {
    const phone = new Phone();
    phone.launchedWith = 'com.example.notes:/notes/1';
    const first = await phone.startApp(adapt(phone));
    assert.deepEqual(first.errors, []);
    phone.launchedWith = `${REDIRECT_URI}?code=c&state=s&iss=https%3A%2F%2Flogin.test`;
    const { daypass, errors } = await phone.startApp(adapt(phone));
    assert.deepEqual(errors.map((error) => /** @type {{code: string}} */ (error).code), ['no_login_started']);
    assert.equal(await daypass.session(), undefined);
  });
}

test('Capacitor: the browser is closed that was opened, though it may be gone, and no other', async () => {
  const phone = new Phone();
  const { daypass } = await phone.startApp(withCapacitor(phone));
  phone.call({ url: 'com.example.notes:/notes/1' });
  await daypass.signIn({ provider: 'sandbox' });
  const heard = signedIn(daypass);
  phone.call({ url: phone.agreed() });
  await heard;
  assert.equal(phone.closed, 1);
});

test('Capacitor: the session may lie elsewhere', async () => {
  const [phone, elsewhere] = [new Phone(), new Map()];
  const { App, Browser } = { App: { addListener: async () => {}, getLaunchUrl: async () => undefined }, Browser: { open: async () => {}, close: async () => {} } };
  const storage = { getItem: (/** @type {string} */ name) => elsewhere.get(name), setItem: (/** @type {string} */ name, /** @type {string} */ value) => elsewhere.set(name, value), removeItem: (/** @type {string} */ name) => elsewhere.delete(name) };
  const { daypass } = await phone.startApp(capacitor({ App, Browser, storage }));
  await daypass.signIn();
  assert.equal(elsewhere.size, 1);
});
