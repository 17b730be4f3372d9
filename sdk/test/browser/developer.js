// @ts-check
/** What a developer does, by the key that `daypass up` has written. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { signRequest } from '../../src/sigv4.js';

/** A call of the identity pool. @param {import('../support/daypass.js').Ready} ready @param {string} operation @param {object} body */
export async function asDeveloper({ region, server_url, aws_shared_credentials_file: file }, operation, body) {
  const [, accessKeyId = '', secretAccessKey = ''] = /access_key_id *= *(\S+)\s+aws_secret_access_key *= *(\S+)/.exec(await readFile(file, 'utf8')) ?? [];
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `AWSCognitoIdentityService.${operation}` };
  const request = { method: 'POST', url: `${server_url}/`, headers, body: JSON.stringify(body) };
  const { url, ...init } = await signRequest(request, { credentials: { accessKeyId, secretAccessKey }, region, service: 'cognito-identity', date: new Date() });
  const answer = await fetch(url, init);
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return JSON.parse(text || '{}');
}
