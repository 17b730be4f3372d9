/**
 * An hour that passes when a test says so, for everybody at once: for the server by libfaketime, which answers whatever
 * asks the system for the time, and for a page by the clock that Playwright gives it.
 */
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needed } from '../../sdk/test/support/daypass.js';

/** Longer than credentials live, in seconds. */
const LONGER = 3700;

/** The library lies in the folder of the machine's kind. */
function libfaketime() {
  const paths = readdirSync('/usr/lib').map((kind) => `/usr/lib/${kind}/faketime/libfaketime.so.1`);
  return needed(paths.find(existsSync), 'Install faketime');
}

/** Starts what `start` starts with a clock of its own. @template T @param {() => Promise<T>} start */
export async function withOwnClock(start) {
  const dir = await mkdtemp(join(tmpdir(), 'daypass-clock-'));
  const clock = join(dir, 'clock');
  await writeFile(clock, '+0');
  const environment = { LD_PRELOAD: libfaketime(), FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1', NO_FAKE_STAT: '1' };
  Object.assign(process.env, environment);
  const started = await start().finally(() => Object.keys(environment).forEach((name) => delete process.env[name]));
  /** @param {import('playwright-core').Page} page */
  const pass = async (page) => {
    await writeFile(clock, `+${LONGER}`);
    await page.clock.fastForward(LONGER * 1000);
  };
  /** When an answer leaves that does so after the hour. */
  const after = () => new Date(Date.now() + LONGER * 1000).toUTCString();
  return { started, pass, after, stop: () => rm(dir, { recursive: true, force: true }) };
}
