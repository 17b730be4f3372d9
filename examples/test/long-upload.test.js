/**
 * An upload of eight parts whose credentials end in the first four, in both apps: with the clients as they are, the
 * session's credentials as they are issued, and an hour that passes for the server and the page at once.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { startDaypass } from '../../sdk/test/support/daypass.js';
import { withOwnClock } from './an-hour.js';
import { startBuilt, startDev, startExample, stopAll } from './apps.js';

const PART = 5 * 1024 * 1024;
const PARTS = 8;
/** As many as both clients have under way at once. */
const AT_ONCE = 4;

/** The access key that a request is signed with. @param {import('playwright-core').Request} request */
const keyOf = (request) => /Credential=([^/]+)/.exec(request.headers().authorization ?? '')?.[1];

/** The credentials that the browser keeps. */
const keptCredentials = () => JSON.parse(Object.values(localStorage)[0]).secrets.credentials;

for (const { name, start, done } of [
  { name: 'react', start: startBuilt, done: (page) => page.getByRole('listitem').getByText('long.bin') },
  { name: 'amplify', start: startDev, done: (page) => page.getByText('long.bin is in your folder') },
]) describe(name, () => {
  const stops = [];
  let example, hour;

  before(async () => {
    hour = await withOwnClock(startDaypass);
    stops.unshift(hour.stop);
    example = await startExample(name, start, stops, hour.started);
  }, { timeout: 120_000 });
  after(() => stopAll(stops));

  /**
   * Keeps the answers to the first parts back until all of them are there, and has the hour pass before it hands them
   * out, as if the parts had been on their way for so long. What is signed before and after is written down by number of part.
   */
  async function watchParts() {
    const keys = new Map();
    const answered = [];
    let hourIsOver;
    const passed = new Promise((resolve) => (hourIsOver = resolve));
    await example.page.route(/partNumber=/, async (route) => {
      const request = route.request();
      const number = Number(new URL(request.url()).searchParams.get('partNumber'));
      keys.set(number, keyOf(request));
      if (number > AT_ONCE) return route.continue();
      const response = await route.fetch();
      answered.push(response.status());
      if (answered.length === AT_ONCE) hourIsOver(hour.pass(example.page));
      await passed;
      return route.fulfill({ response, headers: { ...response.headers(), date: hour.after() } });
    });
    return { keys, answered };
  }

  /** What the server says to credentials. @param {object} credentials */
  const list = (credentials) => {
    const { region, s3_url: endpoint, bucket: Bucket } = example.ready;
    return new S3Client({ region, endpoint, forcePathStyle: true, credentials }).send(new ListObjectsV2Command({ Bucket }));
  };

  test('an upload in eight parts goes on with other credentials when the first have ended', { timeout: 120_000 }, async () => {
    const { page, origin, signIn, complaints } = example;
    const refreshes = [];
    page.on('request', (request) => request.postData()?.includes('grant_type=refresh_token') && refreshes.push(request.url()));
    await page.clock.install();
    await page.goto(`${origin}/`);
    await signIn();
    const credentials = await page.evaluate(keptCredentials);
    const { keys, answered } = await watchParts();
    await page.setInputFiles('input[type=file]', { name: 'long.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc((PARTS - 1) * PART + 1) });
    await done(page).waitFor({ timeout: 60_000 });

    assert.deepEqual(answered, [200, 200, 200, 200]);
    const numbers = Array.from({ length: PARTS }, (_, index) => index + 1);
    const [first, then] = [numbers.slice(0, AT_ONCE), numbers.slice(AT_ONCE)].map((some) => new Set(some.map((number) => keys.get(number))));
    assert.deepEqual([keys.size, first.size, then.size], [PARTS, 1, 1]);
    assert.notDeepEqual(first, then);
    assert.equal(refreshes.length, 1);
    assert.deepEqual([...first], [credentials.accessKeyId]);
    await assert.rejects(list(credentials), { name: 'ExpiredToken' });
    assert.deepEqual(complaints, []);
  });
});
