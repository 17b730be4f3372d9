// @ts-check
/**
 * The client in a real Chromium, in front of a stub of Daypass that keeps to the wire: tabs that share a session, tabs
 * that are halted, windows that are cut off, and a browser that several people use.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startClientApp, startStub } from '../support/servers.js';
import { startChromium } from './chromium.js';
import { everythingIn, watch } from './watch.js';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('playwright-core').BrowserContext} BrowserContext */

/** @type {Awaited<ReturnType<typeof startClientApp>>} */
let app;
/** @type {Awaited<ReturnType<typeof startStub>>} */
let daypass;
/** @type {Awaited<ReturnType<typeof startChromium>>} */
let chromium;

const LOCK = () => `daypass:${daypass.stub.url}:web`;

/** @param {string} name @param {(context: BrowserContext) => Promise<void>} body */
function browserTest(name, body) {
  test(name, { timeout: 60_000 }, async () => {
    const context = await chromium.newContext();
    context.setDefaultTimeout(15_000);
    Object.assign(daypass.stub, { credentialsLife: 3600, asked: [], before: [], after: [], person: 'ada' });
    daypass.stub.sessions.clear();
    daypass.pages.cut = false;
    try {
      await body(context);
    } finally {
      await context.close();
    }
  });
}

/** A tab on the app's page. @param {BrowserContext} context */
async function open(context) {
  const page = await context.newPage();
  const seen = await watch(page);
  await page.goto(`${app.origin}/`);
  await page.locator('#who:not(:empty)').waitFor();
  return { page, seen };
}

/** @param {Page} page @param {string} [person] */
async function signIn(page, person = 'ada') {
  daypass.stub.person = person;
  await page.evaluate('daypass.signIn()');
  await page.getByText(`Signed in as ${person}`).waitFor();
}

/** @param {Page} page @returns {Promise<{accessKeyId: string}>} */
const credentials = (page) => page.evaluate('daypass.credentials()');

/** @param {Page} page @returns {Promise<string[]>} */
const events = (page) => page.evaluate('events');

/** The first credentials live for two seconds, and all others for an hour, whichever tab gets them, and however slowly. */
function startShort() {
  const { stub } = daypass;
  const isGiven = () => stub.count('/oauth2/token') > 0;
  stub.credentialsLife = 2;
  stub.after = Array.from({ length: 20 }, () => () => void (isGiven() && (stub.credentialsLife = 3600)));
}

/** Lets credentials of two seconds become due in all tabs, and not yet die. */
const becomeDue = () => new Promise((resolve) => setTimeout(resolve, 1_700));

describe('the client', () => {
  before(async () => {
    [app, daypass] = [await startClientApp(), await startStub()];
    app.app.url = daypass.stub.url;
    chromium = await startChromium();
  }, { timeout: 60_000 });

  after(async () => {
    await chromium?.close();
    await Promise.all([app?.stop(), daypass?.stop()]);
  });

  browserTest('a person signs in by redirect, and a reload keeps the session and asks nobody', async (context) => {
    const { page, seen } = await open(context);
    await signIn(page);
    assert.equal(page.url(), `${app.origin}/`);
    const first = await credentials(page);
    await page.reload();
    await page.getByText('Signed in as ada').waitFor();
    assert.equal((await credentials(page)).accessKeyId, first.accessKeyId);
    assert.equal(daypass.stub.count('/oauth2/token'), 1);
    assert.deepEqual(seen.complaints, []);
    const secrets = ['dpr_', 'token-of', 'secret-of', first.accessKeyId];
    for (const { url, referrer } of seen.requests) for (const secret of secrets) assert.ok(!(url + referrer).includes(secret));
  });

  browserTest('many tabs make one refresh', async (context) => {
    startShort();
    const tabs = await Promise.all(Array.from({ length: 6 }, () => open(context)));
    await signIn(/** @type {any} */ (tabs[0]).page);
    for (const { page } of tabs) await page.getByText('Signed in as ada').waitFor();
    await becomeDue();
    const given = await Promise.all(tabs.map(({ page }) => credentials(page)));
    assert.equal(new Set(given.map(({ accessKeyId }) => accessKeyId)).size, 1);
    assert.equal(daypass.stub.refreshes, 1);
    for (const { page } of tabs) assert.ok(!(await events(page)).includes('signout'));
  });

  browserTest('a halted tab that holds the lock keeps nobody waiting for more than six seconds', async (context) => {
    const [halted, tab] = [await open(context), await open(context)];
    await signIn(tab.page);
    await halted.page.evaluate(`void navigator.locks.request(${JSON.stringify(LOCK())}, () => new Promise(() => {}))`);
    const session = await context.newCDPSession(halted.page);
    await session.send('Page.setWebLifecycleState', { state: 'frozen' });
    const began = Date.now();
    const before = await credentials(tab.page);
    const { accessKeyId } = await /** @type {Promise<{accessKeyId: string}>} */ (tab.page.evaluate('daypass.credentials({ forceRefresh: true })'));
    const took = Date.now() - began;
    assert.notEqual(accessKeyId, before.accessKeyId);
    assert.ok(took >= 4_900 && took < 6_000, `${took} ms`);
    assert.equal(daypass.stub.refreshes, 1);
  });

  browserTest('without locks tabs race, and nobody is signed out', async (context) => {
    await context.addInitScript('delete Navigator.prototype.locks');
    startShort();
    const tabs = await Promise.all(Array.from({ length: 4 }, () => open(context)));
    await signIn(/** @type {any} */ (tabs[0]).page);
    for (const { page } of tabs) await page.getByText('Signed in as ada').waitFor();
    await becomeDue();
    await Promise.all(tabs.map(({ page }) => credentials(page)));
    assert.ok(daypass.stub.refreshes >= 1);
    for (const { page } of tabs) {
      await page.evaluate('daypass.credentials({ forceRefresh: true })');
      assert.ok(!(await events(page)).includes('signout'));
    }
    assert.ok([...daypass.stub.sessions.values()].every(({ ended }) => ended !== 'reused'));
  });

  browserTest('a window gives its answer to the page that opened it, and closes', async (context) => {
    const { page, seen } = await open(context);
    const opened = page.waitForEvent('popup');
    await page.click('#popup');
    const popup = await opened;
    await page.getByText('Signed in as ada').waitFor();
    if (!popup.isClosed()) await popup.waitForEvent('close');
    assert.deepEqual(seen.complaints, []);
    assert.equal(daypass.stub.count('/oauth2/token'), 1);
  });

  browserTest('a window that a provider has cut off signs in all the same, and closes', async (context) => {
    daypass.pages.cut = true;
    const { page } = await open(context);
    await page.evaluate('document.hasFocus = () => false');
    const opened = context.waitForEvent('page');
    await page.click('#popup');
    const popup = await opened;
    await page.getByText('Signed in as ada').waitFor();
    if (!popup.isClosed()) await popup.waitForEvent('close');
    assert.equal(daypass.stub.count('/oauth2/token'), 1);
  });

  browserTest('in a browser of several people the next one finds nothing of the one before', async (context) => {
    const [one, two] = [await open(context), await open(context)];
    await signIn(one.page, 'ada');
    await two.page.getByText('Signed in as ada').waitFor();
    await one.page.goto(`${app.origin}/elsewhere`);
    await two.page.evaluate('daypass.signOut()');
    await two.page.getByText('Nobody is signed in').waitFor();
    await signIn(two.page, 'grace');
    await one.page.goBack();
    await one.page.getByText('Signed in as grace').waitFor();
    for (const { page } of [one, two]) {
      assert.match((await credentials(page)).accessKeyId, /grace/);
      assert.doesNotMatch(await everythingIn(page), /ada\b|of-ada/);
    }
    assert.deepEqual([...daypass.stub.sessions.values()].filter(({ person, ended }) => person === 'ada' && !ended), []);
  });

  // Another tab hears of a sign-in before its storage shows it, and may take nobody out by what it sees.
  browserTest('people sign in one after the other, in one tab or another, and every tab follows', async (context) => {
    const tabs = await Promise.all(Array.from({ length: 8 }, () => open(context)));
    for (const [turn, { page }] of tabs.entries()) {
      await signIn(page, `person-${turn}`);
      for (const other of tabs) await other.page.getByText(`Signed in as person-${turn}`).waitFor();
    }
  });

  browserTest('a page that came in the clear is told what it needs', async (context) => {
    await context.addInitScript('delete Crypto.prototype.subtle');
    const { page } = await open(context);
    for (const via of ['redirect', 'popup']) {
      assert.equal(await page.evaluate(`daypass.signIn({ via: '${via}' }).catch(({ code }) => code)`), 'insecure_context');
    }
  });

  browserTest('whoever signs out in one tab is signed out in all', async (context) => {
    const [one, two] = [await open(context), await open(context)];
    await signIn(one.page);
    await two.page.getByText('Signed in as ada').waitFor();
    await one.page.evaluate('daypass.signOut()');
    await two.page.getByText('Nobody is signed in').waitFor();
    await assert.rejects(credentials(two.page), /Nobody is signed in|signed_out/);
    assert.equal(await two.page.evaluate('localStorage.length'), 0);
  });

  browserTest('a guest keeps the identity at the sign-in', async (context) => {
    daypass.stub.identities.clear();
    const { page } = await open(context);
    const guest = /** @type {any} */ (await page.evaluate('daypass.guest()'));
    assert.match((await credentials(page)).accessKeyId, /guest/);
    await signIn(page, 'hedy');
    assert.equal(/** @type {any} */ (await page.evaluate('daypass.session()')).identityId, guest.identityId);
  });
});
