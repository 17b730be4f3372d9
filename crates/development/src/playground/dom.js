// @ts-check
/**
 * The few things this page does to its document. Whatever comes from a server or a person enters
 * as text, never as HTML, so no name and no file can bring a script along.
 */

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id of an element that index.html contains
 * @returns {T}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no #${id}`);
  return /** @type {T} */ (element);
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Partial<HTMLElementTagNameMap[Tag]>} properties
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/**
 * A message with a mark that does not depend on colour.
 * @param {'good' | 'bad'} kind
 * @param {string} title
 * @param {...(Node | string)} more
 */
export function message(kind, title, ...more) {
  const mark = make('span', { className: 'mark-of-kind', ariaHidden: 'true' }, kind === 'good' ? '✓' : '✗');
  return make('div', { className: `notice ${kind}` }, mark, make('div', {}, make('strong', {}, title), ...more));
}

/**
 * @param {HTMLElement} list a `dl`
 * @param {Iterable<readonly [string, string]>} entries
 */
export function fillDescriptions(list, entries) {
  const rows = Array.from(entries, ([term, value]) =>
    make('div', {}, make('dt', {}, term), make('dd', {}, make('code', {}, value))),
  );
  list.replaceChildren(...rows);
}

/**
 * Runs an action for a button, which cannot be pressed again before it ends. It stays focusable, so
 * that the keyboard does not lose its place.
 * @param {HTMLElement} button
 * @param {() => Promise<void>} action
 */
export async function whileBusy(button, action) {
  if (button.ariaDisabled === 'true') return;
  button.ariaDisabled = 'true';
  try {
    await action();
  } finally {
    button.ariaDisabled = null;
  }
}
