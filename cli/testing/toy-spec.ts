import { z } from 'zod';
import { defineMethod, ui } from '../../core/methods/define.ts';

/** A method with a parameter of every kind, that needs nothing. */
export const toySpec = defineMethod({
  id: 'toy-count',
  version: 1,
  title: 'Toy',
  summary: 'Counts steps.',
  papers: [{ title: 'On counting', authors: 'A. Nobody', venue: 'Nowhere', year: 2020 }],
  purpose: 'Shows that a method can be run.',
  models: {
    teacher: { title: 'Teacher', help: 'Not looked at.', output: 'logits', gradients: 0, optional: true },
    student: {
      title: 'Student',
      help: 'Not looked at.',
      output: 'logits',
      gradients: 1,
      zoo: true,
      default: 'lenet5-half',
    },
  },
  data: {
    test: { title: 'Test set', help: 'Not looked at.', labels: 'required', optional: true, split: 'test' },
  },
  params: z.strictObject({
    steps: z.int().min(0).max(1_000_000).default(20).register(ui, { title: 'Steps', unit: 'steps', help: 'How far.' }),
    stepSize: z.number().positive().max(100).default(0.5).register(ui, { title: 'Step size', source: 'paper' }),
    mode: z.enum(['up', 'down', 'sideways']).default('up').register(ui, { title: 'Mode' }),
    isLoud: z.boolean().default(true).register(ui, { title: 'Loud' }),
    scales: z.array(z.number()).min(1).default([1, 0.1]).register(ui, { title: 'Scales', group: 'advanced' }),
    names: z.array(z.string()).default([]).register(ui, { title: 'Names', group: 'advanced' }),
    limit: z.number().nullable().default(null).register(ui, { title: 'Limit', group: 'advanced' }),
    width: z
      .union([z.literal('auto'), z.int()])
      .default('auto')
      .register(ui, { title: 'Width', group: 'advanced' }),
    comment: z.string().nullable().default(null).register(ui, { title: 'Comment', group: 'advanced' }),
    divergeAt: z.int().nullable().default(null).register(ui, { title: 'Diverge at', group: 'advanced' }),
    seed: z.int().min(0).default(0).register(ui, { title: 'Seed', unit: '1' }),
  }),
  recipes: { quick: { title: 'Quick look', help: 'Few steps.', params: { steps: 3, isLoud: false } } },
  metrics: {
    total: { title: 'Total', unit: '1', help: 'Of all steps' },
    share: { title: 'Share', unit: 'fraction', better: 'higher' },
  },
  columns: ['share'],
});
