/**
 * The page of docs/browser.md, as it stands there: bundled with the AWS SDK as it is pinned and with the newest, in a
 * real Chromium in front of a real `daypass up`.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { startChromium } from '../../sdk/test/browser/chromium.js';
import { startDaypass } from '../../sdk/test/support/daypass.js';

const SDK = fileURLToPath(new URL('../../sdk/src/index.js', import.meta.url));
const HERE = fileURLToPath(new URL('.', import.meta.url));

/** The page's blocks of code, the first of each language. */
async function blocks() {
  const page = await readFile(new URL('../../docs/browser.md', import.meta.url), 'utf8');
  return Object.fromEntries([...page.matchAll(/```(\w+)\n(.*?)```/gs)].reverse().map(([, language, text]) => [language, text]));
}

/** @param {string} contents @param {Record<string, string>} alias */
async function bundle(contents, alias) {
  const stdin = { contents, resolveDir: HERE };
  const { outputFiles } = await build({ stdin, bundle: true, write: false, format: 'esm', target: 'es2022', platform: 'browser', alias: { '@daypass/browser': SDK, ...alias } });
  return outputFiles[0].text;
}

/** Makes what the browser keeps an hour older. */
function anHourLater() {
  const [[name, text]] = Object.entries(localStorage);
  const kept = JSON.parse(text);
  localStorage.setItem(name, JSON.stringify({ ...kept, receivedAt: kept.receivedAt - 3_601_000 }));
}

/** A site whose files may be put there later. */
async function startSite() {
  const files = new Map();
  const server = createServer(({ url }, answer) => {
    const { pathname } = new URL(url, 'http://site.test');
    const type = pathname === '/' ? 'text/html; charset=utf-8' : 'text/javascript; charset=utf-8';
    answer.writeHead(files.has(pathname) ? 200 : 404, { 'content-type': type }).end(files.get(pathname));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { files, origin: `http://127.0.0.1:${server.address().port}`, stop: () => (server.closeAllConnections(), server.close()) };
}

for (const [version, alias] of [['as it is pinned', {}], ['the newest', { '@aws-sdk/client-s3': 'newest-client-s3' }]]) describe(`docs/browser.md with the AWS SDK, ${version}`, () => {
  let running, chromium, site, page;
  const refreshes = [];

  before(async () => {
    site = await startSite();
    const { toml, html, js } = await blocks();
    running = await startDaypass(toml.replaceAll('http://127.0.0.1:5173', site.origin));
    const { server_url, s3_url } = running.ready;
    site.files.set('/', html);
    site.files.set('/main.js', await bundle(js.replace('http://127.0.0.1:9400', server_url).replace('http://127.0.0.1:9401', s3_url), alias));
    chromium = await startChromium();
    page = await chromium.newPage();
    page.setDefaultTimeout(15_000);
    page.on('request', (request) => {
      if (request.postData()?.includes('grant_type=refresh_token')) refreshes.push(request.url());
    });
  }, { timeout: 120_000 });
  after(async () => {
    await chromium?.close();
    site?.stop();
    await running?.stop();
  });

  /** @param {string} name */
  async function upload(name) {
    await page.setInputFiles('#file', { name, mimeType: 'text/plain', buffer: Buffer.from('hello') });
    await page.getByText(`${name} is in your folder`).waitFor();
  }

  test('a person signs in and uploads a file', { timeout: 60_000 }, async () => {
    await page.goto(`${site.origin}/`);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: /Snapchat/ }).first().click();
    await page.waitForURL(`${running.ready.sandbox_url}/**`);
    await page.click('button[name=decision][value=allow]');
    await page.getByText('Signed in as Ada').waitFor();
    await upload('one.txt');
  });

  test('a reload asks nobody to sign in', { timeout: 60_000 }, async () => {
    await page.reload();
    await page.getByText('Signed in as Ada').waitFor();
    await upload('two.txt');
    assert.deepEqual(refreshes, []);
  });

  test('when the keys have ended there are others, by one refresh', { timeout: 60_000 }, async () => {
    await page.evaluate(anHourLater);
    await page.reload();
    await page.getByText('Signed in as Ada').waitFor();
    await upload('three.txt');
    await upload('four.txt');
    assert.equal(refreshes.length, 1);
  });

  test('whoever signs out can upload no more', { timeout: 60_000 }, async () => {
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('Nobody is signed in').waitFor();
    assert.equal(await page.locator('#file').isDisabled(), true);
    assert.equal(await page.evaluate('localStorage.length'), 0);
  });
});
