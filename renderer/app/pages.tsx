import { lazy, Suspense, type ReactNode } from 'react';
import { Empty } from '../panels/Empty.tsx';
import { Page } from '../panels/Page.tsx';
import { PageSkeleton } from '../panels/PageSkeleton.tsx';
import { RunPage } from '../pages/RunPage.tsx';
import { StartPage } from '../pages/StartPage.tsx';
import type { Route } from './routes.ts';

const RunsPage = lazy(async () => ({ default: (await import('../pages/RunsPage.tsx')).RunsPage }));
const ComparePage = lazy(async () => ({ default: (await import('../pages/ComparePage.tsx')).ComparePage }));
const NewRunPage = lazy(async () => ({ default: (await import('../pages/NewRunPage.tsx')).NewRunPage }));
const ModelsPage = lazy(async () => ({ default: (await import('../pages/ModelsPage.tsx')).ModelsPage }));
const DataPage = lazy(async () => ({ default: (await import('../pages/DataPage.tsx')).DataPage }));
const ReportPage = lazy(async () => ({ default: (await import('../pages/ReportPage.tsx')).ReportPage }));
const SettingsPage = lazy(async () => ({ default: (await import('../pages/SettingsPage.tsx')).SettingsPage }));

export function pageOf(route: Route): ReactNode {
  return <Suspense fallback={<PageSkeleton />}>{bodyOf(route)}</Suspense>;
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
