/** Colours of charts. Lines and bars take Okabe–Ito hues by class (theme.ts); maps are computed here. */

/** Hues in the theme; series beyond them repeat the hues with a dash pattern. */
const hues = 7;
const dashes = ['', '6 3', '2 3', '8 3 2 3'];

/** `className` sets the custom property --c; `dash` keeps more than seven lines apart, in print without colour too. */
export function seriesStyle(index: number): { readonly className: string; readonly dash: string } {
  return { className: `s${(index % hues) + 1}`, dash: dashes[Math.floor(index / hues) % dashes.length] ?? '' };
}

type Rgb = readonly [number, number, number];

/** Ten evenly spaced samples of cividis (Nuñez, Anderton and Renslow 2018); between them straight lines are close enough. */
const cividisStops: readonly Rgb[] = [
  [0, 32, 77],
  [0, 51, 111],
  [57, 72, 107],
  [87, 92, 109],
  [112, 113, 115],
  [138, 135, 121],
  [166, 157, 117],
  [196, 181, 108],
  [228, 207, 91],
  [255, 234, 70],
];

function sample(share: number): Rgb {
  const position = Math.min(1, Math.max(0, share)) * (cividisStops.length - 1);
  const index = Math.min(cividisStops.length - 2, Math.floor(position));
  const from = cividisStops[index] ?? [0, 0, 0];
  const to = cividisStops[index + 1] ?? from;
  const mix = (a: number, b: number) => Math.round(a + (b - a) * (position - index));
  return [mix(from[0], to[0]), mix(from[1], to[1]), mix(from[2], to[2])];
}

function hex(colour: Rgb): string {
  return `#${colour.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

/** Relative luminance (WCAG 2), 0–1. */
function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((part) => {
    const v = part / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0);
}

/** Fill at a share 0–1 of the scale, and the text colour with the better contrast on it. */
export function cividis(share: number): { readonly fill: string; readonly text: string } {
  const colour = sample(share);
  const l = luminance(colour);
  return { fill: hex(colour), text: 1.05 / (l + 0.05) >= (l + 0.05) / 0.055 ? '#ffffff' : '#101418' };
}
