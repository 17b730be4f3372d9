// @ts-check
/**
 * The time left of token and credentials, in every element marked `data-countdown`. It is computed
 * from the clock each time, so a tab that slept tells the truth as soon as it wakes. What is marked
 * `data-while` can be seen while something lasts, and what is marked `data-after`, when it is over.
 */

/** @type {Map<string, Date>} */
const ends = new Map();

/** @param {string} name @param {Date} end */
export function countDownTo(name, end) {
  ends.set(name, end);
  showTimeLeft();
}

/** Shows the time left now, and again every second. */
export function startClock() {
  setInterval(showTimeLeft, 1000);
}

function showTimeLeft() {
  for (const element of document.querySelectorAll('[data-countdown]')) {
    const end = ends.get(element.getAttribute('data-countdown') ?? '');
    element.textContent = end ? inWords(end.getTime() - Date.now()) : '';
  }
  for (const [name, end] of ends) {
    const over = end.getTime() <= Date.now();
    for (const element of all(`[data-while="${name}"]`)) element.hidden = over;
    for (const element of all(`[data-after="${name}"]`)) element.hidden = !over;
  }
}

/** @param {string} selector @returns {NodeListOf<HTMLElement>} */
const all = (selector) => document.querySelectorAll(selector);

/** @param {number} milliseconds */
function inWords(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 0) return '';
  const two = (/** @type {number} */ part) => String(part).padStart(2, '0');
  return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
}
