/** The adapters of @daypass/browser for phones take the plugins as they are: by their own types. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const HERE = fileURLToPath(new URL('..', import.meta.url));
const TSC = fileURLToPath(new URL('../../sdk/node_modules/.bin/tsc', import.meta.url));

const APP = `
import { App } from '@capacitor/app';
import { Browser } from '@capacitor/browser';
import { Preferences } from '@capacitor/preferences';
import { createDaypass } from '@daypass/browser';
import { capacitor } from '@daypass/browser/capacitor';
import { keychainStorage, reactNative } from '@daypass/browser/react-native';
import * as Keychain from 'react-native-keychain';

const app = { url: 'https://login.example.com', app: 'notes-app', redirectUri: 'com.example.notes:/callback' };
const inCapacitor = capacitor({ App, Browser, Preferences });
await inCapacitor.start(createDaypass({ ...app, ...inCapacitor.options }), (error: unknown) => void error);

// As React Native declares it.
declare const Linking: {
  openURL(url: string): Promise<any>;
  getInitialURL(): Promise<string | null>;
  addEventListener(type: 'url', handler: (event: { url: string }) => void): { remove(): void };
};
const storage = keychainStorage(Keychain);
const random = (length: number) => new Uint8Array(length);
const sha256 = async (data: Uint8Array) => data;
const inReactNative = reactNative({ Linking, storage, random, sha256 });
await inReactNative.start(createDaypass({ ...app, ...inReactNative.options }));

// @ts-expect-error there is no session without a place for it
capacitor({ App, Browser });
`;

test('Capacitor’s plugins and react-native-keychain fit', { timeout: 60_000 }, async (t) => {
  const folder = await mkdtemp(join(HERE, 'node_modules/.types-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'app.ts'), APP);
  // The types are those that the package emits, the link has none; and plugins are not ours to check.
  const paths = { '@daypass/browser': ['../../../sdk/src/index.js'], '@daypass/browser/*': ['../../../sdk/src/*.js'] };
  const compilerOptions = {
    target: 'ES2022', module: 'preserve', lib: ['ES2022', 'DOM', 'DOM.Iterable'], types: [], strict: true, noEmit: true, skipLibCheck: true, allowJs: true, paths,
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['app.ts'] }));
  const { stdout } = await promisify(execFile)(TSC, ['-p', folder]).catch((error) => error);
  assert.equal(stdout, '');
});
