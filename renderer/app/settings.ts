import { useSyncExternalStore } from 'react';
import type { ThemeMode } from './tokens.ts';

/** What this browser remembers about the window; nothing of a run is kept here. */
export const themeChoices = ['system', 'light', 'dark'] as const;
export type ThemeChoice = (typeof themeChoices)[number];

const themeKey = 'palimpsest.theme';
const changed = new EventTarget();

function subscribe(listener: () => void): () => void {
  changed.addEventListener('change', listener);
  window.addEventListener('storage', listener);
  return () => {
    changed.removeEventListener('change', listener);
    window.removeEventListener('storage', listener);
  };
}

function themeChoice(): ThemeChoice {
  const kept = localStorage.getItem(themeKey);
  return themeChoices.find((choice) => choice === kept) ?? 'system';
}

export function useThemeChoice(): ThemeChoice {
  return useSyncExternalStore(subscribe, themeChoice);
}

export function chooseTheme(choice: ThemeChoice): void {
  localStorage.setItem(themeKey, choice);
  changed.dispatchEvent(new Event('change'));
}

const darkQuery = '(prefers-color-scheme: dark)';

function subscribeSystem(listener: () => void): () => void {
  const query = window.matchMedia(darkQuery);
  query.addEventListener('change', listener);
  return () => query.removeEventListener('change', listener);
}

export function useThemeMode(): ThemeMode {
  const choice = useThemeChoice();
  const isDark = useSyncExternalStore(subscribeSystem, () => window.matchMedia(darkQuery).matches);
  if (choice !== 'system') return choice;
  return isDark ? 'dark' : 'light';
}
