import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Link from '@mui/material/Link';
import Typography from '@mui/material/Typography';
import { useDeferredValue, useEffect, useState } from 'react';
import { useAction } from '../bridge/use-action.ts';
import { useBridge, useConnection, useRequest } from '../bridge/use-bridge.ts';
import { Icon, type IconName } from '../icons/Icon.tsx';
import { LiveProgress } from '../panels/LiveProgress.tsx';
import { CommandPalette } from './CommandPalette.tsx';
import { fetchPagesWhenIdle, Pages } from './pages.tsx';
import { hrefOf, type Route } from './routes.ts';
import { useThemeMode } from './settings.ts';
import { fonts, tokens } from './tokens.ts';
import { useHash, useRoute } from './use-route.ts';

interface Place {
  readonly title: string;
  readonly icon: IconName;
  readonly route: Route;
  readonly pages: readonly Route['page'][];
}

const places: readonly Place[] = [
  { title: 'Start', icon: 'start', route: { page: 'start' }, pages: ['start'] },
  { title: 'New run', icon: 'add', route: { page: 'new' }, pages: ['new'] },
  { title: 'Runs', icon: 'runs', route: { page: 'runs' }, pages: ['runs', 'run', 'report', 'compare'] },
  { title: 'Models', icon: 'model', route: { page: 'models' }, pages: ['models'] },
  { title: 'Data', icon: 'data', route: { page: 'data' }, pages: ['data'] },
];
const settings: Place = { title: 'Settings', icon: 'settings', route: { page: 'settings' }, pages: ['settings'] };

/** In a narrow or much enlarged window the navigation keeps its icons only. */
const wide = { display: { xs: 'none', md: 'inline' } };

/** Navigation at the left, the page at the right. */
export function Shell() {
  const route = useRoute();
  const hash = useHash();
  // Otherwise React shows a skeleton for 300 ms before a page that is fetched in 50.
  const shown = useDeferredValue(hash);
  const t = tokens[useThemeMode()];
  const [isPaletteOpen, setPaletteOpen] = useState(false);

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'k') return;
      event.preventDefault();
      setPaletteOpen((before) => !before);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
  useEffect(() => {
    document.querySelector('main')?.scrollTo(0, 0);
  }, [shown]);
  useEffect(fetchPagesWhenIdle, []);

  return (
    <Box sx={{ display: 'flex', height: '100vh', bgcolor: t.desk }}>
      <SkipLink />
      <Box
        component="nav"
        aria-label="Pages"
        sx={{
          width: { xs: '3.625rem', md: '12.25rem' },
          flexShrink: 0,
          display: 'flex',
          flexDirection: 'column',
          p: 1.5,
          gap: 0.25,
          overflowY: 'auto',
        }}
      >
        <Link
          href={hrefOf({ page: 'start' })}
          underline="none"
          color="textPrimary"
          aria-label="Palimpsest"
          sx={{ px: 1, pt: 0.75, pb: 2 }}
        >
          <Wordmark />
        </Link>
        {places.map((place) => (
          <PlaceLink key={place.title} place={place} isHere={place.pages.includes(route.page)} />
        ))}
        <Box sx={{ flex: 1 }} />
        <QueueLine />
        <Button
          onClick={() => setPaletteOpen(true)}
          color="inherit"
          aria-label="Go to … Ctrl K"
          sx={{ minWidth: 0, justifyContent: 'flex-start', gap: 1.25, px: 1, color: 'text.secondary', fontWeight: 400 }}
        >
          <Icon name="search" />
          <Box component="span" sx={wide}>
            Go to …
          </Box>
          <Box component="kbd" sx={{ ...wide, ml: 'auto' }}>
            Ctrl K
          </Box>
        </Button>
        <PlaceLink place={settings} isHere={route.page === 'settings'} />
      </Box>
      <Box
        component="main"
        id="page"
        tabIndex={-1}
        sx={{
          flex: 1,
          minWidth: 0,
          overflowY: 'auto',
          bgcolor: 'background.default',
          borderLeft: `1px solid ${t.rule}`,
          outline: 'none',
          position: 'relative',
        }}
      >
        <ConnectionNote />
        <HaltNote />
        <Pages hash={shown} />
      </Box>
      <CommandPalette isOpen={isPaletteOpen} onClose={() => setPaletteOpen(false)} />
    </Box>
  );
}

function SkipLink() {
  const skip = (): void => document.querySelector<HTMLElement>('#page')?.focus();
  return (
    <Button
      variant="contained"
      onClick={skip}
      sx={{ position: 'absolute', left: 8, top: -60, zIndex: 2000, '&:focus': { top: 8 } }}
    >
      Skip to the page
    </Button>
  );
}

function Wordmark() {
  return (
    <Box
      component="span"
      sx={{ fontFamily: fonts.serif, fontSize: '1.3125rem', fontWeight: 560, letterSpacing: '-0.01em' }}
    >
      P
      <Box component="span" sx={wide}>
        alimpsest
      </Box>
    </Box>
  );
}

function PlaceLink({ place, isHere }: { readonly place: Place; readonly isHere: boolean }) {
  const t = tokens[useThemeMode()];
  return (
    <Link
      href={hrefOf(place.route)}
      underline="none"
      aria-label={place.title}
      aria-current={isHere ? 'page' : undefined}
      sx={{
        display: 'flex',
        alignItems: 'center',
        gap: 1.25,
        px: 1,
        minHeight: '2.125rem',
        borderRadius: 1,
        fontSize: '0.875rem',
        fontWeight: isHere ? 600 : 450,
        color: isHere ? 'text.primary' : 'text.secondary',
        bgcolor: isHere ? t.paper : 'transparent',
        boxShadow: isHere ? `0 0 0 1px ${t.rule}` : 'none',
        '&:hover': { color: 'text.primary', bgcolor: isHere ? t.paper : t.hair },
      }}
    >
      <Icon name={place.icon} sx={{ fontSize: '1.125rem', color: isHere ? 'primary.main' : 'inherit' }} />
      <Box component="span" sx={wide}>
        {place.title}
      </Box>
    </Link>
  );
}

/** What is being computed, in one line at the foot of the navigation. */
function QueueLine() {
  const { data } = useRequest('queue.facts', {}, (event) => event.type === 'queue');
  const [running] = data?.running ?? [];
  if (!data || running === undefined) return null;
  const waiting = data.waiting.length;
  return (
    <Link
      href={hrefOf({ page: 'run', runId: running })}
      underline="hover"
      variant="caption"
      sx={{ px: 1, pb: 1, display: 'flex', alignItems: 'center', gap: 1 }}
    >
      <Box component="span" sx={{ width: 8, height: 8, borderRadius: '50%', bgcolor: 'primary.main', ml: 0.5 }} />
      <Box component="span" sx={wide}>
        {data.running.length === 1 ? (
          <>
            Computing <LiveProgress runId={running} show="share" />
          </>
        ) : (
          `${data.running.length} runs are computing`
        )}
        {waiting > 0 && `, ${waiting} waiting`}
      </Box>
    </Link>
  );
}

function ConnectionNote() {
  const connection = useConnection();
  if (connection === 'lost') {
    return <Alert severity="warning">The workbench does not answer. Runs go on; this page comes back by itself.</Alert>;
  }
  if (connection !== 'refused') return null;
  return (
    <Alert severity="error">
      This session has ended. Open the address that <code>palimpsest serve</code> printed; a new one is printed at each
      start.
    </Alert>
  );
}

function HaltNote() {
  const bridge = useBridge();
  const { data, reload } = useRequest('queue.facts', {}, (event) => event.type === 'queue');
  const { isBusy, error, run } = useAction();
  if (!data?.halted) return null;
  const goOn = (): void => run(async () => bridge.request('queue.continue', {}).finally(reload));
  return (
    <Alert
      severity="error"
      action={
        <Button disabled={isBusy} onClick={goOn}>
          Continue
        </Button>
      }
    >
      <Typography variant="body2">The queue has stopped: {data.halted.error.message}</Typography>
      {data.halted.error.hint}
      {error && <Typography variant="body2">It could not go on: {error.message}</Typography>}
    </Alert>
  );
}
