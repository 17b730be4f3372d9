// @ts-check
/** What a person would call the device that they sit at, as "Firefox on macOS": a name in their list, and no more. */

/** The first that fits: browsers name each other, and phones the systems that they come from. */
const BROWSERS = [['Edg', 'Edge'], ['OPR', 'Opera'], ['Firefox|FxiOS', 'Firefox'], ['Chrome|CriOS', 'Chrome'], ['Safari']];
const SYSTEMS = [['iPhone'], ['iPad'], ['Android'], ['Windows'], ['Mac OS', 'macOS'], ['CrOS', 'ChromeOS'], ['Linux']];

/** @param {string | undefined} userAgent @returns {string | undefined} */
export function deviceName(userAgent = '') {
  const [browser, system] = [BROWSERS, SYSTEMS].map((names) => names.find(([mark = '']) => new RegExp(mark).test(userAgent))?.at(-1));
  return browser && system ? `${browser} on ${system}` : browser;
}
