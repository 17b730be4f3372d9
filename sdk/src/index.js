// @ts-check
/**
 * The Daypass browser SDK: from a login button to objects in S3, without a dependency and without
 * a build step. In the order in which a page uses it:
 *
 *     const broker = new Broker({ url: 'https://login.example.com' });
 *     location.assign(await broker.startLogin(provider, redirectUri));      // and when they are back:
 *     const { identityId, token, region } = await broker.finishLogin(address);
 *     const credentials = await getCredentialsForIdentity({ endpoint, identityId, token });
 *     const bucket = new S3Bucket({ endpoint, bucket, region, credentials });
 *     await bucket.put(`${identityId}/note.txt`, 'hello', 'text/plain');
 */
export { Broker, BrokerError } from './broker.js';
export { CognitoError, getCredentialsForIdentity } from './cognito.js';
export { DaypassError, NetworkError, UnexpectedAnswerError } from './errors.js';
export { decodeWithoutVerifying } from './jwt.js';
export { LoginError } from './login.js';
export { codeChallenge, randomToken } from './pkce.js';
export { S3Bucket, S3Error } from './s3.js';
export { signRequest } from './sigv4.js';
