// @ts-check
/** The person's sign-ins on all devices, each of which can be ended from here. */
import { byId, make, message, whileBusy } from './dom.js';
import { nameOf } from './offers.js';
import { explain } from './plain-words.js';

/** @typedef {import('/playground/sdk/index.js').Daypass} Daypass */
/** @typedef {import('/playground/sdk/index.js').DeviceSession} DeviceSession */

/** @param {Daypass} daypass */
export async function listDevices(daypass) {
  const listed = await daypass.sessions();
  listed.sort((a, b) => Number(b.current) - Number(a.current) || Number(b.lastUsedAt) - Number(a.lastUsedAt));
  byId('device-list').replaceChildren(...listed.map((session) => line(daypass, session)));
}

/** @param {Daypass} daypass @param {DeviceSession} session */
function line(daypass, session) {
  const name = session.device ?? 'A device without a name';
  const since = `${session.app} · ${nameOf(session.provider)} · last used ${session.lastUsedAt.toLocaleString()}`;
  const title = make('span', { className: 'file-name' }, make('strong', {}, name), make('span', { className: 'hint' }, ` ${since}`));
  if (session.current) return make('li', {}, title, make('span', { className: 'badge' }, 'this one'));
  const end = make('button', { type: 'button', className: 'quiet', ariaLabel: `Sign out ${name}, ${since}` }, 'Sign out');
  end.onclick = () => void whileBusy(end, () => endOne(daypass, session, name));
  return make('li', {}, title, end);
}

/** @param {Daypass} daypass @param {DeviceSession} session @param {string} name */
async function endOne(daypass, { id }, name) {
  try {
    await daypass.endSession(id);
    await listDevices(daypass);
    byId('devices-result').replaceChildren(message('good', `${name} is signed out`, make('p', {}, 'Its credentials have ended as well.')));
    // The pressed button is gone with its line; the keyboard goes on from the list's own button.
    byId('list-devices').focus();
  } catch (error) {
    byId('devices-result').replaceChildren(explain(error));
  }
}
