// @ts-check
/**
 * Says in plain words what a refusal means for the person at the screen. The code stays visible
 * beside the words: it is what the documentation, the logs and a colleague can look up.
 */
import { make, message } from './dom.js';

/** @type {Map<string, [title: string, text: string]>} */
const WORDS = new Map([
  ['access_denied', ['You said no', 'The identity provider reports that the login was cancelled. Nothing was exchanged.']],
  ['state_mismatch', ['This answer belongs to another login', 'It did not come from the login that this tab started, so it was not sent on. Somebody may have forged it.']],
  ['no_login_started', ['No login was started here', 'An answer came back that this tab did not ask for, so it was not sent on. A reload of an old address does this too.']],
  ['issuer_mismatch', ['This answer is of another Daypass', 'It was not sent on.']],
  ['session_changed', ['Somebody else is signed in by now', 'The login was not linked to anybody. Try it again.']],
  ['signed_out', ['You are signed out', 'The session is over. Sign in again.']],
  ['popup_blocked', ['The browser opened no window', 'Allow windows for this page, and try again.']],
  ['popup_closed', ['The window was closed', 'The sign-in did not end.']],
  ['popup_replaced', ['Another window was opened', 'This sign-in was given up for it.']],
  ['popup_timeout', ['The window waited too long', 'A sign-in ends after ten minutes. Begin anew.']],
  ['no_guests', ['There are no guests here', 'The identity pool does not take any.']],
  ['insecure_context', ['This page came in the clear', 'Browsers lend their cryptography to https and to localhost only.']],
  ['malformed_callback', ['The answer cannot be read', 'The identity provider sent you back with an incomplete or ambiguous answer.']],
  ['subject_missing', ['The provider did not say who you are', 'Without the external ID there is nobody to make an identity for. Perhaps it was not shared at the consent page.']],
  ['proof_refused', ['The provider refused the login', 'The code was spent, expired, or issued to another app or browser. Signing in again helps.']],
  ['unbound_access_token', ['A bare access token is not enough', 'Nothing shows that it was issued to this app, so it is not accepted.']],
  ['provider_reported_error', ['The provider reported an error', 'It took the login and then refused to tell about the person.']],
  ['provider_unavailable', ['The provider is down', 'Nothing is wrong with your login. Try again in a moment.']],
  ['provider_timeout', ['The provider took too long', 'Nothing is wrong with your login. Try again in a moment.']],
  ['provider_answer_malformed', ['The provider’s answer makes no sense', 'Daypass could not read it, and believes nothing that it cannot read.']],
  ['provider_answer_too_large', ['The provider’s answer is too long', 'Daypass stopped reading it.']],
  ['provider_not_as_defined', ['The provider has changed', 'It is not what the configuration says any more. The operator finds in the log what was found.']],
  ['provider_misconfigured', ['The provider is set up wrongly', 'The operator must correct its configuration.']],
  ['unknown_provider', ['Daypass does not know this provider', 'It is not in the configuration, or no longer.']],
  ['redirect_uri_not_registered', ['This page’s address is not registered', 'The login would have come back to an address that is not on the list.']],
  ['origin_not_allowed', ['This page may not ask', 'Its origin is not registered with Daypass.']],
  ['network', ['No answer', 'The server is not running, or does not let this page read its answers.']],
  ['login_code_refused', ['This sign-in is spent', 'It took too long, or was finished already. Sign in again.']],
  ['NotAuthorizedException', ['The token was not accepted', 'It has probably ended. Sign in again.']],
  ['ExpiredToken', ['The credentials have ended', 'Get fresh ones, or sign in again.']],
  ['AccessDenied', ['S3 refused', 'The role of these credentials does not allow this.']],
  ['NoSuchKey', ['There is no such file', 'It may have been deleted.']],
  ['key_not_addressable', ['This file name does not work', 'It is empty, or contains “.” or “..” as a folder.']],
]);

/** @type {Map<string, string>} */
const ENDS = new Map([
  ['signed_out', 'It was done here, in another tab, or on another device.'],
  ['replaced', 'Somebody else signs in in this browser.'],
  ['revoked', 'It was done on all devices, or by the operator.'],
  ['expired', 'Its time was over.'],
  ['reused', 'Two had the same refresh token: somebody may have a copy.'],
  ['login_unlinked', 'The login does not lead to this identity any more.'],
  ['identity_gone', 'The identity is there no more.'],
  ['upstream', 'The provider says that the login is over.'],
]);

/** Why a session is over. @param {string} reason */
export function whyOver(reason) {
  return message('bad', 'The session is over', make('p', {}, ENDS.get(reason) ?? 'Daypass does not go on with it.'), make('p', { className: 'reference' }, 'Reason ', make('code', {}, reason)));
}

/**
 * @param {unknown} error
 * @returns {HTMLElement}
 */
export function explain(error) {
  const { code = 'unexpected', message: said, requestId, retryAfter } = /** @type {Record<string, any>} */ (error);
  const [title, text] = WORDS.get(String(code)) ?? ['Something went wrong', String(said)];
  const reference = make('p', { className: 'reference' }, 'Code ', make('code', {}, String(code)));
  if (requestId) reference.append(' · request ', make('code', {}, String(requestId)));
  const wait = retryAfter ? ` Wait ${retryAfter} s.` : '';
  return message('bad', title, make('p', {}, text + wait), reference);
}
