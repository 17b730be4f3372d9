/**
 * The same in a real Chromium, on a page of another origin, which the bucket's CORS rules name. The bucket stands in the
 * path, and in the host: a browser finds `BUCKET.localhost` by itself.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { PutBucketCorsCommand, S3Client } from '@aws-sdk/client-s3';
import { build } from 'esbuild';
import { startChromium } from '../../../sdk/test/browser/chromium.js';
import { endWhenDone } from './done.js';
import { expectations } from './expectations.js';
import { clientOptions, store } from './store.js';

async function bundle() {
  const entry = fileURLToPath(new URL('app.js', import.meta.url));
  const define = { 'process.env': '{}' };
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, write: false, platform: 'browser', format: 'iife', globalName: 'app', define });
  return outputFiles[0].text;
}

async function startSite(script) {
  const page = '<!doctype html><html lang="en"><meta charset="utf-8"><title>An app</title><script src="/app.js"></script></html>';
  const files = { '/': ['text/html; charset=utf-8', page], '/app.js': ['text/javascript; charset=utf-8', script] };
  const site = createServer(({ url }, answer) => {
    const [type, text] = files[url] ?? ['text/plain', ''];
    answer.writeHead(text ? 200 : 404, { 'content-type': type }).end(text);
  });
  await once(site.listen(0, '127.0.0.1'), 'listening');
  return { url: `http://127.0.0.1:${site.address().port}/`, stop: () => site.close() };
}

/** Whoever owns the bucket lets the page in. */
async function letIn(url) {
  const rule = { AllowedOrigins: [new URL(url).origin], AllowedMethods: ['GET', 'PUT', 'POST', 'DELETE', 'HEAD'], AllowedHeaders: ['*'], ExposeHeaders: ['ETag', 'x-amz-meta-mood'] };
  const owner = new S3Client(clientOptions({ ...store, keys: store.owner }));
  await owner.send(new PutBucketCorsCommand({ Bucket: store.bucket, CORSConfiguration: { CORSRules: [rule] } }));
}

endWhenDone();
describe('AWS SDK for JavaScript in a browser', () => {
  let chromium, site, page;
  const run = (name, ...input) => page.evaluate(([name, input]) => app[name](...input), [name, input]);
  const folder = (name) => ({ ...store, owner: undefined, prefix: `${store.prefix}page ${name}/` });

  before(async () => {
    site = await startSite(await bundle());
    await letIn(site.url);
    chromium = await startChromium();
    page = await (await chromium.newContext()).newPage();
    await page.goto(site.url);
  }, { timeout: 60_000 });
  after(async () => {
    await chromium?.close();
    site?.stop();
  });

  expectations(folder, run);

  test('the bucket is found by its host', async () => {
    const url = new URL(store.url);
    const put = await page.evaluate(async ([at, host]) => {
      const { put } = await app.sign({ ...at, url: host });
      return put;
    }, [folder('host'), `http://localhost:${url.port}`]);
    assert.ok(new URL(put).pathname.startsWith(`/${store.bucket}/`), put);
  });
});
