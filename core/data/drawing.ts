/** Soft-edged shapes drawn into one plane [H, W] of values in [0, 1]. Positions are in pixels, pixel centres at + 0.5. */
export interface Plane {
  readonly data: Float32Array;
  readonly height: number;
  readonly width: number;
}

export interface Brush {
  /** The value drawn, in [0, 1]. */
  readonly value: number;
  /** Width of the edge in pixels, above 0. */
  readonly softness: number;
}

export type Point = readonly [number, number];

/** Signed distance to a shape's outline in pixels, negative inside. */
type Distance = (x: number, y: number) => number;

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Blends `brush.value` over the plane where the shape covers it: coverage = clamp(½ - distance / softness). */
function fill(plane: Plane, box: Box, brush: Brush, distance: Distance): void {
  const { data, height, width } = plane;
  const margin = brush.softness;
  const [y0, y1] = [Math.max(0, Math.floor(box.top - margin)), Math.min(height, Math.ceil(box.bottom + margin))];
  const [x0, x1] = [Math.max(0, Math.floor(box.left - margin)), Math.min(width, Math.ceil(box.right + margin))];
  for (let y = y0; y < y1; y++) {
    for (let x = x0; x < x1; x++) {
      const cover = 0.5 - distance(x + 0.5, y + 0.5) / brush.softness;
      if (cover <= 0) continue;
      const at = y * width + x;
      data[at] = data[at]! + (brush.value - data[at]!) * Math.min(1, cover);
    }
  }
}

const boxOf = (points: readonly Point[], margin: number): Box => ({
  left: Math.min(...points.map(([x]) => x)) - margin,
  top: Math.min(...points.map(([, y]) => y)) - margin,
  right: Math.max(...points.map(([x]) => x)) + margin,
  bottom: Math.max(...points.map(([, y]) => y)) + margin,
});

function segmentDistance(x: number, y: number, a: Point, b: Point): number {
  const ax = a[0];
  const ay = a[1];
  const dx = b[0] - ax;
  const dy = b[1] - ay;
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length));
  // Math.hypot is several times slower, and nothing here overflows.
  return Math.sqrt((x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2);
}

/** A line through the points, with round ends and joints. */
export function drawPath(plane: Plane, points: readonly Point[], lineWidth: number, brush: Brush): void {
  const { height, width } = plane;
  const nearest = new Float32Array(height * width).fill(Infinity);
  const reach = lineWidth / 2 + brush.softness;
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1]!, points[i]!];
    const [y0, y1] = [
      Math.max(0, Math.floor(Math.min(a[1], b[1]) - reach)),
      Math.min(height, Math.ceil(Math.max(a[1], b[1]) + reach)),
    ];
    const [x0, x1] = [
      Math.max(0, Math.floor(Math.min(a[0], b[0]) - reach)),
      Math.min(width, Math.ceil(Math.max(a[0], b[0]) + reach)),
    ];
    for (let y = y0; y < y1; y++) {
      for (let x = x0; x < x1; x++) {
        const at = y * width + x;
        nearest[at] = Math.min(nearest[at]!, segmentDistance(x + 0.5, y + 0.5, a, b));
      }
    }
  }
  fill(plane, boxOf(points, lineWidth / 2), brush, (x, y) => nearest[(y - 0.5) * width + x - 0.5]! - lineWidth / 2);
}

/** A closed polygon, even-odd where it crosses itself. */
export function drawPolygon(plane: Plane, corners: readonly Point[], brush: Brush): void {
  fill(plane, boxOf(corners, 0), brush, (x, y) => {
    let nearest = Infinity;
    let isInside = false;
    for (let i = 0; i < corners.length; i++) {
      const a = corners[i]!;
      const b = corners[(i + 1) % corners.length]!;
      nearest = Math.min(nearest, segmentDistance(x, y, a, b));
      if (a[1] > y !== b[1] > y && x < a[0] + ((y - a[1]) / (b[1] - a[1])) * (b[0] - a[0])) isInside = !isInside;
    }
    return isInside ? -nearest : nearest;
  });
}

export interface Ellipse {
  readonly centre: Point;
  readonly radiusX: number;
  readonly radiusY: number;
  /** Radians. */
  readonly angle: number;
}

/** A filled ellipse, or its outline of `lineWidth` where given. The distance is that of the circle, scaled: an approximation. */
export function drawEllipse(plane: Plane, ellipse: Ellipse, brush: Brush, lineWidth?: number): void {
  const { centre, radiusX, radiusY, angle } = ellipse;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const scale = Math.min(radiusX, radiusY);
  fill(plane, boxOf([centre], Math.max(radiusX, radiusY) + (lineWidth ?? 0) / 2), brush, (x, y) => {
    const dx = x - centre[0];
    const dy = y - centre[1];
    const distance =
      (Math.sqrt(((cos * dx + sin * dy) / radiusX) ** 2 + ((cos * dy - sin * dx) / radiusY) ** 2) - 1) * scale;
    return lineWidth === undefined ? distance : Math.abs(distance) - lineWidth / 2;
  });
}

/** Points of a circular arc. */
export function arcPoints([x, y]: Point, radius: number, from: number, to: number): Point[] {
  const steps = Math.max(2, Math.ceil(Math.abs(to - from) * 3));
  return Array.from({ length: steps + 1 }, (_, i): Point => {
    const angle = from + ((to - from) * i) / steps;
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
  });
}
