// @ts-check
/**
 * Signing in for a device without a browser, in a real Chromium: its code is typed, somebody signs in at the sandbox and
 * decides. Browsers alone say of a form whose page sent it.
 */
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { startApp } from '../support/app.js';
import { startDaypass } from '../support/daypass.js';
import { assertAxeFindsNothing, controls, faintTexts, headingLevels } from './accessibility.js';
import { startChromium } from './chromium.js';
import { pageTests } from './page-test.js';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {{device_code: string, user_code: string, verification_uri: string, verification_uri_complete: string}} Begun */

const CONFIG = '[[app]]\nid = "tv"\nname = "Films & more"\norigins = []\nredirect_uris = []\ndevice_authorization = true\n';

/** @type {Awaited<ReturnType<typeof startApp>>} */
let stranger;
/** @type {Awaited<ReturnType<typeof startDaypass>>} */
let daypass;
/** @type {Awaited<ReturnType<typeof startChromium>>} */
let chromium;

/** @param {string} path @param {Record<string, string>} form */
async function post(path, form) {
  const answer = await fetch(`${daypass.ready.server_url}${path}`, { method: 'POST', body: new URLSearchParams(form) });
  return answer.json();
}

/** @returns {Promise<Begun>} */
const begin = () => post('/oauth2/device_authorization', { client_id: 'tv', device: 'Living room' });

/** @param {Begun} begun */
const poll = ({ device_code: code }) =>
  post('/oauth2/token', { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', client_id: 'tv', device_code: code });

/** From the code to the page that asks. @param {Page} page */
async function signIn(page) {
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('link', { name: 'Continue with Snapchat', exact: true }).click();
  await page.waitForURL(`${daypass.ready.sandbox_url}/**`);
  await page.click('button[name=decision][value=allow]');
  await page.getByRole('heading', { name: 'Let Films & more sign you in on a device?' }).waitFor();
}

const pageTest = pageTests({ chromium: () => chromium, secrets: /[?&](code|state|user_code|device)=/ });

describe('devices without a browser', () => {
  before(async () => {
    stranger = await startApp();
    daypass = await startDaypass(CONFIG);
    chromium = await startChromium();
  }, { timeout: 60_000 });

  after(async () => {
    await chromium?.close();
    await daypass?.stop();
    await stranger?.stop();
  });

  pageTest('a person types the code, signs in and allows it', {}, async (page) => {
    const begun = await begin();
    await page.goto(begun.verification_uri);
    await page.getByLabel('Type the code').fill(begun.user_code.toLowerCase().replace('-', ' '));
    await signIn(page);
    await page.getByText('Living room').waitFor();
    await page.getByRole('button', { name: 'Allow', exact: true }).click();
    await page.getByRole('heading', { name: 'Go back to your device' }).waitFor();
    assert.equal((await poll(begun)).user.name, 'Ada');
    assert.deepEqual(await page.context().cookies(), []);
  });

  pageTest('a person follows the link of a device and says no', {}, async (page) => {
    const begun = await begin();
    await page.goto(begun.verification_uri_complete);
    assert.equal(await page.getByLabel('Does your device show this code?').inputValue(), begun.user_code);
    await signIn(page);
    await page.getByRole('button', { name: 'Do not allow' }).click();
    await page.getByRole('heading', { name: 'Nothing was allowed' }).waitFor();
    assert.equal((await poll(begun)).error, 'access_denied');
  });

  pageTest('a page of somebody else decides nothing', { expects: /status of 403/ }, async (page) => {
    const begun = await begin();
    await page.goto(begun.verification_uri_complete);
    await signIn(page);
    const question = await page.locator('input[name=question]').inputValue();
    await page.goto(`${stranger.origin}/`);
    await page.evaluate(({ action, members }) => {
      const form = Object.assign(document.createElement('form'), { method: 'post', action });
      for (const [name, value] of members) form.append(Object.assign(document.createElement('input'), { name, value }));
      document.body.append(form);
      form.submit();
    }, { action: `${daypass.ready.server_url}/device/decision`, members: [['question', question], ['verdict', 'allow']] });
    await page.getByText('This was not sent by a page of this server.').waitFor();
    assert.equal((await poll(begun)).error, 'authorization_pending');
  });

  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    const options = { colorScheme, viewport: { width: 390, height: 844 }, expects: /status of 404/ };
    pageTest(`everybody can read and operate the pages, ${colorScheme}`, options, async (page) => {
      const assertUsable = async () => {
        assert.deepEqual(await faintTexts(page), []);
        assert.deepEqual(await headingLevels(page), [1]);
        for (const { role, name } of await controls(page)) assert.notEqual(name, '', role);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(overflow <= 0, `${overflow} px too wide`);
        await assertAxeFindsNothing(page);
      };
      const begun = await begin();
      await page.goto(begun.verification_uri);
      await assertUsable();
      await page.keyboard.press('Tab');
      await page.keyboard.type('BBBB-BBBB');
      await page.keyboard.press('Enter');
      await page.getByRole('alert').waitFor();
      await assertUsable();
      await page.goto(begun.verification_uri_complete);
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.waitForURL('**/device/login?**');
      await assertUsable();
      await page.goto(begun.verification_uri_complete);
      await signIn(page);
      await assertUsable();
      await page.getByRole('button', { name: 'Allow', exact: true }).click();
      await page.getByRole('heading', { name: 'Go back to your device' }).waitFor();
      await assertUsable();
    });
  }
});
