/** What an app does with what it got from an identity provider: it shows it to a running daypass. */
import assert from 'node:assert/strict';

/** Where an app gets its people back. Nobody is there: a test reads the address. */
export const APP = 'https://app.example.com/signed-in';

/** The app in the configuration. */
export const CONFIG_OF_APP = `
[[app]]
id = "shop"
origins = ["https://app.example.com"]
redirect_uris = ["${APP}"]
`;

/** The exchange endpoint of the daypass at a URL, asked with further options of `fetch`. */
export function exchangeAt(url, options = {}) {
  const exchange = async (proof) => {
    const answer = await fetch(`${url}/v1/exchange`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(proof),
      ...options,
    });
    return { status: answer.status, ...(await answer.json()) };
  };
  return {
    /** Answers the identity that a proof leads to. */
    async enter(proof) {
      const answer = await exchange(proof);
      assert.equal(answer.status, 200, answer.detail);
      return answer;
    },
    /** Asserts that a proof leads nowhere, for one of these reasons, and answers the words for it. */
    async refuse(proof, ...reasons) {
      const { status, code, detail } = await exchange(proof);
      assert.equal(status, 401, detail);
      assert.ok(reasons.includes(code), `${code}: ${detail}`);
      return detail;
    },
  };
}
