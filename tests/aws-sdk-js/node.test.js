/** The SDK in Node.js: all promises, and what only the holder of the developer key may do. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CognitoIdentityClient, GetOpenIdTokenForDeveloperIdentityCommand } from '@aws-sdk/client-cognito-identity';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { startDaypass } from '../../sdk/test/support/daypass.js';
import * as app from './app.js';
import { useProfile } from './developer.js';
import { logIn } from './login.js';
import { promises } from './promises.js';

describe('AWS SDK for JavaScript in Node.js', () => {
  let running, ada, grace;
  const daypass = () => running.ready;
  const run = (name, input) => app[name](input);

  before(async () => {
    running = await startDaypass();
    useProfile(daypass());
    [ada, grace] = await Promise.all([logIn(daypass(), 'ada'), logIn(daypass(), 'grace')]);
  }, { timeout: 60_000 });
  after(() => running?.stop());

  promises(() => ({ daypass: daypass(), ada, grace, run }));

  test('the developer vouches for a user of their own, who gets a folder', async () => {
    const cognito = new CognitoIdentityClient({ maxAttempts: 1 });
    const vouchFor = (user) =>
      cognito.send(new GetOpenIdTokenForDeveloperIdentityCommand({
        IdentityPoolId: daypass().identity_pool_id,
        Logins: { [daypass().developer_provider]: user },
        TokenDuration: 300,
      }));
    const { IdentityId: identityId, Token: token } = await vouchFor('user 42');
    assert.equal((await vouchFor('user 42')).IdentityId, identityId);
    const person = { identityId, token };
    const used = await app.useOwnFolder({ daypass: daypass(), person, flow: 'enhanced', name: 'a.txt', text: 'hers' });
    assert.equal(used.read, 'hers');
  });

  test('the profile is enough for a client to know who the developer is', async () => {
    const caller = await new STSClient({ maxAttempts: 1 }).send(new GetCallerIdentityCommand({}));
    assert.equal(caller.Account, daypass().account_id);
    assert.ok(caller.Arn.startsWith(`arn:aws:iam::${daypass().account_id}:`), caller.Arn);
  });
});
