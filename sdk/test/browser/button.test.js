// @ts-check
/** The buttons in a real Chromium, on a page with a strict policy: what they look like to whom, and what a click does. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { listen } from '../support/servers.js';
import { assertAxeFindsNothing, controls, faintTexts } from './accessibility.js';
import { startChromium } from './chromium.js';
import { watch } from './watch.js';

/** @typedef {import('playwright-core').Page} Page */

const SOURCES = new URL('../../src/', import.meta.url);
const HEADERS = { 'content-security-policy': `default-src 'none'; script-src 'self'; img-src data:`, 'content-type': 'text/html' };

/** @param {string} ground */
const pageOn = (ground) => `<!doctype html><html lang="en" bgcolor="${ground}"><title>Buttons</title><link rel="icon" href="data:,">
<body bgcolor="${ground}"><main><h1 hidden>Buttons</h1></main><script type="module" src="/page.js"></script></html>`;

const SCRIPT = `
import { mountButton } from '/src/button.js';
import { MARKS } from '/src/marks.js';
const theme = new URL(location.href).searchParams.get('theme') ?? 'light';
window.calls = [];
window.errors = [];
const daypass = { signIn: (options) => { calls.push(JSON.stringify(options)); return new Promise((resolve, reject) => Object.assign(window, { resolve, reject })); } };
const main = document.querySelector('main');
window.mount = (options) => {
  const element = document.createElement('div');
  element.id = options.provider + (options.text ?? '');
  main.append(element);
  return mountButton(element, { daypass, theme, onError: (error) => errors.push(error.code), ...options });
};
window.ids = Object.keys(MARKS);
for (const provider of [...ids, 'our-school']) mount({ provider });
`;

describe('buttons', () => {
  /** @type {Awaited<ReturnType<typeof startChromium>>} */
  let chromium;
  /** @type {Awaited<ReturnType<typeof listen>>} */
  let server;

  before(async () => {
    chromium = await startChromium();
    server = await listen(async (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://app.test');
      if (pathname === '/') return response.writeHead(200, HEADERS).end(pageOn(searchParams.get('theme') === 'dark' ? '#131314' : '#FFFFFF'));
      const script = pathname === '/page.js' ? SCRIPT : await readFile(new URL(pathname.slice(5), SOURCES), 'utf8');
      return response.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
    });
  }, { timeout: 60_000 });

  after(async () => {
    await chromium?.close();
    await server?.stop();
  });

  /** @param {string} name @param {(page: Page) => Promise<void>} body @param {string} [theme] */
  function pageTest(name, body, theme = 'light') {
    test(name, { timeout: 60_000 }, async () => {
      const context = await chromium.newContext({ bypassCSP: false });
      const page = await context.newPage();
      try {
        const seen = await watch(page);
        await page.goto(`${server.origin}/?theme=${theme}`);
        await page.locator('#our-school button').waitFor();
        await body(page);
        assert.deepEqual(seen.complaints, []);
        assert.deepEqual(seen.requests.filter(({ url }) => !url.startsWith(server.origin) && !url.startsWith('data:')), []);
      } finally {
        await context.close();
      }
    });
  }

  for (const theme of ['light', 'dark']) {
    pageTest(`everybody can read and operate all of them on a ${theme} page`, async (page) => {
      const found = await controls(page);
      const ids = /** @type {string[]} */ (await page.evaluate('ids'));
      assert.equal(found.length, ids.length + 1);
      for (const { role, name } of found) assert.ok(role === 'button' && /^Continue with \S+/.test(name), name);
      assert.deepEqual(await faintTexts(page), []);
      for (const button of await page.locator('button').all()) {
        const { height, width } = (await button.boundingBox()) ?? assert.fail();
        assert.ok(height >= 44 && width >= 140, `${width} × ${height}`);
      }
      await assertAxeFindsNothing(page, 'main');
    }, theme);
  }

  pageTest('each says what its owner and its page want said', async (page) => {
    const says = async (/** @type {object} */ options) => {
      await page.evaluate(`mount(${JSON.stringify(options)})`);
      return page.locator('button span').last().innerText();
    };
    assert.equal(await says({ provider: 'google', text: 'signin' }), 'Sign in with Google');
    assert.equal(await says({ provider: 'apple', text: 'signup' }), 'Sign up with Apple');
    assert.equal(await says({ provider: 'facebook', text: 'signin' }), 'Log in with Facebook');
    assert.equal(await says({ provider: 'snapchat', text: 'signin' }), 'Log in with Snapchat');
    assert.equal(await says({ provider: 'campus', name: 'Campus <b>' }), 'Continue with Campus <b>');
    assert.equal(await says({ provider: 'google', label: 'Mit Google anmelden' }), 'Mit Google anmelden');
  });

  pageTest('a provider without a mark has its letter, and none has another’s mark', async (page) => {
    assert.equal(await page.locator('#our-school svg text').textContent(), 'O');
    assert.equal(await page.locator('#our-school svg path').count(), 0);
    const google = await page.locator('#google path').evaluateAll((paths) => paths.map((path) => path.getAttribute('fill')));
    assert.deepEqual(google, ['#EA4335', '#4285F4', '#FBBC05', '#34A853']);
  });

  pageTest('the keyboard reaches it, sees it, and presses it', async (page) => {
    await page.keyboard.press('Tab');
    const outline = () => page.evaluate(() => getComputedStyle(/** @type {Element} */ (document.activeElement)).outline);
    assert.match(await outline(), /3px/);
    await page.keyboard.press('Enter');
    assert.deepEqual(await page.evaluate('calls'), ['{"provider":"apple"}']);
  });

  pageTest('a click is one sign-in, and the button is busy as long as it lasts', async (page) => {
    const button = page.locator('#google button');
    await button.click();
    await button.click();
    assert.deepEqual(await page.evaluate('calls'), ['{"provider":"google"}']);
    assert.equal(await button.getAttribute('aria-busy'), 'true');
    await page.evaluate('reject({ code: "popup_blocked" })');
    await page.locator('#google button:not([aria-busy])').waitFor();
    assert.deepEqual(await page.evaluate('errors'), ['popup_blocked']);
  });

  pageTest('a second click opens a lost window anew, and is told once', async (page) => {
    await page.evaluate('window.unmount = mount({ provider: "github", via: "popup", text: "signin" })');
    const button = page.locator('#githubsignin button');
    await button.click();
    await page.evaluate('window.first = reject');
    await button.click();
    await page.evaluate('first({ code: "popup_replaced" })');
    assert.equal(await button.getAttribute('aria-busy'), 'true');
    assert.deepEqual(await page.evaluate('[calls.length, errors]'), [2, []]);
    await page.evaluate('resolve()');
    await page.locator('#githubsignin button:not([aria-busy])').waitFor();
    await page.evaluate('unmount()');
    assert.equal(await button.count(), 0);
  });
});
