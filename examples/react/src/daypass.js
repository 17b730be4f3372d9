/** Where the app's Daypass and its bucket are: with `npm run dev` at `daypass up`, by `.env.development`. */
import { S3Client } from '@aws-sdk/client-s3';
import { createDaypass } from '@daypass/browser';

const { VITE_DAYPASS_URL: url, VITE_BUCKET: bucket, VITE_S3_URL: endpoint } = import.meta.env;

export { bucket };
export const daypass = createDaypass({ url, app: 'videos' });

/** Without an `endpoint`, S3 is Amazon's. Whenever keys end, `daypass.credentials` has the next. */
export const s3In = (region) => new S3Client({ region, credentials: daypass.credentials, endpoint, forcePathStyle: Boolean(endpoint) });
