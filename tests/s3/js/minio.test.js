/** MinIO's client for JavaScript. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { Client } from 'minio';
import { endWhenDone } from './done.js';
import { LIMITED, MEBIBYTE, bytes, store } from './store.js';

const { hostname, port } = new URL(store.url);
const [accessKey, secretKey, sessionToken] = store.keys;
const client = new Client({ endPoint: hostname, port: Number(port), useSSL: false, region: store.region, pathStyle: true, accessKey, secretKey, sessionToken, partSize: 5 * MEBIBYTE });
const { bucket } = store;
const at = (name) => `${store.prefix}minio/${name}`;

/** The entries of one of its listings. */
async function all(stream) {
  const found = [];
  for await (const entry of stream) found.push(entry);
  return found;
}

endWhenDone();
describe('MinIO client for JavaScript', () => {
  test('objects', LIMITED, async () => {
    await client.putObject(bucket, at('a b+ü.txt'), 'content', 7, { 'Content-Type': 'text/plain', 'X-Amz-Meta-Mood': 'good' });
    const stat = await client.statObject(bucket, at('a b+ü.txt'));
    assert.deepEqual([stat.size, stat.metaData['content-type'], stat.metaData.mood], [7, 'text/plain', 'good']);
    assert.equal(await text(await client.getObject(bucket, at('a b+ü.txt'))), 'content');
    assert.equal(await text(await client.getPartialObject(bucket, at('a b+ü.txt'), 1, 2)), 'on');
    await client.copyObject(bucket, at('copy'), `/${bucket}/${at('a b+ü.txt')}`);
    assert.equal(await text(await client.getObject(bucket, at('copy'))), 'content');
    await client.removeObjects(bucket, [at('copy'), at('a b+ü.txt'), at('nothing')]);
    await assert.rejects(client.statObject(bucket, at('copy')), { code: 'NotFound' });
  });

  test('listings of both versions', LIMITED, async () => {
    for (const name of ['list/a/1', 'list/a/2', 'list/b', 'list/ü+&']) await client.putObject(bucket, at(name), 'x');
    for (const list of ['listObjects', 'listObjectsV2']) {
      const whole = await all(client[list](bucket, at('list/'), true));
      assert.deepEqual(whole.map(({ name }) => name), ['list/a/1', 'list/a/2', 'list/b', 'list/ü+&'].map(at));
      assert.ok(whole.every(({ etag, size, lastModified }) => etag === '9dd4e461268c8034f5c8564e155c67a6' && size === 1 && lastModified));
      const folder = await all(client[list](bucket, at('list/'), false));
      assert.deepEqual(folder.map(({ name, prefix }) => name ?? prefix).sort(), ['list/a/', 'list/b', 'list/ü+&'].map(at).sort());
    }
  });

  // It looks for an upload to go on with, which a person may not.
  test('a stream of unknown length in parts', { ...LIMITED, skip: !store.makesBuckets }, async () => {
    const body = bytes(11 * MEBIBYTE);
    await client.putObject(bucket, at('large'), Readable.from([Buffer.from(body)]));
    assert.equal((await client.statObject(bucket, at('large'))).size, body.length);
    assert.deepEqual(await all(client.listIncompleteUploads(bucket, at(''), true)), []);
  });

  test('tags', LIMITED, async () => {
    await client.putObject(bucket, at('tagged'), 'x');
    await client.setObjectTagging(bucket, at('tagged'), { team: 'blue' });
    assert.deepEqual(await client.getObjectTagging(bucket, at('tagged')), [{ Key: 'team', Value: 'blue' }]);
    await client.removeObjectTagging(bucket, at('tagged'));
    assert.deepEqual(await client.getObjectTagging(bucket, at('tagged')), []);
  });

  test('signed addresses and forms', LIMITED, async () => {
    const put = await client.presignedPutObject(bucket, at('signed'), 60);
    assert.equal((await fetch(put, { method: 'PUT', body: 'signed' })).status, 200);
    assert.equal(await (await fetch(await client.presignedGetObject(bucket, at('signed'), 60))).text(), 'signed');
    const policy = client.newPostPolicy();
    policy.setBucket(bucket);
    policy.setKey(at('posted'));
    policy.setExpires(new Date(Date.now() + 60_000));
    policy.setContentLengthRange(1, 10);
    const { postURL, formData } = await client.presignedPostPolicy(policy);
    const form = new FormData();
    for (const [name, value] of Object.entries(formData)) form.append(name, value);
    form.append('file', new Blob(['posted']), 'name');
    assert.equal((await fetch(postURL, { method: 'POST', body: form })).status, 204);
    assert.equal(await text(await client.getObject(bucket, at('posted'))), 'posted');
  });

  test('buckets', { ...LIMITED, skip: !store.makesBuckets }, async () => {
    assert.equal(await client.bucketExists('made-by-minio-js'), false);
    await client.makeBucket('made-by-minio-js', store.region);
    assert.ok((await client.listBuckets()).some(({ name }) => name === 'made-by-minio-js'));
    await client.removeBucket('made-by-minio-js');
  });
});
