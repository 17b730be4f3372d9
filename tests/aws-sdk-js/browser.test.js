/**
 * The SDK bundled for the browser, in a real Chromium, on a page of another origin than all of Daypass, which is
 * told of it: each call is asked for first, and its answer read only as far as the server lets it be. The login
 * itself is made in Node.js, as by an app with a backend.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { startChromium } from '../../sdk/test/browser/chromium.js';
import { startDaypass } from '../../sdk/test/support/daypass.js';
import { logIn } from './login.js';
import { assertRefused, promises } from './promises.js';

/** Packages of the SDK that `app.js` imports. The newest ones stand beside the pinned ones, under other names. */
const PACKAGES = ['client-cognito-identity', 'client-s3', 'client-sts', 'credential-provider-cognito-identity', 'credential-provider-web-identity'];
const NEWEST = Object.fromEntries(PACKAGES.map((name) => [`@aws-sdk/${name}`, `newest-${name}`]));

/** The functions of `app.js` as one script that defines `app`. @param {Record<string, string>} alias */
async function bundle(alias) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('app.js', import.meta.url))],
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'iife',
    globalName: 'app',
    alias,
  });
  return outputFiles[0].text;
}

/** Serves the page and its script on a port of their own. */
async function startSite(script) {
  const page = '<!doctype html><html lang="en"><meta charset="utf-8"><title>An app</title><script src="/app.js"></script></html>';
  const files = { '/': ['text/html; charset=utf-8', page], '/app.js': ['text/javascript; charset=utf-8', script] };
  const site = createServer(({ url }, answer) => {
    const [type, text] = files[url] ?? ['text/plain', ''];
    answer.writeHead(text ? 200 : 404, { 'content-type': type }).end(text);
  });
  await once(site.listen(0, '127.0.0.1'), 'listening');
  const { port } = site.address();
  return { url: `http://127.0.0.1:${port}/`, unregistered: `http://localhost:${port}/`, stop: () => site.close() };
}

/** What tells Daypass of a page. */
const appAt = (url) => `[[app]]\nid = "page"\norigins = ["${new URL(url).origin}"]\nredirect_uris = []\n`;

/** A page, and the preflights that its browser sends. Only the browser's own protocol tells of them. */
async function openPage(chromium, url) {
  const page = await (await chromium.newContext()).newPage();
  const preflights = [];
  const network = await page.context().newCDPSession(page);
  network.on('Network.requestWillBeSent', ({ request: { method, url, headers } }) => {
    if (method === 'OPTIONS') preflights.push({ url, headers: lowerCased(headers) });
  });
  await network.send('Network.enable');
  await page.goto(url);
  return { page, preflights };
}

const lowerCased = (headers) => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

for (const [version, alias] of [['as it is pinned', {}], ['the newest', NEWEST]]) describe(`AWS SDK for JavaScript in a browser, ${version}`, () => {
  let running, chromium, site, opened, ada, grace;
  const daypass = () => running.ready;
  const run = (name, input) => opened.page.evaluate(([name, input]) => app[name](input), [name, input]);

  before(async () => {
    site = await startSite(await bundle(alias));
    [running, chromium] = await Promise.all([startDaypass(appAt(site.url)), startChromium()]);
    [ada, grace] = await Promise.all([logIn(daypass(), 'ada'), logIn(daypass(), 'grace')]);
    opened = await openPage(chromium, site.url);
  }, { timeout: 120_000 });
  after(async () => {
    await chromium?.close();
    site?.stop();
    await running?.stop();
  });

  promises(() => ({ daypass: daypass(), ada, grace, run }));

  test('each call was asked for first, with the headers that the SDK adds', async () => {
    const { page, preflights } = await openPage(chromium, site.url);
    await page.evaluate(([name, input]) => app[name](input), ['whoAmI', { daypass: daypass(), person: ada, flow: 'enhanced' }]);
    await page.context().close();
    const asked = preflights.filter(({ url }) => url === `${daypass().server_url}/`);
    assert.ok(asked.length > 0, 'no preflight was sent');
    const headers = new Set(asked.flatMap((preflight) => preflight.headers['access-control-request-headers'].split(',')));
    const own = ['amz-sdk-invocation-id', 'amz-sdk-request', 'content-type', 'x-amz-user-agent'];
    const signed = ['authorization', 'x-amz-date', 'x-amz-security-token'];
    for (const header of [...own, ...signed, 'x-amz-target']) assert.ok(headers.has(header), `${header}: ${[...headers]}`);
    assert.deepEqual(new Set(asked.map((preflight) => preflight.headers.origin)), new Set([new URL(site.url).origin]));
  });

  test('S3 answers the page of no app that is not registered', async () => {
    const { page } = await openPage(chromium, site.unregistered);
    const input = { daypass: daypass(), person: ada, flow: 'enhanced' };
    const ask = (name, more) => page.evaluate(([name, input]) => app[name](input), [name, { ...input, ...more }]);
    assert.equal((await ask('whoAmI')).identityId, ada.identityId);
    const refused = await ask('readObject', { key: `${ada.identityId}/nothing.txt` });
    assert.deepEqual([refused.done, refused.name], [false, 'TypeError'], refused.message);
    await page.context().close();
  });

  test('what one person read is not kept by the browser for the next', async () => {
    const key = `${grace.identityId}/diary.txt`;
    await run('useOwnFolder', { daypass: daypass(), person: grace, flow: 'enhanced', name: 'diary.txt', text: 'hers' });
    // A browser that is told nothing keeps an answer for a tenth of the age of what is in it.
    const told = [];
    const note = (answer) => {
      if (answer.request().method() === 'GET' && answer.url().startsWith(daypass().s3_url)) told.push(answer.headers()['cache-control']);
    };
    opened.page.on('response', note);
    assert.deepEqual(await run('readObject', { daypass: daypass(), person: grace, flow: 'enhanced', key }), { done: true });
    assertRefused(await run('readObject', { daypass: daypass(), person: ada, flow: 'enhanced', key }), 'AccessDenied', 403);
    opened.page.off('response', note);
    assert.deepEqual(told, ['no-store', 'no-store']);
  });

  test('the page reads the headers of an error', async () => {
    const headers = await opened.page.evaluate(async ({ server_url: url, identity_pool_id: pool }) => {
      const { headers } = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AWSCognitoIdentityService.GetId' },
        body: JSON.stringify({ IdentityPoolId: pool }),
      });
      return Object.fromEntries(headers);
    }, daypass());
    assert.equal(headers['x-amzn-errortype'], 'NotAuthorizedException:');
    assert.equal(headers['x-amzn-errormessage'], 'Unauthenticated access is not supported for this identity pool.');
    assert.ok(headers['x-amzn-requestid']);
    assert.ok(!Number.isNaN(Date.parse(headers.date)), headers.date);
  });
});
