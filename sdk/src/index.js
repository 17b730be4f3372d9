// @ts-check
/**
 * The Daypass browser SDK: signs people in with any identity provider, and keeps AWS credentials in their browser.
 *
 *     const daypass = createDaypass({ url: 'https://login.example.com', app: 'notes' });
 *     const session = await daypass.handleRedirect();                        // when the page starts
 *     button.onclick = () => daypass.signIn();
 *     const s3 = new S3Client({ region: session.region, credentials: daypass.credentials });
 */
/** @typedef {import('./client.js').Daypass} Daypass */
/** @typedef {import('./client.js').DaypassOptions} DaypassOptions */
/** @typedef {import('./client.js').SignInOptions} SignInOptions */
/** @typedef {import('./client.js').Proof} Proof */
/** @typedef {import('./client.js').AwsCredentials} AwsCredentials */
/** @typedef {import('./client.js').CredentialsProvider} CredentialsProvider */
/** @typedef {import('./client.js').AmplifyProvider} AmplifyProvider */
/** @typedef {import('./session.js').Session} Session */
/** @typedef {import('./endpoint.js').DeviceSession} DeviceSession */
/** @typedef {import('./endpoint.js').ProviderChoice} ProviderChoice */
/** @typedef {import('./events.js').DaypassEvents} DaypassEvents */
/** @typedef {import('./platform.js').Platform} Platform */
/** @typedef {import('./platform.js').SessionStorage} SessionStorage */

export { createDaypass } from './client.js';
export { RefusedError } from './endpoint.js';
export { DaypassError, NetworkError, UnexpectedAnswerError } from './errors.js';
export { SignedOutError } from './keeper.js';
export { LoginError } from './login-error.js';
export { memoryStorage } from './platform.js';
