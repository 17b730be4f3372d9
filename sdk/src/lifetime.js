// @ts-check
/**
 * How long a thing still lives, when the device's clock may be wrong or be set while we look. A life is counted from
 * the moment of receipt on the device's own clock, and never from what the server's clock said. Where the clock was
 * set back since a tab took the thing up, the clock that nobody sets knows how old it is.
 */

/** @typedef {{receivedAt: number, tokenLife: number, credentialsLife: number}} Lives in milliseconds */
/** @typedef {'token' | 'credentials'} Part */

/**
 * @typedef {object} Watch when a tab took it up, by both clocks, and its own lot
 * @property {number} wall
 * @property {number} steady
 * @property {number} lot from 0 to 1, so that tabs and devices do not come at one moment
 */

/** @typedef {Pick<import('./platform.js').Platform, 'now' | 'elapsed' | 'random'>} Clocks */

const FIVE_MINUTES = 300_000;

/** @param {Clocks} clocks @returns {Watch} */
export function startWatch({ now, elapsed, random }) {
  return { wall: now(), steady: elapsed(), lot: fraction(random) };
}

/** @param {import('./pkce.js').RandomBytes} random */
export const fraction = (random) => (random(1)[0] ?? 0) / 256;

/**
 * @param {Lives} lives
 * @param {Part} part
 * @param {Watch} watch
 * @param {Clocks} clocks
 * @returns {number} milliseconds; negative when it is over
 */
export function timeLeft(lives, part, watch, clocks) {
  return lifeOf(lives, part) - Math.max(ageByClock(lives, clocks), ageByWatch(lives, watch, clocks));
}

/**
 * Whether it is young enough to be handed out without asking for the next. What was received in the future was
 * received before the clock was set back, and nobody knows how long ago.
 * @param {Lives} lives
 * @param {Part} part
 * @param {Watch} watch
 * @param {Clocks} clocks
 */
export function isFresh(lives, part, watch, clocks) {
  const life = lifeOf(lives, part);
  const margin = Math.min(FIVE_MINUTES, life * 0.2) + watch.lot * life * 0.1;
  return timeLeft(lives, part, watch, clocks) > margin && ageByClock(lives, clocks) >= -margin;
}

/** @param {Lives} lives @param {Part} part */
const lifeOf = (lives, part) => (part === 'token' ? lives.tokenLife : lives.credentialsLife);

/** @param {Lives} lives @param {Clocks} clocks */
const ageByClock = ({ receivedAt }, { now }) => now() - receivedAt;

/** @param {Lives} lives @param {Watch} watch @param {Clocks} clocks */
const ageByWatch = ({ receivedAt }, watch, { elapsed }) => watch.wall - receivedAt + (elapsed() - watch.steady);
