import { createDaypass } from '@daypass/browser';
import { Amplify } from 'aws-amplify';
import { list, uploadData } from 'aws-amplify/storage';

const { VITE_DAYPASS_URL: url, VITE_BUCKET: bucket, DEV } = import.meta.env;
if (DEV) await import('./s3-of-up.js');

const daypass = createDaypass({ url, app: 'files' });
Amplify.configure({ Storage: { S3: { bucket, region: 'us-east-1' } } }, { Auth: { credentialsProvider: daypass.amplify } });

const element = (id) => document.getElementById(id);
const say = (text) => (element('status').textContent = text);
const fail = ({ message }) => say(message);
const ownFolder = ({ identityId }) => `${identityId}/`;

daypass.on('signin', (session) => show(session).catch(fail));
daypass.on('signout', () => show().catch(fail));
element('sign-in').onclick = () => daypass.signIn();
element('sign-out').onclick = () => daypass.signOut().catch(fail);
element('file').onchange = ({ target }) => target.files[0] && upload(target.files[0]).catch(fail);
daypass.handleRedirect().then(show).catch(fail);

async function show(session) {
  element('sign-in').hidden = Boolean(session);
  element('sign-out').hidden = element('file').disabled = !session;
  element('files').replaceChildren();
  say(session ? `Signed in as ${session.user.name ?? session.identityId}` : 'Nobody is signed in');
  if (session) await showFiles();
}

async function showFiles() {
  const { items } = await list({ path: ownFolder(await daypass.session()) });
  element('files').replaceChildren(...items.map(({ path }) => Object.assign(document.createElement('li'), { textContent: path.split('/').pop() })));
}

async function upload(file) {
  const bar = element('progress');
  bar.hidden = false;
  // Files of more than 5 MB go in parts, each signed with the credentials that live then.
  const onProgress = ({ transferredBytes, totalBytes }) => (bar.value = transferredBytes / totalBytes);
  await uploadData({ path: ({ identityId }) => `${identityId}/${file.name}`, data: file, options: { onProgress } }).result;
  bar.hidden = true;
  say(`${file.name} is in your folder`);
  await showFiles();
}
