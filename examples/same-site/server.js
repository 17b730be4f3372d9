/** A page and its modules, from another port than Daypass's. It holds no secret and no session: the browser keeps that, in a cookie of Daypass's. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

const { PORT = '3000', DAYPASS_URL = 'http://127.0.0.1:9400', S3_URL = 'http://127.0.0.1:9401', BUCKET = 'daypass-demo' } = process.env;
/** Elsewhere this is the folder of the package. */
const SDK = new URL('../../sdk/src/', import.meta.url);

/** What may be asked for, and where it lies. */
const FILES = [
  { path: /^\/$/, type: 'text/html', file: () => new URL('index.html', import.meta.url) },
  { path: /^\/page\.js$/, type: 'text/javascript', file: () => new URL('page.js', import.meta.url) },
  { path: /^\/daypass\/([a-z0-9-]+\.js)$/, type: 'text/javascript', file: ([, name]) => new URL(name, SDK) },
];
/** No script but ours, and nobody to speak to but Daypass and S3. */
const HEADERS = {
  'content-security-policy': `default-src 'none'; script-src 'self'; connect-src ${DAYPASS_URL} ${S3_URL}; img-src data:; base-uri 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};
const SETTINGS = JSON.stringify({ url: DAYPASS_URL, s3: S3_URL, bucket: BUCKET }).replaceAll('"', '&quot;');

async function answer({ url }, response) {
  const { pathname } = new URL(url, 'http://page');
  for (const { path, type, file } of FILES) {
    const match = path.exec(pathname);
    if (!match) continue;
    const text = await readFile(file(match), 'utf8');
    return response.writeHead(200, { ...HEADERS, 'content-type': `${type}; charset=utf-8` }).end(text.replace('SETTINGS', SETTINGS));
  }
  return response.writeHead(404, HEADERS).end();
}

const server = createServer((request, response) => {
  answer(request, response).catch((error) => response.writeHead(500).end(error.code));
});
server.listen(Number(PORT), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`));
