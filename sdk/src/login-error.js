// @ts-check
import { DaypassError } from './errors.js';

/**
 * A login that did not end well in the browser. Its codes: `no_login_started`, `state_mismatch`, `issuer_mismatch`,
 * `malformed_callback`, `session_changed`, `popup_blocked`, `popup_closed`, `popup_replaced`, `popup_timeout`, and what
 * ended it elsewhere, as `access_denied`.
 */
export class LoginError extends DaypassError {}
