// @ts-check
/**
 * The list of what this page sent over the wire. A line is made of parts that are known to be
 * harmless: method, server, path, the listing's prefix, the AWS operation and the name of a grant. Everything
 * else of headers, bodies and query, which hold the codes, tokens and signatures, is not even read.
 */
import { byId, make } from './dom.js';

/** @typedef {{method: string, server: string, path: string, note?: string, outcome: string, ok: boolean}} Step */

/** @param {Step} step */
export function addStep({ method, server, path, note, outcome, ok }) {
  const line = make('li', { className: ok ? 'ok' : 'refused' });
  line.append(
    make('span', { className: 'wire-outcome' }, make('span', { ariaHidden: 'true' }, ok ? '✓ ' : '✗ '), outcome),
    make('span', { className: 'wire-request' }, make('strong', {}, method), ` ${path}`),
    make('span', { className: 'hint' }, note ? `${server} · ${note}` : server),
  );
  const log = byId('log');
  log.append(line);
  log.scrollTop = log.scrollHeight;
}

/** Takes out the lines that name somebody's folder. @param {string} identityId */
export function forgetSteps(identityId) {
  for (const line of [...byId('log').children]) if (line.textContent?.includes(identityId)) line.remove();
}

/**
 * A `fetch` that notes each request and its outcome.
 * @param {Map<string, string>} servers names of the origins
 */
export function loggedFetch(servers) {
  return async (/** @type {string} */ address, /** @type {RequestInit} */ init) => {
    const request = describe(new URL(address), init, servers);
    try {
      const response = await fetch(address, init);
      addStep({ ...request, outcome: String(response.status), ok: response.ok });
      return response;
    } catch (error) {
      addStep({ ...request, outcome: 'no answer', ok: false });
      throw error;
    }
  };
}

/** The last word of a grant's name. @param {RequestInit} init */
function grantOf({ body }) {
  const grant = body instanceof URLSearchParams ? body.get('grant_type') : undefined;
  return grant?.split(':').at(-1)?.replaceAll(/[_-]/g, ' ');
}

/** @param {URL} url @param {RequestInit} init @param {Map<string, string>} servers */
function describe(url, init, servers) {
  const target = new Headers(init.headers).get('x-amz-target');
  const prefix = url.searchParams.get('prefix');
  return {
    method: init.method ?? 'GET',
    server: servers.get(url.origin) ?? url.origin,
    path: decodeURIComponent(url.pathname) + (prefix === null ? '' : `?prefix=${prefix}`),
    note: target?.split('.')[1] ?? grantOf(init),
  };
}
