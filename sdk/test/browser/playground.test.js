// @ts-check
/**
 * The playground in a real Chromium against a real `daypass up`: the whole flow as a person sees
 * it, the attacks that a page can be put under, and whether everybody can use it. Every test ends
 * by asking that the page complained of nothing unexpected and let no secret out.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertAxeFindsNothing, controls, faintTexts, headingLevels } from './accessibility.js';
import { startDaypass } from '../support/daypass.js';
import { startChromium } from './chromium.js';
import { asDeveloper } from './developer.js';
import { untilClosed } from './popup.js';
import { everythingIn, watch } from './watch.js';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('playwright-core').BrowserContextOptions} BrowserContextOptions */

/** @type {Awaited<ReturnType<typeof startDaypass>>} */
let daypass;
/** @type {Awaited<ReturnType<typeof startChromium>>} */
let chromium;
/** @type {{id: string, name: string}[]} */
let people;

/**
 * A test with a page of its own.
 * @param {string} name
 * @param {{expects?: RegExp} & BrowserContextOptions} options `expects`: complaints that belong to the test,
 *   because a browser reports every refused request on its console
 * @param {(page: Page, seen: Awaited<ReturnType<typeof watch>>) => Promise<void>} body
 */
function pageTest(name, { expects, ...contextOptions }, body) {
  test(name, { timeout: 60_000 }, async () => {
    const context = await chromium.newContext(contextOptions);
    context.setDefaultTimeout(15_000);
    try {
      const page = await context.newPage();
      const seen = await watch(page);
      await body(page, seen);
      assert.deepEqual(seen.complaints.filter((line) => !expects?.test(line)), []);
      await assertNothingGotOut(page, seen);
    } finally {
      await context.close();
    }
  });
}

/** @param {Page} page @param {Awaited<ReturnType<typeof watch>>} seen */
async function assertNothingGotOut(page, seen) {
  const everything = await everythingIn(page, `daypass:${daypass.ready.server_url}:playground`);
  for (const secret of await seen.secrets()) {
    for (const { url } of seen.requests) assert.ok(!decodeURIComponent(url).includes(secret), 'a secret in a URL');
    assert.ok(!everything.includes(secret), 'a secret in the document, or in its storage beside the session');
  }
  // The sandbox's page may name itself to the sandbox; nobody else may learn of an address with a code.
  const elsewhere = seen.requests.filter(({ url }) => !url.startsWith(daypass.ready.sandbox_url));
  for (const { referrer } of elsewhere) assert.ok(!/[?&](code|state)=/.test(referrer), 'a code in a referrer');
  assert.ok(!/[?&](code|state)=/.test(page.url()), 'a code in the address bar');
}

/** @param {Page} page @param {string} [origin] */
async function open(page, origin = daypass.ready.server_url) {
  await page.goto(`${origin}/`);
  await page.getByRole('button', { name: /^Continue with .+ \(sandbox\)$/ }).waitFor();
}

/** To the sandbox's consent page. @param {Page} page */
async function startSignIn(page) {
  await page.getByRole('button', { name: /^Continue with / }).click();
  await page.waitForURL(`${daypass.ready.sandbox_url}/**`);
}

/**
 * @param {Page} page on the consent page
 * @param {{person?: string, withhold?: string, decision?: 'allow' | 'deny'}} [choice]
 */
async function consent(page, { person = 'ada', withhold, decision = 'allow' } = {}) {
  await page.check(`input[name=person][value="${person}"]`);
  if (withhold) await page.uncheck(`input[name=share][value$="${withhold}"]`);
  await page.click(`button[name=decision][value=${decision}]`);
}

/** @param {Page} page @param {string} [person] */
async function signIn(page, person) {
  await open(page);
  await startSignIn(page);
  await consent(page, { person });
  await page.getByRole('heading', { name: 'Your pass' }).waitFor();
}

/** @param {Page} page */
const identityId = (page) => page.locator('#identity-id').innerText();

/** @param {Page} page @param {string} name @param {string} text */
async function save(page, name, text) {
  await page.getByLabel('File name').fill(name);
  await page.getByLabel('Text', { exact: true }).fill(text);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText(`Saved ${name}`).waitFor();
}

/** Closes the token's disclosure and waits until the token is gone with it. @param {Page} page */
async function hideToken(page) {
  await page.getByText('The token itself').click();
  await page.locator('#raw-token-text:empty').waitFor({ state: 'attached' });
}

/** The words and the code of a refused sign-in. @param {Page} page */
async function refusal(page) {
  const notice = page.locator('#notice .notice.bad');
  await notice.waitFor();
  return { words: await notice.innerText(), code: await notice.locator('.reference code').first().innerText() };
}

/** Says no at the sandbox, and goes back from Daypass's page that tells so. @param {Page} page */
async function sayNo(page) {
  await consent(page, { decision: 'deny' });
  await page.getByRole('link', { name: /^Back to / }).click();
}

/** Where the page sends somebody, with the `state` that it drew. @param {Page} page */
async function startAndSee(page) {
  const asked = page.waitForRequest((request) => request.url().includes('/oauth2/authorize?'));
  await startSignIn(page);
  return new URL((await asked).url()).searchParams;
}

/** An address that a sign-in comes back to. @param {Record<string, string>} answer */
const back = (answer) => `${daypass.ready.server_url}/?${new URLSearchParams(answer)}`;

/** @param {Page} page */
async function assertSignedOut(page) {
  await page.getByRole('button', { name: /^Continue with / }).waitFor();
  assert.equal(await page.getByRole('heading', { name: 'Your pass' }).isVisible(), false);
}

/** @param {Awaited<ReturnType<typeof watch>>} seen */
const exchanges = (seen) => seen.requests.filter(({ url }) => url.endsWith('/oauth2/token')).length;

/** @param {Page} page */
const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

const REFUSED = /status of (400|401|403)/;

describe('playground', () => {
  before(async () => {
    daypass = await startDaypass();
    chromium = await startChromium();
    const answer = await fetch(`${daypass.ready.sandbox_url}/sandbox.json`);
    people = (await answer.json()).people;
  }, { timeout: 60_000 });

  after(async () => {
    await chromium?.close();
    await daypass?.stop();
  });

  pageTest('a login becomes files in a folder of one’s own, and of nobody else', { expects: REFUSED }, async (page) => {
    await signIn(page);
    assert.equal(await page.locator('#person-name').innerText(), 'Ada');
    const me = await identityId(page);
    assert.match(me, /^us-east-1:[0-9a-f-]{36}$/);

    const claims = await page.locator('#token-claims').innerText();
    for (const expected of [me, 'authenticated', daypass.ready.server_url]) assert.ok(claims.includes(expected), expected);
    assert.match(await page.locator('#token-header').innerText(), /RS512/);
    assert.match(await page.locator('#token [data-countdown=token]').innerText(), /^1[45] min \d\d s$/);
    assert.match(await page.locator('#credentials [data-countdown=credentials]').innerText(), /^(59|60) min \d\d s$/);

    await save(page, 'a note & +1 ünï.txt', 'line one\n<b>line two</b>');
    await page.getByRole('button', { name: 'List my files' }).click();
    await page.getByText(/^Listed \d+ file/).waitFor();
    await page.getByRole('button', { name: 'Read a note & +1 ünï.txt' }).click();
    await page.getByText('Read a note & +1 ünï.txt', { exact: true }).waitFor();
    assert.equal(await page.locator('#file-shown-text').textContent(), 'line one\n<b>line two</b>');

    await page.getByRole('button', { name: 'Try to read it' }).click();
    await page.getByText('Reading hello.txt was refused, as it should be').waitFor();
    await page.getByText('Listing the folder was refused, as it should be').waitFor();
    assert.match(await page.locator('#trespass-result').innerText(), /403 AccessDenied/);

    await page.getByRole('button', { name: 'Delete a note & +1 ünï.txt' }).click();
    await page.getByText('Deleted a note & +1 ünï.txt').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Read a note & +1 ünï.txt' }).count(), 0);
  });

  pageTest('a second person has another identity and cannot read the first one’s file', { expects: REFUSED }, async (page) => {
    const [first, second] = people;
    assert.ok(first && second);
    await signIn(page, first.id);
    const firstId = await identityId(page);
    await save(page, 'private.txt', 'for my eyes only');

    await page.getByRole('button', { name: 'Sign in as somebody else' }).click();
    await page.waitForURL(`${daypass.ready.sandbox_url}/**`);
    await consent(page, { person: second.id });
    await page.getByText(second.name, { exact: true }).waitFor();
    assert.notEqual(await identityId(page), firstId);

    await page.getByLabel('Whose folder').selectOption(firstId);
    await page.getByRole('button', { name: 'Try to read it' }).click();
    await page.getByText('Reading private.txt was refused, as it should be').waitFor();
    assert.ok(!(await page.locator('#trespass-result').innerText()).includes('was allowed'));
  });

  pageTest('the same person has the same identity and finds the file again', {}, async (page) => {
    await signIn(page);
    const before = await identityId(page);
    await save(page, 'kept.txt', 'still here');
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await assertSignedOut(page);
    await signIn(page);
    assert.equal(await identityId(page), before);
    await page.getByRole('button', { name: 'List my files' }).click();
    await page.getByRole('button', { name: 'Read kept.txt' }).click();
    await page.getByText('still here').waitFor();
  });

  pageTest('fresh credentials open the same folder', {}, async (page) => {
    await signIn(page);
    const accessKey = () => page.locator('#credentials-list dd').first().innerText();
    const first = await accessKey();
    await page.getByRole('button', { name: 'Get fresh credentials' }).click();
    await page.waitForFunction((old) => document.querySelector('#credentials-list dd')?.textContent !== old, first);
    assert.match(await accessKey(), /^ASIA/);
    await save(page, 'fresh.txt', 'new keys');
  });

  pageTest('localhost is as good a name as 127.0.0.1', {}, async (page) => {
    const origin = daypass.ready.server_url.replace('127.0.0.1', 'localhost');
    await open(page, origin);
    await startSignIn(page);
    await consent(page);
    await page.getByRole('heading', { name: 'Your pass' }).waitFor();
    assert.equal(page.url(), `${origin}/`);
    await save(page, 'by-name.txt', 'hello');
  });

  pageTest('a reload, and another tab, find the person signed in, and ask nobody', {}, async (page, seen) => {
    await signIn(page);
    const before = await identityId(page);
    const asked = exchanges(seen);
    await page.reload();
    await page.getByRole('heading', { name: 'Your pass' }).waitFor();
    assert.equal(await identityId(page), before);
    const tab = await page.context().newPage();
    await tab.goto(`${daypass.ready.server_url}/`);
    await tab.getByRole('heading', { name: 'Your pass' }).waitFor();
    assert.equal(await identityId(tab), before);
    assert.equal(exchanges(seen), asked);
    await tab.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByText('The session is over').waitFor();
    await assertSignedOut(page);
  });

  pageTest('who signs out somewhere else leaves nothing on this page', { expects: REFUSED }, async (page) => {
    await signIn(page);
    const me = await identityId(page);
    await save(page, 'mine.txt', 'mine');
    await page.getByRole('button', { name: 'Read mine.txt' }).click();
    await page.getByText('Read mine.txt', { exact: true }).waitFor();
    const tab = await page.context().newPage();
    await tab.goto(`${daypass.ready.server_url}/`);
    await tab.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByText('The session is over').waitFor();
    const shown = await page.evaluate(() => document.documentElement.outerHTML);
    for (const trace of [me, 'Ada', 'mine.txt', 'ASIA']) assert.ok(!shown.includes(trace), trace);
  });

  pageTest('credentials are fresh before they end, while the page is looked at', {}, async (page, seen) => {
    await page.clock.install();
    await signIn(page);
    const accessKey = () => page.locator('#credentials-list dd').first().innerText();
    const first = await accessKey();
    const asked = exchanges(seen);
    await page.clock.runFor(10 * 60_000);
    await page.clock.fastForward(48 * 60_000);
    await page.clock.runFor(10_000);
    await page.waitForFunction((old) => document.querySelector('#credentials-list dd')?.textContent !== old, first);
    assert.ok(exchanges(seen) > asked);
    await page.locator('#pass [data-countdown=credentials]').getByText(/^(59|60) min/).waitFor();
  });

  pageTest('a second login is linked in a window, and leads to the same identity', {}, async (page) => {
    const [first, second] = [people[3], people[2]];
    assert.ok(first && second);
    await signIn(page, first.id);
    const me = await identityId(page);
    const opened = page.waitForEvent('popup');
    await page.getByRole('button', { name: /^Link / }).click();
    const popup = await opened;
    await untilClosed(popup, () => consent(popup, { person: second.id }));
    await page.locator('#link-result').getByText(/ is linked$/).waitFor();
    assert.equal(await identityId(page), me);
    await page.getByRole('button', { name: 'Sign in as somebody else' }).click();
    await page.waitForURL(`${daypass.ready.sandbox_url}/**`);
    await consent(page, { person: second.id });
    await page.locator('#person-name').getByText(second.name, { exact: true }).waitFor();
    assert.equal(await identityId(page), me);
  });

  pageTest('a link that is given up is told as such', {}, async (page) => {
    await signIn(page);
    const opened = page.waitForEvent('popup');
    await page.getByRole('button', { name: /^Link / }).click();
    const popup = await opened;
    await consent(popup, { decision: 'deny' });
    await untilClosed(popup, () => popup.getByRole('link', { name: /^Back to / }).click());
    await page.locator('#link-result').getByText('You said no').waitFor();
  });

  pageTest('devices are seen, one is signed out, and then all', { expects: REFUSED }, async (page) => {
    const person = people[1];
    assert.ok(person);
    const context = await chromium.newContext();
    const phone = await context.newPage();
    await signIn(phone, person.id);
    await signIn(page, person.id);
    const lines = page.locator('#device-list li');
    // The list comes after the person.
    await lines.nth(1).waitFor();
    const others = (await lines.count()) - 1;
    assert.ok(others >= 1);
    await lines.first().getByText('this one').waitFor();
    assert.match(await lines.first().innerText(), /Chrome on Linux/);
    await lines.nth(1).getByRole('button', { name: /^Sign out Chrome on Linux/ }).click();
    await page.getByText('Chrome on Linux is signed out').waitFor();
    assert.equal(await lines.count(), others);
    await phone.getByRole('button', { name: 'Get fresh credentials' }).click();
    await phone.getByText('The session is over').waitFor();
    await assertSignedOut(phone);

    await signIn(phone, person.id);
    await page.getByRole('button', { name: 'Sign out everywhere' }).click();
    await assertSignedOut(page);
    await phone.getByRole('button', { name: 'Get fresh credentials' }).click();
    await phone.getByText('The session is over').waitFor();
    assert.match(await phone.locator('#notice').innerText(), /revoked/);
    await context.close();
  });

  pageTest('what is copied for a terminal opens the folder there', {}, async (page, seen) => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await signIn(page);
    await page.getByRole('button', { name: 'Copy for a terminal' }).click();
    await page.locator('#copy-credentials-result').getByText('Copied.').waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    const exported = Object.fromEntries([...copied.matchAll(/^export (\w+)='(.*)'$/gm)].map(([, name, value]) => [name, value]));
    assert.deepEqual(Object.keys(exported), ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_REGION', 'AWS_ENDPOINT_URL_S3']);
    const secrets = await seen.secrets();
    for (const name of ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']) assert.ok(secrets.includes(exported[name] ?? ''), name);
    assert.equal(exported.AWS_ENDPOINT_URL_S3, daypass.ready.s3_url);
    assert.equal(await page.locator('#terminal-command').innerText(), `aws s3 ls s3://${daypass.ready.bucket}/${await identityId(page)}/`);
  });

  pageTest('a cancelled login is told as such', { expects: REFUSED }, async (page, seen) => {
    await open(page);
    await startSignIn(page);
    await sayNo(page);
    const { words, code } = await refusal(page);
    assert.equal(code, 'access_denied');
    assert.match(words, /You said no/);
    assert.equal(exchanges(seen), 0);
    await assertSignedOut(page);
  });

  pageTest('a forged state is refused before the broker hears of it', {}, async (page, seen) => {
    await open(page);
    await startSignIn(page);
    await page.goto(back({ code: 'stolen', state: 'forged', iss: daypass.ready.server_url }));
    assert.equal((await refusal(page)).code, 'state_mismatch');
    assert.equal(exchanges(seen), 0);
    await assertSignedOut(page);
  });

  pageTest('an answer that nobody asked for is refused', {}, async (page, seen) => {
    for (const iss of [undefined, daypass.ready.server_url, 'https://evil.test']) {
      await page.goto(back({ code: 'stolen', state: 'guessed', ...(iss && { iss }) }));
      assert.equal((await refusal(page)).code, 'no_login_started', iss);
    }
    assert.equal(exchanges(seen), 0);
    await assertSignedOut(page);
  });

  pageTest('a code stolen from another browser is worthless, even with the right state', { expects: REFUSED }, async (page, seen) => {
    const stolen = await stealCode();
    await open(page);
    const state = (await startAndSee(page)).get('state') ?? '';
    await page.goto(back({ code: stolen, state, iss: daypass.ready.server_url }));
    assert.equal((await refusal(page)).code, 'login_code_refused');
    assert.equal(exchanges(seen), 1);
    await assertSignedOut(page);
  });

  /** Somebody else's genuine code, caught on its way back. */
  async function stealCode() {
    const context = await chromium.newContext();
    const page = await context.newPage();
    await open(page);
    await startSignIn(page);
    const caught = page.waitForRequest((request) => request.url().startsWith(`${daypass.ready.server_url}/?`) && request.url().includes('code='));
    await page.route(`${daypass.ready.server_url}/?*`, (route) => route.abort());
    await consent(page);
    const code = new URL((await caught).url()).searchParams.get('code');
    await context.close();
    assert.ok(code);
    return code;
  }

  pageTest('a login without the external ID makes no identity', { expects: REFUSED }, async (page) => {
    await open(page);
    await startSignIn(page);
    await consent(page, { withhold: 'user.external_id' });
    await page.waitForURL(`${daypass.ready.server_url}/login/**`);
    await page.getByRole('heading', { name: /needs to know you again$/ }).waitFor();
    assert.match(await page.locator('body').innerText(), /subject_missing/);
    await page.getByRole('link', { name: /^Back to / }).click();
    await refusal(page);
    await assertSignedOut(page);
  });

  pageTest('a login without a name is still a login', {}, async (page) => {
    await open(page);
    await startSignIn(page);
    await consent(page, { withhold: 'user.display_name' });
    await page.getByText('Somebody who shared no name').waitFor();
  });

  pageTest('an S3 that does not answer is told as such', { expects: /ERR_FAILED/ }, async (page) => {
    await signIn(page);
    await page.route(`${daypass.ready.s3_url}/**`, (route) => route.abort());
    await page.getByRole('button', { name: 'List my files' }).click();
    await page.locator('#folder-result').getByText('network').waitFor();
  });

  pageTest('a refusal for another reason is not taken for confinement', { expects: REFUSED }, async (page) => {
    await signIn(page);
    await page.route(`${daypass.ready.s3_url}/**`, (route) => route.fulfill({
      status: 403,
      headers: { 'access-control-allow-origin': '*' },
      body: '<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message></Error>',
    }));
    await page.getByRole('button', { name: 'Try to read it' }).click();
    await page.locator('#trespass-result').getByText('SignatureDoesNotMatch').first().waitFor();
    assert.ok(!(await page.locator('#trespass-result').innerText()).includes('as it should be'));
  });

  pageTest('signing out leaves nothing behind', {}, async (page, seen) => {
    await signIn(page);
    const me = await identityId(page);
    await save(page, 'before.txt', 'before');
    await page.getByText('The token itself').click();
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await assertSignedOut(page);
    const everything = await everythingIn(page);
    for (const trace of [me, 'Ada', 'before.txt', ...(await seen.secrets())]) {
      assert.ok(!everything.includes(trace), `left behind: ${trace.slice(0, 20)}`);
    }
    assert.equal(await page.evaluate(() => sessionStorage.length + localStorage.length), 0);
  });

  pageTest('the whole token is shown only while its disclosure is open', {}, async (page, seen) => {
    await signIn(page);
    const [token] = await seen.secrets();
    assert.ok(token);
    await page.getByText('The token itself').click();
    await page.locator('#raw-token-text:not(:empty)').waitFor();
    assert.equal(await page.locator('#raw-token-text').textContent(), token);
    await hideToken(page);
  });

  pageTest('the log shows each step and nothing that opens anything', {}, async (page) => {
    await signIn(page);
    await save(page, 'logged.txt', 'hello');
    const log = await page.locator('#log').innerText();
    for (const step of ['/v1/providers', '/oauth2/token', 'authorization code', '/v1/sessions', 'logged.txt']) {
      assert.ok(log.includes(step), step);
    }
    assert.ok(!/code=|state=|Signature|eyJ|AWS4|dpr_/.test(log));
  });

  for (const width of [360, 390]) {
    pageTest(`nothing scrolls sideways on a phone ${width} pixels wide`, { viewport: { width, height: 844 }, expects: REFUSED }, async (page) => {
      await open(page);
      assert.ok((await overflow(page)) <= 0, 'signed out');
      await startSignIn(page);
      await consent(page);
      await page.getByRole('heading', { name: 'Your pass' }).waitFor();
      await save(page, `${'long'.repeat(20)}.txt`, 'x'.repeat(300));
      await page.getByRole('button', { name: /^Read long/ }).click();
      await page.locator('#file-shown-text').waitFor();
      await page.getByRole('button', { name: 'Try to read it' }).click();
      await page.locator('#trespass-result .notice').first().waitFor();
      await page.getByText('The token itself').click();
      await page.locator('#raw-token-text:not(:empty)').waitFor();
      assert.ok((await overflow(page)) <= 0, 'signed in');
      await hideToken(page);
    });
  }

  pageTest('the keyboard alone signs in, saves and reads', {}, async (page) => {
    await open(page);
    await tabTo(page, '#providers button');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${daypass.ready.sandbox_url}/**`);
    await tabTo(page, 'button[name=decision][value=allow]');
    await page.keyboard.press('Enter');
    // The focus waits at the new content, where a screen reader goes on reading.
    await page.waitForFunction(() => document.activeElement?.id === 'pass-heading');
    await tabTo(page, '#file-name');
    await page.keyboard.press('Enter');
    await page.getByText('Saved hello.txt').waitFor();
    await tabTo(page, '#files button[aria-label="Read hello.txt"]');
    await page.keyboard.press('Space');
    await page.getByText('Read hello.txt', { exact: true }).waitFor();
  });

  /** Presses Tab until the focus is there, and sees to it that the focus can be seen. @param {Page} page @param {string} selector */
  async function tabTo(page, selector) {
    for (let presses = 0; presses < 40; presses += 1) {
      await page.keyboard.press('Tab');
      const found = await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector);
      if (found) return assertFocusVisible(page, selector);
    }
    assert.fail(`40 times Tab did not reach ${selector}`);
  }

  /** @param {Page} page @param {string} selector */
  async function assertFocusVisible(page, selector) {
    const outline = await page.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement ?? document.body);
      return outlineStyle === 'none' ? 0 : Number.parseFloat(outlineWidth);
    });
    assert.ok(outline >= 1, `the focus cannot be seen on ${selector}`);
  }

  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    // Without motion, so that nothing is measured while it fades in.
    pageTest(`everybody can use it, in ${colorScheme}`, { colorScheme, reducedMotion: 'reduce', expects: REFUSED }, async (page) => {
      await page.goto(`${daypass.ready.server_url}/?code=c&state=s`);
      await refusal(page);
      await assertAccessible(page);
      await signIn(page);
      await save(page, 'hello.txt', 'hello');
      await page.getByRole('button', { name: 'Try to read it' }).click();
      await page.locator('#trespass-result .notice').first().waitFor();
      await assertAccessible(page);
    });
  }

  /** @param {Page} page */
  async function assertAccessible(page) {
    assert.equal(await page.getAttribute('html', 'lang'), 'en');
    assert.notEqual(await page.title(), '');
    for (const landmark of /** @type {const} */ (['banner', 'main', 'contentinfo'])) {
      assert.equal(await page.getByRole(landmark).count(), 1, landmark);
    }
    const found = await controls(page);
    assert.ok(found.length >= 2);
    assert.deepEqual(found.filter(({ name }) => name === ''), []);
    const levels = await headingLevels(page);
    assert.deepEqual(levels.filter((level) => level === 1).length, 1);
    levels.forEach((level, index) => assert.ok(level - (levels[index - 1] ?? 0) <= 1, `heading ${index} skips a level`));
    assert.deepEqual(await faintTexts(page), []);
    await assertAxeFindsNothing(page);
  }

  // The last one, since guests are there for everybody from then on.
  pageTest('a guest is offered where guests are allowed, and keeps the identity at the sign-in', { expects: REFUSED, reducedMotion: 'reduce' }, async (page) => {
    await open(page);
    await page.getByText('Guests are off.').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Go on as a guest' }).isVisible(), false);
    const at = { IdentityPoolId: daypass.ready.identity_pool_id };
    const pool = await asDeveloper(daypass.ready, 'DescribeIdentityPool', at);
    await asDeveloper(daypass.ready, 'UpdateIdentityPool', { ...pool, AllowUnauthenticatedIdentities: true });
    const roles = { authenticated: daypass.ready.role_arn, unauthenticated: daypass.ready.guest_role_arn };
    await asDeveloper(daypass.ready, 'SetIdentityPoolRoles', { ...at, Roles: roles });

    await open(page);
    await page.getByRole('button', { name: 'Go on as a guest' }).click();
    await page.getByText('A guest', { exact: true }).waitFor();
    const guest = await identityId(page);
    for (const name of ['OpenID token', 'Your devices', 'Another login, the same identity']) {
      assert.equal(await page.getByRole('heading', { name }).isVisible(), false, name);
    }
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('#folder-result').getByText('AccessDenied').waitFor();
    await assertAccessible(page);
    await page.reload();
    await page.getByText('A guest', { exact: true }).waitFor();
    assert.equal(await identityId(page), guest);

    await startSignIn(page);
    await consent(page, { person: 'zoe' });
    await page.locator('#person-name').getByText('Zoë').waitFor();
    await save(page, 'mine.txt', 'mine');
    await page.getByRole('heading', { name: 'Your devices' }).waitFor();
  });
});
