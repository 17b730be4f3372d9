// @ts-check
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

/** What can be said about a page's accessibility by looking at it from the outside. */

/** @typedef {import('playwright-core').Page} Page */

const CONTROLS = ['button', 'link', 'textbox', 'combobox', 'radio', 'checkbox', 'DisclosureTriangle'];

/**
 * The names that assistive technology hears, for every control.
 * @param {Page} page
 */
export async function controls(page) {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  await session.detach();
  return nodes
    .filter(({ ignored, role }) => !ignored && CONTROLS.includes(role?.value))
    .map(({ role, name }) => ({ role: role?.value, name: String(name?.value ?? '').trim() }));
}

/** The levels of the visible headings, in order. @param {Page} page */
export function headingLevels(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll('h1, h2, h3, h4')]
      .filter((heading) => heading.checkVisibility())
      .map((heading) => Number(heading.tagName.slice(1))),
  );
}

/**
 * Visible text whose contrast with its ground is below WCAG AA's 4.5.
 * @param {Page} page
 */
export async function faintTexts(page) {
  // Words are there before their colours.
  await page.waitForLoadState('load');
  return page.evaluate(() => {
    const channels = (/** @type {string} */ color) => (color.match(/[\d.]+/g) ?? []).map(Number);
    const luminance = (/** @type {string} */ color) => {
      const [r = 0, g = 0, b = 0] = channels(color).map((value) =>
        value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
      );
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (/** @type {Element | null} */ element) => {
      for (let at = element; at; at = at.parentElement) {
        const color = getComputedStyle(at).backgroundColor;
        if (channels(color)[3] !== 0) return color;
      }
      return 'rgb(255, 255, 255)';
    };
    const contrast = (/** @type {Element} */ element) => {
      const [light, dark] = [luminance(getComputedStyle(element).color), luminance(ground(element))].sort((a, b) => b - a);
      return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05);
    };
    return [...document.body.querySelectorAll('*')]
      .filter((element) => element.checkVisibility())
      .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim()))
      .map((element) => `${contrast(element).toFixed(2)} ${element.tagName} ${element.textContent?.trim().slice(0, 40)}`)
      .filter((line) => Number.parseFloat(line) < 4.5);
  });
}

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/**
 * What axe-core finds: nothing. It is put in by the driver, so a page's policy does not have to allow it.
 * @param {Page} page
 * @param {string} [context]
 */
export async function assertAxeFindsNothing(page, context = 'html') {
  await page.evaluate(await readFile(AXE, 'utf8'));
  const { violations } = /** @type {any} */ (await page.evaluate(`axe.run(${JSON.stringify(context)})`));
  const found = violations.map((/** @type {any} */ { id, nodes }) => [id, ...nodes.map((/** @type {any} */ { html }) => html.slice(0, 120))]);
  assert.deepEqual(found, [], new URL(page.url()).pathname);
}
