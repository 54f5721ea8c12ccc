import { z } from 'zod';
import { attackCatalogue } from '../../attacks/catalogue.ts';
import { lanesParam, seedParam } from '../common-params.ts';
import { defineMethod, ui } from '../define.ts';
import { footprint, mostCompared, work } from './spec-work.ts';

const attackIds = attackCatalogue.map(({ id }) => id);
const universalKinds = ['uap', 'sgd', 'fff', 'gd-uap', 'gd-uap-range', 'impressions', 'noise'] as const;

export const spec = defineMethod({
  id: 'robustness',
  version: 1,
  title: 'Robustness audit',
  summary:
    'How easily a classifier is fooled by perturbed images, worst case over attacks, and what each mistake costs.',
  papers: [
    {
      title: 'Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse Parameter-free Attacks',
      authors: 'Croce, Hein',
      venue: 'ICML',
      year: 2020,
    },
    {
      title: 'Adversarial Fooling Beyond “Flipping the Label”',
      authors: 'Mopuri, Shaj, Babu',
      venue: 'CVPR Workshops',
      year: 2020,
    },
    {
      title: 'Universal Adversarial Perturbations',
      authors: 'Moosavi-Dezfooli, Fawzi, Fawzi, Frossard',
      venue: 'CVPR',
      year: 2017,
    },
    {
      title: 'Generalizable Data-free Objective for Crafting Universal Adversarial Perturbations',
      authors: 'Mopuri, Ganeshan, Babu',
      venue: 'IEEE TPAMI 41(10)',
      year: 2019,
    },
  ],
  purpose:
    'Answers which share of the given images an honest attacker can turn into a wrong answer within a stated budget, and how ' +
    'bad these mistakes are: how far the rank moved, how sure the model is, how far apart the classes lie. Robust accuracy is ' +
    'an upper bound: a stronger attack may find more. Severity is measured in the spirit of Mopuri et al. 2020, whose formulas ' +
    'could not be read; the definitions stand in docs/methods/robustness.md. Says nothing of perturbations outside the budget, of other ' +
    'data than the given images, or of attacks on training.',
  threatModel: {
    goal: 'To make the model answer wrongly, or as the attacker wishes, by changing an image so little that people do not mind.',
    knows: [
      'White-box attacks: the model file, its weights and gradients, and the true class of each image.',
      'Black-box attacks: the scores or the answer only, as many as the query budget allows.',
      'Transfer: another model of the same task. Universal perturbations from impressions, FFF and GD-UAP: the file and no image.',
    ],
    assumes: [
      'Every pixel may change by at most epsilon in the chosen norm, within the bounds of valid pixels.',
      'The image reaches the model as it was made: no camera, print or compression between.',
    ],
    fails: [
      'Gradients that are masked or random hide weaknesses from white-box attacks; the warnings of the run say when that is likely.',
      'A perturbation that is made without images can fail on models whose features differ from what its loss assumes.',
    ],
    terms: [
      ['NIST AI 100-2 E2025', 'Evasion attack, white-box and black-box'],
      ['MITRE ATLAS', 'AML.T0015 Evade ML Model'],
      ['MITRE ATLAS', 'AML.T0043 Craft Adversarial Data'],
    ],
  },
  models: {
    victim: {
      title: 'Model',
      help: 'The classifier to audit, as it is deployed: pre-processing belongs into the file or beside it.',
      output: 'logits',
      gradients: 1,
      default: 'bundled:lenet5-mnist',
    },
    compared: {
      title: 'Compared model',
      help: 'Audited in the same way on the same images, to be compared.',
      output: 'logits',
      gradients: 1,
      optional: true,
      several: mostCompared,
    },
    source: {
      title: 'Source of transfer',
      help: 'A model of the same task that the attacker owns: needed by attacks that transfer. Several are attacked together: what fools several models is likelier to fool another.',
      output: 'logits',
      gradients: 1,
      optional: true,
      several: 3,
    },
    reference: {
      title: 'Reference for appearance',
      help: 'A separately trained model whose view of what classes look like measures visual severity; the audited model’s own when absent.',
      output: 'logits',
      gradients: 0,
      optional: true,
    },
  },
  data: {
    images: {
      title: 'Labelled images',
      help: 'Images the model was not trained on, with their true classes.',
      labels: 'required',
      split: 'test',
    },
  },
  params: z.strictObject({
    preset: z.enum(['auto', 'mnist', 'fashion-mnist', 'cifar', 'imagenet']).default('auto').register(ui, {
      title: 'Kind of data',
      help: 'Sets epsilons and step sizes where they are not given; auto goes by image size and names and says what it took.',
    }),
    norm: z.enum(['linf', 'l2', 'l1']).default('linf').register(ui, {
      title: 'Norm',
      help: 'What epsilon is measured in: the largest change of a pixel, or the length or the sum of all changes.',
    }),
    epsilons: z.array(z.number().positive().max(1e6)).max(16).default([]).register(ui, {
      title: 'Epsilons',
      unit: 'pixel range',
      help: 'Budgets to audit, in the units of the pixels (8/255 is written 0.0314); none: those of the kind of data.',
    }),
    attacks: z.array(z.enum(attackIds)).min(1).max(64).default(['fgsm', 'pgd', 'apgd-ce']).register(ui, {
      title: 'Attacks',
      help: 'In the order in which they run. Controls among them count for no worst case.',
    }),
    attackOptions: z.record(z.string(), z.record(z.string(), z.json())).default({}).register(ui, {
      title: 'Options of attacks',
      group: 'advanced',
      help: 'JSON: {"pgd": {"steps": 100, "restarts": 5}}. Names and defaults stand in docs/methods/robustness.md.',
    }),
    survivorsOnly: z.boolean().default(false).register(ui, {
      title: 'Attack survivors only',
      help: 'Each attack gets only what no attack before it has fooled, as AutoAttack does: the same worst case in less time, but no figures and no severity of single attacks.',
    }),
    goal: z.enum(['untargeted', 'next', 'least-likely', 'runner-up', 'random']).default('untargeted').register(ui, {
      title: 'Goal',
      help: 'Any wrong class, or a certain one: the next number, the least or second most likely, or one drawn at random. Attacks that cannot be told are left out.',
    }),
    fusion: z.enum(['logits', 'probabilities', 'losses', 'each']).default('logits').register(ui, {
      title: 'Several sources of transfer',
      group: 'advanced',
      help: 'Attacked as one by the mean of their logits, of their probabilities or of their losses; each: one after the other, and an image falls if any of them brings it down.',
      source: 'Dong et al. 2018: the mean of the logits transfers best',
    }),
    defence: z.enum(['none', 'noise', 'resize']).default('none').register(ui, {
      title: 'Random defence before the model',
      group: 'advanced',
      help: 'noise: normal noise on every pixel; resize: the image shrunk and placed at random. Drawn anew at each look, and attacked through averages over many looks.',
      source: 'Cohen et al. 2019; Xie et al. 2018',
    }),
    defenceSize: z.number().min(0).max(1e6).default(0).register(ui, {
      title: 'Size of the defence',
      unit: 'pixel range',
      group: 'advanced',
      help: 'Deviation of the noise in the units of the pixels, or the smallest share of a side; 0: a quarter of the pixel range, or 0.9.',
    }),
    looks: z.int().min(2).max(1000).default(20).register(ui, {
      title: 'Looks through the defence',
      unit: 'draws',
      group: 'advanced',
      help: 'Draws that each answer, and each gradient of an attack, is averaged over.',
      source: 'AutoAttack’s version for random models: 20',
    }),
    count: z.int().min(1).max(1_000_000).default(1000).register(ui, {
      title: 'Images',
      unit: 'images',
      help: 'How many of the labelled images are audited.',
    }),
    pick: z.enum(['stratified', 'first', 'random']).default('stratified').register(ui, {
      title: 'Choice of images',
      help: 'stratified: as many of each class as there are, drawn by the seed; first: in the order of the file.',
    }),
    universal: z.array(z.enum(universalKinds)).max(universalKinds.length).default([]).register(ui, {
      title: 'Universal perturbations',
      help: 'One perturbation for all images. uap: Moosavi-Dezfooli’s; sgd: gradient steps over images (ours); both need images beyond the audited ones. fff, gd-uap, gd-uap-range, impressions: made from the file alone. noise: random signs, the control.',
    }),
    universalEpsilon: z.number().min(0).max(1e6).default(0).register(ui, {
      title: 'Epsilon of universal perturbations',
      unit: 'pixel range',
      help: 'In linf, whatever the norm of the other attacks; 0: that of the kind of data.',
    }),
    universalImages: z.int().min(10).max(100_000).default(500).register(ui, {
      title: 'Images behind a universal perturbation',
      unit: 'images',
      group: 'advanced',
      help: 'Real ones, or impressions of the model.',
    }),
    universalSteps: z.int().min(10).max(100_000).default(2000).register(ui, {
      title: 'Steps of data-free universal perturbations',
      unit: 'steps',
      group: 'advanced',
      source: 'our calibration for small images; released code 10,000 to 40,000',
    }),
    severity: z.boolean().default(true).register(ui, {
      title: 'Severity',
      help: 'What the flips cost: ranks, confidence, distance of the classes against chance.',
    }),
    severityBounds: z.boolean().default(false).register(ui, {
      title: 'Least and most severe flips',
      group: 'advanced',
      help: 'PGD twice more, towards the nearest and the farthest class by the first measure: the range of severity within reach.',
    }),
    stepCounts: z.array(z.int().min(1).max(10_000)).max(16).default([]).register(ui, {
      title: 'Severity by steps',
      unit: 'steps',
      group: 'advanced',
      help: 'PGD again with each of these numbers of steps: do more steps make worse flips, or only more of them? None: left out.',
    }),
    corruptions: z.boolean().default(false).register(ui, {
      title: 'Common corruptions',
      help: 'Accuracy under noise, blur, weather and geometry at three strengths: what happens without an attacker.',
    }),
    taxonomy: z.string().max(4096).default('auto').register(ui, {
      title: 'Taxonomy',
      group: 'advanced',
      isFile: true,
      help: 'How the classes belong together: auto, none, the name of a bundled one (mnist, fashion-mnist, cifar-10, cifar-100), or the path of a .json or .csv file.',
    }),
    costs: z.string().max(4096).default('').register(ui, {
      title: 'Cost matrix',
      group: 'advanced',
      isFile: true,
      help: 'Path of a .csv file: one line for each class before the attack, one number for each class after it.',
    }),
    temperatureScaling: z.boolean().default(false).register(ui, {
      title: 'Calibrated confidence',
      group: 'advanced',
      help: 'Confidence after dividing the logits by the temperature that fits the clean images best.',
    }),
    low: z.number().default(0).register(ui, { title: 'Lowest pixel', unit: 'pixel range', group: 'advanced' }),
    high: z.number().default(1).register(ui, { title: 'Highest pixel', unit: 'pixel range', group: 'advanced' }),
    // A zip archive holds no more files.
    exported: z.int().min(0).max(65_535).default(1000).register(ui, {
      title: 'Adversarial images kept',
      unit: 'images',
      group: 'advanced',
      help: 'As .npz and as PNG, of the largest epsilon; PNG are rounded to 8 bits and shown to the model again.',
    }),
    lanes: lanesParam('Groups of images attacked'),
    seed: seedParam(),
  }),
  recipes: {
    quick: {
      title: 'Quick look',
      help: '200 images, one step and forty steps; well under a minute for a small model.',
      params: { count: 200, attacks: ['fgsm', 'pgd'], universal: [] },
    },
    autoattack: {
      title: 'AutoAttack',
      help: 'The published standard ensemble in its order on the first 1,000 images, each attack on what is left: APGD-CE, APGD-T, FAB-T, Square with 5,000 queries.',
      params: {
        count: 1000,
        pick: 'first',
        attacks: ['apgd-ce', 'apgd-t', 'fab-t', 'square'],
        survivorsOnly: true,
        universal: [],
      },
    },
    'autoattack-plus': {
      title: 'AutoAttack plus',
      help: 'The published larger ensemble in its order on the first 1,000 images, each attack on what is left: APGD-CE, APGD-DLR and FAB with five restarts, Square, APGD-T, FAB-T.',
      params: {
        count: 1000,
        pick: 'first',
        attacks: ['apgd-ce', 'apgd-dlr', 'fab', 'square', 'apgd-t', 'fab-t'],
        attackOptions: { 'apgd-ce': { restarts: 5 }, 'apgd-dlr': { restarts: 5 }, fab: { restarts: 5 } },
        survivorsOnly: true,
        universal: [],
      },
    },
    'autoattack-rand': {
      title: 'AutoAttack for random models',
      help: 'The published ensemble for random defences: APGD-CE and APGD-DLR on the first 1,000 images, gradients averaged over 20 looks. Behind normal noise unless told otherwise.',
      params: {
        count: 1000,
        pick: 'first',
        attacks: ['apgd-ce', 'apgd-dlr'],
        defence: 'noise',
        looks: 20,
        survivorsOnly: true,
        universal: [],
      },
    },
    transfer: {
      title: 'Transfer from other models',
      help: 'What images made on up to three models of your own (--source, given up to three times) do to this one, of which the attacker sees nothing; noise of the same size as control.',
      params: { count: 1000, attacks: ['noise', 'transfer'], universal: [] },
    },
    standard: {
      title: 'Standard',
      help: '1,000 images, the four attacks of AutoAttack each on all of them beside FGSM and PGD, severity, universal perturbations, corruptions; some minutes for a small model.',
      params: {
        count: 1000,
        attacks: ['noise', 'fgsm', 'pgd', 'apgd-ce', 'apgd-t', 'fab-t', 'square'],
        corruptions: true,
        attackOptions: { square: { queries: 1000 } },
        universal: ['impressions', 'gd-uap', 'noise'],
      },
    },
  },
  metrics: {
    robustAccuracy: {
      title: 'Robust accuracy, smallest epsilon',
      unit: 'fraction',
      better: 'higher',
      help: 'Right and still right under every attack of the run; an upper bound',
    },
    robustAccuracyLargest: {
      title: 'Robust accuracy, largest epsilon',
      unit: 'fraction',
      better: 'higher',
      help: 'Right and still right under every attack of the run; an upper bound',
    },
    cleanAccuracy: { title: 'Clean accuracy', unit: 'fraction', better: 'higher', help: 'On the audited images' },
    foolingRate: {
      title: 'Fooling rate',
      unit: 'fraction',
      better: 'lower',
      help: 'Answers that the worst case changes at the smallest epsilon',
    },
    severity: {
      title: 'Severity against chance',
      unit: '1',
      better: 'lower',
      help: '1 is as harmful as a random wrong label; worst case at the smallest epsilon that fools an image, first measure of the report',
    },
    universalFoolingRate: {
      title: 'Universal fooling rate',
      unit: 'fraction',
      better: 'lower',
      help: 'Of the universal perturbation that fools most, at its epsilon',
    },
    noiseFoolingRate: {
      title: 'Control: noise',
      unit: 'fraction',
      help: 'Fooled by random signs of the universal epsilon',
    },
    eightBitRobustAccuracy: {
      title: 'Robust accuracy, 8 bits',
      unit: 'fraction',
      better: 'higher',
      help: 'At the largest epsilon, after rounding the adversarial images to 8 bits',
    },
    suspicions: { title: 'Reasons to doubt', unit: '1', better: 'lower', help: 'Warnings of the evaluation' },
  },
  lookAhead: {
    help: 'Shows up to 200 of the images to the model: whether labels and pre-processing fit, and whether its gradients can be attacked.',
  },
  work,
  footprint,
  columns: ['robustAccuracy', 'robustAccuracyLargest', 'cleanAccuracy', 'severity', 'universalFoolingRate'],
});
