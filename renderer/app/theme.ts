import { createTheme, type Theme } from '@mui/material/styles';
import '@mui/x-data-grid/themeAugmentation';
import { fonts, tokens, type ThemeMode, type Tokens } from './tokens.ts';

const figureColumns = '.MuiTableCell-alignRight, .MuiDataGrid-cell--textRight, .figures, input[inputmode=decimal]';

/** A quiet scientific instrument: flat surfaces, hairlines, one accent, figures that stand in columns. */
export function themeFor(mode: ThemeMode): Theme {
  const t = tokens[mode];
  const focus = { outline: `2px solid ${t.accent}`, outlineOffset: 2 };
  const tint = { main: t.accent, contrastText: t.accentInk, light: t.accentWash, dark: t.accent };
  return createTheme({
    palette: {
      mode,
      background: { default: t.paper, paper: t.paper },
      text: { primary: t.ink, secondary: t.muted, disabled: t.muted },
      primary: tint,
      secondary: { main: t.muted },
      info: tint,
      success: { main: t.good },
      warning: { main: t.warn },
      error: { main: t.bad },
      divider: t.rule,
      DataGrid: { bg: t.paper, headerBg: t.paper, pinnedBg: t.paper },
    },
    // In rem: who has the browser write twice as large gets the layout of a window of half the width.
    breakpoints: { unit: 'rem', values: { xs: 0, sm: 37.5, md: 56.25, lg: 75, xl: 96 } },
    shape: { borderRadius: 4 },
    spacing: 8,
    transitions: { duration: { enteringScreen: 120, leavingScreen: 90, standard: 140, shorter: 100, shortest: 80 } },
    typography: {
      fontFamily: fonts.sans,
      fontSize: 13,
      htmlFontSize: 16,
      body1: { fontSize: '0.875rem', lineHeight: 1.5 },
      body2: { fontSize: '0.8125rem', lineHeight: 1.5 },
      caption: { fontSize: '0.75rem', lineHeight: 1.4 },
      h1: { fontFamily: fonts.serif, fontSize: '1.75rem', fontWeight: 500, lineHeight: 1.2, letterSpacing: '-0.01em' },
      h2: { fontSize: '0.875rem', fontWeight: 600, lineHeight: 1.4 },
      h3: { fontSize: '0.8125rem', fontWeight: 600, lineHeight: 1.4 },
      button: { textTransform: 'none', fontWeight: 550, fontSize: '0.8125rem' },
      overline: { fontSize: '0.6875rem', letterSpacing: '0.06em', fontWeight: 600, lineHeight: 1.6 },
    },
    components: {
      MuiCssBaseline: {
        styleOverrides: {
          ':root': { colorScheme: mode },
          body: { fontSize: '0.875rem', fontVariantNumeric: 'lining-nums', overflowWrap: 'anywhere' },
          // Not everywhere: this feature widens the hyphens of names and dates too.
          [figureColumns]: { fontVariantNumeric: 'tabular-nums lining-nums' },
          'code, pre, kbd': { fontFamily: fonts.mono, fontSize: '0.92em', fontVariantLigatures: 'none' },
          kbd: {
            border: `1px solid ${t.rule}`,
            borderRadius: 3,
            padding: '0 4px',
            color: t.muted,
            fontSize: '0.72rem',
          },
          a: { color: t.accent, textUnderlineOffset: 2 },
          ':focus-visible': focus,
          ...stateMarks(t),
          '@media (prefers-reduced-motion: reduce)': {
            '*, *::before, *::after': { animationDuration: '0s !important', transitionDuration: '0s !important' },
          },
        },
      },
      MuiButtonBase: {
        defaultProps: { disableRipple: true },
        styleOverrides: { root: { '&.Mui-focusVisible': focus } },
      },
      MuiButton: {
        defaultProps: { disableElevation: true, size: 'small' },
        styleOverrides: {
          root: { paddingInline: 12, minHeight: 32, whiteSpace: 'nowrap' },
          startIcon: { '& > *:nth-of-type(1)': { fontSize: '1.125rem' } },
          outlined: { borderColor: t.rule, color: t.ink, '&:hover': { borderColor: t.muted, background: t.raised } },
        },
      },
      MuiIconButton: { defaultProps: { size: 'small' } },
      MuiPaper: { defaultProps: { elevation: 0 }, styleOverrides: { root: { backgroundImage: 'none' } } },
      MuiDialog: { styleOverrides: { paper: { border: `1px solid ${t.rule}` } } },
      MuiPopover: { styleOverrides: { paper: { border: `1px solid ${t.rule}` } } },
      MuiTextField: { defaultProps: { size: 'small' } },
      MuiSelect: { defaultProps: { size: 'small' } },
      MuiOutlinedInput: {
        styleOverrides: {
          root: { fontSize: '0.8125rem', background: t.paper, minHeight: 34 },
          input: { paddingBlock: 6.5, height: '1.3em' },
          notchedOutline: { borderColor: t.rule },
        },
      },
      MuiInputLabel: {
        styleOverrides: {
          root: {
            fontSize: '0.8125rem',
            '&.MuiInputLabel-outlined:not(.MuiInputLabel-shrink)': { transform: 'translate(14px, 6px)' },
          },
        },
      },
      MuiMenuItem: { styleOverrides: { root: { fontSize: '0.8125rem', minHeight: 32 } } },
      MuiTooltip: {
        defaultProps: { enterDelay: 300 },
        styleOverrides: { tooltip: { background: t.ink, color: t.paper, fontSize: '0.75rem', maxWidth: 340 } },
      },
      MuiAlert: {
        styleOverrides: {
          root: {
            fontSize: '0.8125rem',
            padding: '4px 12px',
            border: 0,
            borderLeft: '3px solid',
            borderRadius: 0,
            color: t.ink,
            variants: [
              { props: { severity: 'error' }, style: { background: t.badWash, borderColor: t.bad } },
              { props: { severity: 'warning' }, style: { background: t.warnWash, borderColor: t.warn } },
              { props: { severity: 'info' }, style: { background: t.accentWash, borderColor: t.accent } },
              { props: { severity: 'success' }, style: { background: t.raised, borderColor: t.good } },
            ],
          },
        },
      },
      MuiLinearProgress: {
        styleOverrides: { root: { height: 6, borderRadius: 3, background: t.hair }, bar: { borderRadius: 3 } },
      },
      MuiChip: { styleOverrides: { root: { fontSize: '0.75rem', height: 22, borderRadius: 4 } } },
      MuiToggleButton: {
        styleOverrides: { root: { textTransform: 'none', fontSize: '0.8125rem', padding: '4px 12px', color: t.muted } },
      },
      MuiTab: { styleOverrides: { root: { textTransform: 'none', minHeight: 38, fontSize: '0.8125rem' } } },
      MuiTableCell: {
        styleOverrides: {
          root: { borderColor: t.hair, padding: '5px 16px 5px 0', fontSize: '0.8125rem', verticalAlign: 'top' },
          head: { fontWeight: 600, borderColor: t.rule, color: t.muted, fontSize: '0.75rem' },
        },
      },
      MuiSkeleton: { defaultProps: { animation: false, variant: 'rounded' } },
      MuiDataGrid: {
        styleOverrides: {
          root: {
            border: 0,
            fontSize: '0.8125rem',
            '--DataGrid-t-color-border-base': t.hair,
            '--DataGrid-t-color-background-base': t.paper,
            '--DataGrid-t-header-background-base': t.paper,
          },
          columnHeaderTitle: { fontWeight: 600, fontSize: '0.75rem', color: t.muted },
          columnHeader: { '& .MuiDataGrid-checkboxInput .MuiSvgIcon-root': { fontSize: 20 } },
          row: { cursor: 'pointer' },
          cell: {
            '&.run-title': { fontWeight: 550 },
            '& .row-checkbox': {
              display: 'grid',
              placeItems: 'center',
              width: '100%',
              height: '100%',
              cursor: 'pointer',
            },
            '& .row-checkbox input': { width: 15, height: 15, margin: 0, accentColor: t.accent, cursor: 'pointer' },
          },
        },
      },
    },
  });
}

/** A dot before the word for the state of a run: hollow where nothing is being done or was finished. */
function stateMarks(t: Tokens): Record<string, object> {
  const dot = { content: '""', width: '0.6em', height: '0.6em', borderRadius: '50%', border: '1.5px solid' };
  return {
    '.state-mark': { display: 'inline-flex', alignItems: 'center', gap: 7, whiteSpace: 'nowrap', color: t.muted },
    '.state-mark::before': dot,
    '.state-mark.running, .state-mark.succeeded, .state-mark.failed, .state-mark.interrupted': {
      '&::before': { background: 'currentColor' },
    },
    '.state-mark.running': { color: t.accent },
    '.state-mark.succeeded': { color: t.good },
    '.state-mark.failed': { color: t.bad },
    '.state-mark.interrupted': { color: t.warn },
  };
}
