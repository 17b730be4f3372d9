// @ts-check
/** The end of a link: another login is there, and is made to lead to the identity of whoever asked for that. */
import { LoginError } from './login-error.js';

/** @typedef {Pick<ReturnType<typeof import('./assembly.js').assemble>, 'endpoint' | 'keeper'>} Parts */

/**
 * @param {Parts} parts
 * @param {Record<string, string>} grant
 * @param {string | undefined} id of the session that asked: nobody's login is linked to somebody who has signed in since
 */
export async function link({ endpoint, keeper }, { code = '', code_verifier = '', redirect_uri = '' }, id) {
  await keeper.look();
  const before = await keeper.current();
  if (!before || before.session.id !== id) throw new LoginError('session_changed', 'Whoever asked for this link is not signed in any more');
  const linked = await endpoint.link({ login_code: code, code_verifier, redirect_uri }, before.secrets.refreshToken);
  // The session may have been another identity's, which ended in a merge meanwhile.
  if (linked.identity_id !== before.session.identityId) await keeper.need('token', true);
  return (await keeper.current())?.session;
}
