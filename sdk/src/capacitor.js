// @ts-check
/**
 * A page that Capacitor shows: people sign in in the system's browser, which comes back by the app's own scheme or an app
 * link, and the session lies in Capacitor's Preferences, or wherever `storage` says.
 */
import { calledBack } from './called-back.js';

/** @typedef {import('./platform.js').SessionStorage} SessionStorage */

/**
 * @typedef {object} AppPlugin `@capacitor/app`, as far as it is used
 * @property {(event: 'appUrlOpen', listener: (event: {url: string}) => void) => unknown} addListener
 * @property {() => Promise<{url: string} | undefined>} getLaunchUrl
 */
/** @typedef {{open: (options: {url: string}) => Promise<unknown>, close: () => Promise<unknown>}} BrowserPlugin `@capacitor/browser` */
/**
 * @typedef {object} PreferencesPlugin `@capacitor/preferences`
 * @property {(options: {key: string}) => Promise<{value: string | null}>} get
 * @property {(options: {key: string, value: string}) => Promise<unknown>} set
 * @property {(options: {key: string}) => Promise<unknown>} remove
 */

/**
 * @param {{App: AppPlugin, Browser: BrowserPlugin, Preferences: PreferencesPlugin} | {App: AppPlugin, Browser: BrowserPlugin, storage: SessionStorage}} plugins
 */
export function capacitor(plugins) {
  const { App, Browser } = plugins;
  const storage = 'storage' in plugins ? plugins.storage : preferences(plugins.Preferences);
  let isOpen = false;

  const navigate = (/** @type {string} */ url) => {
    isOpen = true;
    return Browser.open({ url });
  };
  /** On Android the browser has gone by itself, and to close it is an error. */
  const close = async () => {
    if (isOpen) await Browser.close().catch(() => {});
    isOpen = false;
  };
  return {
    /** For `createDaypass`, beside `url`, `app` and `redirectUri`. */
    options: { storage, platform: { navigate, tabStorage: storage } },
    /**
     * Hears what the system calls the app with. Call it once, when the app starts; `signin` says who is there.
     * @param {import('./called-back.js').Returning} daypass
     * @param {import('./called-back.js').Failing} [onError]
     * @returns {Promise<void>} when a sign-in that the app was started with has ended
     */
    async start(daypass, onError) {
      const arrive = calledBack(daypass, onError);
      await App.addListener('appUrlOpen', ({ url }) => void close().then(() => arrive(url)));
      await arrive((await App.getLaunchUrl())?.url);
    },
  };
}

/** @param {PreferencesPlugin} plugin @returns {SessionStorage} */
function preferences(plugin) {
  return {
    getItem: async (key) => (await plugin.get({ key })).value,
    setItem: (key, value) => plugin.set({ key, value }),
    removeItem: (key) => plugin.remove({ key }),
  };
}
