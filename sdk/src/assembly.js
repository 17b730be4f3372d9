// @ts-check
/** The parts of a client, each made once and told of the others, and what they hear from the page and from other tabs. */
import { Arrivals } from './arrivals.js';
import { deviceName } from './device.js';
import { Endpoint } from './endpoint.js';
import { Keeper } from './keeper.js';
import { Patience } from './patience.js';
import { randomToken } from './pkce.js';
import { browserPlatform, memoryStorage, webStorage } from './platform.js';
import { PopupAnswers } from './popup.js';
import { renewal } from './renewal.js';
import { Shelf } from './shelf.js';
import { watchPage } from './wake.js';

/** @typedef {import('./platform.js').Platform} Platform */
/** @typedef {{keeper: Keeper, patience: Patience, popups: PopupAnswers}} Hearing */

/** @param {import('./client.js').DaypassOptions} options @param {import('./events.js').Events} events */
export function assemble({ url, app, redirectUri, storage, identityPoolId, device, platform: replaced }, events) {
  const platform = { ...browserPlatform(), ...replaced };
  const base = new URL(url).href.replace(/\/+$/, '');
  const name = `daypass:${base}:${app}`;
  const place = storage ?? webStorage('localStorage') ?? memoryStorage();
  const channel = platform.channel?.(name);
  const post = (/** @type {object} */ message) => channel?.postMessage(message);

  const endpoint = new Endpoint(platform, { base, app, device: device ?? deviceName(platform.window?.navigator?.userAgent) });
  const patience = new Patience(platform, new URL(base).origin);
  const popups = new PopupAnswers(platform, base, post);
  const arrivals = new Arrivals({ platform, base, app, redirectUri, name: `${name}:login`, tab: platform.tabStorage ?? place, popups });
  const shelf = new Shelf(place, name, () => randomToken(platform.random));
  const discard = (/** @type {string | undefined} */ token) => void (token && endpoint.revoke(token).catch(() => {}));
  const keeper = new Keeper({ platform, name, shelf, patience, events, post, discard, renew: renewal(endpoint, platform.now) });
  const stop = listen(platform, name, channel, { keeper, patience, popups });
  return { platform, identityPoolId, endpoint, arrivals, keeper, stop };
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
  const hear = (/** @type {MessageEvent} */ event) => popups.hear(event);
  const written = (/** @type {StorageEvent} */ { key }) => (key === name || key === null) && look();
  window?.addEventListener('message', hear);
  window?.addEventListener('storage', written);
  if (channel) channel.onmessage = ({ data }) => hearTab(data, keeper, popups);
  return () => {
    stopWatching();
    window?.removeEventListener('message', hear);
    window?.removeEventListener('storage', written);
    popups.cancel();
    channel?.close();
  };
}

/** Whoever asks next hears of a failure. @param {() => Promise<void>} work */
const quietly = (work) => () => void work().catch(() => {});

/** @param {Record<string, any> | null} data @param {Keeper} keeper @param {PopupAnswers} popups */
function hearTab(data, keeper, popups) {
  const message = data ?? {};
  popups.hearTab(message);
  if (message.type === 'changed' || message.type === 'ended') quietly(() => keeper.hear(message))();
}
