/** The palette of the window: paper and ink, one blue accent; the same hues as the reports (core/report/theme.ts). */

export type ThemeMode = 'light' | 'dark';

export interface Tokens {
  readonly paper: string;
  /** Navigation and page margins. */
  readonly desk: string;
  readonly raised: string;
  readonly ink: string;
  readonly muted: string;
  readonly rule: string;
  readonly hair: string;
  readonly accent: string;
  readonly accentInk: string;
  readonly accentWash: string;
  readonly warn: string;
  readonly warnWash: string;
  readonly good: string;
  readonly bad: string;
  readonly badWash: string;
  /** Okabe–Ito hues, distinguishable to the colour blind, ordered for lines on this background. */
  readonly series: readonly string[];
}

export const tokens: Readonly<Record<ThemeMode, Tokens>> = {
  light: {
    paper: '#fdfdfb',
    desk: '#f3f3ef',
    raised: '#f6f6f2',
    ink: '#1a1e22',
    muted: '#596169',
    rule: '#d6d8d4',
    hair: '#e7e8e4',
    accent: '#005a8d',
    accentInk: '#ffffff',
    accentWash: '#e4eef4',
    warn: '#8f4a00',
    warnWash: '#fdf4e3',
    good: '#00694c',
    bad: '#a32a00',
    badWash: '#fbece7',
    series: ['#0072b2', '#d55e00', '#009e73', '#b4568e', '#9a6b00', '#3b8fc4', '#4a4f55'],
  },
  dark: {
    paper: '#14191c',
    desk: '#0e1214',
    raised: '#1a2024',
    ink: '#e3e6e8',
    muted: '#9aa4ab',
    rule: '#323b41',
    hair: '#252d32',
    accent: '#7cc4f0',
    accentInk: '#0b1a24',
    accentWash: '#172b38',
    warn: '#f0b35c',
    warnWash: '#261f13',
    good: '#4fc79c',
    bad: '#ff8f66',
    badWash: '#2e1b15',
    series: ['#56b4e9', '#e69f00', '#1fbf91', '#d98fb8', '#e8743b', '#f0e442', '#b6bec4'],
  },
};

export const fonts = {
  sans: "Inter, 'Noto Sans', 'Liberation Sans', system-ui, sans-serif",
  serif: "'Source Serif', 'Liberation Serif', Georgia, serif",
  mono: "'JetBrains Mono', 'Liberation Mono', ui-monospace, monospace",
};
