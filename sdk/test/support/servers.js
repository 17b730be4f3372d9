// @ts-check
/** The stub of Daypass on a port, with its pages, and an app of somebody's on another origin that uses the SDK. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { StubDaypass } from './stub-daypass.js';

/** @typedef {import('node:http').IncomingMessage} Incoming */
/** @typedef {import('node:http').ServerResponse} Outgoing */

const SOURCES = new URL('../../src/', import.meta.url);

/** @param {(request: Incoming, response: Outgoing) => Promise<unknown>} answer */
export async function listen(answer) {
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => response.writeHead(500).end(String(error)));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { origin: `http://127.0.0.1:${address.port}`, stop };
}

const PAGE = `<!doctype html><html lang="en"><meta name="referrer" content="no-referrer"><title>An app</title><link rel="icon" href="data:,">
<h1>An app</h1><p id="who"></p><button id="popup">Sign in by a window</button>
<script type="module">
import { createDaypass } from 'URL_OF_SDK/index.js';
const daypass = createDaypass({ url: 'URL_OF_DAYPASS', app: 'web', redirectUri: location.origin + '/', ...OPTIONS });
const show = (session) => { document.getElementById('who').textContent = session ? 'Signed in as ' + session.user.name : 'Nobody is signed in'; };
const events = [];
for (const event of ['signin', 'signout', 'refresh', 'error']) daypass.on(event, (detail) => events.push(event));
daypass.on('signin', show);
daypass.on('signout', () => show());
const failed = ({ code }) => { document.getElementById('who').textContent = 'Refused: ' + code; };
document.getElementById('popup').onclick = () => daypass.signIn({ provider: 'PROVIDER', via: 'popup' }).catch(failed);
Object.assign(window, { daypass, events });
await daypass.handleRedirect().then(show, failed);
</script></html>`;

/** An app, for a Daypass that is named when it is there. */
export async function startClientApp() {
  const app = { url: '', provider: 'sandbox', sdk: '/daypass', options: {} };
  const { origin, stop } = await listen(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://app.test');
    const { pathname } = url;
    if (pathname === '/cut') return cutOff(url, response);
    if (pathname.startsWith('/daypass/')) {
      const text = await readFile(new URL(pathname.slice('/daypass/'.length), SOURCES));
      return response.writeHead(200, { 'content-type': 'text/javascript' }).end(text);
    }
    const html = pathname === '/elsewhere' ? '<!doctype html><title>Elsewhere</title>' : PAGE;
    return response.writeHead(200, { 'content-type': 'text/html' }).end(html.replace('URL_OF_DAYPASS', app.url).replace('PROVIDER', app.provider).replace('URL_OF_SDK', app.sdk).replace('OPTIONS', JSON.stringify(app.options)));
  });
  return { app, origin, stop };
}

/** The stub, and how its pages are to be. */
export async function startStub() {
  const stub = new StubDaypass();
  const pages = { cut: false };
  const { origin, stop } = await listen(async (request, response) => {
    const url = new URL(request.url ?? '/', stub.url);
    if (url.pathname === '/oauth2/authorize') return authorize(stub, pages, url, response);
    if (url.pathname === '/cut') return cutOff(url, response);
    if (url.pathname === '/done') return done(url, response);
    return api(stub, request, response);
  });
  stub.url = origin;
  return { stub, pages, stop };
}

/** Everybody agrees at once, and a provider may cut windows off on the way. @param {StubDaypass} stub @param {{cut: boolean}} pages @param {URL} url @param {Outgoing} response */
function authorize(stub, { cut }, url, response) {
  const redirectUri = url.searchParams.get('redirect_uri') ?? '';
  const answer = new URLSearchParams(stub.agree(url));
  const back = url.searchParams.has('response_mode') ? `${stub.url}/done?${new URLSearchParams({ to: redirectUri, answer: String(answer) })}` : `${redirectUri}?${answer}`;
  const location = cut ? `/cut?${new URLSearchParams({ to: back })}` : back;
  response.writeHead(302, { location }).end();
}

/** A page that cuts the tie to the window that opened it, and goes on. @param {URL} url @param {Outgoing} response */
function cutOff(url, response) {
  const headers = { 'content-type': 'text/html', 'cross-origin-opener-policy': 'same-origin' };
  response.writeHead(200, headers).end(`<!doctype html><title>Provider</title><script>location.replace(${JSON.stringify(url.searchParams.get('to'))})</script>`);
}

/** As Daypass's page does it. @param {URL} url @param {Outgoing} response */
function done(url, response) {
  const to = url.searchParams.get('to') ?? '';
  const answer = url.searchParams.get('answer') ?? '';
  const message = { type: 'authorization_response', response: Object.fromEntries(new URLSearchParams(answer)) };
  response.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html><title>Done</title><script>
    if (!window.opener) location.replace(${JSON.stringify(`${to}?${answer}`)});
    else { window.opener.postMessage(${JSON.stringify(message)}, ${JSON.stringify(new URL(to).origin)}); window.close(); }
  </script>`);
}

/** @param {StubDaypass} stub @param {Incoming} request @param {Outgoing} response */
async function api(stub, request, response) {
  const cors = {
    'access-control-allow-origin': request.headers.origin ?? '*',
    'access-control-allow-headers': 'authorization, content-type, x-amz-target',
    'access-control-allow-methods': 'GET, POST, DELETE',
    'access-control-expose-headers': 'date, retry-after',
  };
  if (request.method === 'OPTIONS') return response.writeHead(204, cors).end();
  const text = await bodyOf(request);
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
  const answer = await stub.answer(new URL(request.url ?? '/', stub.url).href, {
    method: request.method,
    headers: /** @type {Record<string, string>} */ (request.headers),
    body: isForm ? new URLSearchParams(text) : text,
  });
  response.writeHead(answer.status, { ...Object.fromEntries(answer.headers), ...cors, 'cache-control': 'no-store' });
  return response.end(await answer.text());
}

/** @param {Incoming} request */
async function bodyOf(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}
