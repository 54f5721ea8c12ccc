import { lazy, Suspense, type ReactNode } from 'react';
import { Empty } from '../panels/Empty.tsx';
import { Page } from '../panels/Page.tsx';
import { PageSkeleton } from '../panels/PageSkeleton.tsx';
import { RunPage } from '../pages/RunPage.tsx';
import { StartPage } from '../pages/StartPage.tsx';
import { ErrorBoundary } from './ErrorBoundary.tsx';
import { routeOf, type Route } from './routes.ts';

const load = {
  runs: async () => ({ default: (await import('../pages/RunsPage.tsx')).RunsPage }),
  compare: async () => ({ default: (await import('../pages/ComparePage.tsx')).ComparePage }),
  newRun: async () => ({ default: (await import('../pages/NewRunPage.tsx')).NewRunPage }),
  models: async () => ({ default: (await import('../pages/ModelsPage.tsx')).ModelsPage }),
  data: async () => ({ default: (await import('../pages/DataPage.tsx')).DataPage }),
  report: async () => ({ default: (await import('../pages/ReportPage.tsx')).ReportPage }),
  settings: async () => ({ default: (await import('../pages/SettingsPage.tsx')).SettingsPage }),
};

const RunsPage = lazy(load.runs);
const ComparePage = lazy(load.compare);
const NewRunPage = lazy(load.newRun);
const ModelsPage = lazy(load.models);
const DataPage = lazy(load.data);
const ReportPage = lazy(load.report);
const SettingsPage = lazy(load.settings);

/** Fetches what the other pages are made of, once the first one is there and the window has nothing to do. */
export function fetchPagesWhenIdle(): void {
  requestIdleCallback(() => {
    for (const fetchPage of Object.values(load)) fetchPage().catch(() => undefined);
  });
}

/** The page of the route. One that is not fetched yet waits in a deferred drawing without taking away the last. */
export function Pages({ hash }: { readonly hash: string }) {
  return (
    <Suspense fallback={<PageSkeleton />}>
      <ErrorBoundary key={hash}>{bodyOf(routeOf(hash))}</ErrorBoundary>
    </Suspense>
  );
}

function bodyOf(route: Route): ReactNode {
  switch (route.page) {
    case 'start':
      return <StartPage />;
    case 'models':
      return <ModelsPage path={route.path} />;
    case 'data':
      return <DataPage path={route.path} />;
    case 'new':
      return <NewRunPage methodId={route.methodId} from={route.from} recipe={route.recipe} model={route.model} />;
    case 'runs':
      return <RunsPage groupId={route.groupId} />;
    case 'run':
      return <RunPage runId={route.runId} />;
    case 'report':
      return <ReportPage runId={route.runId} />;
    case 'compare':
      return <ComparePage runIds={route.runIds} />;
    case 'settings':
      return <SettingsPage />;
    case 'unknown':
      return (
        <Page title="No such page">
          <Empty title={`Nothing is found at ${route.address}`}>Choose a page at the left, or press Ctrl K.</Empty>
        </Page>
      );
  }
}
