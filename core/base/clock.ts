/** The wall clock: milliseconds since 1970. Entry points hand it on; the rest of core takes `now` as a parameter. */
export const wallClock = (): number => Date.now();
