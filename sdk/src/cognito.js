// @ts-check
/**
 * Amazon Cognito's enhanced flow: an identity and its OpenID token become temporary AWS
 * credentials. One unsigned call, the same to Daypass's own pool and to Amazon's.
 */
import { DaypassError, UnexpectedAnswerError } from './errors.js';
import { asObject, asText, browserFetch, readObject, send } from './http.js';

/** @typedef {Required<import('./sigv4.js').AwsCredentials> & {expiration: Date}} TemporaryCredentials */

/** Cognito refused. `code` is AWS's name of the exception, as `NotAuthorizedException`. */
export class CognitoError extends DaypassError {
  /** @param {Response} response @param {Record<string, unknown>} answer */
  constructor(response, answer) {
    const type = asText(answer.__type) ?? 'UnknownError';
    super(type.slice(type.indexOf('#') + 1), asText(answer.message) ?? asText(answer.Message) ?? type);
    /** @readonly */
    this.status = response.status;
    /** @readonly */
    this.requestId = response.headers.get('x-amzn-requestid') ?? undefined;
  }
}

/** The key in `Logins` under which Cognito takes its own tokens. */
const LOGIN = 'cognito-identity.amazonaws.com';

/**
 * @param {object} options
 * @param {string} options.endpoint Daypass's origin, or `https://cognito-identity.<region>.amazonaws.com`
 * @param {string} options.identityId
 * @param {string} options.token the OpenID token of that identity
 * @param {import('./http.js').Fetch} [options.fetch]
 * @returns {Promise<TemporaryCredentials>}
 */
export async function getCredentialsForIdentity({ endpoint, identityId, token, fetch = browserFetch }) {
  const response = await send(fetch, new URL('/', endpoint).href, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AWSCognitoIdentityService.GetCredentialsForIdentity',
    },
    body: JSON.stringify({ IdentityId: identityId, Logins: { [LOGIN]: token } }),
  });
  const answer = await readObject(response);
  if (!answer) throw new UnexpectedAnswerError(response.status, 'no JSON object');
  if (!response.ok) throw new CognitoError(response, answer);
  return readCredentials(asObject(answer.Credentials) ?? {});
}

/**
 * @param {Record<string, unknown>} answer
 * @returns {TemporaryCredentials}
 */
function readCredentials(answer) {
  const accessKeyId = asText(answer.AccessKeyId);
  const secretAccessKey = asText(answer.SecretKey);
  const sessionToken = asText(answer.SessionToken);
  const seconds = answer.Expiration;
  if (!accessKeyId || !secretAccessKey || !sessionToken || typeof seconds !== 'number') {
    throw new UnexpectedAnswerError(200, 'the credentials are incomplete');
  }
  return { accessKeyId, secretAccessKey, sessionToken, expiration: new Date(seconds * 1000) };
}
