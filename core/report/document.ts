/** A report as data: methods say what to show, core/report says how it looks. */

export interface ReportDocument {
  readonly title: string;
  readonly subtitle?: string;
  /** One or two plain sentences with the finding and its evidence. */
  readonly conclusion: string;
  readonly keyFigures: readonly KeyFigure[];
  readonly sections: readonly ReportSection[];
}

export interface KeyFigure {
  readonly label: string;
  readonly value: number | null;
  /** 'fraction' prints as percent. */
  readonly unit: string;
  readonly note?: string;
  /** 95 % interval in the units of `value`. */
  readonly interval?: readonly [number, number];
}

export interface ReportSection {
  readonly title: string;
  readonly text?: string;
  readonly blocks: readonly ReportBlock[];
}

export type ReportBlock =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'notice'; readonly level: 'info' | 'warning'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string }
  | TableBlock
  | LineChartBlock
  | BarChartBlock
  | HeatMapBlock
  | ImageBlock;

export interface TableBlock {
  readonly kind: 'table';
  readonly title: string;
  readonly columns: readonly { readonly title: string; readonly unit?: string; readonly align?: 'left' | 'right' }[];
  readonly rows: readonly (readonly (string | number | null)[])[];
  readonly note?: string;
}

export interface LineChartBlock {
  readonly kind: 'line';
  readonly title: string;
  readonly x: { readonly title: string };
  readonly y: { readonly title: string; readonly unit?: string; readonly log?: boolean; readonly min?: number; readonly max?: number };
  readonly series: readonly { readonly name: string; readonly points: readonly (readonly [number, number])[] }[];
  readonly note?: string;
}

export interface BarChartBlock {
  readonly kind: 'bar';
  readonly title: string;
  readonly y: { readonly title: string; readonly unit?: string; readonly max?: number };
  readonly categories: readonly string[];
  readonly series: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
  readonly note?: string;
}

export interface HeatMapBlock {
  readonly kind: 'heat-map';
  readonly title: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly values: readonly (readonly number[])[];
  readonly rowTitle: string;
  readonly columnTitle: string;
  /** Sequential uses cividis, diverging is centred on 0. */
  readonly scale: 'sequential' | 'diverging';
  readonly digits?: number;
  readonly note?: string;
}

export interface ImageBlock {
  readonly kind: 'image';
  readonly title: string;
  /** data: URI. */
  readonly source: string;
  readonly alt: string;
  /** Captions of the rows of an image grid, top to bottom. */
  readonly rowLabels?: readonly string[];
  /** Print each pixel as a block, without smoothing. */
  readonly pixelated?: boolean;
  readonly note?: string;
}
