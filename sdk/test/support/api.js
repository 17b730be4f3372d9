// @ts-check
/**
 * The public surface: what each entry point of the package exports, and every type that this leads to, without a
 * word of comment. `npm run api` writes it to api.txt, where a change of it can be seen.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

export const SDK = fileURLToPath(new URL('../../', import.meta.url));
export const REPORT = join(SDK, 'api.txt');

/** @typedef {Map<string, Map<string, string>>} Modules declarations by file and name */

/** @returns {Promise<string>} */
export async function publicSurface() {
  const { exports } = JSON.parse(await readFile(join(SDK, 'package.json'), 'utf8'));
  const modules = await declarations();
  const entries = Object.entries(exports).map(([path, { types }]) => {
    const file = types.replace('./types/', './');
    return `# @daypass/browser${path.slice(1)}\n\n${reached(modules, file).join('\n\n')}\n`;
  });
  return entries.join('\n');
}

/** @returns {Promise<Modules>} */
async function declarations() {
  const folder = await mkdtemp(join(tmpdir(), 'daypass-types-'));
  try {
    await promisify(execFile)('npx', ['tsc', '-p', 'tsconfig.types.json', '--outDir', folder], { cwd: SDK });
    const files = (await readdir(folder)).sort();
    const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
    return new Map(texts.map((text, index) => [`./${files[index]}`, statements(text)]));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @param {string} text */
function statements(text) {
  const bare = text.replace(/\/\*\*[^]*?\*\//g, '').replace(/^\s*(#private;)?\n/gm, '');
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const statement of bare.split(/^(?=(?:export|import|declare|type)\b)/m)) {
    const name = /^(?:export )?(?:declare )?(?:type|class|function|const|interface) (\w+)/.exec(statement)?.[1];
    const names = /^export \{(.*)\} from/.exec(statement)?.[1]?.split(',').map((part) => part.trim());
    for (const each of names ?? (name ? [name] : [])) found.set(each, statement.trim());
  }
  return found;
}

/** What the entry point exports, and after it what that is made of. @param {Modules} modules @param {string} entry */
function reached(modules, entry) {
  const queue = [...(modules.get(entry)?.keys() ?? [])].map((name) => ({ file: entry, name }));
  /** @type {Map<string, string>} */
  const seen = new Map();
  for (const { file, name } of queue) {
    const text = modules.get(file)?.get(name);
    if (text === undefined || seen.has(`${file} ${name}`)) continue;
    seen.set(`${file} ${name}`, text);
    queue.push(...mentioned(text, file, modules));
  }
  return [...new Set([...seen.values()])].filter((text) => !/^export type (\w+) = import\('.*'\)\.\1;$/.test(text) && !/^export \{/.test(text));
}

/** @param {string} text @param {string} file @param {Modules} modules */
function mentioned(text, file, modules) {
  const elsewhere = [...text.matchAll(/import\('(.*?)\.js'\)\.(\w+)/g)].map(([, from, name]) => ({ file: `${from}.d.ts`, name: name ?? '' }));
  const [, names, from] = /^export \{(.*)\} from '(.*)\.js'/.exec(text) ?? [];
  const again = (names ?? '').split(',').filter(Boolean).map((name) => ({ file: `${from}.d.ts`, name: name.trim() }));
  const here = [...text.matchAll(/\b[A-Z]\w+/g)].map(([name]) => ({ file, name }));
  return [...again, ...elsewhere, ...here.filter(({ name }) => modules.get(file)?.has(name))];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href && process.argv.includes('--write')) {
  await writeFile(REPORT, await publicSurface());
}
