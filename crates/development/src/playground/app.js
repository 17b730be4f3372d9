// @ts-check
/**
 * The playground: one page that walks a login to objects in S3, in the order of the flow. Token
 * and credentials live in variables of this module and nowhere else, so a reload or a sign-out
 * forgets them.
 */
import { Broker } from '/playground/sdk/broker.js';
import { getCredentialsForIdentity } from '/playground/sdk/cognito.js';
import { S3Bucket } from '/playground/sdk/s3.js';
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
/** What this page is registered as. */
const APP = 'playground';
const SIGNED_IN_SECTIONS = ['pass', 'token', 'credentials', 'folder', 'others'];

/** @type {Map<string, string>} */
const servers = new Map([[location.origin, 'Daypass']]);
const fetch = loggedFetch(servers);
const broker = new Broker({ url: location.origin, fetch });

/** @type {Config} */
let config;
/** @type {import('/playground/sdk/broker.js').Provider[]} */
let providers = [];
/** @type {import('/playground/sdk/broker.js').Exchange | undefined} */
let session;

async function start() {
  startClock();
  byId('sign-out').onclick = signOut;
  for (const id of ['switch', 'sign-in-again']) byId(id).onclick = () => void signInAgain(byId(id));
  byId('renew').onclick = () => void whileBusy(byId('renew'), () => renewCredentials().catch(showRenewalError));
  noteReturn();
  await load();
}

/** What the page needs to know before it can do anything, asked for again until somebody answers. */
async function load() {
  byId('providers').replaceChildren(make('p', { className: 'hint' }, 'Asking Daypass what there is to choose from …'));
  try {
    config = await readConfig();
    servers.set(config.s3_url, 'S3').set(config.sandbox_url, 'Sandbox');
    offerProviders(await broker.providers());
  } catch (error) {
    const retry = make('button', { type: 'button' }, 'Try again');
    retry.onclick = () => void load();
    byId('providers').replaceChildren(explain(error), retry);
    return;
  }
  await finishSignIn();
}

/** @returns {Promise<Config>} */
async function readConfig() {
  const response = await fetch(new URL('/playground/config.json', location.origin).href, { cache: 'no-store' });
  return response.json();
}

/** @param {import('/playground/sdk/broker.js').Provider[]} offered */
function offerProviders(offered) {
  providers = offered.filter(({ loginUrl, hidden }) => loginUrl && !hidden);
  byId('providers').replaceChildren(...providers.map(providerButton));
  byId('of-sandbox').hidden = !providers.some(isSandbox);
  byId('of-others').hidden = providers.every(isSandbox);
  if (providers.length === 0) byId('providers').append(message('bad', 'No provider accepts a login from a page'));
}

/** @param {import('/playground/sdk/broker.js').Provider} provider */
const isSandbox = (provider) => provider.authorizationEndpoint.startsWith(`${config.sandbox_url}/`);

/** @param {import('/playground/sdk/broker.js').Provider} provider */
function providerButton(provider) {
  const label = `Sign in with ${provider.name}${isSandbox(provider) ? ' (sandbox)' : ''}`;
  const button = make('button', { type: 'button' }, label);
  button.onclick = () => void whileBusy(button, () => signIn(provider));
  return button;
}

/** @param {import('/playground/sdk/broker.js').Provider} provider */
async function signIn(provider) {
  try {
    location.assign(await startLogin(provider));
  } catch (error) {
    byId('notice').replaceChildren(explain(error));
  }
}

/**
 * The sandbox sends people straight back to this page, so that each step can be seen. What another provider wants to be
 * asked, Daypass's own sign-in knows.
 * @param {import('/playground/sdk/broker.js').Provider} provider
 */
function startLogin(provider) {
  if (isSandbox(provider)) return broker.startLogin(provider, REDIRECT_URI);
  return broker.startHostedLogin(provider, { app: APP, redirectUri: REDIRECT_URI });
}

/** At the provider of the present person, as the same or as another one. @param {HTMLElement} button */
async function signInAgain(button) {
  const provider = providers.find(({ id }) => id === session?.provider);
  if (provider) await whileBusy(button, () => signIn(provider));
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

/** @param {import('/playground/sdk/broker.js').Exchange} exchange */
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
