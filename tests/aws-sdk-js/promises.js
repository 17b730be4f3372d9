/** What the SDK finds at a Daypass, wherever it runs. `run` calls a function of `app.js` there, by its name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

const UNKNOWN_IDENTITY = 'us-east-1:00000000-0000-4000-8000-000000000000';

/** Declares the tests. `setup()` gives `{daypass, ada, grace, run}` when they run. */
export function promises(setup) {
  for (const flow of ['enhanced', 'classic']) {
    test(`${flow} flow: a login becomes a folder of one's own`, async () => {
      const { daypass, ada, run } = setup();
      const name = `${flow} & +1 ünï.txt`;
      const used = await run('useOwnFolder', { daypass, person: ada, flow, name, text: 'line one\nlíne two' });
      assert.equal(used.read, 'line one\nlíne two');
      assert.ok(used.keys.includes(`${ada.identityId}/${name}`), used.keys.join());
      assert.ok(used.keys.every((key) => key.startsWith(`${ada.identityId}/`)), used.keys.join());
    });

    test(`${flow} flow: another person's folder is closed`, async () => {
      const { daypass, ada, grace, run } = setup();
      await run('useOwnFolder', { daypass, person: grace, flow, name: 'diary.txt', text: 'for my eyes only' });
      const attempts = await run('tryFolder', { daypass, person: ada, flow, folder: grace.identityId, name: 'diary.txt' });
      for (const [what, attempt] of Object.entries(attempts)) assertRefused(attempt, 'AccessDenied', 403, what);
    });

    test(`${flow} flow: credentials are asked for again when they have expired, and not before`, async () => {
      const { daypass, ada, run } = setup();
      const { first, again, anHourLater } = await run('keysOverTime', { daypass, person: ada, flow });
      assert.match(first, /^ASIA[A-Z0-9]{16}$/);
      assert.equal(again, first);
      assert.match(anHourLater, /^ASIA/);
      assert.notEqual(anHourLater, first);
    });
  }

  test('the session of the enhanced flow is called as Cognito calls it', async () => {
    const { daypass, ada, run } = setup();
    const me = await run('whoAmI', { daypass, person: ada, flow: 'enhanced' });
    assert.equal(me.identityId, ada.identityId);
    assertCaller(daypass, me, 'CognitoIdentityCredentials');
  });

  test('the session of the classic flow is called as its caller chose', async () => {
    const { daypass, ada, run } = setup();
    assertCaller(daypass, await run('whoAmI', { daypass, person: ada, flow: 'classic' }), 'on-a-phone');
  });

  test('a tampered token is a NotAuthorizedException', async () => {
    const { daypass, ada, run } = setup();
    const person = { ...ada, token: tampered(ada.token) };
    const refused = await run('askForCredentials', { daypass, person, flow: 'enhanced' });
    assertRefused(refused, 'NotAuthorizedException', 400);
    assert.equal(refused.message, "Invalid login token. Couldn't verify signed token.");
    assertRefused(await run('askForCredentials', { daypass, person, flow: 'classic' }), 'InvalidIdentityTokenException', 400);
  });

  test("another person's token is a NotAuthorizedException", async () => {
    const { daypass, ada, grace, run } = setup();
    const refused = await run('getCredentials', { daypass, person: { ...ada, token: grace.token } });
    assertRefused(refused, 'NotAuthorizedException', 400);
  });

  test('an unknown identity is a ResourceNotFoundException', async () => {
    const { daypass, ada, run } = setup();
    const refused = await run('getCredentials', { daypass, person: { ...ada, identityId: UNKNOWN_IDENTITY } });
    assertRefused(refused, 'ResourceNotFoundException', 400);
    assert.equal(refused.message, `Identity '${UNKNOWN_IDENTITY}' not found.`);
  });

  test('guests are off unless asked for', async () => {
    const { daypass, run } = setup();
    const message = 'Unauthenticated access is not supported for this identity pool.';
    for (const refused of [await run('getGuestId', { daypass }), await run('askForCredentials', { daypass, flow: 'guest' })]) {
      assertRefused(refused, 'NotAuthorizedException', 400);
      assert.equal(refused.message, message);
    }
  });
}

export function assertRefused(attempt, name, status, what = '') {
  const { requestId, message, ...refusal } = attempt;
  assert.deepEqual(refusal, { done: false, name, status }, `${what} ${message}`);
  assert.ok(requestId, `${what}: an answer without a request ID that can be read`);
}

function assertCaller(daypass, me, session) {
  const role = daypass.role_arn.split('/').at(-1);
  assert.equal(me.arn, `arn:aws:sts::${daypass.account_id}:assumed-role/${role}/${session}`);
  assert.match(me.userId, new RegExp(`^AROA[A-Z0-9]+:${session}$`));
  assert.equal(me.account, daypass.account_id);
  assert.ok(me.seconds > 3500 && me.seconds <= 3600, `${me.seconds} seconds`);
}

/** The token with another signature of the same length. */
function tampered(token) {
  const [header, claims, signature] = token.split('.');
  const first = signature.startsWith('A') ? 'B' : 'A';
  return `${header}.${claims}.${first}${signature.slice(1)}`;
}
