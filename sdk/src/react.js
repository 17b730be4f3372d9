'use client';
// @ts-check
/**
 * The client in a tree of React components: who is signed in, and what a component does about it. The client itself is
 * made once, outside of the tree; the provider listens to it, and lets go when it is unmounted.
 */
import { createContext, createElement, useContext, useEffect, useMemo, useState } from 'react';

/** @typedef {import('./client.js').Daypass} Daypass */
/** @typedef {import('./session.js').Session} Session */

/**
 * @typedef {object} DaypassState
 * @property {Daypass} daypass
 * @property {Session | undefined} session whoever is signed in
 * @property {boolean} isLoading whether nobody knows yet
 * @property {unknown} error why the sign-in that this page came back from did not end well
 */

/** @type {import('react').Context<DaypassState | undefined>} */
const Context = createContext(/** @type {DaypassState | undefined} */ (undefined));

/**
 * Ends a sign-in that the page comes back from, and tells everything below who is signed in.
 * @param {{daypass: Daypass, children?: import('react').ReactNode}} properties
 * @returns {import('react').ReactElement}
 */
export function DaypassProvider({ daypass, children }) {
  const state = useSession(daypass);
  const value = useMemo(() => ({ daypass, ...state }), [daypass, state]);
  return createElement(Context.Provider, { value }, children);
}

/** @param {Daypass} daypass */
function useSession(daypass) {
  const [state, setState] = useState(LOADING);
  useEffect(() => {
    let isOver = false;
    /** @param {Partial<typeof LOADING>} next */
    const set = (next) => isOver || setState({ ...LOADING, isLoading: false, ...next });
    const stops = [
      daypass.on('signin', (session) => set({ session })),
      daypass.on('refresh', (session) => set({ session })),
      daypass.on('signout', () => set({})),
    ];
    arrive(daypass).then(set);
    return () => {
      isOver = true;
      for (const stop of stops) stop();
    };
  }, [daypass]);
  return state;
}

/** @type {{session: Session | undefined, isLoading: boolean, error: unknown}} */
const LOADING = { session: undefined, isLoading: true, error: undefined };

/** A sign-in that fails leaves whoever was signed in. @param {Daypass} daypass */
async function arrive(daypass) {
  try {
    return { session: await daypass.handleRedirect() };
  } catch (error) {
    return { error, session: await daypass.session().catch(() => undefined) };
  }
}

/**
 * Who is signed in, and the client.
 * @returns {DaypassState}
 */
export function useDaypass() {
  const state = useContext(Context);
  if (!state) throw new Error('useDaypass is called outside of <DaypassProvider>');
  return state;
}
