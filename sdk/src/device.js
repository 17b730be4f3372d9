// @ts-check
/** What a person would call the device that they sit at, as "Firefox on macOS": a name in their list, and no more. */

/** The first that fits: browsers name each other, and phones the systems that they come from. */
const BROWSERS = [['Edg', 'Edge'], ['OPR', 'Opera'], ['SamsungBrowser', 'Samsung Internet'], ['Firefox|FxiOS', 'Firefox'], ['Chrome|CriOS', 'Chrome'], ['Safari', 'Safari']];
const SYSTEMS = [['iPhone', 'iPhone'], ['iPad', 'iPad'], ['Android', 'Android'], ['CrOS', 'ChromeOS'], ['Windows', 'Windows'], ['Mac OS', 'macOS'], ['Linux', 'Linux']];

/** @param {string | undefined} userAgent @returns {string | undefined} */
export function deviceName(userAgent = '') {
  const [browser, system] = [BROWSERS, SYSTEMS].map((names) => names.find(([mark]) => new RegExp(String(mark)).test(userAgent))?.[1]);
  return browser && system ? `${browser} on ${system}` : browser;
}
