// @ts-check
/** The package as somebody gets it: packed, installed into an empty folder, imported, typed, and small. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { publicSurface, REPORT, SDK } from './support/api.js';

const run = promisify(execFile);

const PROGRAM = `
import { createDaypass, memoryStorage, SignedOutError } from '@daypass/browser';
import { mountButton } from '@daypass/browser/button';
import { useDaypass } from '@daypass/browser/react';
import { S3Bucket, signRequest } from '@daypass/browser/s3';

const daypass = createDaypass({ url: 'https://login.test', app: 'web', storage: memoryStorage() });
console.log(typeof daypass.signIn, daypass.credentials.memoized, typeof S3Bucket, typeof signRequest, typeof mountButton, typeof useDaypass);
await daypass.credentials().catch((error) => console.log(error instanceof SignedOutError));
daypass.dispose();
`;

/** What the compiler is to believe, and what it is not. */
const TYPED = `
import { createDaypass, type Session, type CredentialsProvider } from '@daypass/browser';
import { mountButton } from '@daypass/browser/button';
import { DaypassProvider, useDaypass } from '@daypass/browser/react';
import { S3Bucket } from '@daypass/browser/s3';

const daypass = createDaypass({ url: 'https://login.test', app: 'web' });
const session: Session | undefined = await daypass.session();
const provider: CredentialsProvider = daypass.credentials;
type AwsCredentialIdentityProvider = (properties?: Record<string, any>) => Promise<
  { readonly accessKeyId: string, readonly secretAccessKey: string, readonly sessionToken?: string, readonly expiration?: Date }>;
const aws: AwsCredentialIdentityProvider = provider;
daypass.on('signout', ({ reason, session: { identityId } }) => { const texts: string[] = [reason, identityId]; void texts; });
new S3Bucket({ endpoint: 'https://s3.test', bucket: 'b', region: session?.region ?? '', credentials: daypass.credentials });
const remove: () => void = mountButton(document.body, { daypass, provider: 'google', via: 'popup' });
const name: () => string | undefined = () => useDaypass().session?.user.name;
void [aws, remove, name, DaypassProvider({ daypass, children: 'text' })];
// @ts-expect-error there is no such event
daypass.on('else', () => {});
// @ts-expect-error an app has to be named
createDaypass({ url: 'https://login.test' });
// @ts-expect-error a proof is of a provider
daypass.handOver({ accessToken: 't' });
`;

const COMPILER = { target: 'ES2022', lib: ['ES2022', 'DOM'], types: [], strict: true, noEmit: true, module: 'preserve' };

test('the packed package is installed into an empty folder, imported and typed', { timeout: 120_000 }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'daypass-package-'));
  t.after(() => rm(folder, { recursive: true }));
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: SDK });
  const [{ filename, files }] = JSON.parse(stdout.slice(stdout.indexOf('[\n')));
  const paths = files.map((/** @type {{path: string}} */ { path }) => path);
  assert.ok(paths.includes('src/index.js') && paths.includes('types/index.d.ts') && paths.includes('wire.d.ts') && paths.includes('README.md') && paths.includes('LICENSE'));
  assert.deepEqual(paths.filter((/** @type {string} */ path) => /test|tsconfig|broker/.test(path)), []);

  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${filename}`], { cwd: folder });
  await mkdir(join(folder, 'node_modules/@types'));
  for (const name of ['react', '@types/react']) await symlink(join(SDK, 'node_modules', name), join(folder, 'node_modules', name));
  await writeFile(join(folder, 'program.mjs'), PROGRAM);
  const answer = await run('node', ['program.mjs'], { cwd: folder });
  assert.equal(answer.stdout, 'function true function function function function\ntrue\n');

  await writeFile(join(folder, 'typed.mts'), TYPED);
  for (const moduleResolution of ['bundler', 'nodenext']) {
    const module = moduleResolution === 'nodenext' ? 'nodenext' : 'preserve';
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...COMPILER, module, moduleResolution }, files: ['typed.mts'] }));
    await run(join(SDK, 'node_modules/.bin/tsc'), ['-p', folder], { cwd: folder }).catch(({ stdout: said }) => assert.fail(`${moduleResolution}: ${said}`));
  }
});

/** @typedef {(asked: {kind: string, path: string}) => boolean} Leaves whether a module is left out */

/** What `esbuild --minify` makes of it for browsers, by `gzip -9`. @param {string} contents @param {Leaves} leaves */
async function bundle(contents, leaves) {
  /** @type {import('esbuild').Plugin} */
  const plugin = {
    name: 'left out',
    setup: ({ onResolve }) => onResolve({ filter: /./ }, ({ path, kind }) => (leaves({ kind, path }) ? { path, external: true } : undefined)),
  };
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: join(SDK, 'src') }, bundle: true, minify: true, format: 'esm', target: 'es2022', write: false, metafile: true,
    external: ['react'], plugins: [plugin],
  });
  const modules = Object.keys(metafile.inputs).map((path) => `./${path.split('/').at(-1)}`);
  const later = Object.values(metafile.inputs).flatMap(({ imports }) => imports).filter(({ kind }) => kind === 'dynamic-import');
  return { bytes: gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length, modules, later: new Set(later.map(({ path }) => path)) };
}

/** With nothing that comes only when it is needed. @param {string} entry */
const first = (entry) => bundle(`export * from './${entry}.js'`, ({ kind }) => kind === 'dynamic-import');

test('the session part, as a page fetches it to sign in and to refresh, has 8 kB at most', async (t) => {
  const { bytes, modules, later } = await first('index');
  assert.deepEqual([...later].sort(), ['./dpop.js', './guest.js', './link.js', './popup.js']);
  const parts = await Promise.all([...later].map(async (part) => {
    const { bytes: more } = await bundle(`export * from '${part}'`, ({ path }) => modules.includes(path));
    assert.ok(more <= 1_200, `${part}: ${more} bytes`);
    return `${part} ${more}`;
  }));
  t.diagnostic(`${bytes} bytes; when needed ${parts.join(', ')}`);
  assert.ok(bytes <= 8_000, `${bytes} bytes`);
});

for (const [entry, limit] of /** @type {const} */ ([['button', 11_000], ['react', 700], ['s3', 3_000]])) {
  test(`the entry point ${entry} stays below ${limit} bytes`, async (t) => {
    const { bytes } = await first(entry);
    t.diagnostic(`${bytes} bytes`);
    assert.ok(bytes <= limit, `${bytes} bytes`);
  });
}

test('api.txt says what the public surface is; npm run api writes it anew', async () => {
  assert.equal(await readFile(REPORT, 'utf8'), await publicSurface());
});
