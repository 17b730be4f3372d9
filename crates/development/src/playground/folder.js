// @ts-check
/**
 * The person's own folder in S3, `<identity ID>/`, and the attempt on somebody else's. The page
 * asks S3 for whatever is wanted and shows what S3 says: it is the role's policy that confines.
 */
import { S3Error } from '/playground/sdk/s3.js';
import { byId, make, message, whileBusy } from './dom.js';
import { people, remember } from './people.js';
import { explain } from './plain-words.js';

/** @typedef {{bucket: import('/playground/sdk/s3.js').S3Bucket, identityId: string}} Folder */

/** In the form of an identity ID, and nobody's. */
const MADE_UP = 'us-east-1:00000000-0000-4000-8000-000000000000';

/** @param {Folder} folder @param {string} address what to call it */
export function showFolder(folder, address) {
  byId('folder-address').textContent = address;
  byId('put').onsubmit = onSubmit((form) => save(folder, form));
  byId('list').onclick = () => void attempt(byId('list'), 'folder-result', () => list(folder));
  byId('trespass').onsubmit = onSubmit((form) => trespass(folder, form));
  showOthers(folder);
}

/** @param {(form: FormData) => Promise<void>} action */
function onSubmit(action) {
  return (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const button = /** @type {HTMLElement} */ (form.querySelector('[type=submit]'));
    const result = form.id === 'put' ? 'folder-result' : 'trespass-result';
    void attempt(button, result, () => action(new FormData(form)));
  };
}

/** @param {HTMLElement} button @param {string} result @param {() => Promise<void>} action */
function attempt(button, result, action) {
  return whileBusy(button, async () => {
    byId(result).replaceChildren();
    await action().catch((error) => byId(result).replaceChildren(explain(error)));
  });
}

/** @param {Folder} folder @param {FormData} form */
async function save(folder, form) {
  const { bucket, identityId } = folder;
  const name = String(form.get('name'));
  await bucket.put(`${identityId}/${name}`, String(form.get('text')), 'text/plain; charset=utf-8');
  remember({ identityId, file: name });
  await list(folder);
  byId('folder-result').replaceChildren(message('good', `Saved ${name}`));
}

/** @param {Folder} folder */
async function list(folder) {
  const prefix = `${folder.identityId}/`;
  const { objects, continuationToken } = await folder.bucket.list(prefix);
  byId('files').replaceChildren(...objects.map((object) => fileLine(folder, object, object.key.slice(prefix.length))));
  const count = objects.length === 1 ? '1 file' : `${objects.length}${continuationToken ? ' or more' : ''} files`;
  byId('folder-result').replaceChildren(message('good', `Listed ${count}`));
}

/** @param {Folder} folder @param {import('/playground/sdk/s3.js').S3Object} object @param {string} name */
function fileLine(folder, { key, size }, name) {
  const read = make('button', { type: 'button', className: 'quiet', ariaLabel: `Read ${name}` }, 'Read');
  read.onclick = () => void attempt(read, 'folder-result', () => showFile(folder, key, name));
  const remove = make('button', { type: 'button', className: 'quiet', ariaLabel: `Delete ${name}` }, 'Delete');
  remove.onclick = () => void attempt(remove, 'folder-result', () => removeFile(folder, key, name));
  const label = make('span', { className: 'file-name' }, name, ' ', make('span', { className: 'hint' }, `${size} bytes`));
  return make('li', {}, label, make('span', { className: 'buttons' }, read, remove));
}

/** @param {Folder} folder @param {string} key @param {string} name */
async function showFile(folder, key, name) {
  hideFile();
  const text = await (await folder.bucket.get(key)).text();
  byId('file-shown-name').textContent = name;
  byId('file-shown-text').textContent = text;
  byId('file-shown').hidden = false;
  byId('folder-result').replaceChildren(message('good', `Read ${name}`));
}

/** @param {Folder} folder @param {string} key @param {string} name */
async function removeFile(folder, key, name) {
  await folder.bucket.delete(key);
  hideFile();
  await list(folder);
  byId('folder-result').replaceChildren(message('good', `Deleted ${name}`));
  // The pressed button is gone with its line; the keyboard goes on from the list's own button.
  byId('list').focus();
}

function hideFile() {
  byId('file-shown').hidden = true;
  byId('file-shown-text').replaceChildren();
}

/** @param {Folder} folder */
function showOthers({ identityId }) {
  const others = people().filter((person) => person.identityId !== identityId);
  const options = others.map((person) => make('option', { value: person.identityId }, `${person.name} (${person.identityId})`));
  byId('other').replaceChildren(...options, make('option', { value: MADE_UP }, 'An identity that I make up'));
}

/** @param {Folder} folder @param {FormData} form */
async function trespass({ bucket }, form) {
  const identityId = String(form.get('other'));
  const file = people().find((person) => person.identityId === identityId)?.file ?? 'hello.txt';
  const verdicts = [
    await verdict(`Reading ${file}`, () => bucket.get(`${identityId}/${file}`)),
    await verdict('Listing the folder', () => bucket.list(`${identityId}/`)),
  ];
  byId('trespass-result').replaceChildren(...verdicts);
}

/** @param {string} what @param {() => Promise<unknown>} action */
async function verdict(what, action) {
  try {
    await action();
  } catch (error) {
    // Any other 403, as for a bad signature, says nothing about the policy.
    const refused = error instanceof S3Error && error.code === 'AccessDenied';
    return refused ? refusal(what, error) : explain(error);
  }
  return message('bad', `${what} was allowed`, make('p', {}, 'It should have been refused: the role’s policy is too wide.'));
}

/** @param {string} what @param {S3Error} error */
function refusal(what, { status, code }) {
  const answer = make('p', {}, 'S3 answered ', make('code', {}, `${status} ${code}`), '. You are confined to your own folder.');
  return message('good', `${what} was refused, as it should be`, answer);
}
