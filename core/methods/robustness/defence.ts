import { WorkbenchError } from '../../base/errors.ts';
import type { RandomDefence } from '../../attacks/defence.ts';
import type { ParamsOf } from '../define.ts';
import type { spec } from './spec.ts';

type Params = ParamsOf<typeof spec>;

/** What draws at random before the audited models. @throws PARAM_INVALID for a size that makes no sense */
export function defenceOf({ defence, defenceSize, looks, seed, low, high }: Params): RandomDefence | undefined {
  const size = defenceSize || { none: 0, noise: 0.25 * (high - low), resize: 0.9 }[defence];
  switch (defence) {
    case 'none':
      return undefined;
    case 'noise':
      return { kind: 'noise', deviation: size, looks, seed };
    case 'resize':
      if (size <= 1) return { kind: 'resize', smallest: size, looks, seed };
      throw new WorkbenchError('PARAM_INVALID', `Random resizing: expected a smallest size of at most 1, got ${size}`, {
        hint: 'It is a share of the image: 0.9 leaves nine tenths of each side at least.',
      });
  }
}

/** What is said of it wherever figures stand; empty without. */
export function defenceText(defence: RandomDefence | undefined): string {
  if (!defence) return '';
  const what =
    defence.kind === 'noise'
      ? `normal noise of deviation ${Number(defence.deviation.toPrecision(3))}`
      : `random shrinking to ${defence.smallest} of a side or more, at a random place`;
  return (
    `Before the model stands ${what}, drawn anew at each look. Answers are those of the mean probability over ` +
    `${defence.looks} draws; gradients are averages over ${defence.looks} other draws (EOT), new ones at each step of the ` +
    'fixed-step attacks and of APGD.'
  );
}
