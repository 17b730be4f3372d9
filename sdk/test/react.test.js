// @ts-check
/** The client in real React, which renders and runs effects without a browser. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createElement, StrictMode } from 'react';
import { act, create } from 'react-test-renderer';
import { DaypassProvider, useDaypass } from '../src/react.js';
import { Browser, settle } from './support/tabs.js';

/** @type {any} */ (globalThis).IS_REACT_ACT_ENVIRONMENT = true;

function Greeting() {
  const { session, isLoading, error } = useDaypass();
  const { code } = /** @type {{code?: string}} */ (error ?? {});
  return createElement('p', null, isLoading ? 'Loading' : `${session?.user.name ?? 'Nobody'}${code ? `, ${code}` : ''}`);
}

/** @param {import('../src/client.js').Daypass} daypass */
async function render(daypass) {
  /** @type {import('react-test-renderer').ReactTestRenderer} */
  let root;
  const tree = createElement(StrictMode, null, createElement(DaypassProvider, { daypass }, createElement(Greeting)));
  act(() => {
    root = create(tree);
  });
  const says = () => root.root.findByType('p').children.join('');
  return { says, unmount: () => act(() => root.unmount()), later: () => act(settle) };
}

test('says who is signed in, and hears when that changes, in any tab', async () => {
  const browser = new Browser();
  const [tab, other] = [browser.tab(), browser.tab()];
  const page = await render(tab.client);
  assert.equal(page.says(), 'Loading');
  await page.later();
  assert.equal(page.says(), 'Nobody');
  await act(async () => void (await browser.signIn(other, 'ada')));
  await page.later();
  assert.equal(page.says(), 'ada');
  await act(async () => void (await browser.signIn(tab, 'grace')));
  assert.equal(page.says(), 'grace');
  await act(() => other.client.signOut());
  await page.later();
  assert.equal(page.says(), 'Nobody');
  page.unmount();
  await browser.signIn(other, 'ada');
  await settle();
});

test('ends the sign-in that the page comes back from, once, although effects run twice', async () => {
  const browser = new Browser();
  const tab = browser.tab();
  await tab.client.signIn();
  const answer = browser.daypass.agree(new URL(tab.went[0] ?? ''));
  tab.window.location.href = `https://app.test/?${new URLSearchParams(answer)}`;
  const page = await render(tab.client);
  await page.later();
  assert.equal(page.says(), 'ada');
  assert.equal(browser.daypass.count('/oauth2/token'), 1);
});

test('a sign-in that fails is told, and leaves whoever was signed in', async () => {
  const browser = new Browser();
  const tab = await browser.signedIn();
  tab.window.location.href = `https://app.test/?${new URLSearchParams({ code: 'c', state: 's', iss: 'https://login.test' })}`;
  const page = await render(tab.client);
  await page.later();
  assert.equal(page.says(), 'ada, no_login_started');
});

test('outside of a provider there is nothing to know', () => {
  const said = console.error;
  console.error = () => {};
  assert.throws(() => act(() => void create(createElement(Greeting))), /DaypassProvider/);
  console.error = said;
});
