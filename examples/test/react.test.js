/** The example of React: an upload in parts, whose progress is seen, in one's own folder. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startBuilt, startExample, stopAll } from './apps.js';

const MB = 1024 * 1024;
const stops = [];
let example;

before(async () => {
  example = await startExample('react', startBuilt, stops);
}, { timeout: 120_000 });
after(() => stopAll(stops));

/** Writes down whatever the bar shows. */
function watchProgress() {
  const seen = (window.seen = []);
  new MutationObserver(() => {
    const bar = document.querySelector('progress');
    if (bar) seen.push(bar.value);
  }).observe(document, { subtree: true, childList: true, attributes: true });
}

test('a person signs in, and sees an upload in parts grow', { timeout: 60_000 }, async () => {
  const { page, origin, signIn } = example;
  const parts = [];
  page.on('request', (request) => request.url().includes('partNumber=') && request.method() === 'PUT' && parts.push(request.url()));
  await page.goto(`${origin}/`);
  await signIn();
  assert.equal(page.url(), `${origin}/`, 'the code is out of the address');
  await page.evaluate(watchProgress);
  // The last part waits until the bar has shown the ones before.
  await page.route(/partNumber=3/, async (route) => {
    await page.waitForFunction('window.seen.some((value) => value > 0)');
    await route.continue();
  });
  await page.setInputFiles('input[type=file]', { name: 'one.mp4', mimeType: 'video/mp4', buffer: Buffer.alloc(12 * MB) });
  await page.getByRole('listitem').getByText('one.mp4').waitFor();
  assert.equal(parts.length, 3);
  const seen = await page.evaluate('window.seen');
  assert.equal(seen.at(-1), 1);
  assert.ok(seen.some((value) => value > 0 && value < 1), String(seen));
  assert.deepEqual(seen, [...seen].sort((one, other) => one - other), 'it only grows');
});

test('after a reload the person is still there, and so is the video', { timeout: 60_000 }, async () => {
  await example.page.reload();
  await example.page.getByText('Signed in as Ada').waitFor();
  await example.page.getByRole('listitem').getByText('one.mp4').waitFor();
});

test('whoever signs in next sees nothing of it', { timeout: 60_000 }, async () => {
  const { page, signIn, complaints } = example;
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  assert.equal(await page.getByText('one.mp4').count(), 0);
  await signIn('grace');
  await page.getByText('Signed in as Grace').waitFor();
  await page.waitForLoadState('networkidle');
  assert.equal(await page.getByText('one.mp4').count(), 0);
  assert.deepEqual(complaints, []);
});
