import { shareOf, successCurve } from '../../leakage/score.ts';
import type { DefenceFigures, UnitResult } from './report-data.ts';

/** MSE at which an image counts as recovered (iDLG, Figure 1). */
const recoveredMse = 1e-2;

export const meanOf = (values: readonly (number | null | undefined)[]): number | null => {
  const known = values.flatMap((value) => (typeof value === 'number' && Number.isFinite(value) ? [value] : []));
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
};

/** Of an attack's images; one that failed is infinitely far. */
export const errorOf = ({ images }: Pick<UnitResult, 'images'>): number =>
  images.length === 0 ? Infinity : images.reduce((sum, { mse }) => sum + (mse ?? Infinity), 0) / images.length;

/** The attack of each run that came closest: what an auditor counts with. */
function bestOf(units: readonly UnitResult[]): readonly UnitResult[] {
  const best = new Map<number, UnitResult>();
  for (const unit of units) {
    const known = best.get(unit.run);
    if (!known || errorOf(unit) < errorOf(known)) best.set(unit.run, unit);
  }
  return [...best.values()];
}

export interface DefenceFacts {
  readonly title: string;
  readonly noise: number;
}

/** Figures of each defence of a run, none first. */
export function byDefence(units: readonly UnitResult[], defences: readonly DefenceFacts[]): DefenceFigures[] {
  return defences.map((facts, index) => {
    const best = bestOf(units.filter(({ defence }) => defence === index));
    const images = best.flatMap((unit) => unit.images);
    const errors = images.map(({ mse }) => mse ?? Infinity);
    return {
      ...facts,
      success:
        images.length === 0 ? null : plain(shareOf(errors.filter((mse) => mse <= recoveredMse).length, errors.length)),
      curve:
        images.length === 0
          ? []
          : successCurve(errors).map((share) => ({ ...plain(share), threshold: share.threshold })),
      isKnown: units.some(({ defence, variant }) => defence === index && variant === 'adapted'),
      labelAccuracy: meanOf(best.map(({ labelOverlap }) => labelOverlap)),
      identified: meanOf(images.map(({ identified }) => (typeof identified === 'boolean' ? Number(identified) : null))),
      psnrDb: meanOf(images.map(({ psnrDb }) => psnrDb)),
      ssim: meanOf(images.map(({ ssim }) => ssim)),
    };
  });
}

const plain = ({
  count,
  of,
  share,
  interval: [low, high],
}: ReturnType<typeof shareOf>): NonNullable<DefenceFigures['success']> => ({
  count,
  of,
  share,
  interval: [low, high],
});
