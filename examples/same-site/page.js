import { createDaypass, memoryStorage } from './daypass/index.js';
import { S3Bucket } from './daypass/s3.js';

const { url, s3, bucket } = JSON.parse(document.documentElement.dataset.settings);
// The session is in the cookie, so the page keeps nothing: what it holds ends with it.
const daypass = createDaypass({ url, app: 'notes', cookies: true, storage: memoryStorage() });
const element = (id) => document.getElementById(id);
const say = (text) => (element('status').textContent = text);
const fail = ({ message }) => say(message);

daypass.on('signin', (session) => show(session).catch(fail));
daypass.on('signout', () => show().catch(fail));
element('sign-in').onclick = () => daypass.signIn();
element('sign-out').onclick = () => daypass.signOut().catch(fail);
element('save').onclick = () => save().catch(fail);
daypass.handleRedirect().then(show).catch(fail);

async function show(session) {
  element('sign-in').hidden = Boolean(session);
  element('save').hidden = element('sign-out').hidden = !session;
  element('notes').replaceChildren();
  say(session ? `Signed in as ${session.user.name ?? session.identityId}` : 'Nobody is signed in');
  if (session) await list(await ownFolder());
}

async function ownFolder() {
  const { identityId, region } = await daypass.session();
  return { folder: `${identityId}/`, objects: new S3Bucket({ endpoint: s3, bucket, region, credentials: daypass.credentials }) };
}

async function save() {
  const own = await ownFolder();
  await own.objects.put(`${own.folder}${new Date().toISOString()}.txt`, 'Hello', 'text/plain');
  await list(own);
}

async function list({ folder, objects: bucket }) {
  const { objects } = await bucket.list(folder);
  element('notes').replaceChildren(...objects.map(({ key }) => Object.assign(document.createElement('li'), { textContent: key.slice(folder.length) })));
}
