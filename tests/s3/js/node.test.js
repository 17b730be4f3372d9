/** The AWS SDK for JavaScript in Node.js. */
import { describe } from 'node:test';
import * as app from './app.js';
import { endWhenDone } from './done.js';
import { expectations } from './expectations.js';
import { store } from './store.js';

endWhenDone();
describe('AWS SDK for JavaScript in Node.js', () => {
  expectations((name) => ({ ...store, prefix: `${store.prefix}${name}/` }), (name, ...input) => app[name](...input));
});
