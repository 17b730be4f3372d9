// @ts-check
/**
 * Starts the real `daypass up`, for the tests that need one. Whatever is missing is an error that says
 * what to do: a test that cannot run has failed.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/**
 * The ready line, as far as tests use it.
 * @typedef {{
 *   server_url: string, s3_url: string, sandbox_url: string, region: string, account_id: string, bucket: string,
 *   identity_pool_id: string, developer_provider: string, role_arn: string, guest_role_arn: string,
 *   dir: string, aws_config_file: string, aws_shared_credentials_file: string, aws_profile: string,
 * }} Ready
 */

/** @param {string} [config] the text of a file for `--config` */
export async function startDaypass(config = '') {
  const binary = needed(process.env.DAYPASS_BIN, 'Set DAYPASS_BIN to the daypass binary');
  const dir = await mkdtemp(join(tmpdir(), 'daypass-test-'));
  const file = join(dir, 'more.toml');
  await writeFile(file, config);
  /** @param {string} port */
  const start = async (port) => {
    const command = ['up', '--port', port, '--dir', join(dir, 'state'), '--config', file];
    const child = spawn(binary, command, { stdio: ['ignore', 'pipe', 'pipe'] });
    const said = textOf(child.stderr);
    const ended = once(child, 'exit');
    const line = once(createInterface(child.stdout), 'line');
    const [first] = await Promise.race([line, ended.then(() => [undefined])]);
    if (typeof first !== 'string') throw new Error(`daypass up ended before it was ready:\n${said()}`);
    return { child, ended, ready: /** @type {Ready} */ (JSON.parse(first)) };
  };
  let running = await start('0');
  const { ready } = running;
  const end = async () => {
    running.child.kill('SIGTERM');
    await running.ended;
  };
  const stop = async () => {
    await end();
    await rm(dir, { recursive: true, force: true });
  };
  /** Ends it, and starts it again where it was. */
  const restart = async () => {
    await end();
    running = await start(new URL(ready.server_url).port);
  };
  /** Has it read another text in the place of that one. @param {string} text */
  const reread = async (text) => {
    await writeFile(file, text);
    // The end of its welcome may still be on its way.
    const isAnswer = /counts from now on|Nothing has changed/;
    const answered = new Promise((resolve) => {
      createInterface(running.child.stderr).on('line', (line) => isAnswer.test(line) && resolve(line));
    });
    running.child.kill('SIGHUP');
    const answer = String(await answered);
    if (!answer.includes('counts from now on')) throw new Error(answer);
  };
  return { ready, reread, restart, stop };
}

/** Collects what a stream says, which also keeps its pipe from filling. @param {import('node:stream').Readable} stream */
function textOf(stream) {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk) => {
    text = (text + chunk).slice(-20_000);
  });
  return () => text;
}

/** A program that has to be there. @param {string | undefined} path @param {string} cure */
export function needed(path, cure) {
  if (!path || !existsSync(path)) throw new Error(`${cure} (now: ${path ?? 'not set'})`);
  return path;
}
