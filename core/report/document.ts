/** A report as data: methods say what to show, core/report says how it looks. */

export interface ReportDocument {
  readonly title: string;
  readonly subtitle?: string;
  /** One or two plain sentences with the finding and its evidence. */
  readonly conclusion: string;
  /** The first one is the main figure; the others are what it is held against. */
  readonly keyFigures: readonly KeyFigure[];
  /** What an auditor hands on, the gravest first; also exported as SARIF. */
  readonly findings?: readonly Finding[];
  readonly sections: readonly ReportSection[];
}

/** One statement about the model that a third person can check. */
export interface Finding {
  /** Stable name of the kind of finding, such as "evasion-white-box"; the SARIF rule. */
  readonly id: string;
  /** What findings of this kind are about, without figures; the title where there is none. */
  readonly kind?: string;
  /** Role of the model that it is about; the first one where there is none. */
  readonly model?: string;
  /** error: fails what was asked of it; warning: weak, or the evaluation is doubtful; note: held or for information. */
  readonly level: 'error' | 'warning' | 'note';
  /** One line. */
  readonly title: string;
  /** What was tried and what came out, in plain sentences. */
  readonly text: string;
  readonly evidence: FindingEvidence;
  readonly references: readonly FindingReference[];
}

export interface FindingEvidence {
  /** Items that the figure is over. */
  readonly count: number;
  readonly value?: number;
  /** Of `value` and `interval`; 'fraction' prints as percent. */
  readonly unit?: string;
  /** 95 %. */
  readonly interval?: readonly [number, number];
  /** What the attacker was given: norm, epsilon, steps, queries. */
  readonly budget: string;
  readonly seed: number | null;
}

/** An entry of a public catalogue of attacks. */
export interface FindingReference {
  readonly catalogue: 'MITRE ATLAS' | 'NIST AI 100-2';
  /** Its identifier there, or the term itself where the catalogue has no identifiers. */
  readonly id: string;
  readonly name: string;
}

export interface KeyFigure {
  readonly label: string;
  readonly value: number | null;
  /** 'fraction' prints as percent and gets a gauge; 'ms' as a duration, 'bytes' as a size, '1' without unit. */
  readonly unit: string;
  /** What it was measured on, for instance "10,000 test images". */
  readonly note?: string;
  /** 95 % interval in the units of `value`. */
  readonly interval?: readonly [number, number];
}

export interface ReportSection {
  readonly title: string;
  /** Paragraphs (blank line between), "- " lists and `code` are understood. */
  readonly text?: string;
  readonly blocks: readonly ReportBlock[];
}

export type ReportBlock =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'notice'; readonly level: 'info' | 'warning'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string }
  | FigureBlock;

/** Blocks with a number and a caption. */
export type FigureBlock = TableBlock | LineChartBlock | BarChartBlock | ScatterChartBlock | HeatMapBlock | ImageBlock;

interface Placed {
  readonly title: string;
  readonly note?: string;
  /** Two halves that follow each other stand side by side where there is room. 'full' when absent. */
  readonly size?: 'full' | 'half';
}

export interface TableColumn {
  readonly title: string;
  /** 'fraction' prints as percent. */
  readonly unit?: string;
  /** Numbers are right-aligned when absent. */
  readonly align?: 'left' | 'right';
  /** Decimals of every number in the column; chosen from the values when absent. */
  readonly digits?: number;
}

export interface TableBlock extends Placed {
  readonly kind: 'table';
  readonly columns: readonly TableColumn[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

export interface LineChartBlock extends Placed {
  readonly kind: 'line';
  readonly x: { readonly title: string };
  readonly y: {
    readonly title: string;
    readonly unit?: string;
    readonly log?: boolean;
    readonly min?: number;
    readonly max?: number;
  };
  readonly series: readonly {
    readonly name: string;
    readonly points: readonly (readonly [number, number])[];
    /** 95 % interval [x, low, high] at some or all points, drawn as a band behind the curve. */
    readonly band?: readonly (readonly [number, number, number])[];
    /** The interval as thin lines at its points instead, beside those of other curves: bands would hide each other. */
    readonly isWhiskers?: boolean;
    /** The curve that counts: drawn thicker, so that it shows beneath others, too. */
    readonly isLeading?: boolean;
  }[];
  /** Levels to compare with, drawn as dashed lines with their name at the right. */
  readonly references?: readonly { readonly name: string; readonly value: number }[];
}

export interface BarChartBlock extends Placed {
  readonly kind: 'bar';
  readonly y: { readonly title: string; readonly unit?: string; readonly max?: number };
  readonly categories: readonly string[];
  readonly series: readonly {
    readonly name: string;
    readonly values: readonly (number | null)[];
    /** 95 % interval of each value, in the units of `values`. */
    readonly intervals?: readonly (readonly [number, number] | null)[];
  }[];
}

export interface ScatterChartBlock extends Placed {
  readonly kind: 'scatter';
  readonly x: ScatterAxis;
  readonly y: ScatterAxis;
  readonly series: readonly { readonly name: string; readonly points: readonly ScatterPoint[] }[];
}

export interface ScatterAxis {
  readonly title: string;
  readonly unit?: string;
  readonly min?: number;
  readonly max?: number;
}

export interface ScatterPoint {
  /** Stands beside the point. */
  readonly label: string;
  /** A second, fainter line of the label. */
  readonly detail?: string;
  readonly x: number;
  readonly y: number;
  /** 95 % interval along each axis. */
  readonly xInterval?: readonly [number, number];
  readonly yInterval?: readonly [number, number];
}

export interface HeatMapBlock extends Placed {
  readonly kind: 'heat-map';
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly values: readonly (readonly number[])[];
  readonly rowTitle: string;
  readonly columnTitle: string;
  /**
   * Sequential uses cividis from the smallest to the largest value; diverging is centred on 0; counts goes from blank
   * at 0 to full ink with the square root of the value, so that rare cells beside a strong diagonal stay visible.
   */
  readonly scale: 'sequential' | 'diverging' | 'counts';
  readonly digits?: number;
}

export interface ImageBlock extends Placed {
  readonly kind: 'image';
  /** data: URI of a PNG, JPEG, WebP, GIF or AVIF in base64. Clear gaps suit light and dark pages alike. */
  readonly source: string;
  readonly alt: string;
  /** Captions of the rows of an image grid, top to bottom. */
  readonly rowLabels?: readonly string[];
  /** Captions of the columns of an image grid, left to right. */
  readonly columnLabels?: readonly string[];
  /** What is to be said of each row, at its right; a new line of text for each "\n". */
  readonly rowNotes?: readonly string[];
  /** Print each pixel as a block, without smoothing, at a whole multiple of its size. */
  readonly pixelated?: boolean;
  /**
   * The rows of the grid are a film: the first one stays, and beside it one of the others is seen at a time, chosen by its
   * row label; the last one to begin with. `gap`: pixels between rows. For PNG with row labels.
   */
  readonly film?: { readonly gap: number };
}
