/** `oidc-client-ts`, as a page has it: its popup is the test's browser, and what it keeps lies in memory. */
import { InMemoryWebStorage, UserManager, WebStorageStateStore } from 'oidc-client-ts';
import { APP, REDIRECT_URI, SCOPE } from './app.js';

/** The client, by the metadata of the server. */
export async function discover(url) {
  const popup = { browse: undefined };
  const users = new UserManager(settings(url), undefined, navigator(popup));
  return {
    async signIn(browse, more) {
      popup.browse = browse;
      return asTokens(await users.signinPopup({ nonce: crypto.randomUUID(), ...more }));
    },
    async refresh({ user }) {
      await users.storeUser(user);
      return asTokens(await users.signinSilent());
    },
    async revoke({ user }) {
      await users.storeUser(user);
      await users.revokeTokens(['refresh_token']);
    },
    /** Otherwise it waits for the token to expire. */
    stop: () => users.removeUser(),
  };
}

function settings(url) {
  const store = () => new WebStorageStateStore({ store: new InMemoryWebStorage() });
  const client = { authority: url, client_id: APP, redirect_uri: REDIRECT_URI, scope: SCOPE };
  return { ...client, userStore: store(), stateStore: store(), automaticSilentRenew: false, filterProtocolClaims: false };
}

/** What opens popups. */
const navigator = (popup) => ({
  prepare: async () => ({ navigate: async ({ url }) => ({ url: (await popup.browse(new URL(url))).href }), close() {} }),
  callback: async () => {},
});

const asTokens = (user) => ({ user, claims: user.profile, refresh_token: user.refresh_token, id_token: user.id_token });
