import type { Rng } from '../base/rng.ts';
import { arcPoints, drawEllipse, drawPath, drawPolygon, type Brush, type Plane, type Point } from './drawing.ts';
import type { Field } from './fields.ts';

/** Procedural drawings: light shapes on a dark or dim ground. None comes from a font. */

const between = (rng: Rng, low: number, high: number): number => low + (high - low) * rng.uniform();

type Draw = (rng: Rng, plane: Plane, size: number) => void;

const brushOf = (rng: Rng): Brush => ({ value: between(rng, 0.35, 1), softness: between(rng, 0.8, 2) });
const pointIn = (rng: Rng, { height, width }: Plane, margin = 0.12): Point => [
  between(rng, margin, 1 - margin) * width,
  between(rng, margin, 1 - margin) * height,
];
/** Line widths of a tenth of the image, give or take. */
const lineWidthOf = (rng: Rng, size: number): number => Math.max(1, between(rng, 0.04, 0.14) * size);

const polygon: Draw = (rng, plane, size) => {
  const corners = 3 + rng.int(5);
  const [cx, cy] = pointIn(rng, plane, 0.25);
  const turn = between(rng, 0, 2 * Math.PI);
  const points = Array.from({ length: corners }, (_, i): Point => {
    const angle = turn + (2 * Math.PI * (i + between(rng, -0.3, 0.3))) / corners;
    const radius = between(rng, 0.12, 0.42) * size;
    return [cx + radius * Math.cos(angle), cy + radius * Math.sin(angle)];
  });
  const [first] = points;
  if (rng.uniform() < 0.5 || !first) drawPolygon(plane, points, brushOf(rng));
  else drawPath(plane, [...points, first], lineWidthOf(rng, size), brushOf(rng));
};

const ellipse: Draw = (rng, plane, size) => {
  const shape = {
    centre: pointIn(rng, plane, 0.25),
    radiusX: between(rng, 0.08, 0.4) * size,
    radiusY: between(rng, 0.08, 0.4) * size,
    angle: between(rng, 0, Math.PI),
  };
  const lineWidth = rng.uniform() < 0.6 ? lineWidthOf(rng, size) : undefined;
  drawEllipse(plane, shape, brushOf(rng), lineWidth);
};

const arc: Draw = (rng, plane, size) => {
  const start = between(rng, 0, 2 * Math.PI);
  const points = arcPoints(
    pointIn(rng, plane, 0.3),
    between(rng, 0.12, 0.4) * size,
    start,
    start + between(rng, 0.3, 1.8) * Math.PI,
  );
  drawPath(plane, points, lineWidthOf(rng, size), brushOf(rng));
};

const line: Draw = (rng, plane, size) =>
  drawPath(plane, [pointIn(rng, plane), pointIn(rng, plane)], lineWidthOf(rng, size), brushOf(rng));

/** A cubic Bézier curve through the middle of the image. */
const curve: Draw = (rng, plane, size) => {
  const [a, b, c, d] = [pointIn(rng, plane), pointIn(rng, plane), pointIn(rng, plane), pointIn(rng, plane)];
  const points = Array.from({ length: 9 }, (_, i): Point => {
    const [t, s] = [i / 8, 1 - i / 8];
    const at = (k: 0 | 1): number => s * s * s * a[k] + 3 * s * s * t * b[k] + 3 * s * t * t * c[k] + t * t * t * d[k];
    return [at(0), at(1)];
  });
  drawPath(plane, points, lineWidthOf(rng, size), brushOf(rng));
};

/** A ground of one value, then a random number of shapes from the given kinds. */
function drawing(kinds: readonly Draw[], fewest: number, most: number, darkest = 0): Field {
  return (rng, out, height, width) => {
    out.fill(rng.uniform() < 0.75 ? darkest : between(rng, 0, 0.4));
    const plane = { data: out, height, width };
    const count = fewest + rng.int(most - fewest + 1);
    for (let i = 0; i < count; i++) kinds[rng.int(kinds.length)]?.(rng, plane, Math.min(height, width));
  };
}

export const polygons = drawing([polygon], 1, 3);
export const ellipses = drawing([ellipse], 1, 3);
export const arcs = drawing([arc], 1, 4);
export const lines = drawing([line], 1, 5);
export const curves = drawing([curve], 1, 3);
export const mixedShapes = drawing([polygon, ellipse, arc, line, curve], 2, 5);

/** One pen that wanders with small turns over an empty ground and lifts now and then. */
export const sparseStrokes: Field = (rng, out, height, width) => {
  out.fill(0);
  const plane = { data: out, height, width };
  const size = Math.min(height, width);
  const brush = brushOf(rng);
  const lineWidth = lineWidthOf(rng, size);
  const strokes = 1 + rng.int(3);
  for (let i = 0; i < strokes; i++) {
    let [x, y] = pointIn(rng, plane, 0.2);
    let heading = between(rng, 0, 2 * Math.PI);
    const bend = between(rng, -0.6, 0.6);
    const points: Point[] = [[x, y]];
    const steps = 3 + rng.int(6);
    for (let k = 0; k < steps; k++) {
      heading += bend + between(rng, -0.5, 0.5);
      x = Math.min(width, Math.max(0, x + 0.12 * size * Math.cos(heading)));
      y = Math.min(height, Math.max(0, y + 0.12 * size * Math.sin(heading)));
      points.push([x, y]);
    }
    drawPath(plane, points, lineWidth, brush);
  }
};

/** Stripes or dots on a turned grid, softly edged, with a random duty cycle. */
export const textures: Field = (rng, out, height, width) => {
  const size = Math.min(height, width);
  const period = between(rng, 3, Math.max(4, size / 3));
  const angle = between(rng, 0, Math.PI);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [shiftX, shiftY] = [rng.uniform() * period, rng.uniform() * period];
  const isDots = rng.uniform() < 0.5;
  const threshold = between(rng, -0.4, 0.4);
  const [dark, light] = [between(rng, 0, 0.4), between(rng, 0.4, 1)];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const u = Math.cos((2 * Math.PI * (cos * x + sin * y + shiftX)) / period);
      const v = isDots ? Math.cos((2 * Math.PI * (cos * y - sin * x + shiftY)) / period) : u;
      const cover = Math.min(1, Math.max(0, 0.5 + 2 * ((u + v) / 2 - threshold)));
      out[y * width + x] = dark + (light - dark) * cover;
    }
  }
};
