// @ts-check
/**
 * An app in a real Chromium, on an origin of its own, and a real `daypass up` that it is registered with. Each test ends
 * by asking that its pages complained of nothing unexpected, and let no secret into an address.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startDaypass } from '../support/daypass.js';
import { startClientApp } from '../support/servers.js';
import { startChromium } from './chromium.js';
import { watch } from './watch.js';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('playwright-core').BrowserContext} BrowserContext */
/** @typedef {{expects?: RegExp, options?: object, sdk?: string, timeout?: number}} Wishes `options` of the client; where the page has its `sdk` from; milliseconds */
/** @typedef {(context: BrowserContext, open: (within?: BrowserContext) => Promise<Page>) => Promise<void>} Body */

/** @type {Awaited<ReturnType<typeof startClientApp>>} */
export let app;
/** @type {Awaited<ReturnType<typeof startDaypass>>} */
export let daypass;
/** @type {Awaited<ReturnType<typeof startChromium>>} */
export let chromium;

/** Starts all three for the tests of a file. @param {(origin: string) => string} [more] of the configuration */
export function withAppAndDaypass(more = () => '') {
  before(async () => {
    app = await startClientApp();
    daypass = await startDaypass(`[[app]]\nid = "web"\norigins = ["${app.origin}"]\nredirect_uris = ["${app.origin}/"]\n${more(app.origin)}`);
    chromium = await startChromium();
  }, { timeout: 60_000 });

  after(async () => {
    await chromium?.close();
    await daypass?.stop();
    await app?.stop();
  });
}

/** @param {string} name @param {Wishes} wishes @param {Body} body */
export function browserTest(name, { expects, options = {}, sdk = '/daypass', timeout = 60_000 }, body) {
  test(name, { timeout }, async () => {
    Object.assign(app.app, { url: daypass.ready.server_url, provider: 'snapchat', options, sdk: sdk.replace('DAYPASS', daypass.ready.server_url) });
    const context = await chromium.newContext();
    context.setDefaultTimeout(15_000);
    /** @type {Awaited<ReturnType<typeof watch>>[]} */
    const watched = [];
    const open = async (within = context) => {
      const page = await within.newPage();
      watched.push(await watch(page));
      await page.goto(`${app.origin}/`);
      await page.locator('#who:not(:empty)').waitFor();
      return page;
    };
    try {
      await body(context, open);
      for (const seen of watched) await assertNothingGotOut(seen, expects);
    } finally {
      await context.close();
    }
  });
}

/** @param {Awaited<ReturnType<typeof watch>>} seen @param {RegExp | undefined} expects */
async function assertNothingGotOut({ complaints, requests, secrets }, expects) {
  assert.deepEqual(complaints.filter((line) => !expects?.test(line)), []);
  for (const secret of await secrets()) {
    for (const { url, referrer } of requests) assert.ok(!decodeURIComponent(url + referrer).includes(secret), 'a secret in an address');
  }
  for (const { url, referrer } of requests.filter(({ url }) => !url.startsWith(daypass.ready.sandbox_url))) {
    assert.doesNotMatch(referrer, /[?&](code|state)=/, `a code in the referrer of ${new URL(url).pathname}`);
  }
}

/** @param {Page} page @param {string} [person] */
export async function consent(page, person = 'ada') {
  await page.waitForURL(`${daypass.ready.sandbox_url}/**`);
  await page.check(`input[name=person][value="${person}"]`);
  await page.click('button[name=decision][value=allow]');
}

/** @param {Page} page @param {string} [person] */
export async function signIn(page, person) {
  await page.evaluate(`daypass.signIn({ provider: 'snapchat' })`);
  await consent(page, person);
  await page.getByText('Signed in as').waitFor();
  assert.equal(page.url(), `${app.origin}/`, 'the code is out of the address');
}

/** @param {Page} page @param {string} expression @returns {Promise<any>} */
export const ask = (page, expression) => page.evaluate(expression);

/** @param {Page} page @param {string} expression */
export const codeOf = (page, expression) => ask(page, `${expression}.then(() => 'fine', ({ code, reason }) => [code, reason].join(' ').trim())`);

/** Writes an object, as a page does that has the rest of the package. */
export const writing = () => `(async () => {
  const { S3Bucket } = await import('/daypass/s3.js');
  const { identityId, region } = await daypass.session();
  const bucket = new S3Bucket({ endpoint: '${daypass.ready.s3_url}', bucket: '${daypass.ready.bucket}', region, credentials: daypass.credentials });
  await bucket.put(identityId + '/note.txt', 'hello', 'text/plain');
  return (await bucket.get(identityId + '/note.txt')).text();
})()`;

/** @param {Page} page */
export const put = (page) => ask(page, writing());
