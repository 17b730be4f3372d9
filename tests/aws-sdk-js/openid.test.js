/**
 * Clients of OpenID Connect that others wrote, from the metadata alone, and the AWS SDK with the ID tokens that they got.
 * They sign people in on the pages of Daypass and of the sandbox, which are asked as a browser asks them.
 */
import assert from 'node:assert/strict';
import { randomBytes, webcrypto } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { CognitoIdentityClient, DescribeIdentityPoolCommand, UpdateIdentityPoolCommand } from '@aws-sdk/client-cognito-identity';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { fromCognitoIdentityPool } from '@aws-sdk/credential-provider-cognito-identity';
import { startDaypass } from '../../sdk/test/support/daypass.js';
import { addressAfterLogin, decideForDevice } from './browser.js';
import { useProfile } from './developer.js';
import { APP, REDIRECT_URI } from './openid/app.js';

// Node.js 18 has both, and not yet by their names in browsers.
globalThis.crypto ??= webcrypto;
globalThis.CryptoKey ??= webcrypto.CryptoKey;

const [openidClient, oauth4webapi, oidcClientTs] = await Promise.all(
  ['openid-client', 'oauth4webapi', 'oidc-client-ts'].map((name) => import(`./openid/${name}.js`)),
);
/** `oidc-client-ts` believes whoever answered, knows no token exchange, and keeps keys where only browsers do. */
const CLIENTS = [
  { name: 'openid-client', discover: openidClient.discover, checksIssuer: true, exchanges: true, holdsKeys: true, hasDevices: true },
  { name: 'oauth4webapi', discover: oauth4webapi.discover, checksIssuer: true, exchanges: true, holdsKeys: true },
  { name: 'oidc-client-ts', discover: oidcClientTs.discover },
];

const CONFIG = `[[app]]\nid = "${APP}"\norigins = ["https://app.example.com"]\nredirect_uris = ["${REDIRECT_URI}"]\ndevice_authorization = true\n`;
const TYPE = 'urn:ietf:params:oauth:token-type:';
/** Seconds, twice as many as a proof's clock may be off. */
const FAR_OFF = 600;

const browseAs = (does, change = () => {}) => async (address) => {
  change(address, 'there');
  const back = await addressAfterLogin(address, REDIRECT_URI, does);
  change(back, 'back');
  return back;
};
const asAda = browseAs({ person: 'ada' });

/** Expects an error of OAuth's, as the client tells its app. */
const refused = (attempt, error) => assert.rejects(attempt, (told) => assert.equal(told.error, error, String(told.stack)) ?? true);

/** Expects the client itself not to believe what it was told, because of this. */
const disbelieved = (attempt, why) => assert.rejects(attempt, (told) => assert.match(`${told} ${told.cause}`, why) ?? true);

describe('clients of OpenID Connect', () => {
  let running;
  const url = () => running.ready.server_url;

  before(async () => {
    running = await startDaypass(CONFIG);
  }, { timeout: 60_000 });
  after(() => running?.stop());

  for (const { name, discover, checksIssuer = false, exchanges = false, holdsKeys = false, hasDevices = false } of CLIENTS) {
    describe(name, () => {
      let client;
      before(async () => {
        client = await discover(url());
      });
      after(() => client?.stop?.());

      test('signs somebody in, who chooses a provider, and believes the ID token', async () => {
        const { claims, refresh_token: token } = await client.signIn(asAda);
        assert.deepEqual([claims.iss, claims.aud, claims.idp, claims.name], [url(), APP, 'snapchat', 'Ada']);
        assert.match(claims.sub, /^us-east-1:/);
        assert.match(token, /^dpr_/);
        assert.equal((await client.signIn(asAda)).claims.sub, claims.sub);
        assert.notEqual((await client.signIn(browseAs({ person: 'grace' }))).claims.sub, claims.sub);
      });

      test('goes on, with an ID token each time', async () => {
        const first = await client.signIn(asAda);
        const second = await client.refresh(first);
        assert.notEqual(second.refresh_token, first.refresh_token);
        for (const claim of ['iss', 'aud', 'sub', 'auth_time', 'sid', 'name']) assert.equal(second.claims[claim], first.claims[claim], claim);
        assert.notEqual((await client.refresh(second)).refresh_token, second.refresh_token);
      });

      test('signs out, and goes on no more', async () => {
        const session = await client.signIn(asAda);
        await client.revoke(session);
        await refused(client.refresh(session), 'invalid_grant');
      });

      test('hears that a token was shown that had been replaced, and so does who has the newest', async () => {
        const first = await client.signIn(asAda);
        const newest = await client.refresh(await client.refresh(first));
        await refused(client.refresh(first), 'invalid_grant');
        await refused(client.refresh(newest), 'invalid_grant');
      });

      test('hears at its redirect URI that the person said no', () =>
        refused(client.signIn(browseAs({ person: 'ada', decision: 'deny' })), 'access_denied'));

      test('hears at its redirect URI that nobody is signed in without being asked', () =>
        refused(client.signIn(asAda, { prompt: 'none' }), 'login_required'));

      test('believes no ID token of another login', () =>
        disbelieved(client.signIn(browseAs({}, ({ searchParams }, way) => way === 'there' && searchParams.set('nonce', 'another'))), /nonce/));

      if (checksIssuer) {
        test('believes no answer that another server may have given', async () => {
          const changed = (change) => client.signIn(browseAs({}, ({ searchParams }, way) => way === 'back' && change(searchParams)));
          await disbelieved(changed((answer) => answer.set('iss', 'https://elsewhere.example.com')), /iss/);
          await disbelieved(changed((answer) => answer.delete('iss')), /iss/);
        });
      }

      if (hasDevices) {
        test('signs somebody in on a device without a browser, and goes on', async () => {
          const own = await discover(url());
          const session = await own.signInOnDevice((begun) => decideForDevice(begun, 'allow'));
          assert.deepEqual([session.claims.idp, session.claims.name, session.heard], ['snapchat', 'Ada', ['authorization_pending']]);
          assert.equal((await client.refresh(session)).claims.sid, session.claims.sid);
          await refused((await discover(url())).signInOnDevice((begun) => decideForDevice(begun, 'deny')), 'access_denied');
        });
      }

      if (exchanges) {
        test('exchanges a token of a provider’s, and goes on from there', async () => {
          const subject = { subject_token: await accessToken(running.ready), subject_token_type: `${TYPE}access_token`, subject_issuer: 'snapchat-token' };
          const exchanged = await client.exchange({ ...subject, scope: 'openid' });
          assert.equal(exchanged.issued_token_type, `${TYPE}access_token`);
          assert.equal(exchanged.claims.idp, 'snapchat-token');
          assert.equal((await client.refresh(exchanged)).claims.sub, exchanged.claims.sub);
          await refused(client.exchange({ ...subject, subject_token: 'made-up' }), 'invalid_request');
        });
      }

      if (holdsKeys) {
        test('with a key goes on with one token, which is good for nobody else', async () => {
          const [holder, thief] = [await discover(url(), { dpop: true }), await discover(url(), { dpop: true })];
          const session = await holder.signIn(asAda);
          const again = await holder.refresh(session);
          assert.equal(again.refresh_token, session.refresh_token);
          assert.equal(again.claims.sub, session.claims.sub);
          for (const other of [client, thief]) await refused(other.refresh(session), 'invalid_dpop_proof');
          assert.equal((await holder.refresh(session)).claims.sid, session.claims.sid);
        });

        test('with a key signs out, though these clients send a proof only where tokens are issued', async () => {
          const holder = await discover(url(), { dpop: true });
          const session = await holder.signIn(asAda);
          await holder.revoke(session);
          await refused(holder.refresh(session), 'invalid_grant');
        });

        test('with a key is helped by a nonce if its clock is off', async () => {
          assert.deepEqual(await answersToSignIn(discover, 0), [200]);
          for (const clockSkew of [-FAR_OFF, FAR_OFF]) assert.deepEqual(await answersToSignIn(discover, clockSkew), [400, 200]);
        });
      }
    });
  }

  /** How the token endpoint answered to somebody with a key who signed in. */
  async function answersToSignIn(discover, clockSkew) {
    const client = await discover(url(), { dpop: true, clockSkew });
    const [ask, answers] = [globalThis.fetch, []];
    globalThis.fetch = async (address, options) => {
      const answer = await ask(address, options);
      if (String(address).endsWith('/oauth2/token')) answers.push(answer.status);
      return answer;
    };
    await client.signIn(asAda).finally(() => (globalThis.fetch = ask));
    return answers;
  }

  test('the metadata of an authorization server say the same to one that knows no OpenID', async () => {
    const client = await oauth4webapi.discover(url(), { algorithm: 'oauth2' });
    assert.equal((await client.signIn(asAda)).claims.iss, url());
  });

  test('an ID token is exchanged where its issuer is a provider, which iss tells', async () => {
    await running.reread(CONFIG + providerOfIdTokens(url()));
    for (const { name, discover } of CLIENTS.filter(({ exchanges }) => exchanges)) {
      const client = await discover(url());
      const { claims, id_token: token } = await client.refresh(await client.signIn(asAda));
      const exchanged = await client.exchange({ subject_token: token, subject_token_type: `${TYPE}id_token`, scope: 'openid' });
      assert.deepEqual([exchanged.claims.idp, exchanged.claims.aud], ['itself', APP], name);
      assert.notEqual(exchanged.claims.sub, claims.sub, name);
      await refused(client.exchange({ subject_token: `${token}x`, subject_token_type: `${TYPE}id_token` }), 'invalid_request');
    }
  });

  test('the AWS SDK takes the ID token for a pool that trusts Daypass', async () => {
    await trustItself(running);
    const { claims, id_token: token, access_token: ofPool } = await (await openidClient.discover(url())).signIn(asAda);
    const me = await caller(running.ready, token);
    assert.match(me.arn, /:assumed-role\/authenticated\/CognitoIdentityCredentials$/);
    assert.notEqual(me.identityId, claims.sub, 'an OpenID login is somebody else than a developer identity');
    assert.equal((await caller(running.ready, token)).identityId, me.identityId);
    await assert.rejects(caller(running.ready, ofPool), { name: 'NotAuthorizedException' });
  });
});

/** Who the AWS SDK says that somebody is, by what its pool made of an ID token. */
async function caller(daypass, token) {
  const server = { region: daypass.region, endpoint: daypass.server_url, maxAttempts: 1 };
  const logins = { [new URL(daypass.server_url).host]: token };
  const credentials = await fromCognitoIdentityPool({ identityPoolId: daypass.identity_pool_id, logins, clientConfig: server })();
  const { Arn: arn } = await new STSClient({ ...server, credentials }).send(new GetCallerIdentityCommand({}));
  return { arn, identityId: credentials.identityId };
}

/** Has the installation know itself as an OpenID provider, and its pool trust that. */
async function trustItself({ ready: daypass, reread }) {
  const arn = `arn:aws:iam::${daypass.account_id}:oidc-provider/${new URL(daypass.server_url).host}`;
  await reread(`${CONFIG}[[oidc_provider]]\narn = "${arn}"\nissuer = "${daypass.server_url}"\naudiences = ["${APP}"]\n`);
  useProfile(daypass);
  const cognito = new CognitoIdentityClient({ maxAttempts: 1 });
  const { $metadata: _, ...pool } = await cognito.send(new DescribeIdentityPoolCommand({ IdentityPoolId: daypass.identity_pool_id }));
  await cognito.send(new UpdateIdentityPoolCommand({ ...pool, OpenIdConnectProviderARNs: [arn] }));
}

/** The installation as a provider of ID tokens, for its own people. */
const providerOfIdTokens = (issuer) => `
[[provider]]
id = "itself"
client_id = "${APP}"
name = "Ourselves"
register = "An app."
id_scope = "global"
accept = ["id_token"]
id_token = { issuers = ["${issuer}"], keys = { discovery = "${issuer}" }, subject = { at = "/sub" } }
binding.kind = "id_token"
`;

/** What the provider's own SDK leaves an app with. */
async function accessToken(daypass) {
  const { providers } = await (await fetch(`${daypass.server_url}/v1/providers`)).json();
  const { client_id: client, authorization_endpoint: endpoint, scope } = providers.find(({ id }) => id === 'snapchat-token');
  const redirectUri = `${daypass.server_url}/`;
  const address = new URL(endpoint);
  const request = { response_type: 'token', client_id: client, redirect_uri: redirectUri, scope, state: randomBytes(16).toString('base64url') };
  for (const [name, value] of Object.entries(request)) address.searchParams.set(name, value);
  const back = await addressAfterLogin(address, redirectUri);
  return new URLSearchParams(back.hash.slice(1)).get('access_token');
}
