// @ts-check
/** The parts of a client, each made once and told of the others, and what they hear from the page and from other tabs. */
import { Arrivals } from './arrivals.js';
import { deviceName } from './device.js';
import { Endpoint } from './endpoint.js';
import { late } from './http.js';
import { Keeper } from './keeper.js';
import { Patience } from './patience.js';
import { randomToken } from './pkce.js';
import { browserPlatform, memoryStorage, webStorage } from './platform.js';
import { renewal } from './renewal.js';
import { Shelf } from './shelf.js';
import { watchPage } from './wake.js';

/** @typedef {import('./platform.js').Platform} Platform */
/** @typedef {import('./popup.js').PopupAnswers} PopupAnswers */
/** @typedef {{keeper: Keeper, patience: Patience, popups: () => PopupAnswers | undefined}} Hearing */

/** @param {import('./client.js').DaypassOptions} options @param {import('./events.js').Events} events */
export function assemble({ url, app, redirectUri, storage, device, cookies, dpop, platform: replaced }, events) {
  const platform = { ...browserPlatform(), ...replaced };
  const base = new URL(url).href.replace(/\/+$/, '');
  const name = `daypass:${base}:${app}`;
  const place = storage ?? webStorage('localStorage') ?? memoryStorage();
  const channel = platform.channel?.(name);
  const post = (/** @type {object} */ message) => channel?.postMessage(message);

  const asking = dpop ? { ...platform, fetch: proving(platform, `${name}:key`) } : platform;
  const endpoint = new Endpoint(asking, { base, app, cookies, device: device ?? deviceName(platform.window?.navigator?.userAgent) });
  const patience = new Patience(platform, new URL(base).origin);
  /** @type {PopupAnswers | undefined} */
  let answers;
  const popups = async () => {
    const { PopupAnswers } = await import('./popup.js');
    return (answers ??= new PopupAnswers(platform, base, post));
  };
  const cancel = () => answers?.cancel();
  const tab = platform.tabStorage ?? place;
  const arrivals = new Arrivals({ platform, base, app, redirectUri, name: `${name}:login`, tab, popups, cancel });
  const shelf = new Shelf(place, name, () => randomToken(platform.random));
  const discard = (/** @type {string | undefined} */ token) => void (token && endpoint.revoke(token).catch(() => {}));
  const keeper = new Keeper({ platform, name, shelf, patience, events, post, discard, cookies, renew: renewal(endpoint, platform.now) });
  const stop = listen(platform, name, channel, { keeper, patience, popups: () => answers });
  return { platform, cookies, endpoint, arrivals, keeper, stop };
}

/** Shows with each request that this browser has the key. @param {Platform} platform @param {string} name @returns {import('./http.js').Fetch} */
function proving(platform, name) {
  /** @type {Promise<import('./http.js').Fetch> | undefined} */
  let fetching;
  return async (url, init) => {
    fetching ??= late(import('./dpop.js')).then(({ provingFetch }) => provingFetch(platform, name));
    fetching.catch(() => (fetching = undefined));
    return (await fetching)(url, init);
  };
}

/**
 * @param {Platform} platform
 * @param {string} name of the session in the storage
 * @param {import('./platform.js').Channel | undefined} channel
 * @param {Hearing} hearing
 * @returns {() => void} stops it
 */
function listen({ window }, name, channel, { keeper, patience, popups }) {
  const wake = quietly(() => keeper.wake());
  const look = quietly(() => keeper.look());
  const stopWatching = watchPage(window, { wake, forget: () => keeper.forget(), online: () => (patience.over(), wake()) });
  const hear = (/** @type {MessageEvent} */ event) => popups()?.hear(event);
  const written = (/** @type {StorageEvent} */ { key }) => (key === name || key === null) && look();
  window?.addEventListener('message', hear);
  window?.addEventListener('storage', written);
  if (channel) channel.onmessage = ({ data }) => hearTab(data, keeper, popups());
  return () => {
    stopWatching();
    window?.removeEventListener('message', hear);
    window?.removeEventListener('storage', written);
    popups()?.cancel();
    channel?.close();
  };
}

/** Whoever asks next hears of a failure. @param {() => Promise<void>} work */
const quietly = (work) => () => void work().catch(() => {});

/** @param {Record<string, any> | null} data @param {Keeper} keeper @param {PopupAnswers | undefined} popups */
function hearTab(data, keeper, popups) {
  const message = data ?? {};
  popups?.hearTab(message);
  if (message.type === 'changed' || message.type === 'ended') quietly(() => keeper.hear(message))();
}
