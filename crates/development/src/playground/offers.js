// @ts-check
/** What people may sign in with, and what else they may link: a button for each provider, drawn by the SDK. */
import { mountButton } from '/playground/sdk/button.js';
import { byId, make, message } from './dom.js';
import { explain } from './plain-words.js';

/** @typedef {import('/playground/sdk/index.js').Daypass} Daypass */
/** @typedef {{id: string, name: string, login_url?: string, hidden?: boolean, authorization_endpoint?: string}} Listed */
/** @typedef {{id: string, name: string, isSandbox: boolean}} Offer */

/** @type {Offer[]} */
let offers = [];
let takesGuests = false;

/** @param {{providers: Listed[], guests?: boolean}} listing @param {string} sandbox */
export function setOffers({ providers, guests = false }, sandbox) {
  const offered = providers.filter(({ login_url: url, hidden }) => url && !hidden);
  offers = offered.map(({ id, name, authorization_endpoint: at = '' }) => ({ id, name, isSandbox: at.startsWith(`${sandbox}/`) }));
  // What everybody can try at once comes first.
  offers.sort((a, b) => Number(b.isSandbox) - Number(a.isSandbox));
  takesGuests = guests;
}

/** What people call a provider. @param {string | undefined} id */
export const nameOf = (id) => offers.find((offer) => offer.id === id)?.name ?? id ?? '';

/** @param {Daypass} daypass @param {(error: unknown) => void} onError */
export function offerSignIn(daypass, onError) {
  byId('providers').replaceChildren(...offers.map((offer) => button(offer, { daypass, onError })));
  if (offers.length === 0) byId('providers').append(message('bad', 'No provider accepts a login from a page'));
  byId('of-sandbox').hidden = !offers.some(({ isSandbox }) => isSandbox);
  byId('of-others').hidden = offers.every(({ isSandbox }) => isSandbox);
  byId('guest-place').hidden = !takesGuests;
  byId('no-guests').hidden = takesGuests;
}

/** In windows of their own, so that this page stays as it is. @param {Daypass} daypass */
export function offerLinks(daypass) {
  const say = (/** @type {Node} */ node) => byId('link-result').replaceChildren(node);
  const onError = (/** @type {unknown} */ error) => say(explain(error));
  byId('link-buttons').replaceChildren(...offers.map((offer) => {
    const link = async () => {
      const session = await daypass.link(offer.id, { via: 'popup' });
      say(message('good', `${offer.name} is linked`, make('p', {}, 'Both logins lead to this identity now. Sign out and in with the other one to see it.')));
      return session;
    };
    return button(offer, { daypass: { signIn: link }, onError, via: 'popup', label: `Link ${called(offer)}` });
  }));
}

/** @param {Offer} offer */
const called = ({ name, isSandbox }) => (isSandbox ? `${name} (sandbox)` : name);

/** @param {Offer} offer @param {Omit<import('/playground/sdk/button.js').ButtonOptions, 'provider'>} options */
function button(offer, options) {
  const place = make('div', {});
  const theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  mountButton(place, { theme, provider: offer.id, name: called(offer), ...options });
  return place;
}
