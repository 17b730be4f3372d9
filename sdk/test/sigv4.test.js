// @ts-check
/**
 * The signer against answers that others computed: AWS's published suite and S3 examples, and
 * botocore for what those leave out. Each file of vectors names its provenance.
 */
import './support/webcrypto.js';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { signRequest, uriEncode } from '../src/sigv4.js';

/** @param {string} name */
function vectors(name) {
  return JSON.parse(readFileSync(new URL(`./vectors/${name}.json`, import.meta.url), 'utf8'));
}

/** @param {any} file @param {any} one */
async function authorizationOf(file, one) {
  const { headers } = await signRequest(one.request, {
    credentials: one.credentials,
    region: file.region,
    service: one.service ?? file.service,
    date: new Date(file.date),
  });
  return headers.get('authorization');
}

for (const name of ['sigv4-suite', 'sigv4-s3']) {
  const file = vectors(name);
  const scope = `${file.date.slice(0, 10).replaceAll('-', '')}/${file.region}/${file.service}/aws4_request`;
  for (const one of file.cases) {
    test(`${name}: ${one.name}`, async () => {
      const expected =
        `AWS4-HMAC-SHA256 Credential=${one.credentials.accessKeyId}/${scope}, ` +
        `SignedHeaders=${one.signedHeaders}, Signature=${one.signature}`;
      assert.equal(await authorizationOf(file, one), expected);
    });
  }
}

const botocore = vectors('sigv4-botocore');
for (const one of botocore.cases) {
  test(`botocore: ${one.name}`, async () => {
    assert.equal(await authorizationOf(botocore, one), one.authorization);
  });
}

const SCOPE = {
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'token' },
  region: 'us-east-1',
  service: 's3',
  date: new Date('2026-11-23T09:15:30.987Z'),
};

test('what is signed is what is sent: the URL comes back in the canonical encoding', async () => {
  const { url } = await signRequest({ url: "http://s3.test/b/it's (1)+.txt?prefix=a+b&x=y#part" }, SCOPE);
  assert.equal(url, 'http://s3.test/b/it%27s%20%281%29%2B.txt?prefix=a%20b&x=y');
});

test('the request carries what the server needs to repeat the signature, and no Host', async () => {
  const { method, headers } = await signRequest({ url: 'http://s3.test/b/k' }, SCOPE);
  assert.equal(method, 'GET');
  assert.equal(headers.get('x-amz-date'), '20261123T091530Z');
  assert.equal(headers.get('x-amz-security-token'), 'token');
  assert.match(headers.get('x-amz-content-sha256') ?? '', /^e3b0c442/);
  assert.equal(headers.has('host'), false);
});

test('text and its UTF-8 bytes have one signature', async () => {
  const bytes = new TextEncoder().encode('Grüße');
  const asText = await signRequest({ method: 'PUT', url: 'http://s3.test/b/k', body: 'Grüße' }, SCOPE);
  const asBytes = await signRequest({ method: 'PUT', url: 'http://s3.test/b/k', body: bytes }, SCOPE);
  assert.equal(asText.headers.get('authorization'), asBytes.headers.get('authorization'));
});

test('every part of the request is under the signature', async () => {
  /** @param {import('../src/sigv4.js').AwsRequest} change @param {Partial<typeof SCOPE>} [scope] */
  const signatureOf = async (change, scope) => {
    const request = { method: 'PUT', headers: { 'x-one': '1' }, body: 'body', ...change };
    return (await signRequest(request, { ...SCOPE, ...scope })).headers.get('authorization')?.split('Signature=')[1];
  };
  const url = 'http://s3.test/b/k?a=b';
  const all = await Promise.all([
    signatureOf({ url }),
    signatureOf({ url, method: 'POST' }),
    signatureOf({ url: 'http://s3.test:81/b/k?a=b' }),
    signatureOf({ url: 'http://s3.test/b/K?a=b' }),
    signatureOf({ url: 'http://s3.test/b/k?a=c' }),
    signatureOf({ url, headers: { 'x-one': '2' } }),
    signatureOf({ url, body: 'BODY' }),
    signatureOf({ url }, { region: 'eu-west-3' }),
    signatureOf({ url }, { date: new Date('2026-11-23T09:15:31Z') }),
    signatureOf({ url }, { credentials: { ...SCOPE.credentials, sessionToken: 'another' } }),
    signatureOf({ url }, { credentials: { ...SCOPE.credentials, secretAccessKey: 'another' } }),
  ]);
  assert.equal(new Set(all).size, all.length);
});

test('uriEncode leaves the unreserved characters and nothing else', () => {
  assert.equal(uriEncode('AZaz09-._~'), 'AZaz09-._~');
  assert.equal(uriEncode("/:+ %!'()*é"), '%2F%3A%2B%20%25%21%27%28%29%2A%C3%A9');
});
