// @ts-check
/**
 * Watches a page while a test drives it: what it complained about, what it requested, and which
 * secrets it was given, so that each test can end by asking whether one of them got out.
 */

/** @typedef {import('playwright-core').Page} Page */

/** @param {Page} page */
export async function watch(page) {
  /** @type {string[]} */
  const complaints = [];
  /** @type {{url: string, referrer: string}[]} */
  const requests = [];
  /** @type {Promise<string[]>[]} */
  const answers = [];

  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
  page.on('console', (line) => {
    if (['error', 'warning'].includes(line.type())) complaints.push(line.text());
  });
  page.on('request', (request) => {
    requests.push({ url: request.url(), referrer: request.headers().referer ?? '' });
  });
  page.on('response', (response) => {
    if (response.request().method() === 'POST' && response.ok()) answers.push(secretsIn(response));
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      console.error(`CSP: ${violatedDirective} blocked ${blockedURI}`);
    });
  });
  return { complaints, requests, secrets: async () => (await Promise.all(answers)).flat() };
}

/**
 * The secrets that the token endpoint, an exchange or Cognito answered with.
 * @param {import('playwright-core').Response} response
 */
async function secretsIn(response) {
  // The sandbox's form is answered with a redirect, which has no body.
  const answer = await response.json().catch(() => ({}));
  const { SecretKey, SessionToken } = answer.Credentials ?? {};
  const { secret_access_key: key, session_token: session } = answer.credentials ?? {};
  return [answer.access_token, answer.refresh_token, answer.token, key, session, SecretKey, SessionToken].filter((secret) => typeof secret === 'string');
}

/**
 * All that a person or a later script could find in the page and its storage.
 * @param {Page} page
 * @param {string} [name] of what the SDK keeps in the storage, which is left out
 */
export function everythingIn(page, name = '') {
  return page.evaluate((kept) => {
    const { [kept]: _, ...stored } = { ...localStorage };
    return [document.documentElement.outerHTML, location.href, JSON.stringify({ ...sessionStorage }), JSON.stringify(stored), document.cookie].join('\n');
  }, name);
}
