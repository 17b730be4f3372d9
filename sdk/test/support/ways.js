// @ts-check
/** The ways to a sign-in and back, as a page and its person walk them. */
import assert from 'node:assert/strict';
import { LoginError } from '../../src/index.js';
import { settle } from './tabs.js';

/** @typedef {import('./tabs.js').Browser} Browser */
/** @typedef {ReturnType<Browser['tab']>} Tab */

/** @param {string} code */
export const refusedAs = (code) => (/** @type {unknown} */ error) => error instanceof LoginError && error.code === code;

/** A tab that has gone to the sign-in. @param {Browser} browser @param {Tab} tab */
export async function left(browser, tab) {
  await tab.client.signIn({ provider: 'sandbox' });
  const url = new URL(tab.went.at(-1) ?? '');
  return { url, answer: browser.daypass.agree(url) };
}

/** @param {Tab} tab @param {Record<string, string>} answer @param {string} [more] */
export function comeBack(tab, answer, more = '') {
  tab.window.location.href = `https://app.test/?${more}${new URLSearchParams(answer)}#part`;
  return tab.client.handleRedirect();
}

/** A tab with a window. @param {Tab} tab @param {() => Promise<import('../../src/index.js').Session | undefined>} [ask] */
export async function popped(tab, ask = () => tab.client.signIn({ provider: 'sandbox', via: 'popup' })) {
  const session = ask();
  session.catch(() => {});
  assert.ok(tab.window.opened, 'the window is opened before anything is waited for');
  while (!tab.window.opened.url) await settle();
  return { session, url: new URL(tab.window.opened.url) };
}

/** @param {Tab} tab @param {unknown} data @param {string} [origin] */
export const post = (tab, data, origin = 'https://login.test') => tab.window.dispatchEvent(Object.assign(new Event('message'), { origin, data }));
