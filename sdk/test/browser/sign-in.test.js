// @ts-check
/**
 * The hosted sign-in in a real Chromium: from an app to the page with the providers, to the sandbox, and back to
 * the app with a code, by a redirect and by a popup.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe } from 'node:test';
import { startApp } from '../support/app.js';
import { startDaypass } from '../support/daypass.js';
import { assertAxeFindsNothing, controls, faintTexts, headingLevels } from './accessibility.js';
import { startChromium } from './chromium.js';
import { pageTests } from './page-test.js';
import { untilClosed } from './popup.js';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {Awaited<ReturnType<typeof startApp>>} App */

/** @type {App} */
let app;
/** @type {App} */
let stranger;
/** @type {Awaited<ReturnType<typeof startDaypass>>} */
let daypass;
/** @type {Awaited<ReturnType<typeof startChromium>>} */
let chromium;

const pageTest = pageTests({
  chromium: () => chromium,
  secrets: /[?&](code|state)=/,
  after: async (page) => {
    if (page.url().startsWith(daypass.ready.server_url)) assert.equal(await page.locator('img').count(), 0);
  },
});

const codeVerifier = randomBytes(32).toString('base64url');

/** Where an app sends its people. @param {string} path @param {Record<string, string>} [more] */
function loginUrl(path, more = {}) {
  const query = new URLSearchParams({
    app: 'shop',
    redirect_uri: app.redirectUri,
    state: 'the app’s own',
    code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    ...more,
  });
  return `${daypass.ready.server_url}${path}?${query}`;
}

/** @param {string} code */
async function exchange(code) {
  const answer = await fetch(`${daypass.ready.server_url}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code', code, client_id: 'shop', redirect_uri: app.redirectUri, code_verifier: codeVerifier,
    }),
  });
  return { status: answer.status, body: await answer.json() };
}

/** @param {Page} page @param {'allow' | 'deny'} decision */
async function consent(page, decision) {
  await page.waitForURL(`${daypass.ready.sandbox_url}/**`);
  await page.click(`button[name=decision][value=${decision}]`);
}

/** Opens a popup from a page of an app. @param {Page} page @param {App} from */
async function openPopup(page, from) {
  await page.goto(`${from.origin}/`);
  const popup = page.waitForEvent('popup');
  await page.evaluate((url) => {
    window.open(url, 'login', 'width=480,height=640');
  }, loginUrl('/login/snapchat', { response_mode: 'web_message' }));
  return popup;
}

/** @param {Page} page @returns {Promise<{origin: string, data: any}[]>} */
const messages = (page) => page.evaluate('messages');

/** The message that the page gets next. @param {Page} page @returns {Promise<{origin: string, data: any}>} */
async function message(page) {
  await page.waitForFunction('messages.length > 0');
  return page.evaluate('messages[0]');
}

describe('hosted sign-in', () => {
  before(async () => {
    [app, stranger] = [await startApp(), await startApp()];
    daypass = await startDaypass(
      `[[app]]\nid = "shop"\norigins = ["${app.origin}"]\nredirect_uris = ["${app.redirectUri}"]\n`,
    );
    chromium = await startChromium();
  }, { timeout: 60_000 });

  after(async () => {
    await chromium?.close();
    await daypass?.stop();
    await Promise.all([app?.stop(), stranger?.stop()]);
  });

  pageTest('a person comes back to the app with a code that is worth a token once', {}, async (page) => {
    await page.goto(loginUrl('/login'));
    await page.getByRole('link', { name: 'Continue with Snapchat', exact: true }).click();
    await consent(page, 'allow');
    await page.waitForURL(`${app.redirectUri}?**`);
    const query = new URL(page.url()).searchParams;
    assert.equal(query.get('state'), 'the app’s own');
    assert.equal(query.get('iss'), daypass.ready.server_url);
    const code = query.get('code') ?? '';
    const { status, body } = await exchange(code);
    assert.equal(status, 200);
    assert.equal(body.user.name, 'Ada');
    assert.match(body.identity_id, /^us-east-1:[0-9a-f-]{36}$/);
    assert.equal((await exchange(code)).body.error, 'invalid_grant');
    assert.deepEqual(await page.context().cookies(), []);
  });

  pageTest('a popup gives its code to the app that opened it, and closes', {}, async (page) => {
    const popup = await openPopup(page, app);
    await untilClosed(popup, () => consent(popup, 'allow'));
    const { origin, data } = await message(page);
    assert.equal(origin, daypass.ready.server_url);
    assert.equal(data.type, 'authorization_response');
    assert.equal(data.response.state, 'the app’s own');
    assert.equal((await exchange(data.response.code)).status, 200);
  });

  // Its console says that the message was not delivered, which is the point.
  pageTest('a popup that somebody else opened gives them nothing', { expects: /does not match the recipient/ }, async (page) => {
    const popup = await openPopup(page, stranger);
    await untilClosed(popup, () => consent(popup, 'allow'));
    assert.deepEqual(await messages(page), []);
  });

  pageTest('a person who says no in a popup reads so, and takes the refusal back to the app', {}, async (page) => {
    const popup = await openPopup(page, app);
    await consent(popup, 'deny');
    await popup.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    assert.deepEqual(await messages(page), []);
    await untilClosed(popup, () => popup.getByRole('link', { name: /^Back to / }).click());
    assert.equal((await message(page)).data.response.error, 'access_denied');
  });

  pageTest('a person who says no can try again, or go back', { expects: /status of 403/ }, async (page) => {
    await page.goto(loginUrl('/login/snapchat'));
    await consent(page, 'deny');
    await page.getByRole('link', { name: 'Try again' }).click();
    await consent(page, 'deny');
    await page.getByRole('link', { name: /^Back to / }).click();
    await page.waitForURL(`${app.redirectUri}?error=access_denied&**`);
  });

  pageTest('the address of somebody else’s login ends on a page', { expects: /status of 400/ }, async (page) => {
    await page.goto(loginUrl('/login/snapchat'));
    await page.waitForURL(`${daypass.ready.sandbox_url}/**`);
    const state = new URL(page.url()).searchParams.get('state');
    await page.context().clearCookies();
    await page.goto(`${daypass.ready.server_url}/login/snapchat/callback?state=${state}&code=x`);
    await page.getByRole('heading', { name: 'This sign-in cannot go on' }).waitFor();
  });

  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    const options = { colorScheme, viewport: { width: 390, height: 844 }, expects: /status of 40[03]/ };
    pageTest(`everybody can read and operate the pages, ${colorScheme}`, options, async (page) => {
      const assertUsable = async () => {
        assert.deepEqual(await faintTexts(page), []);
        assert.deepEqual(await headingLevels(page), [1]);
        for (const { role, name } of await controls(page)) assert.notEqual(name, '', role);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(overflow <= 0, `${overflow} px too wide`);
        await assertAxeFindsNothing(page);
      };
      await page.goto(loginUrl('/login', { app: 'nobody' }));
      await assertUsable();
      await page.goto(loginUrl('/login'));
      await assertUsable();
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await consent(page, 'deny');
      await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
      await assertUsable();
    });

    // The page that hands the answer over closes at once, so here it has nobody to hand it to.
    pageTest(`the page of a popup can be read and operated, ${colorScheme}`, { colorScheme }, async (page) => {
      await page.addInitScript(`Object.defineProperty(window, 'close', { value: () => {} })`);
      await page.route(`${daypass.ready.server_url}/login/popup.js`, (route) => route.fulfill({ contentType: 'text/javascript', body: '' }));
      await page.goto(loginUrl('/login/snapchat', { response_mode: 'web_message' }));
      await consent(page, 'allow');
      await page.waitForURL(`${daypass.ready.server_url}/**`);
      assert.deepEqual(await headingLevels(page), [1]);
      assert.deepEqual(await faintTexts(page), []);
      await assertAxeFindsNothing(page);
    });
  }
});
