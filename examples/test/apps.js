/** The examples as their READMEs start them, with ports that the system chooses, in front of a real `daypass up`. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, createServer, preview } from 'vite';
import { startChromium } from '../../sdk/test/browser/chromium.js';
import { watch } from '../../sdk/test/browser/watch.js';
import { startDaypass } from '../../sdk/test/support/daypass.js';

const quiet = { logLevel: 'error' };
const anyPort = { host: '127.0.0.1', port: 0 };
const originOf = ({ port }) => `http://127.0.0.1:${port}`;

/** The folder of an example. @param {string} name */
export const folder = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** Has Daypass answer the pages of an example, which were at another origin when its file was written. */
export async function register(daypass, name, written, origin) {
  const toml = await readFile(join(folder(name), 'daypass.toml'), 'utf8');
  await daypass.reread(toml.replaceAll(written, origin));
}

/** What `npm run build` makes, as `npm run preview` serves it. @param {string} name */
export async function startBuilt(name) {
  const outDir = await mkdtemp(join(tmpdir(), 'daypass-example-'));
  const root = folder(name);
  const options = { outDir, emptyOutDir: true, chunkSizeWarningLimit: 2000 };
  process.env.NODE_ENV = 'production';
  await build({ root, ...quiet, build: options });
  const server = await preview({ root, ...quiet, build: options, preview: anyPort });
  const stop = async () => {
    await server.close();
    await rm(outDir, { recursive: true, force: true });
  };
  return { origin: originOf(server.httpServer.address()), stop };
}

/** What `npm run dev` serves, on a port of the system's choice, which Vite leaves to others. @param {string} name */
export async function startDev(name) {
  process.env.NODE_ENV = 'development';
  const vite = await createServer({ root: folder(name), ...quiet, server: { middlewareMode: true, hmr: false } });
  const server = http.createServer(vite.middlewares);
  await once(server.listen(anyPort), 'listening');
  const stop = async () => {
    server.closeAllConnections();
    server.close();
    await vite.close();
  };
  return { origin: originOf(server.address()), stop };
}

/**
 * An example with its page in a browser, and what a person does there. What was started is in `stops`, also when more
 * could not be.
 * @param {string} name @param {(name: string) => Promise<{origin: string, stop: () => Promise<unknown>}>} start
 * @param {(() => Promise<unknown>)[]} stops @param {Awaited<ReturnType<typeof startDaypass>>} [running] instead of one of its own
 */
export async function startExample(name, start, stops, running) {
  const daypass = running ?? (await startDaypass());
  stops.unshift(daypass.stop);
  const { server_url, s3_url, bucket } = daypass.ready;
  Object.assign(process.env, { VITE_DAYPASS_URL: server_url, VITE_S3_URL: s3_url, UP_S3_URL: s3_url, VITE_BUCKET: bucket });
  const app = await start(name);
  stops.unshift(app.stop);
  await register(daypass, name, 'http://127.0.0.1:5173', app.origin);
  return { origin: app.origin, ready: daypass.ready, ...(await openBrowser(daypass.ready, stops)) };
}

/** @param {{sandbox_url: string}} ready @param {(() => Promise<unknown>)[]} stops */
export async function openBrowser({ sandbox_url }, stops) {
  const chromium = await startChromium();
  stops.unshift(() => chromium.close());
  const context = await chromium.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const { complaints } = await watch(page);

  /** @param {string} [person] */
  async function signIn(person = 'ada') {
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: /Snapchat/ }).first().click();
    await page.waitForURL(`${sandbox_url}/**`);
    await page.check(`input[name=person][value="${person}"]`);
    await page.click('button[name=decision][value=allow]');
    await page.getByText('Signed in as').waitFor();
  }
  return { page, complaints, signIn };
}

/** @param {(() => Promise<unknown>)[]} stops */
export async function stopAll(stops) {
  for (const stop of stops) await stop();
}
