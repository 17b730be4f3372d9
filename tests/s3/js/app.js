/**
 * What an app does with the AWS SDK for JavaScript. The tests run these functions in Node.js and, bundled, in a
 * browser; so each takes and answers plain data. `at` is what `store.js` tells of the store.
 */
import {
  CopyObjectCommand, DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { MEBIBYTE, bytes, clientOptions } from './store.js';

const s3Of = (at) => new S3Client(clientOptions(at));
const object = (at, name) => ({ Bucket: at.bucket, Key: at.prefix + name });

/** Writes, reads, copies, lists and removes; answers what was seen. */
export async function useObjects(at) {
  const s3 = s3Of(at);
  const name = 'a b+ü&日.txt';
  await s3.send(new PutObjectCommand({ ...object(at, name), Body: 'content', ContentType: 'text/plain', Metadata: { mood: 'good' } }));
  await s3.send(new PutObjectCommand({ ...object(at, 'empty'), Body: '' }));
  await s3.send(new PutObjectCommand({ ...object(at, 'binary'), Body: bytes(100_000) }));
  const got = await s3.send(new GetObjectCommand(object(at, name)));
  const range = await s3.send(new GetObjectCommand({ ...object(at, name), Range: 'bytes=-2' }));
  const binary = await s3.send(new GetObjectCommand(object(at, 'binary')));
  await s3.send(new CopyObjectCommand({ ...object(at, 'copy'), CopySource: encodeURI(`${at.bucket}/${at.prefix}${name}`) }));
  const keys = [];
  for await (const page of paginateListObjectsV2({ client: s3, pageSize: 1 }, { Bucket: at.bucket, Prefix: at.prefix })) {
    for (const { Key: key } of page.Contents ?? []) keys.push(key.slice(at.prefix.length));
  }
  const { Deleted: deleted } = await s3.send(
    new DeleteObjectsCommand({ Bucket: at.bucket, Delete: { Objects: keys.map((key) => ({ Key: at.prefix + key })) } }),
  );
  const left = await s3.send(new ListObjectsV2Command({ Bucket: at.bucket, Prefix: at.prefix }));
  return {
    read: await got.Body.transformToString(),
    range: await range.Body.transformToString(),
    binary: (await binary.Body.transformToByteArray()).length,
    type: got.ContentType,
    metadata: got.Metadata,
    keys,
    deleted: deleted.length,
    left: left.KeyCount,
  };
}

/** A large upload in parts, with what its progress said. */
export async function uploadInParts(at, length) {
  const s3 = s3Of(at);
  const progress = [];
  const upload = new Upload({
    client: s3, params: { ...object(at, 'large'), Body: bytes(length), ContentType: 'text/plain' }, partSize: 5 * MEBIBYTE, queueSize: 2,
  });
  upload.on('httpUploadProgress', ({ loaded, total }) => progress.push({ loaded, total }));
  const { ETag: etag } = await upload.done();
  const head = await s3.send(new HeadObjectCommand(object(at, 'large')));
  return { etag, progress, length: head.ContentLength, type: head.ContentType, sameTag: head.ETag === etag };
}

/** An upload that is given up on the way leaves nothing. */
export async function giveUp(at) {
  const s3 = s3Of(at);
  const upload = new Upload({ client: s3, params: { ...object(at, 'given up'), Body: bytes(11 * MEBIBYTE) }, partSize: 5 * MEBIBYTE, queueSize: 1 });
  upload.on('httpUploadProgress', () => void upload.abort());
  const name = await upload.done().then(() => 'done', (error) => error.name);
  const head = await s3.send(new HeadObjectCommand(object(at, 'given up'))).then(() => 200, (error) => error.$metadata.httpStatusCode);
  return { name, head };
}

/** How reads on conditions, of nothing and of too much end. */
export async function refusals(at) {
  const s3 = s3Of(at);
  const { ETag: etag } = await s3.send(new PutObjectCommand({ ...object(at, 'object'), Body: 'content' }));
  const outcome = (command) => s3.send(command).then(() => 'done', (error) => `${error.name} ${error.$metadata.httpStatusCode}`);
  return {
    missing: await outcome(new GetObjectCommand(object(at, 'missing'))),
    missingHead: await outcome(new HeadObjectCommand(object(at, 'missing'))),
    notModified: await outcome(new GetObjectCommand({ ...object(at, 'object'), IfNoneMatch: etag })),
    exists: await outcome(new PutObjectCommand({ ...object(at, 'object'), Body: 'x', IfNoneMatch: '*' })),
    range: await outcome(new GetObjectCommand({ ...object(at, 'object'), Range: 'bytes=100-' })),
    after: await outcome(new GetObjectCommand(object(at, 'object'))),
  };
}

/** Addresses and a form for who holds no key. */
export async function sign(at) {
  const s3 = s3Of(at);
  return {
    put: await getSignedUrl(s3, new PutObjectCommand({ ...object(at, 'signed'), ContentType: 'text/plain' }), { expiresIn: 60 }),
    get: await getSignedUrl(s3, new GetObjectCommand(object(at, 'signed')), { expiresIn: 60 }),
    post: await createPresignedPost(s3, {
      ...object(at, 'posted/${filename}'), Expires: 60, Conditions: [['content-length-range', 1, 100], ['starts-with', '$Content-Type', 'text/']],
    }),
  };
}

/** `fetch`, which says why it failed. */
async function ask(url, options) {
  try {
    return await fetch(url, options);
  } catch (error) {
    throw new Error(`${options?.method ?? 'GET'}: ${error.message}: ${error.cause?.code} ${error.cause}`, { cause: error });
  }
}

/** Uses them, with nothing but `fetch`. */
export async function useSigned({ put, get, post }) {
  const status = (await ask(put, { method: 'PUT', body: 'signed', headers: { 'Content-Type': 'text/plain' } })).status;
  const read = await (await ask(get)).text();
  const send = (body, type) => {
    const form = new FormData();
    for (const [name, value] of Object.entries({ ...post.fields, 'Content-Type': type })) form.append(name, value);
    form.append('file', new Blob([body]), 'a ü.txt');
    return ask(post.url, { method: 'POST', body: form }).then((answer) => answer.status);
  };
  return { put: status, read, posted: await send('posted', 'text/html'), tooLarge: await send('x'.repeat(101), 'text/html'), type: await send('x', 'image/png') };
}
