// @ts-check
/**
 * Who signed in from this tab, so that two people can be compared and one can try the other's
 * folder. Kept for the tab's life: names, identity IDs and one file name each, and nothing that
 * opens anything.
 */

/** @typedef {{identityId: string, name: string, file: string}} Person */

const STORAGE_KEY = 'daypass.playground.people';

/** @returns {Person[]} */
export function people() {
  return JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? '[]');
}

/** Adds a person, or what is new about one. @param {Pick<Person, 'identityId'> & Partial<Person>} person */
export function remember(person) {
  const known = people().find(({ identityId }) => identityId === person.identityId);
  const others = people().filter((other) => other !== known && other.identityId !== person.identityId);
  const whole = { name: 'Somebody', file: 'hello.txt', ...known, ...person };
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify([...others, whole]));
}

export function forgetEveryone() {
  sessionStorage.removeItem(STORAGE_KEY);
}
