// @ts-check
/**
 * AWS Signature Version 4 in request headers, on WebCrypto. What is signed is what is sent: the
 * returned URL is already written in the canonical encoding, so that browser, proxy and server
 * have nothing left to interpret differently. Streaming signatures and presigned URLs are left
 * out: they are not needed to put a page's data into S3.
 */

/**
 * @typedef {object} AwsCredentials
 * @property {string} accessKeyId
 * @property {string} secretAccessKey
 * @property {string} [sessionToken]
 */

/**
 * @typedef {object} AwsRequest
 * @property {string} [method] GET by default
 * @property {string | URL} url path and query percent-encoded, as in an address bar
 * @property {HeadersInit} [headers] all of them are signed, so name none that a browser replaces
 * @property {string | Uint8Array<ArrayBuffer>} [body]
 */

/**
 * @typedef {object} SigningScope
 * @property {AwsCredentials} credentials
 * @property {string} region
 * @property {string} service the signing name: `s3`, `sts`, `dynamodb` …
 * @property {Date} date
 */

/**
 * @typedef {object} SignedRequest
 * @property {string} method
 * @property {string} url
 * @property {Headers} headers
 * @property {string | Uint8Array<ArrayBuffer>} [body]
 */

const ALGORITHM = 'AWS4-HMAC-SHA256';
const utf8 = new TextEncoder();

/**
 * Signs a request. Its `url` and the rest of the answer go to `fetch` unchanged.
 * @param {AwsRequest} request
 * @param {SigningScope} scope
 * @returns {Promise<SignedRequest>}
 */
export async function signRequest(request, { credentials, region, service, date }) {
  const { method = 'GET', body } = request;
  const url = inCanonicalEncoding(request.url);
  const timestamp = amzDate(date);
  const payloadHash = await sha256(body ?? '');

  const headers = new Headers(request.headers);
  headers.set('host', url.host);
  headers.set('x-amz-date', timestamp);
  if (credentials.sessionToken) headers.set('x-amz-security-token', credentials.sessionToken);
  if (service === 's3') headers.set('x-amz-content-sha256', payloadHash);

  const day = timestamp.slice(0, 8);
  const scope = `${day}/${region}/${service}/aws4_request`;
  const signedHeaders = [...headers.keys()].join(';');
  const canonical = [
    method,
    canonicalPath(url.pathname, service),
    url.search.slice(1),
    canonicalHeaders(headers),
    signedHeaders,
    payloadHash,
  ].join('\n');
  const stringToSign = [ALGORITHM, timestamp, scope, await sha256(canonical)].join('\n');
  const key = await signingKey(credentials.secretAccessKey, day, region, service);
  const signature = hex(await hmac(key, stringToSign));

  headers.set(
    'authorization',
    `${ALGORITHM} Credential=${credentials.accessKeyId}/${scope}, ` +
      `SignedHeaders=${signedHeaders}, Signature=${signature}`,
  );
  // The user agent derives Host from the URL and lets nobody set it.
  headers.delete('host');
  return { method, url: url.href, headers, body };
}

/**
 * Percent-encodes everything but RFC 3986's unreserved characters, as the signature demands.
 * @param {string} text
 * @returns {string}
 */
export function uriEncode(text) {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** @param {string | URL} address */
function inCanonicalEncoding(address) {
  const url = new URL(address);
  const segments = url.pathname.split('/').map((segment) => uriEncode(decodeURIComponent(segment)));
  url.pathname = segments.join('/');
  url.search = canonicalQuery(url.searchParams);
  url.hash = '';
  return url;
}

/** @param {URLSearchParams} parameters */
function canonicalQuery(parameters) {
  return [...parameters]
    .map(([name, value]) => /** @type {const} */ ([uriEncode(name), uriEncode(value)]))
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

/** By code unit: a locale's order would differ from the server's. @param {string} a @param {string} b */
const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/**
 * S3 signs the path as it is sent, because `a//b` and `a/b` are different objects there. All other
 * services merge slashes and encode the already encoded path once more.
 * @param {string} path
 * @param {string} service
 */
function canonicalPath(path, service) {
  if (service === 's3') return path;
  return path.replace(/\/+/g, '/').split('/').map(uriEncode).join('/');
}

/** `Headers` iterates in sorted order with lower-case names, just as the signature wants them. @param {Headers} headers */
function canonicalHeaders(headers) {
  return [...headers].map(([name, value]) => `${name}:${value.replace(/ +/g, ' ')}\n`).join('');
}

/** `20130524T000000Z` @param {Date} date */
const amzDate = (date) => date.toISOString().replace(/[-:]|\.\d{3}/g, '');

/**
 * @param {string} secret
 * @param {string} day
 * @param {string} region
 * @param {string} service
 */
async function signingKey(secret, day, region, service) {
  let key = utf8.encode(`AWS4${secret}`);
  for (const part of [day, region, service, 'aws4_request']) key = await hmac(key, part);
  return key;
}

/**
 * @param {Uint8Array<ArrayBuffer>} key
 * @param {string} text
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
async function hmac(key, text) {
  const { subtle } = globalThis.crypto;
  const hmacKey = await subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return new Uint8Array(await subtle.sign('HMAC', hmacKey, utf8.encode(text)));
}

/** @param {string | Uint8Array<ArrayBuffer>} data */
async function sha256(data) {
  const bytes = typeof data === 'string' ? utf8.encode(data) : data;
  return hex(new Uint8Array(await globalThis.crypto.subtle.digest('SHA-256', bytes)));
}

/** @param {Uint8Array} bytes */
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
