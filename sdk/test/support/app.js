// @ts-check
/**
 * An app of somebody's, on an origin of its own: a page that can open a popup and keeps the messages that it gets, and
 * the address that logins come back to.
 */
import { createServer } from 'node:http';

const PAGE = `<!doctype html><html lang="en"><title>An app</title><link rel="icon" href="data:,"><h1>An app</h1>
<script>messages = []; addEventListener('message', ({ origin, data }) => messages.push({ origin, data }));</script>`;

export async function startApp() {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(PAGE);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the app listens on no port');
  const origin = `http://127.0.0.1:${address.port}`;
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { origin, redirectUri: `${origin}/signed-in`, stop };
}
