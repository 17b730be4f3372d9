/** The store that a test in Python started: where it is, who asks, and which folder of which bucket is free. */
const { STORE } = process.env;

/** @type {{url: string, region: string, bucket: string, prefix: string, keys: string[], makesBuckets: boolean}} */
export const store = JSON.parse(STORE ?? '{}');

/** What an S3Client is told. An SDK that tries again would hide an answer that it should not have got. */
export function clientOptions({ url, region, keys: [accessKeyId, secretAccessKey, sessionToken] }) {
  return { region, endpoint: url, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey, sessionToken }, maxAttempts: 1 };
}

/** So many bytes, of which no two neighbours are alike. */
export function bytes(length) {
  const out = new Uint8Array(length);
  for (let at = 0; at < length; at += 1) out[at] = at % 251;
  return out;
}

export const MEBIBYTE = 1024 * 1024;

/** Only what hangs meets it. */
export const LIMITED = { timeout: 20_000 };
