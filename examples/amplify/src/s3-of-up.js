/**
 * For `npm run dev` alone: Amplify asks for https://BUCKET.s3.REGION.amazonaws.com and cannot be told of another S3 (its
 * setting for tests, `dangerouslyConnectToHttpEndpointForTesting`, is refused by its own check of endpoints). So what
 * goes there is led through Vite, which sends it to the S3 of `up` with the host that was signed.
 */
const AMAZON = /^https:\/\/[^/]+\.s3\.[^/]+\.amazonaws\.com\//;
const lead = (address) => String(address).replace(AMAZON, '/s3-of-up/');

const { open } = XMLHttpRequest.prototype;
XMLHttpRequest.prototype.open = function (method, address, ...rest) {
  return open.call(this, method, lead(address), ...rest);
};

const { fetch } = window;
window.fetch = (address, options) => (address instanceof Request ? fetch(address, options) : fetch(lead(address), options));
