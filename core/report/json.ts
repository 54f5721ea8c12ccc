import type { ReportDocument } from './document.ts';
import type { ReportFacts } from './facts.ts';

/** Raised when a reader of the JSON would have to change. */
export const reportSchema = 'palimpsest.report/1';

export interface ReportJson {
  readonly schema: typeof reportSchema;
  readonly document: ReportDocument;
  readonly facts: ReportFacts;
}

/**
 * All of a report as one value for JSON.stringify: nothing is thinned or rounded. Numbers that JSON has no word for
 * (NaN, infinities) become null when it is written.
 */
export function reportJson(document: ReportDocument, facts: ReportFacts): ReportJson {
  return { schema: reportSchema, document, facts };
}
