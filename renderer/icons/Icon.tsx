import SvgIcon, { type SvgIconProps } from '@mui/material/SvgIcon';

/** Drawn for this window on a grid of 24, lines of 1.6. */
const paths = {
  start: 'M4 11l8-6.5L20 11M6.5 9.5V19h11V9.5M10 19v-5h4v5',
  model: 'M12 4l7 4v8l-7 4-7-4V8zM5 8l7 4 7-4M12 12v8',
  data: 'M4.5 5h6v6h-6zM13.5 5h6v6h-6zM4.5 14h6v5h-6zM13.5 14h6v5h-6z',
  add: 'M12 5v14M5 12h14',
  runs: 'M4 6h2M4 12h2M4 18h2M9 6h11M9 12h11M9 18h11',
  settings: 'M4 7h9M17 7h3M4 17h3M11 17h9M13 7a2 2 0 1 0 4 0 2 2 0 1 0-4 0M7 17a2 2 0 1 0 4 0 2 2 0 1 0-4 0',
  search: 'M11 5a6 6 0 1 0 0 12 6 6 0 1 0 0-12M15.5 15.5L20 20',
  play: 'M8 5.5v13l10-6.5z',
  stop: 'M7 7h10v10H7z',
  resume: 'M6 6v12M10 6v12l9-6z',
  again: 'M19 12a7 7 0 1 1-2.2-5.1M19 4v4h-4',
  copy: 'M9 9h10v10H9zM6 15H5V5h10v1',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  report: 'M6.5 4h8l3.5 3.5V20h-11.5zM14 4v4h4M9 12h6M9 15.5h6',
  download: 'M12 4v11M7.5 11l4.5 4.5 4.5-4.5M5 19.5h14',
  trash: 'M5 7h14M9.5 7V5h5v2M7 7l.8 12h8.4L17 7',
  compare: 'M6 5v14M18 5v14M9.5 12h5M12 9.5v5',
  close: 'M6 6l12 12M18 6L6 18',
  back: 'M14.5 6l-6 6 6 6',
  next: 'M9.5 6l6 6-6 6',
  down: 'M6 9.5l6 6 6-6',
  warning: 'M12 4.5L21 19.5H3zM12 10v4.5M12 17v.3',
  folder: 'M4 6.5h6l2 2h8v10H4z',
  file: 'M7 4h7l4 4v12H7zM14 4v4h4',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 1 0 0-8M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.600L7 7M17 17l1.4 1.400M18.4 5.600L17 7M7 17l-1.4 1.4',
  table: 'M4 5.5h16v13H4zM4 10h16M4 14.200h16M10 5.5v13',
  image: 'M4 5h16v14H4zM4 16l4.5-4.5L12 15l3.5-3.5L20 16',
  terminal: 'M4 5h16v14H4zM7 9.5l3 2.5-3 2.5M12 15h4',
  several: 'M4 8.5h12v11H4zM8 8.500V4.500h12v11h-4',
  pause: 'M8 6v12M16 6v12',
  print: 'M7 9V4h10v5M7 17H4V9h16v8h-3M7 14h10v6H7z',
  import: 'M12 15V4M7.5 8.500L12 4l4.500 4.500M5 19.500h14',
  up: 'M12 19V6M7 10.5L12 5.5l5 5',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, ...rest }: SvgIconProps & { readonly name: IconName }) {
  return (
    <SvgIcon fontSize="inherit" viewBox="0 0 24 24" sx={{ fontSize: '1.125rem' }} aria-hidden {...rest}>
      <path
        d={paths[name]}
        fill="none"
        stroke="currentColor"
        strokeWidth={1.6}
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </SvgIcon>
  );
}
