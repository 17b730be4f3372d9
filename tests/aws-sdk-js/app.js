/**
 * What an app does with the AWS SDK once somebody has logged in. The tests run these functions in Node.js
 * and, bundled, in a browser; so each takes and answers plain data. `daypass` is what `daypass up` says when
 * it is ready, `person` is `{identityId, token}`.
 */
import { CognitoIdentityClient, GetCredentialsForIdentityCommand, GetIdCommand } from '@aws-sdk/client-cognito-identity';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { fromCognitoIdentity, fromCognitoIdentityPool } from '@aws-sdk/credential-provider-cognito-identity';
import { fromWebToken } from '@aws-sdk/credential-provider-web-identity';

/** The key in `logins` of the tokens that Daypass issues. */
const ISSUED_BY_POOL = 'cognito-identity.amazonaws.com';
/** An SDK that tries again would hide an answer that it should not have got. */
const ONCE = { maxAttempts: 1 };

const loginsOf = (person) => ({ [ISSUED_BY_POOL]: person.token });
const server = (daypass) => ({ region: daypass.region, endpoint: daypass.server_url, ...ONCE });

/** The enhanced flow: GetCredentialsForIdentity, again whenever credentials are about to expire. */
const credentialsOf = (daypass, person) =>
  fromCognitoIdentity({
    identityId: person.identityId,
    logins: loginsOf(person),
    clientConfig: server(daypass),
  });

/** The classic flow's last call: AssumeRoleWithWebIdentity. */
const assumedRoleOf = (daypass, person) =>
  fromWebToken({
    roleArn: daypass.role_arn,
    roleSessionName: 'on-a-phone',
    webIdentityToken: person.token,
    clientConfig: server(daypass),
  });

/** Guests: GetId, then GetCredentialsForIdentity, both without a login. */
const guestOf = (daypass) =>
  fromCognitoIdentityPool({ identityPoolId: daypass.identity_pool_id, clientConfig: server(daypass) });

const s3As = (daypass, credentials) =>
  new S3Client({ region: daypass.region, endpoint: daypass.s3_url, forcePathStyle: true, credentials, ...ONCE });

const providers = { enhanced: credentialsOf, classic: assumedRoleOf, guest: guestOf };

/** Writes an object into the person's own folder, reads it back, and lists the folder. */
export async function useOwnFolder({ daypass, person, flow, name, text }) {
  const s3 = s3As(daypass, providers[flow](daypass, person));
  const at = { Bucket: daypass.bucket, Key: `${person.identityId}/${name}` };
  await s3.send(new PutObjectCommand({ ...at, Body: text, ContentType: 'text/plain' }));
  const { Body: body } = await s3.send(new GetObjectCommand(at));
  const { Contents: listed } = await s3.send(
    new ListObjectsV2Command({ Bucket: daypass.bucket, Prefix: `${person.identityId}/` }),
  );
  return { read: await body.transformToString(), keys: listed.map(({ Key: key }) => key) };
}

/** Tries what is not the person's to do, and answers how each attempt ended. */
export async function tryFolder({ daypass, person, flow, folder, name }) {
  const s3 = s3As(daypass, providers[flow](daypass, person));
  const at = { Bucket: daypass.bucket, Key: `${folder}/${name}` };
  return {
    get: await outcome(s3.send(new GetObjectCommand(at))),
    put: await outcome(s3.send(new PutObjectCommand({ ...at, Body: 'mine now' }))),
    list: await outcome(s3.send(new ListObjectsV2Command({ Bucket: daypass.bucket, Prefix: `${folder}/` }))),
  };
}

/** How reading one object ends. */
export const readObject = ({ daypass, person, flow, key }) =>
  outcome(s3As(daypass, providers[flow](daypass, person)).send(new GetObjectCommand({ Bucket: daypass.bucket, Key: key })));

/** Who STS says that the person is, and how long the credentials last. */
export async function whoAmI({ daypass, person, flow }) {
  const credentials = await providers[flow](daypass, person)();
  const caller = await new STSClient({ ...server(daypass), credentials }).send(new GetCallerIdentityCommand({}));
  const seconds = (credentials.expiration.getTime() - Date.now()) / 1000;
  return { arn: caller.Arn, userId: caller.UserId, account: caller.Account, identityId: credentials.identityId, seconds };
}

/** How the credentials provider ends that a client would ask. */
export const askForCredentials = ({ daypass, person, flow }) => outcome(providers[flow](daypass, person)());

/** How GetCredentialsForIdentity ends when it is called by itself. */
export const getCredentials = ({ daypass, person }) =>
  outcome(
    new CognitoIdentityClient(server(daypass)).send(
      new GetCredentialsForIdentityCommand({ IdentityId: person.identityId, Logins: loginsOf(person) }),
    ),
  );

/** How GetId without a login ends. */
export const getGuestId = ({ daypass }) =>
  outcome(
    new CognitoIdentityClient(server(daypass)).send(new GetIdCommand({ IdentityPoolId: daypass.identity_pool_id })),
  );

/** The access keys that a client works with: at first, at once again, and when an hour has passed. */
export async function keysOverTime({ daypass, person, flow }) {
  const { credentials } = s3As(daypass, providers[flow](daypass, person)).config;
  const key = async () => (await credentials()).accessKeyId;
  return { first: await key(), again: await key(), anHourLater: await anHourLater(key) };
}

/** Lets the SDK believe that an hour has passed. */
async function anHourLater(ask) {
  const now = Date.now;
  Date.now = () => now() + 3_600_000;
  try {
    return await ask();
  } finally {
    Date.now = now;
  }
}

/** `done`, or the error as an app sees it. */
async function outcome(call) {
  try {
    await call;
    return { done: true };
  } catch (error) {
    const { httpStatusCode: status, requestId } = error.$metadata ?? {};
    return { done: false, name: error.name, message: error.message, status, requestId };
  }
}
