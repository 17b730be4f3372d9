// @ts-check
/**
 * The key that sessions are bound to: made once in a browser, used by all tabs, and not to be had by any script. It can
 * be kept in IndexedDB, which takes keys as they are.
 */
import { DaypassError } from './errors.js';

/**
 * @typedef {object} ProofKey on the curve P-256
 * @property {JsonWebKey} publicKey
 * @property {(data: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>} sign by ES256: r and s, 64 bytes
 */

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };
const KEYS = 'keys';

/** @param {string} name @returns {Promise<ProofKey>} */
export async function browserKey(name) {
  const { subtle } = globalThis.crypto;
  if (!subtle) throw new DaypassError('insecure_context', 'A key needs a page that came by https, or from localhost');
  const database = await open();
  try {
    const found = await ask(database, 'readonly', (keys) => keys.get(name));
    return keyOf(found ?? (await make(database, name)));
  } finally {
    database.close();
  }
}

/** Another tab may be faster; then its key counts. @param {IDBDatabase} database @param {string} name @returns {Promise<CryptoKeyPair>} */
async function make(database, name) {
  const pair = await globalThis.crypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
  await ask(database, 'readwrite', (keys) => keys.add(pair, name)).catch(() => {});
  return ask(database, 'readonly', (keys) => keys.get(name));
}

/** @param {CryptoKeyPair} pair @returns {Promise<ProofKey>} */
async function keyOf({ privateKey, publicKey }) {
  const { subtle } = globalThis.crypto;
  const sign = async (/** @type {Uint8Array<ArrayBuffer>} */ data) => new Uint8Array(await subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, data));
  return { publicKey: await subtle.exportKey('jwk', publicKey), sign };
}

/** @returns {Promise<IDBDatabase>} */
function open() {
  const request = indexedDB.open('daypass', 1);
  request.onupgradeneeded = () => request.result.createObjectStore(KEYS);
  return answer(request);
}

/**
 * @param {IDBDatabase} database
 * @param {IDBTransactionMode} mode
 * @param {(keys: IDBObjectStore) => IDBRequest<any>} question
 * @returns {Promise<any>}
 */
const ask = (database, mode, question) => answer(question(database.transaction(KEYS, mode).objectStore(KEYS)));

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new DaypassError('no_key', 'This browser keeps no key for this page', { cause: request.error }));
  });
}
