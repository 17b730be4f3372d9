// @ts-check
/** The app of docs/browser.md, as the page says to put it together. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { startDaypass } from '../support/daypass.js';
import { startChromium } from './chromium.js';
import { watch } from './watch.js';

const REPOSITORY = new URL('../../../', import.meta.url);

/** @param {string} path */
function file(path) {
  const of = path === '/' ? 'docs/examples/notes.html' : path.replace('/daypass/', 'sdk/src/');
  return readFile(new URL(of, REPOSITORY), 'utf8');
}

/** A server of files, such as `python3 -m http.server`; `at` says where Daypass is. @param {(text: string) => string} at */
async function startFiles(at) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const type = pathname === '/' ? 'text/html' : 'text/javascript';
    response.writeHead(200, { 'content-type': type }).end(at(await file(pathname)));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the app listens on no port');
  return { server, origin: `http://127.0.0.1:${address.port}` };
}

/** The configuration that the page has, for another port. @param {string} origin */
async function configuration(origin) {
  const page = await readFile(new URL('docs/browser.md', REPOSITORY), 'utf8');
  const [, text] = /```toml\n(.*?)```/s.exec(page) ?? [];
  assert.ok(text);
  return text.replaceAll('http://127.0.0.1:5173', origin);
}

test('a person signs in to the example, saves a note and finds it again', { timeout: 60_000 }, async (t) => {
  let at = (/** @type {string} */ text) => text;
  const { server, origin } = await startFiles((text) => at(text));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const daypass = await startDaypass(await configuration(origin));
  t.after(() => daypass.stop());
  const { server_url, s3_url } = daypass.ready;
  at = (text) => text.replace('http://127.0.0.1:9400', server_url).replace('http://127.0.0.1:9401', s3_url);
  const chromium = await startChromium();
  t.after(() => chromium.close());
  const page = await chromium.newPage();
  const seen = await watch(page);

  await page.goto(`${origin}/`);
  await page.getByRole('button', { name: 'Continue with Snapchat' }).click();
  await page.waitForURL(`${daypass.ready.sandbox_url}/**`);
  await page.click('button[name=decision][value=allow]');
  await page.getByText('Signed in as Ada').waitFor();
  assert.equal(page.url(), `${origin}/`, 'the code is out of the address bar');
  await page.getByRole('button', { name: 'Save a note' }).click();
  await page.getByRole('listitem').waitFor();
  await page.reload();
  await page.getByText('Signed in as Ada').waitFor();
  await page.getByRole('listitem').waitFor();
  assert.equal(await page.getByRole('listitem').count(), 1);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('Nobody is signed in').waitFor();
  assert.equal(await page.getByRole('listitem').count(), 0);
  assert.deepEqual(seen.complaints, []);
});
