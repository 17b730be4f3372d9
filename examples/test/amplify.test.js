/** The example of Amplify: Storage, unmodified, with the credentials of a Daypass session and no user pool. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startDev, startExample, stopAll } from './apps.js';

const stops = [];
let example;

before(async () => {
  example = await startExample('amplify', startDev, stops);
}, { timeout: 120_000 });
after(() => stopAll(stops));

/** @param {string} name @param {Buffer} buffer */
async function upload(name, buffer) {
  await example.page.setInputFiles('#file', { name, mimeType: 'application/octet-stream', buffer });
  await example.page.getByText(`${name} is in your folder`).waitFor();
  await example.page.getByRole('listitem').getByText(name).waitFor();
}

test('a person signs in, uploads a small file, and sees it', { timeout: 60_000 }, async () => {
  const { page, origin, signIn } = example;
  // The first visit makes Vite look for what it has to bundle.
  await page.goto(`${origin}/`);
  await signIn();
  await upload('one.bin', Buffer.from('hello'));
});

test('a large one goes in parts', { timeout: 60_000 }, async () => {
  const parts = new Set();
  example.page.on('request', (request) => request.method() === 'PUT' && parts.add(new URL(request.url()).searchParams.get('partNumber')));
  await upload('two.bin', Buffer.alloc(11 * 1024 * 1024));
  assert.deepEqual([...parts].sort(), ['1', '2', '3']);
});

test('after a reload the person is still there, and so are the files', { timeout: 60_000 }, async () => {
  const { page } = example;
  await page.reload();
  await page.getByText('Signed in as Ada').waitFor();
  await page.getByRole('listitem').getByText('two.bin').waitFor();
});

test('whoever signs in next sees nothing of them', { timeout: 60_000 }, async () => {
  const { page, signIn, complaints } = example;
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('Nobody is signed in').waitFor();
  assert.equal(await page.getByRole('listitem').count(), 0);
  await signIn('grace');
  await page.waitForLoadState('networkidle');
  assert.equal(await page.getByRole('listitem').count(), 0);
  assert.deepEqual(complaints, []);
});
