// @ts-check
/**
 * A button to sign in with one provider, drawn as its owner wants it drawn where that is known, and plainly where it is
 * not: with the provider's mark, or its first letter if there is no mark here. It is a real button with its text, at
 * least 44 pixels high, with a ring when the keyboard is on it; and it loads nothing, so that it fits any policy of a page.
 */
import { MARKS } from './marks.js';

/** @typedef {import('./client.js').Daypass} Daypass */

/**
 * @typedef {object} ButtonOptions
 * @property {Pick<Daypass, 'signIn'>} daypass
 * @property {string} provider its ID
 * @property {string} [name] what people call it, for one that Daypass's catalogue does not have
 * @property {'redirect' | 'popup'} [via]
 * @property {'continue' | 'signin' | 'signup'} [text]
 * @property {string} [label] the whole text, in the page's own language
 * @property {'light' | 'dark'} [theme] of the page around it
 * @property {(error: unknown) => void} [onError] a sign-in that did not end well
 */

/** @typedef {{ground: string, text: string, edge?: string, font?: string, mark?: string, outline?: string}} Look */
/** @typedef {{light: Look, dark: Look}} Looks */

/** @type {Looks} */
const PLAIN = {
  light: { ground: '#FFFFFF', text: '#1F1F1F', edge: '#747775' },
  dark: { ground: '#131314', text: '#E3E3E3', edge: '#8E918F' },
};

/** @param {Look} look @returns {Looks} */
const always = (look) => ({ light: look, dark: look });

/** As the owners' rules have it. @type {Record<string, Looks>} */
const LOOKS = {
  apple: { light: { ground: '#000000', text: '#FFFFFF' }, dark: { ground: '#FFFFFF', text: '#000000' } },
  discord: always({ ground: '#5865F2', text: '#FFFFFF', mark: '#FFFFFF' }),
  facebook: always({ ground: '#0866FF', text: '#FFFFFF', mark: '#FFFFFF' }),
  google: {
    light: { ...PLAIN.light, font: 'Roboto, Arial, sans-serif' },
    dark: { ...PLAIN.dark, font: 'Roboto, Arial, sans-serif' },
  },
  microsoft: {
    light: { ground: '#FFFFFF', text: '#5E5E5E', edge: '#8C8C8C', font: '"Segoe UI", sans-serif' },
    dark: { ground: '#2F2F2F', text: '#FFFFFF', font: '"Segoe UI", sans-serif' },
  },
  snapchat: always({ ground: '#FFFC00', text: '#000000', mark: '#FFFFFF', outline: '#000000' }),
};

const SAYS = { continue: 'Continue with', signin: 'Sign in with', signup: 'Sign up with' };
/** Their own word for it. */
const LOGS_IN = ['facebook', 'snapchat'];

/**
 * Draws the button into an element, in the place of what is there.
 * @param {Element} element
 * @param {ButtonOptions} options
 * @returns {() => void} takes it away
 */
export function mountButton(element, options) {
  const button = draw(element.ownerDocument, options);
  element.replaceChildren(button);
  return () => button.remove();
}

/** @param {Document} document @param {ButtonOptions} options */
function draw(document, options) {
  const { provider, theme = 'light' } = options;
  const button = document.createElement('button');
  const text = document.createElement('span');
  text.textContent = labelOf(options);
  button.type = 'button';
  dress(button, (LOOKS[provider] ?? PLAIN)[theme], theme);
  button.append(markOf(document, options, (LOOKS[provider] ?? PLAIN)[theme]), text);
  button.addEventListener('click', onClick(button, options));
  return button;
}

/** @param {ButtonOptions} options */
function labelOf({ provider, name, text = 'continue', label }) {
  if (label) return label;
  const verb = text === 'signin' && LOGS_IN.includes(provider) ? 'Log in with' : SAYS[text];
  return `${verb} ${name ?? MARKS[provider]?.name ?? provider}`;
}

/** @param {HTMLButtonElement} button @param {Look} look @param {'light' | 'dark'} theme */
function dress(button, { ground, text, edge = ground, font = 'system-ui, sans-serif' }, theme) {
  Object.assign(button.style, {
    display: 'inline-flex', alignItems: 'center', justifyContent: 'center', gap: '12px', boxSizing: 'border-box',
    minHeight: '44px', minWidth: '140px', padding: '0 16px', margin: '0', border: `1px solid ${edge}`, borderRadius: '6px',
    background: ground, color: text, font: `500 15px/20px ${font}`, cursor: 'pointer', textAlign: 'start', outlineOffset: '2px',
  });
  const ring = `3px solid ${theme === 'dark' ? '#A8C7FA' : '#0B57D0'}`;
  button.addEventListener('focus', () => (button.style.outline = button.matches(':focus-visible') ? ring : 'none'));
  button.addEventListener('blur', () => (button.style.outline = 'none'));
}

/** @type {import('./marks.js').Mark} */
const NO_MARK = { name: '', paths: [] };
const SVG = 'http://www.w3.org/2000/svg';

/** @param {Document} document @param {ButtonOptions} options @param {Look} look */
function markOf(document, { provider, name = provider }, look) {
  const { box = 24, paths } = MARKS[provider] ?? NO_MARK;
  const svg = element(document, 'svg', { viewBox: `-1 -1 ${box + 2} ${box + 2}`, width: 20, height: 20, 'aria-hidden': true, focusable: false });
  svg.append(...paths.map(([color, d]) => element(document, 'path', { d, fill: look.mark ?? (color || 'currentColor'), ...outline(look) })));
  if (paths.length === 0) svg.append(letter(document, name));
  return svg;
}

/** @param {Look} look */
const outline = ({ outline: stroke }) => (stroke ? { stroke, 'stroke-width': 1.5 } : {});

/** @param {Document} document @param {string} name */
function letter(document, name) {
  const text = element(document, 'text', { x: 12, y: 18, 'text-anchor': 'middle', 'font-size': 18, fill: 'currentColor' });
  text.textContent = name.slice(0, 1).toUpperCase();
  return text;
}

/** @param {Document} document @param {string} tag @param {Record<string, unknown>} attributes */
function element(document, tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}

/**
 * A second click on a button that waits for a window opens the window anew: it may have got lost behind others.
 * @param {HTMLButtonElement} button
 * @param {ButtonOptions} options
 */
function onClick(button, { daypass, provider, via, onError = reportError }) {
  let attempts = 0;
  return async () => {
    if (via !== 'popup' && button.hasAttribute('aria-busy')) return;
    attempts += 1;
    const attempt = attempts;
    button.setAttribute('aria-busy', 'true');
    try {
      await daypass.signIn({ provider, via });
    } catch (error) {
      if (attempt === attempts) onError(error);
    } finally {
      if (attempt === attempts) button.removeAttribute('aria-busy');
    }
  };
}
