// @ts-check
/**
 * What not every app has, in a real Chromium against a real `daypass up`: logins that are linked, sessions in a cookie, sessions
 * that are bound to a key, and the SDK from Daypass itself.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe } from 'node:test';
import { SDK } from '../support/api.js';
import { app, ask, browserTest, codeOf, consent, daypass, put, signIn, withAppAndDaypass } from './app-and-daypass.js';
import { untilClosed } from './popup.js';

/** @typedef {import('playwright-core').Page} Page */

const { version } = JSON.parse(await readFile(`${SDK}/package.json`, 'utf8'));

/** A second app of the same page, whose session is in a cookie. @param {string} origin */
const cookieApp = (origin) => `[[app]]\nid = "cookie"\norigins = ["${origin}"]\nredirect_uris = ["${origin}/"]\nsession_cookie = true\n`;

/** @param {Page} page */
const identityId = async (page) => (await ask(page, 'daypass.session()')).identityId;

/** A page asks whose cookie there is, and hears that there is none. */
const NOBODY = /status of 400/;

/** What a thief of the storage could do with it. @param {string} text @param {string} client */
async function refresh(text, client) {
  const answer = await fetch(`${daypass.ready.server_url}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'refresh_token', client_id: client, refresh_token: JSON.parse(text).secrets.refreshToken ?? '' }),
  });
  return { status: answer.status, code: (await answer.json()).code };
}

/** @param {Page} page @returns {Promise<string>} */
const stored = (page) => ask(page, 'Object.values(localStorage).join()');

describe('further ways of the client', () => {
  withAppAndDaypass(cookieApp);

  browserTest('a second login is linked by redirect, and signs in to the same identity', {}, async (_, open) => {
    const page = await open();
    await signIn(page, 'ada');
    const ada = await identityId(page);
    await ask(page, `daypass.link('snapchat')`);
    await consent(page, 'grace');
    await page.getByText('Signed in as Ada').waitFor();
    assert.equal(page.url(), `${app.origin}/`);
    assert.equal(await put(page), 'hello');
    assert.deepEqual(await ask(page, 'events'), [], 'nobody has signed in anew');
    await ask(page, 'daypass.signOut()');
    await signIn(page, 'grace');
    assert.equal(await identityId(page), ada);
  });

  browserTest('a second login is linked by a window, and whose it was goes on there', {}, async (context, open) => {
    const page = await open();
    await signIn(page, 'alan');
    const other = await open();
    await other.evaluate('daypass.dispose()');
    const alan = await identityId(page);
    const opened = context.waitForEvent('page');
    await page.evaluate(`document.getElementById('popup').onclick = () => daypass.link('snapchat', { via: 'popup' }).then(() => (window.linked = true))`);
    await page.click('#popup');
    const popup = await opened;
    await untilClosed(popup, () => consent(popup, 'zoe'));
    await page.waitForFunction('window.linked');
    assert.equal(await identityId(page), alan);
    assert.equal(await put(page), 'hello');
    await signIn(page, 'zoe');
    assert.equal(await identityId(page), alan);
  });

  browserTest('who says no links nothing', { expects: /status of 403/ }, async (_, open) => {
    const page = await open();
    await signIn(page, 'ada');
    const ada = await identityId(page);
    await ask(page, `daypass.link('snapchat')`);
    await page.waitForURL(`${daypass.ready.sandbox_url}/**`);
    await page.click('button[name=decision][value=deny]');
    await page.getByRole('link', { name: /^Back to / }).click();
    await page.getByText('Refused: access_denied').waitFor();
    assert.equal(await identityId(page), ada);
    assert.equal(await put(page), 'hello');
  });

  browserTest('a session in a cookie is read by no script, and survives reload and empty storage', { expects: NOBODY, options: { app: 'cookie', cookies: true } }, async (_, open) => {
    const page = await open();
    await signIn(page, 'ada');
    assert.equal(await put(page), 'hello');
    const everything = `${await stored(page)} ${await ask(page, 'document.cookie')}`;
    assert.doesNotMatch(everything, /dpr_/);
    await page.reload();
    await page.getByText('Signed in as Ada').waitFor();
    const { accessKeyId } = await ask(page, 'daypass.credentials()');
    assert.notEqual((await ask(page, 'daypass.credentials({ forceRefresh: true })')).accessKeyId, accessKeyId);
    await ask(page, 'localStorage.clear()');
    await page.reload();
    await page.getByText('Signed in as Ada').waitFor();
    assert.equal(await put(page), 'hello');
  });

  browserTest('with a cookie, tabs take turns, devices are seen, and another login is linked', { expects: NOBODY, options: { app: 'cookie', cookies: true } }, async (_, open) => {
    const [one, two] = [await open(), await open()];
    await signIn(one, 'ada');
    await two.getByText('Signed in as Ada').waitFor();
    await Promise.all([one, two].map((page) => ask(page, 'daypass.credentials({ forceRefresh: true })')));
    for (const page of [one, two]) {
      assert.ok(!(await ask(page, 'events')).includes('signout'));
      assert.equal((await ask(page, 'daypass.sessions()')).filter((/** @type {any} */ { current }) => current).length, 1);
    }
    const ada = await identityId(one);
    await ask(one, `daypass.link('snapchat')`);
    await consent(one, 'grace');
    await one.getByText('Signed in as Ada').waitFor();
    await signIn(one, 'grace');
    assert.equal(await identityId(one), ada);
  });

  browserTest('with a cookie, the next person finds nothing of the one before, in every tab', { expects: /status of 40[01]/, options: { app: 'cookie', cookies: true } }, async (_, open) => {
    const [one, two] = [await open(), await open()];
    await signIn(one, 'ada');
    await two.getByText('Signed in as Ada').waitFor();
    const ada = await identityId(one);
    await signIn(two, 'alan');
    await one.getByText('Signed in as Alan').waitFor();
    assert.notEqual(await identityId(one), ada);
    assert.ok(!(await stored(one)).includes(ada));
    await ask(two, 'daypass.signOut()');
    await one.getByText('Nobody is signed in').waitFor();
    assert.equal(await codeOf(one, 'daypass.credentials()'), 'signed_out signed_out');
    await one.reload();
    await one.getByText('Nobody is signed in').waitFor();
  });

  browserTest('a session that is bound to a key is of no use without it', { expects: /status of 400/, options: { dpop: true } }, async (_, open) => {
    const page = await open();
    await signIn(page, 'ada');
    assert.equal(await put(page), 'hello');
    assert.deepEqual(await refresh(await stored(page), 'web'), { status: 400, code: 'invalid_dpop_proof' });
    await page.reload();
    await page.getByText('Signed in as Ada').waitFor();
    const two = await open();
    await Promise.all([page, two].map((tab) => ask(tab, 'daypass.credentials({ forceRefresh: true })')));
    assert.equal((await ask(two, 'daypass.sessions()')).filter((/** @type {any} */ { current }) => current).length, 1);
    await ask(page, `daypass.link('snapchat')`);
    await consent(page, 'grace');
    await page.getByText('Signed in as Ada').waitFor();

    const pair = `new Promise((resolve) => { const opening = indexedDB.open('daypass'); opening.onsuccess = () => {
      const all = opening.result.transaction('keys').objectStore('keys').getAll(); all.onsuccess = () => resolve(all.result); }; })`;
    assert.equal(await ask(page, `${pair}.then((keys) => keys.length)`), 1, 'one key for all tabs');
    assert.equal(await ask(page, `${pair}.then(([{ privateKey }]) => crypto.subtle.exportKey('jwk', privateKey)).catch(({ name }) => name)`), 'InvalidAccessError');

    await two.close();
    await ask(page, `new Promise((resolve) => { const gone = indexedDB.deleteDatabase('daypass'); gone.onsuccess = resolve; gone.onblocked = resolve; })`);
    await page.reload();
    await page.getByText('Signed in as Ada').waitFor();
    assert.equal(await codeOf(page, 'daypass.credentials({ forceRefresh: true })'), 'signed_out key_lost');
    await page.getByText('Nobody is signed in').waitFor();
  });

  browserTest('a device whose clock is an hour off keeps a session that is bound to a key', { expects: /status of 400/, options: { dpop: true } }, async (context, open) => {
    await context.addInitScript(`const now = Date.now; Date.now = () => now() + 3_600_000`);
    const page = await open();
    await signIn(page, 'ada');
    await ask(page, 'daypass.credentials({ forceRefresh: true })');
  });

  browserTest('a part of the SDK that does not come is told, and comes the next time', { expects: /ERR_FAILED|status of 40\d/, options: { dpop: true } }, async (context, open) => {
    const page = await open();
    const parts = /\/(guest|dpop|xml)\.js$/;
    await context.route(parts, (route) => route.abort());
    const plain = `import('/daypass/xml.js').then(() => 'fine', () => 'not there')`;
    assert.equal(await ask(page, plain), 'not there');
    const hand = `daypass.handOver({ provider: 'snapchat', accessToken: 'made-up' })`;
    assert.equal(await codeOf(page, 'daypass.guest()'), 'network');
    assert.equal(await codeOf(page, hand), 'network');
    await context.unroute(parts);
    // Chromium up to 148, at least, keeps what did not come for as long as the page is there.
    if (await ask(page, plain) !== 'fine') await page.reload();
    assert.equal(await codeOf(page, 'daypass.guest()'), 'no_guests');
    assert.equal(await codeOf(page, hand), 'unbound_access_token');
  });

  browserTest('a page of another origin imports the SDK from Daypass, with its parts', { sdk: `DAYPASS/sdk/${version}` }, async (_, open) => {
    const page = await open();
    const opened = page.waitForEvent('popup');
    await page.click('#popup');
    const popup = await opened;
    await untilClosed(popup, () => consent(popup, 'ada'));
    await page.getByText('Signed in as Ada').waitFor();
    const loaded = await ask(page, `performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => name.endsWith('.js'))`);
    const folder = `${daypass.ready.server_url}/sdk/${version}/`;
    assert.ok(loaded.includes(`${folder}index.js`) && loaded.includes(`${folder}popup.js`), loaded.join());
    assert.deepEqual(loaded.filter((/** @type {string} */ name) => !name.startsWith(folder)), []);
    assert.notEqual(new URL(folder).origin, app.origin);
    assert.deepEqual(loaded.filter((/** @type {string} */ name) => /dpop|link|guest|s3|button/.test(name)), [], 'nothing that this page has no use for');
  });
});
