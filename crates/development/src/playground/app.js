// @ts-check
/**
 * The playground: one page that walks a login to objects in S3, in the order of the flow, by the browser SDK. The session
 * is the SDK's affair, which keeps it through reloads; this page shows it, and forgets everything at a sign-out.
 */
import { createDaypass } from '/playground/sdk/index.js';
import { S3Bucket } from '/playground/sdk/s3.js';
import { startClock } from './countdown.js';
import { listDevices } from './devices.js';
import { byId, make, message, whileBusy } from './dom.js';
import { showFolder } from './folder.js';
import { offerLinks, offerSignIn, setOffers } from './offers.js';
import { personName, showCredentials, showPerson, showToken } from './pass.js';
import { forgetEveryone, remember } from './people.js';
import { explain, whyOver } from './plain-words.js';
import { addStep, forgetSteps, loggedFetch } from './wire-log.js';

/** @typedef {import('/playground/sdk/index.js').Daypass} Daypass */
/** @typedef {import('/playground/sdk/index.js').Session} Session */
/** @typedef {{server_url: string, s3_url: string, bucket: string, sandbox_url: string}} Config */

// Taken out of the address bar and the history before anything else: it may hold a code.
const arrivedAt = new URL(location.href);
history.replaceState(null, '', location.pathname);

/** What this page is registered as. */
const APP = 'playground';
const OF_EVERYBODY = ['pass', 'credentials', 'folder', 'others'];
/** What guests have not. */
const OF_PEOPLE = ['token', 'link', 'devices'];
/** Credentials that are due are asked for by whoever needs them; a page that shows how long they live needs them always. */
const LOOK_EVERY = 5_000;

/** @type {Map<string, string>} */
const servers = new Map([[location.origin, 'Daypass']]);
const fetch = loggedFetch(servers);

/** @type {Config} */
let config;
/** @type {Daypass} */
let daypass;
/** The one whom the page shows. @type {string | undefined} */
let shown;

async function start() {
  startClock();
  noteReturn();
  await load();
}

/** What the page needs to know before it can do anything, asked for again until somebody answers. */
async function load() {
  byId('providers').replaceChildren(make('p', { className: 'hint' }, 'Asking Daypass what there is to choose from …'));
  try {
    config = await ask('/playground/config.json');
    servers.set(config.server_url, 'Daypass').set(config.s3_url, 'S3').set(config.sandbox_url, 'Sandbox');
    setOffers(await ask('/v1/providers'), config.sandbox_url);
  } catch (error) {
    const retry = make('button', { type: 'button' }, 'Try again');
    retry.onclick = () => void load();
    byId('providers').replaceChildren(explain(error), retry);
    return;
  }
  await begin();
}

/** @param {string} path */
async function ask(path) {
  const response = await fetch(new URL(path, location.origin).href, { cache: 'no-store' });
  return response.json();
}

async function begin() {
  daypass = createDaypass({ url: config.server_url, app: APP, redirectUri: `${location.origin}/`, platform: { fetch } });
  daypass.on('signin', (session) => {
    byId('notice').replaceChildren();
    void enter(session);
  });
  daypass.on('signout', leave);
  daypass.on('refresh', showQuietly);
  offerSignIn(daypass, tell);
  wireButtons();
  await daypass.handleRedirect(arrivedAt.href).catch(tell);
  tellStranger();
  await enter(await daypass.session());
  setInterval(() => shown && showQuietly(), LOOK_EVERY);
}

function wireButtons() {
  press('guest', async () => void (await daypass.guest()));
  press('switch', async () => daypass.signIn({ provider: (await daypass.session())?.provider }));
  press('sign-out', () => signOut(false));
  press('sign-out-everywhere', () => signOut(true));
  press('renew', async () => {
    await daypass.credentials({ forceRefresh: true });
    byId('renew-result').replaceChildren(message('good', 'Fresh credentials are here'));
  }, 'renew-result');
  press('list-devices', () => listDevices(daypass));
}

/** @param {string} id of a button @param {() => Promise<unknown>} action @param {string} [result] where its failure is told */
function press(id, action, result = 'notice') {
  byId(id).onclick = () => void whileBusy(byId(id), async () => {
    byId(result).replaceChildren();
    await action().catch((error) => tell(error, result));
  });
}

/** Why somebody is signed out is told already. @param {unknown} error @param {string} [result] */
function tell(error, result = 'notice') {
  const isTold = /** @type {{code?: string}} */ (error).code === 'signed_out' && byId('notice').hasChildNodes();
  if (!isTold) byId(result).replaceChildren(explain(error));
}

/** This page itself was the last step of the way back, before there was a log. */
function noteReturn() {
  if (!isAnswer()) return;
  const brought = arrivedAt.searchParams.has('error') ? 'an error' : 'a code';
  addStep({ method: 'GET', server: 'Daypass', path: '/', note: `back from the sign-in with ${brought}`, outcome: '200', ok: true });
}

const isAnswer = () => arrivedAt.searchParams.has('code') || arrivedAt.searchParams.has('error');

/** The SDK leaves alone what is no answer of its own; on this page nobody else has any. */
function tellStranger() {
  const isStrange = isAnswer() && arrivedAt.searchParams.get('iss') !== config.server_url;
  if (isStrange && !byId('notice').hasChildNodes()) tell({ code: 'no_login_started' });
}

/** @param {Session | undefined} session */
async function enter(session) {
  const name = session && `${session.identityId} ${session.id ?? 'guest'}`;
  if (!session || name === shown) return;
  shown = name;
  showPerson(session);
  remember({ identityId: session.identityId, name: personName(session) });
  await showSecrets().catch(tell);
  showFolder({ bucket: bucketOf(session), identityId: session.identityId }, `s3://${config.bucket}/${session.identityId}/`);
  arrange(session);
  byId('pass-heading').focus();
  if (session.guest) return;
  offerLinks(daypass);
  await listDevices(daypass).catch((error) => tell(error, 'devices-result'));
}

/** @param {Session} session */
function bucketOf({ region }) {
  return new S3Bucket({ endpoint: config.s3_url, bucket: config.bucket, region, credentials: daypass.credentials, fetch });
}

/** @param {Session} [session] */
function arrange(session) {
  for (const id of OF_EVERYBODY) byId(id).hidden = !session;
  for (const id of OF_PEOPLE) byId(id).hidden = !session || session.guest;
  for (const id of ['switch', 'sign-out-everywhere']) byId(id).hidden = session?.guest ?? true;
  byId('sign-in').hidden = Boolean(session && !session.guest);
  byId('keep').hidden = byId('of-guests').hidden = !session?.guest;
  byId('guest').hidden = session?.guest ?? false;
}

/** Token and credentials as they are now; asking for them is what keeps them fresh. */
async function showSecrets() {
  const session = await daypass.session();
  if (!session) return;
  showCredentials(await daypass.credentials(), { region: session.region, s3: config.s3_url, folder: `s3://${config.bucket}/${session.identityId}/` });
  if (!session.guest) showToken(await daypass.token());
}

/** Where it fails, the clock says that they have ended, or the session is over and `leave` says so. */
const showQuietly = () => void showSecrets().catch(() => {});

/**
 * Somebody is signed out here, by whoever it was: nothing of them stays on the page.
 * @param {{session: Session, reason: string}} end
 */
function leave({ session, reason }) {
  shown = undefined;
  forgetSteps(session.identityId);
  arrange();
  for (const element of document.querySelectorAll('[data-of-person]')) element.replaceChildren();
  for (const form of document.querySelectorAll('form')) form.reset();
  byId('file-shown').hidden = true;
  byId('notice').replaceChildren(whyOver(reason));
}

/** A fresh page remembers nothing, and no answer that is still on its way can arrive in it. @param {boolean} everywhere */
async function signOut(everywhere) {
  forgetEveryone();
  await daypass.signOut({ everywhere });
  location.replace(`${location.origin}/`);
}

start().catch(tell);
