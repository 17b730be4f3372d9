/** Guests, once the developer has turned them on. The server is their own, because that changes the pool. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CognitoIdentityClient } from '@aws-sdk/client-cognito-identity';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { startDaypass } from '../../sdk/test/support/daypass.js';
import * as app from './app.js';
import { letGuestsIn, useProfile } from './developer.js';
import { logIn } from './login.js';
import { assertRefused } from './promises.js';

describe('guests of the AWS SDK for JavaScript', () => {
  let running;
  const daypass = () => running.ready;

  before(async () => {
    running = await startDaypass();
    useProfile(daypass());
    await letGuestsIn(new CognitoIdentityClient({ maxAttempts: 1 }), daypass());
    const at = { Bucket: daypass().bucket, Key: 'public/hello.txt' };
    await new S3Client({ maxAttempts: 1, forcePathStyle: true }).send(new PutObjectCommand({ ...at, Body: 'hello, everybody' }));
  }, { timeout: 60_000 });
  after(() => running?.stop());

  test('a guest reads and lists the public folder, and writes nothing there', async () => {
    const attempts = await app.tryFolder({ daypass: daypass(), flow: 'guest', folder: 'public', name: 'hello.txt' });
    assert.deepEqual([attempts.get, attempts.list], [{ done: true }, { done: true }]);
    assertRefused(attempts.put, 'AccessDenied', 403);
  });

  test('a guest reaches nobody’s folder', async () => {
    const ada = await logIn(daypass(), 'ada');
    await app.useOwnFolder({ daypass: daypass(), person: ada, flow: 'enhanced', name: 'diary.txt', text: 'hers' });
    const attempts = await app.tryFolder({ daypass: daypass(), flow: 'guest', folder: ada.identityId, name: 'diary.txt' });
    for (const [what, attempt] of Object.entries(attempts)) assertRefused(attempt, 'AccessDenied', 403, what);
  });
});
