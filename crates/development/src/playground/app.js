// @ts-check
/**
 * The playground: one page that walks a login to objects in S3, in the order of the flow. Token
 * and credentials live in variables of this module and nowhere else, so a reload or a sign-out
 * forgets them.
 */
import { Broker, getCredentialsForIdentity, S3Bucket } from '/sdk/index.js';
import { startClock } from './countdown.js';
import { byId, make, message, whileBusy } from './dom.js';
import { showFolder } from './folder.js';
import { personName, showCredentials, showPerson, showToken } from './pass.js';
import { forgetEveryone, remember } from './people.js';
import { explain } from './plain-words.js';
import { addStep, loggedFetch } from './wire-log.js';

/** @typedef {{s3_url: string, bucket: string, sandbox_url: string}} Config */

// Taken out of the address bar and the history before anything else: it may hold a code.
const arrivedAt = location.href;
history.replaceState(null, '', location.pathname);

const REDIRECT_URI = `${location.origin}/`;
const SIGNED_IN_SECTIONS = ['pass', 'token', 'credentials', 'folder', 'others'];

/** @type {Map<string, string>} */
const servers = new Map([[location.origin, 'Daypass']]);
const fetch = loggedFetch(servers);
const broker = new Broker({ url: location.origin, fetch });

/** @type {Config} */
let config;
/** @type {import('/sdk/broker.js').Provider[]} */
let providers = [];
/** @type {import('/sdk/broker.js').Exchange | undefined} */
let session;

async function start() {
  startClock();
  byId('sign-out').onclick = signOut;
  byId('switch').onclick = () => void signInAgain();
  byId('renew').onclick = () => void whileBusy(byId('renew'), () => renewCredentials().catch(showRenewalError));
  config = await readConfig();
  servers.set(config.s3_url, 'S3').set(config.sandbox_url, 'Sandbox');
  noteReturn();
  offerProviders(await broker.providers());
  await finishSignIn();
}

/** @returns {Promise<Config>} */
async function readConfig() {
  const response = await fetch(new URL('/playground/config.json', location.origin).href, { cache: 'no-store' });
  return response.json();
}

/** @param {import('/sdk/broker.js').Provider[]} offered */
function offerProviders(offered) {
  // A provider that also takes bare tokens is there to be tried from the command line, not to be offered.
  providers = offered.filter(({ accepts }) => accepts.includes('code') && !accepts.includes('access_token'));
  byId('providers').replaceChildren(...providers.map(providerButton));
  if (providers.length === 0) byId('providers').append(message('bad', 'No provider accepts a login from a page'));
}

/** @param {import('/sdk/broker.js').Provider} provider */
function providerButton(provider) {
  const isSandbox = provider.authorizationEndpoint.startsWith(`${config.sandbox_url}/`);
  const label = `Sign in with ${provider.name}${isSandbox ? ' (sandbox)' : ''}`;
  const button = make('button', { type: 'button' }, label);
  button.onclick = () => void whileBusy(button, () => signIn(provider));
  return button;
}

/** @param {import('/sdk/broker.js').Provider} provider */
async function signIn(provider) {
  try {
    location.assign(await broker.startLogin(provider, REDIRECT_URI));
  } catch (error) {
    byId('notice').replaceChildren(explain(error));
  }
}

/** As another person, at the provider of the present one. */
async function signInAgain() {
  const provider = providers.find(({ id }) => id === session?.provider);
  if (provider) await whileBusy(byId('switch'), () => signIn(provider));
}

/** This page itself was the last step of the trip to the provider, before there was a log. */
function noteReturn() {
  const { searchParams } = new URL(arrivedAt);
  if (!searchParams.has('code') && !searchParams.has('error')) return;
  const brought = searchParams.has('error') ? 'an error' : 'a code';
  addStep({ method: 'GET', server: 'Daypass', path: '/', note: `back from the provider with ${brought}`, outcome: '200', ok: true });
}

async function finishSignIn() {
  try {
    const exchange = await broker.finishLogin(arrivedAt);
    if (exchange) await welcome(exchange);
  } catch (error) {
    byId('notice').replaceChildren(explain(error));
  }
}

/** @param {import('/sdk/broker.js').Exchange} exchange */
async function welcome(exchange) {
  session = exchange;
  remember({ identityId: exchange.identityId, name: personName(exchange) });
  await renewCredentials();
  showPerson(exchange, providers.find(({ id }) => id === exchange.provider)?.name ?? exchange.provider);
  showToken(exchange);
  for (const id of SIGNED_IN_SECTIONS) byId(id).hidden = false;
  byId('sign-in').hidden = true;
  byId('pass-heading').focus();
}

/** Turns the token into credentials, and opens the folder with them. */
async function renewCredentials() {
  if (!session) return;
  const { identityId, token, region } = session;
  const credentials = await getCredentialsForIdentity({ endpoint: location.origin, identityId, token, fetch });
  const bucket = new S3Bucket({ endpoint: config.s3_url, bucket: config.bucket, region, credentials, fetch });
  showCredentials(credentials);
  showFolder({ bucket, identityId }, `s3://${config.bucket}/${identityId}/`);
  byId('renew-result').replaceChildren();
}

/** @param {unknown} error */
function showRenewalError(error) {
  byId('renew-result').replaceChildren(explain(error));
}

/** A fresh page remembers nothing, and no answer that is still on its way can arrive in it. */
function signOut() {
  broker.abandonLogin();
  forgetEveryone();
  location.replace(REDIRECT_URI);
}

start().catch((error) => byId('notice').replaceChildren(explain(error)));
