/** What a browser does between an app and the sandbox: follows redirects, keeps cookies, and sends the forms of its person. */
import assert from 'node:assert/strict';

const MANY = 10;
/** The links of Daypass's pages: back to the app, where somebody said no, and to a provider, where one is chosen. */
const LINKS = [/href="(https:[^"]*)"/, /href="(\/login\/snapchat\?[^"]*)"/];
const CONSENT = '/accounts/oauth2/auth';

/**
 * Goes from an app's address to the one at the app that tells it the outcome, which is not opened.
 * @param {URL} start @param {string} app @param {{person?: string, decision?: 'allow' | 'deny'}} [does]
 */
export async function addressAfterLogin(start, app, { person = 'ada', decision = 'allow' } = {}) {
  const cookies = new Map();
  let address = start;
  for (let step = 0; step < MANY; step += 1) {
    address = await following(await ask(address, cookies, { person, decision }), address);
    if (address.href.startsWith(app)) return address;
  }
  return assert.fail(`this does not end: ${address}`);
}

/**
 * Types the code of a device, signs in at the sandbox, and says whether the device may have it.
 * @param {{verification_uri: string, user_code: string}} begun @param {'allow' | 'deny'} verdict
 */
export async function decideForDevice({ verification_uri: page, user_code: code }, verdict) {
  const [cookies, does] = [new Map(), { person: 'ada', decision: 'allow' }];
  const entered = await send(page, { user_code: code });
  let address = new URL(entered.headers.get('location') ?? assert.fail(`${page} answered ${entered.status}`), page);
  for (let step = 0; step < MANY; step += 1) {
    const answer = await ask(address, cookies, does);
    const text = await answer.clone().text();
    const question = /name="question" value="([^"]*)"/.exec(text)?.[1];
    if (question) return assert.equal((await send(`${page}/decision`, { question, verdict })).status, 200);
    address = await following(answer, address);
  }
  return assert.fail(`this does not end: ${address}`);
}

/** A form of a page of Daypass's, which says so. */
const send = (address, form) =>
  fetch(address, { method: 'POST', redirect: 'manual', headers: { origin: new URL(address).origin }, body: new URLSearchParams(form) });

/** Where an answer leads: by itself, or by the link that the person follows. */
async function following(answer, address) {
  const location = answer.headers.get('location') ?? linkIn(await answer.text());
  return new URL(location ?? assert.fail(`${address} answered ${answer.status}`), address);
}

const linkIn = (page) => LINKS.map((link) => link.exec(page)?.[1]).find(Boolean)?.replaceAll(/&(amp|#38);/g, '&');

async function ask(address, cookies, does) {
  const cookie = [...cookies].map((pair) => pair.join('=')).join('; ');
  const form = address.pathname === CONSENT && { method: 'POST', body: decided(address, does) };
  const answer = await fetch(address, { redirect: 'manual', headers: { cookie }, ...form });
  for (const line of answer.headers.getSetCookie()) {
    const [name, ...value] = line.split(';')[0].split('=');
    cookies.set(name, value.join('='));
  }
  return answer;
}

/** The form of the consent page: what was asked for, who it is, and what they say. */
function decided(address, { person, decision }) {
  const form = new URLSearchParams(address.search);
  form.set('person', person);
  form.set('decision', decision);
  for (const scope of form.get('scope').split(' ')) form.append('share', scope);
  return form;
}
