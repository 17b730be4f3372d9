// @ts-check
import { fakeFetch } from './support/fakes.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DaypassError, NetworkError, UnexpectedAnswerError } from '../src/index.js';
import { S3Bucket, S3Error } from '../src/s3.js';

const ME = 'us-east-1:11111111-2222-3333-4444-555555555555';
const LISTING = `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>demo</Name><Prefix>p/</Prefix>
<IsTruncated>true</IsTruncated><NextContinuationToken>more&amp;more==</NextContinuationToken>
<Contents><Key>p/a &amp; b.txt</Key><LastModified>2026-11-23T09:15:30.000Z</LastModified><Size>12</Size>
<Owner><ID>o</ID></Owner></Contents>
<Contents><Key>p/c.txt</Key><LastModified>2026-11-23T09:16:00.000Z</LastModified><Size>0</Size></Contents>
</ListBucketResult>`;

/** @param {...(Response | Error)} answers */
function bucketThatHears(...answers) {
  const { fetch, calls } = fakeFetch(...answers);
  const bucket = new S3Bucket({
    endpoint: 'http://127.0.0.1:9401/',
    bucket: 'demo',
    region: 'us-east-1',
    credentials: { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'secret', sessionToken: 'session' },
    fetch,
    now: () => new Date('2026-11-23T09:15:30Z'),
  });
  return { bucket, calls };
}

test('puts an object, signed, with its content type', async () => {
  const { bucket, calls } = bucketThatHears(new Response(null));
  await bucket.put(`${ME}/nötes+1.txt`, 'hello', 'text/plain; charset=utf-8');
  const { url, init } = calls[0] ?? assert.fail();
  const headers = new Headers(init.headers);
  assert.equal(url, `http://127.0.0.1:9401/demo/${ME.replace(':', '%3A')}/n%C3%B6tes%2B1.txt`);
  assert.equal(init.method, 'PUT');
  assert.equal(init.body, 'hello');
  assert.equal(headers.get('content-type'), 'text/plain; charset=utf-8');
  assert.equal(headers.get('x-amz-date'), '20261123T091530Z');
  assert.match(headers.get('authorization') ?? '', /\/20261123\/us-east-1\/s3\/aws4_request, SignedHeaders=content-type;host;/);
});

test('no secret and no token travels in a URL', async () => {
  const { bucket, calls } = bucketThatHears(new Response(null));
  await bucket.put('k', 'hello');
  assert.ok(!/secret|session/.test(calls[0]?.url ?? ''));
});

test('gets an object', async () => {
  const { bucket, calls } = bucketThatHears(new Response('hello'));
  assert.equal(await (await bucket.get('a b.txt')).text(), 'hello');
  assert.equal(calls[0]?.url, 'http://127.0.0.1:9401/demo/a%20b.txt');
  assert.equal(calls[0]?.init.method, 'GET');
});

test('deletes an object', async () => {
  const { bucket, calls } = bucketThatHears(new Response(null, { status: 204 }));
  await bucket.delete('k');
  assert.equal(calls[0]?.init.method, 'DELETE');
});

test('lists a prefix, page by page', async () => {
  const { bucket, calls } = bucketThatHears(new Response(LISTING), new Response('<ListBucketResult/>'));
  const page = await bucket.list('p/', { maxKeys: 2 });
  assert.deepEqual(page, {
    objects: [
      { key: 'p/a & b.txt', size: 12, lastModified: new Date('2026-11-23T09:15:30Z') },
      { key: 'p/c.txt', size: 0, lastModified: new Date('2026-11-23T09:16:00Z') },
    ],
    continuationToken: 'more&more==',
  });
  assert.equal(calls[0]?.url, 'http://127.0.0.1:9401/demo?list-type=2&max-keys=2&prefix=p%2F');
  assert.deepEqual(await bucket.list('p/', page), { objects: [], continuationToken: undefined });
  assert.match(calls[1]?.url ?? '', /\?continuation-token=more%26more%3D%3D&list-type=2&/);
});

test('a refusal keeps the code, the status and the request ID of S3', async () => {
  const body = '<Error><Code>AccessDenied</Code><Message>Access &lt;denied&gt;</Message><RequestId>r-1</RequestId></Error>';
  const { bucket } = bucketThatHears(new Response(body, { status: 403 }));
  await assert.rejects(bucket.get('somebody-else/k'), (error) => {
    assert.ok(error instanceof S3Error);
    assert.equal(error.name, 'S3Error');
    assert.equal(error.code, 'AccessDenied');
    assert.equal(error.message, 'Access <denied>');
    assert.equal(error.status, 403);
    assert.equal(error.requestId, 'r-1');
    return true;
  });
});

test('a refusal without a body has its status for a code', async () => {
  const { bucket } = bucketThatHears(new Response('', { status: 403, headers: { 'x-amz-request-id': 'r-2' } }));
  await assert.rejects(bucket.put('k', ''), { code: 'Http403', status: 403, requestId: 'r-2' });
});

for (const body of ['', '<html></html>', '{"objects":[]}']) {
  test(`a listing that is ${JSON.stringify(body)} is an unexpected answer`, async () => {
    const { bucket } = bucketThatHears(new Response(body));
    await assert.rejects(bucket.list('p/'), UnexpectedAnswerError);
  });
}

test('silence is a network error', async () => {
  const { bucket } = bucketThatHears(new TypeError('Failed to fetch'));
  await assert.rejects(bucket.get('k'), NetworkError);
});

for (const key of ['', '.', '..', `${ME}/../other/k`, 'a/./b', 'a/..', 'half \ud83c of a pair']) {
  test(`the key ${JSON.stringify(key)} is refused before anything is sent`, async () => {
    const { bucket, calls } = bucketThatHears();
    for (const attempt of [async () => bucket.get(key), () => bucket.put(key, ''), () => bucket.delete(key)]) {
      await assert.rejects(attempt, (error) => error instanceof DaypassError && error.code === 'key_not_addressable');
    }
    assert.equal(calls.length, 0);
  });
}

for (const key of ['...', 'a..b', '.hidden', '%2e%2e/x', 'a//b', '/a', 'a/', '?', '#']) {
  test(`the key ${JSON.stringify(key)} is addressed exactly`, async () => {
    const { bucket, calls } = bucketThatHears(new Response(null));
    await bucket.put(key, '');
    const { pathname } = new URL(calls[0]?.url ?? '');
    assert.equal(decodeURIComponent(pathname), `/demo/${key}`);
  });
}
