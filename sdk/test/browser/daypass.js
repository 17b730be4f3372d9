// @ts-check
/**
 * Starts the real `daypass up` and the real Chromium for the browser tests. Whatever is missing is
 * an error that says what to do: a browser test that cannot run has failed.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

/** @typedef {{server_url: string, s3_url: string, sandbox_url: string, region: string, bucket: string}} Ready */

export async function startDaypass() {
  const binary = needed(process.env.DAYPASS_BIN, 'Set DAYPASS_BIN to the daypass binary');
  const dir = await mkdtemp(join(tmpdir(), 'daypass-browser-'));
  const child = spawn(binary, ['up', '--port', '0', '--dir', dir], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = textOf(child.stderr);
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    await rm(dir, { recursive: true, force: true });
  };
  const line = once(createInterface(child.stdout), 'line');
  const [first] = await Promise.race([line, ended.then(() => [undefined])]);
  if (typeof first !== 'string') throw new Error(`daypass up ended before it was ready:\n${said()}`);
  return { ready: /** @type {Ready} */ (JSON.parse(first)), stop };
}

/** Collects what a stream says, which also keeps its pipe from filling. @param {import('node:stream').Readable} stream */
function textOf(stream) {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk) => {
    text = (text + chunk).slice(-20_000);
  });
  return () => text;
}

export function startChromium() {
  const executablePath = needed(process.env.CHROMIUM ?? '/usr/bin/chromium', 'Install chromium or set CHROMIUM');
  const quiet = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'];
  // Tests may run as root in a container, where Chromium's sandbox cannot start.
  return chromium.launch({ executablePath, args: ['--no-sandbox', ...quiet] });
}

/** @param {string | undefined} path @param {string} cure */
function needed(path, cure) {
  if (!path || !existsSync(path)) throw new Error(`${cure} (now: ${path ?? 'not set'})`);
  return path;
}
