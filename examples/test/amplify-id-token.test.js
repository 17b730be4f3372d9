/**
 * Amplify's own provider of an identity pool's credentials, with the ID token that Daypass gives as an OpenID provider.
 * That is what Amplify for Swift and Android call `federateToIdentityPool`; the one for JavaScript has no function of
 * that name any more, and is told of a token by a `tokenProvider`.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { CognitoIdentityClient, DescribeIdentityPoolCommand, UpdateIdentityPoolCommand } from '@aws-sdk/client-cognito-identity';
import { ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Amplify } from 'aws-amplify';
import { decodeJWT, fetchAuthSession } from 'aws-amplify/auth';
import { cognitoCredentialsProvider } from 'aws-amplify/auth/cognito';
import { startDaypass } from '../../sdk/test/support/daypass.js';
import { openBrowser, stopAll } from './apps.js';

const APP = 'files';
/** Nobody is there: the test reads the address. */
const REDIRECT_URI = 'https://app.example.com/signed-in';
const CONFIG = `[[app]]\nid = "${APP}"\norigins = []\nredirect_uris = ["${REDIRECT_URI}"]\n`;

const stops = [];
let ready, page;

before(async () => {
  const daypass = await startDaypass();
  stops.unshift(daypass.stop);
  ready = daypass.ready;
  await trustItself(daypass);
  ({ page } = await openBrowser(ready, stops));
}, { timeout: 60_000 });
after(() => stopAll(stops));

/** Has the installation know itself as an OpenID provider, and its pool trust that. */
async function trustItself({ reread }) {
  const arn = `arn:aws:iam::${ready.account_id}:oidc-provider/${new URL(ready.server_url).host}`;
  await reread(`${CONFIG}[[oidc_provider]]\narn = "${arn}"\nissuer = "${ready.server_url}"\naudiences = ["${APP}"]\n`);
  const { aws_config_file, aws_shared_credentials_file, aws_profile } = ready;
  Object.assign(process.env, { AWS_CONFIG_FILE: aws_config_file, AWS_SHARED_CREDENTIALS_FILE: aws_shared_credentials_file, AWS_PROFILE: aws_profile });
  const cognito = new CognitoIdentityClient({});
  const { $metadata: _, ...pool } = await cognito.send(new DescribeIdentityPoolCommand({ IdentityPoolId: ready.identity_pool_id }));
  await cognito.send(new UpdateIdentityPoolCommand({ ...pool, OpenIdConnectProviderARNs: [arn] }));
}

/** Signs Ada in, in a browser, with the scope `openid`. */
async function idToken() {
  const verifier = randomBytes(32).toString('base64url');
  const request = {
    response_type: 'code', client_id: APP, redirect_uri: REDIRECT_URI, scope: 'openid', provider: 'snapchat',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256',
  };
  const back = page.waitForRequest((request) => request.url().startsWith(REDIRECT_URI));
  await page.route(`${REDIRECT_URI}**`, (route) => route.fulfill({ body: 'Signed in' }));
  await page.goto(`${ready.server_url}/oauth2/authorize?${new URLSearchParams(request)}`);
  await page.click('button[name=decision][value=allow]');
  const code = new URL((await back).url()).searchParams.get('code');
  const form = new URLSearchParams({ grant_type: 'authorization_code', client_id: APP, redirect_uri: REDIRECT_URI, code, code_verifier: verifier });
  const answer = await fetch(`${ready.server_url}/oauth2/token`, { method: 'POST', body: form });
  assert.equal(answer.status, 200);
  return (await answer.json()).id_token;
}

test('Amplify turns the ID token into credentials of the pool, which open one’s own folder', { timeout: 60_000 }, async () => {
  const token = decodeJWT(await idToken());
  const Cognito = { identityPoolId: ready.identity_pool_id, identityPoolEndpoint: ready.server_url };
  const tokenProvider = { getTokens: async () => ({ idToken: token, accessToken: token }) };
  Amplify.configure({ Auth: { Cognito } }, { Auth: { tokenProvider, credentialsProvider: cognitoCredentialsProvider } });
  const { identityId, credentials } = await fetchAuthSession();
  assert.match(identityId, /^us-east-1:/);
  assert.notEqual(identityId, token.payload.sub, 'an OpenID login is somebody else than a developer identity');

  const s3 = new S3Client({ region: ready.region, endpoint: ready.s3_url, forcePathStyle: true, credentials });
  await s3.send(new PutObjectCommand({ Bucket: ready.bucket, Key: `${identityId}/hello.txt`, Body: 'hello' }));
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: ready.bucket, Prefix: `${identityId}/` }));
  assert.deepEqual(Contents.map(({ Key }) => Key), [`${identityId}/hello.txt`]);
});
