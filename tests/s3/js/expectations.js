/** What `app.js` sees, wherever it runs. `run` calls a function of it there, by its name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITED, MEBIBYTE } from './store.js';

export function expectations(folder, run) {
  test('objects are written, read, copied, listed and removed', LIMITED, async () => {
    assert.deepEqual(await run('useObjects', folder('objects')), {
      read: 'content', range: 'nt', binary: 100_000, type: 'text/plain', metadata: { mood: 'good' },
      keys: ['a b+ü&日.txt', 'binary', 'copy', 'empty'], deleted: 4, left: 0,
    });
  });

  test('a large upload goes in parts, and says how far it is', LIMITED, async () => {
    const length = 12 * MEBIBYTE + 7;
    const seen = await run('uploadInParts', folder('large'), length);
    assert.deepEqual([seen.length, seen.type, seen.sameTag], [length, 'text/plain', true]);
    assert.match(seen.etag, /-3"$/);
    assert.deepEqual(seen.progress.at(-1), { loaded: length, total: length });
    assert.ok(seen.progress.length >= 3, JSON.stringify(seen.progress));
  });

  test('an upload that is given up leaves nothing', LIMITED, async () => {
    assert.deepEqual(await run('giveUp', folder('given up')), { name: 'AbortError', head: 404 });
  });

  test('what is refused is told by its name', LIMITED, async () => {
    const { notModified, ...refusals } = await run('refusals', folder('refused'));
    // Over its cache, a browser does not let a page see that nothing is new.
    assert.match(notModified, /304|done/);
    assert.deepEqual(refusals, {
      missing: 'NoSuchKey 404', missingHead: 'NotFound 404', exists: 'PreconditionFailed 412', range: 'InvalidRange 416', after: 'done',
    });
  });

  test('addresses and forms that were signed work for who has no key', LIMITED, async () => {
    const signed = await run('sign', folder('signed'));
    assert.deepEqual(await run('useSigned', signed), { put: 200, read: 'signed', posted: 204, tooLarge: 400, type: 403 });
  });
}
