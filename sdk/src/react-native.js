// @ts-check
/** An app in React Native: as `@daypass/browser/capacitor`, where there is neither a page nor a browser's cryptography. */
import { calledBack } from './called-back.js';

/** @typedef {import('./platform.js').SessionStorage} SessionStorage */

/**
 * @typedef {object} LinkingModule React Native's `Linking`, as far as it is used
 * @property {(url: string) => Promise<unknown>} openURL
 * @property {() => Promise<string | null>} getInitialURL
 * @property {(event: 'url', listener: (event: {url: string}) => void) => unknown} addEventListener
 */

/**
 * @typedef {object} ReactNativeParts
 * @property {LinkingModule} Linking
 * @property {SessionStorage} storage `keychainStorage(Keychain)`, or `AsyncStorage` as it is
 * @property {import('./pkce.js').RandomBytes} random so many random bytes
 * @property {(data: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>} sha256
 * @property {(url: string) => unknown} [openBrowser] in place of `Linking.openURL`
 */

/** @param {ReactNativeParts} parts */
export function reactNative({ Linking, storage, random, sha256, openBrowser = (url) => Linking.openURL(url) }) {
  return {
    /** For `createDaypass`, beside `url`, `app` and `redirectUri`. */
    options: { storage, platform: { navigate: openBrowser, tabStorage: storage, random, sha256 } },
    /**
     * Hears what the system calls the app with. Call it once, when the app starts; `signin` says who is there.
     * @param {import('./called-back.js').Returning} daypass
     * @param {import('./called-back.js').Failing} [onError]
     * @returns {Promise<void>} when a sign-in that the app was started with has ended
     */
    async start(daypass, onError) {
      const arrive = calledBack(daypass, onError);
      Linking.addEventListener('url', ({ url }) => void arrive(url));
      await arrive(await Linking.getInitialURL());
    },
  };
}

/**
 * @typedef {object} KeychainModule `react-native-keychain`, as far as it is used
 * @property {(options: {service: string}) => Promise<false | {password: string}>} getGenericPassword
 * @property {(username: string, password: string, options: {service: string, accessible: any}) => Promise<unknown>} setGenericPassword
 * @property {(options: {service: string}) => Promise<unknown>} resetGenericPassword
 * @property {{AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY: any}} ACCESSIBLE
 */

/**
 * The keychain of iOS, and a file whose key is in Android's: on this device alone, and in the background too.
 * @param {KeychainModule} keychain
 * @returns {SessionStorage}
 */
export function keychainStorage(keychain) {
  const accessible = keychain.ACCESSIBLE.AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY;
  return {
    async getItem(service) {
      const found = await keychain.getGenericPassword({ service });
      return found ? found.password : null;
    },
    setItem: (service, value) => keychain.setGenericPassword('daypass', value, { service, accessible }),
    removeItem: (service) => keychain.resetGenericPassword({ service }),
  };
}
