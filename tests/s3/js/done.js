/** Connections that are kept keep the process, too, until the server is tired of them. */
import { after } from 'node:test';

export const endWhenDone = () => after(() => void setTimeout(() => process.exit(), 500).unref());
