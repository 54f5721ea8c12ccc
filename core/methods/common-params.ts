import { z } from 'zod';
import { ui } from './define.ts';

/* Parameters that several methods share: one name, one range, one unit. */

/** The seed of every random stream of a run. */
export function seedParam(): z.ZodDefault<z.ZodInt> {
  return z.int().min(0).max(Number.MAX_SAFE_INTEGER).default(0).register(ui, { title: 'Seed', unit: '1' });
}

/** @param work what is done side by side, "Batches and arms computed" */
export function lanesParam(work: string): z.ZodDefault<z.ZodInt> {
  return z
    .int()
    .min(0)
    .max(256)
    .default(0)
    .register(ui, {
      title: 'Lanes',
      unit: 'processes',
      group: 'advanced',
      help: `${work} side by side, one thread each; 0: as many as threads. Does not change any result.`,
    });
}

export function weightDecayParam(): z.ZodDefault<z.ZodNumber> {
  return z.number().min(0).max(1).default(0).register(ui, { title: 'Weight decay', unit: '1', group: 'advanced' });
}

interface ViewParams<Value> {
  /** Degrees to either side. */
  readonly augmentRotation: Value;
  readonly augmentScaleLow: Value;
  readonly augmentScaleHigh: Value;
  /** Pixels to either side. */
  readonly augmentShift: Value;
}

/** The random views of an image while something is trained with it; the defaults are the method's. */
export function viewParams(defaults: ViewParams<number>): ViewParams<z.ZodDefault<z.ZodNumber>> {
  const field = (least: number, most: number, value: number, title: string, unit: string): z.ZodDefault<z.ZodNumber> =>
    z
      .number()
      .min(least)
      .max(most)
      .default(value)
      .register(ui, { title: `Augmentation ${title}`, unit, group: 'advanced' });
  return {
    augmentRotation: field(0, 180, defaults.augmentRotation, 'rotation', '± degrees'),
    augmentScaleLow: field(0.1, 1, defaults.augmentScaleLow, 'scale, lowest', '1'),
    augmentScaleHigh: field(1, 10, defaults.augmentScaleHigh, 'scale, highest', '1'),
    augmentShift: field(0, 1000, defaults.augmentShift, 'shift', '± pixels'),
  };
}

interface View {
  readonly rotationDegrees: number;
  readonly scaleMin: number;
  readonly scaleMax: number;
  readonly translatePixels: number;
}

/** What {@link viewParams} were set to, as the training takes it. */
export function viewOf(params: ViewParams<number>): View {
  return {
    rotationDegrees: params.augmentRotation,
    scaleMin: params.augmentScaleLow,
    scaleMax: params.augmentScaleHigh,
    translatePixels: params.augmentShift,
  };
}
