// @ts-check
/**
 * Fifty tabs of one session whose tokens live for seconds, and a server that is restarted twice under them. Three quarters of a minute
 * by default; with DAYPASS_TEST_MINUTES=5 five, and tokens of half a minute.
 */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { app, ask, browserTest, chromium, daypass, signIn, withAppAndDaypass } from './app-and-daypass.js';

const MINUTES = Number(process.env.DAYPASS_TEST_MINUTES ?? 0.75);
const LIFE = MINUTES < 1 ? 20 : 30;
const TABS = 50;

/** Has a page ask for a token again and again, and keep what goes wrong. A token that is over is as wrong as none. */
const USE = `(() => {
  window.trouble = [];
  window.uses = 0;
  const expiry = (token) => JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'))).exp * 1000;
  const use = () => daypass.token()
    .then((token) => { uses += 1; if (expiry(token) <= Date.now()) trouble.push('a token that is over'); }, ({ code, message }) => trouble.push(code + ': ' + message))
    .finally(() => setTimeout(use, 200 + Math.random() * 800));
  use();
})()`;

/** @param {import('playwright-core').BrowserContext} context */
function countRefreshes(context) {
  const seen = { answered: 0, tokens: new Set() };
  context.on('response', async (response) => {
    const body = response.request().postData() ?? '';
    if (!response.url().endsWith('/oauth2/token') || !body.includes('grant_type=refresh_token')) return;
    seen.answered += 1;
    const answer = await response.json().catch(() => ({}));
    seen.tokens.add(answer.refresh_token);
  });
  return seen;
}

/** @param {number} seconds */
const pass = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1_000));

/** What a browser writes while nobody listens at the server's port. */
const AWAY = /ERR_CONNECTION_(REFUSED|RESET)|ERR_EMPTY_RESPONSE|Failed to load resource/;

/** Opens fifty tabs of one session, which use it from then on. @param {import('playwright-core').BrowserContext} context @param {import('playwright-core').Page} first */
async function fillWithTabs(context, first) {
  await signIn(first);
  const refreshes = countRefreshes(context);
  const pages = [first];
  while (pages.length < TABS) {
    const page = await context.newPage();
    await page.goto(`${app.origin}/`);
    pages.push(page);
  }
  await Promise.all(pages.map((page) => ask(page, USE)));
  return { pages, refreshes };
}

/** @param {Awaited<ReturnType<typeof fillWithTabs>>} tabs @param {boolean} locks */
async function assertNoTrouble({ pages, refreshes }, locks) {
  const trouble = await Promise.all(pages.map((page) => ask(page, 'trouble')));
  assert.deepEqual(trouble.flat(), []);
  const uses = await Promise.all(pages.map((page) => ask(page, 'uses')));
  assert.ok(Math.min(...uses) > 0, 'every tab got tokens');
  const { answered, tokens } = refreshes;
  console.log(`${TABS} tabs ${locks ? 'with' : 'without'} locks, ${MINUTES} minutes, ${uses.reduce((sum, uses) => sum + uses)} uses: ${answered} refreshes for ${tokens.size} tokens`);
  assert.ok(tokens.size >= MINUTES * 60 / LIFE - 1, `${tokens.size} tokens`);
  if (locks) assert.ok(answered <= Math.ceil(tokens.size * 1.02), `${answered} refreshes for ${tokens.size} tokens`);
}

describe('one session in fifty tabs', () => {
  withAppAndDaypass(() => `[pool]\nmax_token_duration = "${LIFE}s"\n`);

  // Both at the same time, since most of it is waiting.
  browserTest('tabs with locks, and tabs without, go on while the server is restarted, and ask no more than they have to', { expects: AWAY, timeout: MINUTES * 60_000 + 120_000 }, async (context, open) => {
    const withoutLocks = await chromium.newContext();
    withoutLocks.setDefaultTimeout(15_000);
    try {
      await withoutLocks.addInitScript('delete Navigator.prototype.locks');
      const [locked, unlocked] = [await fillWithTabs(context, await open()), await fillWithTabs(withoutLocks, await open(withoutLocks))];
      for (let third = 0; third < 3; third += 1) {
        await pass(MINUTES * 20);
        if (third < 2) await daypass.restart();
      }
      await assertNoTrouble(locked, true);
      await assertNoTrouble(unlocked, false);
    } finally {
      await withoutLocks.close();
    }
  });
});
