import { useSyncExternalStore } from 'react';
import { hrefOf, routeOf, type Route } from './routes.ts';

function subscribe(listener: () => void): () => void {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
}

export function useHash(): string {
  return useSyncExternalStore(subscribe, () => window.location.hash);
}

export function useRoute(): Route {
  return routeOf(useHash());
}

export function goTo(route: Route): void {
  window.location.hash = hrefOf(route);
}
