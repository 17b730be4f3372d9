/** What a person does with a browser: follows redirects, keeps cookies, and fills in the forms of a login. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';

/** A verifier and its challenge (RFC 7636). */
export function pkce() {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

/** A browser with an empty jar. Cookies go to the origin that set them; paths do not matter here. */
export class Browser {
  #cookies = new Map();

  /**
   * Goes to an address, and wherever it is sent from there, until it would reach an address that begins with `end`.
   * A page with a form is answered as `person`. Answers the last address.
   */
  async travel(from, { end, person }) {
    let [address, form] = [new URL(from), undefined];
    for (let steps = 0; steps < 20; steps += 1) {
      if (address.href.startsWith(end)) return address;
      const answer = await this.#ask(address, form);
      const location = answer.headers.get('location');
      form = location ? undefined : fillIn(await answer.text(), person);
      assert.ok(location || form, `${address.origin}${address.pathname} answered ${answer.status}, with no way on`);
      address = new URL(location ?? form.action, address);
    }
    return assert.fail('the login goes round in circles');
  }

  async #ask(address, form) {
    const jar = this.#cookies.get(address.origin) ?? new Map();
    const headers = { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') };
    const answer = await fetch(address, { method: form ? 'POST' : 'GET', body: form?.body, headers, redirect: 'manual' });
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      if (value) jar.set(name, value);
      else jar.delete(name);
    }
    this.#cookies.set(address.origin, jar);
    return answer;
  }
}

/** The first form of a page: its hidden fields, and the person's name and password where they are asked for. */
function fillIn(page, person) {
  const [, action] = /<form[^>]* action="([^"]+)"/.exec(page) ?? [];
  if (!action) return undefined;
  const body = new URLSearchParams();
  for (const [input] of page.matchAll(/<input[^>]*>/g)) {
    const attribute = (name) => new RegExp(` ${name}="([^"]*)"`).exec(input)?.[1];
    const typed = { text: person, password: 'a password' }[attribute('type')];
    if (attribute('name')) body.set(attribute('name'), typed ?? attribute('value') ?? '');
  }
  return { action, body };
}
