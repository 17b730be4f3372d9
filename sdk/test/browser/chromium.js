// @ts-check
/** Debian's Chromium for the browser tests. A browser that is not there is an error that says what to do. */
import { chromium } from 'playwright-core';
import { needed } from '../support/daypass.js';

export function startChromium() {
  const executablePath = needed(process.env.CHROMIUM ?? '/usr/bin/chromium', 'Install chromium or set CHROMIUM');
  const quiet = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'];
  // Tests may run as root in a container, where Chromium's sandbox cannot start.
  return chromium.launch({ executablePath, args: ['--no-sandbox', ...quiet] });
}
