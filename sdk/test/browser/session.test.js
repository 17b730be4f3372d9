// @ts-check
/**
 * The client in a real Chromium against a real `daypass up`: a person signs in at the sandbox, stays signed in, writes
 * to S3, sees the devices, and signs out of all of them.
 */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { app, ask, browserTest, chromium, codeOf, consent, daypass, put, signIn, withAppAndDaypass, writing } from './app-and-daypass.js';
import { asDeveloper } from './developer.js';
import { untilClosed } from './popup.js';

describe('the client and daypass up', () => {
  withAppAndDaypass();

  browserTest('a person signs in, writes to S3, and is still signed in after a reload', {}, async (_, open) => {
    const page = await open();
    await signIn(page);
    assert.equal(await put(page), 'hello');
    const { accessKeyId } = await ask(page, 'daypass.credentials()');
    await page.reload();
    await page.getByText('Signed in as Ada').waitFor();
    assert.equal((await ask(page, 'daypass.credentials()')).accessKeyId, accessKeyId);
    assert.equal(await put(page), 'hello');
    assert.match(await ask(page, 'daypass.token()'), /^eyJ/);
  });

  browserTest('tabs take turns, and each refresh is the other’s as well', {}, async (_, open) => {
    const [one, two] = [await open(), await open()];
    await signIn(one);
    await two.getByText('Signed in as Ada').waitFor();
    const seen = new Set();
    for (const page of [one, two, one, two, one]) {
      seen.add((await ask(page, 'daypass.credentials({ forceRefresh: true })')).accessKeyId);
      assert.equal(await put(page), 'hello');
    }
    assert.equal(seen.size, 5);
    await Promise.all([one, two].map((page) => ask(page, 'daypass.credentials({ forceRefresh: true })')));
    for (const page of [one, two]) assert.ok(!(await ask(page, 'events')).includes('signout'));
  });

  browserTest('tabs without locks race, and stay signed in', {}, async (context, open) => {
    await context.addInitScript('delete Navigator.prototype.locks');
    const [one, two, three] = [await open(), await open(), await open()];
    await signIn(one);
    for (const page of [two, three]) await page.getByText('Signed in as Ada').waitFor();
    for (let round = 0; round < 3; round += 1) {
      await Promise.all([one, two, three].map((page) => ask(page, 'daypass.credentials({ forceRefresh: true })')));
    }
    for (const page of [one, two, three]) {
      assert.equal(await put(page), 'hello');
      assert.ok(!(await ask(page, 'events')).includes('signout'));
    }
  });

  browserTest('a person signs in by a window', {}, async (_, open) => {
    const page = await open();
    const opened = page.waitForEvent('popup');
    await page.click('#popup');
    const popup = await opened;
    await untilClosed(popup, () => consent(popup, 'ada'));
    await page.getByText('Signed in as Ada').waitFor();
    assert.equal(await put(page), 'hello');
  });

  browserTest('a window that the provider’s page has cut off signs in as well', {}, async (context, open) => {
    const page = await open();
    await page.evaluate('document.hasFocus = () => false');
    const opened = context.waitForEvent('page');
    await page.click('#popup');
    const popup = await opened;
    await popup.waitForURL(`${daypass.ready.sandbox_url}/**`);
    const cut = `${app.origin}/cut?${new URLSearchParams({ to: popup.url() })}`;
    await popup.evaluate(`location.assign(${JSON.stringify(cut)})`);
    await popup.waitForFunction('window.opener === null');
    await untilClosed(popup, () => consent(popup, 'ada'));
    await page.getByText('Signed in as Ada').waitFor();
    assert.equal(await put(page), 'hello');
  });

  browserTest('a person who says no is told so', { expects: /status of 403/ }, async (_, open) => {
    const page = await open();
    await ask(page, `daypass.signIn({ provider: 'snapchat' })`);
    await page.waitForURL(`${daypass.ready.sandbox_url}/**`);
    await page.click('button[name=decision][value=deny]');
    await page.getByRole('link', { name: /^Back to / }).click();
    await page.getByText('Refused: access_denied').waitFor();
    assert.equal(page.url(), `${app.origin}/`);
  });

  browserTest('a person sees the devices, ends another one, and then all', { expects: /status of 40[01]/ }, async (_, open) => {
    const page = await open();
    await signIn(page, 'grace');
    const other = await chromium.newContext();
    const phone = await other.newPage();
    await phone.goto(`${app.origin}/`);
    await signIn(phone, 'grace');
    const listed = await ask(page, 'daypass.sessions()');
    assert.equal(listed.length, 2);
    assert.deepEqual(listed.map((/** @type {any} */ { device }) => device), ['Chrome on Linux', 'Chrome on Linux']);
    const { id } = listed.find((/** @type {any} */ { current }) => !current);
    await ask(page, `daypass.endSession(${JSON.stringify(id)})`);
    assert.equal(await codeOf(phone, writing()), 'ExpiredToken', 'its credentials ended at once');
    assert.equal(await codeOf(phone, 'daypass.credentials({ forceRefresh: true })'), 'signed_out signed_out');
    await phone.getByText('Nobody is signed in').waitFor();
    await ask(page, 'daypass.credentials({ forceRefresh: true })');

    await signIn(phone, 'grace');
    await ask(page, 'daypass.signOut({ everywhere: true })');
    await page.getByText('Nobody is signed in').waitFor();
    assert.equal(await codeOf(phone, 'daypass.credentials({ forceRefresh: true })'), 'signed_out revoked');
    assert.equal(await codeOf(phone, 'daypass.sessions()'), 'signed_out');
    await other.close();
  });

  browserTest('what a provider’s own SDK gave is asked of that provider', { expects: /status of 40\d/ }, async (_, open) => {
    const page = await open();
    const refused = `daypass.handOver({ provider: 'snapchat', accessToken: 'made-up' })`;
    assert.equal(await codeOf(page, refused), 'unbound_access_token');
    assert.equal(await codeOf(page, refused.replace('snapchat', 'nobody')), 'unknown_provider');
    assert.equal(await ask(page, 'daypass.session()'), undefined);
  });

  browserTest('a guest reads what guests may, and keeps the identity at the sign-in', { expects: /status of 403/ }, async (_, open) => {
    const at = { IdentityPoolId: daypass.ready.identity_pool_id };
    const pool = await asDeveloper(daypass.ready, 'DescribeIdentityPool', at);
    await asDeveloper(daypass.ready, 'UpdateIdentityPool', { ...pool, AllowUnauthenticatedIdentities: true });
    const roles = { authenticated: daypass.ready.role_arn, unauthenticated: daypass.ready.guest_role_arn };
    await asDeveloper(daypass.ready, 'SetIdentityPoolRoles', { ...at, Roles: roles });
    const page = await open();
    const guest = await ask(page, 'daypass.guest()');
    const left = await ask(page, 'daypass.credentials().then(({ expiration }) => expiration - Date.now())');
    assert.ok(Math.abs(left - 3_600_000) < 5_000, `${left} ms`);
    assert.equal(await codeOf(page, writing()), 'AccessDenied');
    await ask(page, 'daypass.credentials({ forceRefresh: true })');
    await signIn(page, 'alan');
    assert.equal((await ask(page, 'daypass.session()')).identityId, guest.identityId);
    assert.equal(await put(page), 'hello');
  });

  browserTest('signing out ends the session at Daypass, and the next person finds nothing', {}, async (_, open) => {
    const page = await open();
    await signIn(page, 'ada');
    const { identityId } = await ask(page, 'daypass.session()');
    const text = await ask(page, 'Object.values(localStorage).join()');
    await ask(page, 'daypass.signOut()');
    assert.equal(await ask(page, 'localStorage.length + sessionStorage.length'), 0);
    const answer = await fetch(`${daypass.ready.server_url}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'refresh_token', client_id: 'web', refresh_token: JSON.parse(text).secrets.refreshToken }),
    });
    assert.deepEqual([answer.status, (await answer.json()).reason], [400, 'signed_out']);
    await signIn(page, 'grace');
    assert.ok(!(await ask(page, 'Object.values(localStorage).join()')).includes(identityId));
  });
});
