// @ts-check
/**
 * One S3 bucket, addressed path style, straight from the browser with temporary credentials. Just
 * what a page needs for a person's own objects; which of them the person may touch is decided by
 * the role's policy on the server, never here.
 */
import { DaypassError, UnexpectedAnswerError } from './errors.js';
import { browserFetch, send } from './http.js';
import { signRequest, uriEncode } from './sigv4.js';
import { elements, text } from './xml.js';

/** @typedef {{key: string, size: number, lastModified: Date}} S3Object */
/** @typedef {{objects: S3Object[], continuationToken?: string}} S3Page the token, if any, asks for the next page */

/** S3 refused. `code` is S3's own, as `AccessDenied` or `NoSuchKey`. */
export class S3Error extends DaypassError {
  /** @param {Response} response @param {string} body */
  constructor(response, body) {
    const code = text(body, 'Code') ?? `Http${response.status}`;
    super(code, text(body, 'Message') ?? code);
    /** @readonly */
    this.status = response.status;
    /** @readonly */
    this.requestId = text(body, 'RequestId') ?? response.headers.get('x-amz-request-id') ?? undefined;
  }
}

export { signRequest } from './sigv4.js';

export class S3Bucket {
  #base;
  #region;
  #credentials;
  #fetch;
  #now;

  /**
   * @param {object} options
   * @param {string} options.endpoint
   * @param {string} options.bucket
   * @param {string} options.region
   * @param {import('./sigv4.js').AwsCredentials | (() => Promise<import('./sigv4.js').AwsCredentials>)} options.credentials
   *   or where they come from, as `daypass.credentials`
   * @param {import('./http.js').Fetch} [options.fetch]
   * @param {() => Date} [options.now]
   */
  constructor({ endpoint, bucket, region, credentials, fetch = browserFetch, now = () => new Date() }) {
    this.#base = `${new URL(endpoint).origin}/${uriEncode(bucket)}`;
    this.#region = region;
    this.#credentials = credentials;
    this.#fetch = fetch;
    this.#now = now;
  }

  /**
   * @param {string} key
   * @param {string | Uint8Array<ArrayBuffer>} body
   * @param {string} [contentType]
   */
  async put(key, body, contentType = 'application/octet-stream') {
    await this.#send({ method: 'PUT', url: this.#urlOf(key), headers: { 'content-type': contentType }, body });
  }

  /**
   * @param {string} key
   * @returns {Promise<Response>} read it with `text()`, `blob()` …
   */
  get(key) {
    return this.#send({ url: this.#urlOf(key) });
  }

  /** Removes an object; removing what is not there succeeds, as always in S3. @param {string} key */
  async delete(key) {
    await this.#send({ method: 'DELETE', url: this.#urlOf(key) });
  }

  /**
   * One page of the objects whose key begins with `prefix`.
   * @param {string} prefix
   * @param {{maxKeys?: number, continuationToken?: string}} [options]
   * @returns {Promise<S3Page>}
   */
  async list(prefix, { maxKeys = 1000, continuationToken } = {}) {
    const url = new URL(this.#base);
    url.search = new URLSearchParams({ 'list-type': '2', prefix, 'max-keys': String(maxKeys) }).toString();
    if (continuationToken) url.searchParams.set('continuation-token', continuationToken);
    const response = await this.#send({ url });
    return readPage(await response.text());
  }

  /** @param {import('./sigv4.js').AwsRequest} request */
  async #send(request) {
    const credentials = this.#credentials;
    const { url, ...init } = await signRequest(request, {
      credentials: typeof credentials === 'function' ? await credentials() : credentials,
      region: this.#region,
      service: 's3',
      date: this.#now(),
    });
    const response = await send(this.#fetch, url, init);
    if (!response.ok) throw new S3Error(response, await response.text());
    return response;
  }

  /** @param {string} key */
  #urlOf(key) {
    const segments = key.split('/');
    // A URL cannot hold these: browsers resolve `.` and `..`, percent-encoded or not, and would
    // address another object than the one named. A half of a surrogate pair has no UTF-8 form.
    if (key === '' || segments.includes('.') || segments.includes('..') || /\p{Surrogate}/u.test(key)) {
      throw new DaypassError('key_not_addressable', 'No URL can name an object with this key');
    }
    return `${this.#base}/${segments.map(uriEncode).join('/')}`;
  }
}

/**
 * @param {string} xml a ListBucketResult
 * @returns {S3Page}
 */
function readPage(xml) {
  if (elements(xml, 'ListBucketResult').length !== 1) {
    throw new UnexpectedAnswerError(200, 'no ListBucketResult');
  }
  return {
    objects: elements(xml, 'Contents').map(readEntry),
    continuationToken: text(xml, 'NextContinuationToken'),
  };
}

/** @param {string} xml @returns {S3Object} */
function readEntry(xml) {
  return {
    key: text(xml, 'Key') ?? '',
    size: Number(text(xml, 'Size')),
    lastModified: new Date(text(xml, 'LastModified') ?? ''),
  };
}
