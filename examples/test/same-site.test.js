/** The example of cookie mode: `node server.js`, whose page keeps nothing and is signed in all the same. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { createInterface } from 'node:readline';
import { startDaypass } from '../../sdk/test/support/daypass.js';
import { folder, openBrowser, register, stopAll } from './apps.js';

const stops = [];
const answers = [];
let origin, ready, page, complaints, signIn;

before(async () => {
  const daypass = await startDaypass();
  stops.unshift(daypass.stop);
  ready = daypass.ready;
  origin = await startServer();
  await register(daypass, 'same-site', 'http://127.0.0.1:3000', origin);
  ({ page, complaints, signIn } = await openBrowser(ready, stops));
  page.on('response', (response) => response.url().endsWith('/oauth2/token') && response.request().method() === 'POST' && answers.push(response.text()));
}, { timeout: 60_000 });
after(() => stopAll(stops));

/** As its README starts it, with a port that the system chooses. */
async function startServer() {
  const env = { ...process.env, PORT: '0', DAYPASS_URL: ready.server_url, S3_URL: ready.s3_url, BUCKET: ready.bucket };
  const server = spawn(process.execPath, ['server.js'], { cwd: folder('same-site'), env, stdio: ['ignore', 'pipe', 'inherit'] });
  stops.unshift(async () => server.kill());
  const [line] = await once(createInterface(server.stdout), 'line');
  return new URL(line).origin;
}

/** What Daypass keeps in the browser between two pages. */
async function sessionCookies() {
  const cookies = await page.context().cookies(ready.server_url);
  return cookies.filter(({ name }) => name.startsWith('daypass-') || name.startsWith('__Host-daypass-'));
}

test('a person signs in, and no script can read what keeps them signed in', { timeout: 60_000 }, async () => {
  await page.goto(`${origin}/`);
  await page.getByText('Nobody is signed in').waitFor();
  await signIn();
  await page.getByRole('button', { name: 'Save a note' }).click();
  await page.getByRole('listitem').waitFor();

  const [cookie, ...others] = await sessionCookies();
  assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path, others], [true, 'Strict', '/', []]);
  assert.match(cookie.value, /dpr_/);
  assert.equal(await page.evaluate('document.cookie'), '');
  assert.equal(await page.evaluate('localStorage.length + sessionStorage.length'), 0);
  const texts = await Promise.all(answers);
  assert.ok(texts.some((text) => text.includes('"identity_id"')));
  for (const text of texts) assert.doesNotMatch(text, /"refresh_token"|dpr_/);
});

test('a reload signs nobody out', { timeout: 60_000 }, async () => {
  await page.reload();
  await page.getByText('Signed in as Ada').waitFor();
  await page.getByRole('listitem').waitFor();
});

test('a page of another origin, though of the same site, gets nothing by the cookie', { timeout: 60_000 }, async () => {
  const other = await page.context().newPage();
  await other.goto(ready.sandbox_url);
  const asked = other.evaluate(async (url) => {
    const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'notes' });
    const answer = await fetch(`${url}/oauth2/token`, { method: 'POST', credentials: 'include', headers: { 'Daypass-App': 'notes' }, body });
    return answer.text();
  }, ready.server_url);
  await assert.rejects(asked, /Failed to fetch/);
  await other.close();
});

test('whoever signs out leaves no cookie', { timeout: 60_000 }, async () => {
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('Nobody is signed in').waitFor();
  await page.reload();
  await page.getByText('Nobody is signed in').waitFor();
  assert.deepEqual(await sessionCookies(), []);
  // The two visits of nobody.
  assert.deepEqual(complaints.filter((line) => !line.includes('400')), []);
  assert.equal(complaints.length, 2);
});
