import { z } from 'zod';
import { imageBytes, lanesOf, reportBytes } from '../common-scale.ts';
import { defineMethod } from '../define.ts';
import { params } from './spec-params.ts';

/**
 * Evaluations of a step of one run. Of the twenty that a step of L-BFGS may take five are made, as attacks that succeed end
 * early; a defence is attacked plainly and by somebody who knows it, who make nearly all of their steps.
 */
export function evaluationsOfStep({ attack, optimiser, defences }: Readonly<Record<string, unknown>>): number {
  if (attack === 'none') return 0;
  const count = Array.isArray(defences) ? defences.length : 0;
  const isPublished = attack === 'dlg' || attack === 'idlg' || attack === 'wei';
  const isLbfgs = optimiser === 'attack' ? isPublished : optimiser === 'lbfgs' || optimiser === 'lbfgs-wolfe';
  return isLbfgs ? 5 + 40 * count : 1 + 2 * count;
}

/** Trainings under each defence and under none; DP-SGD takes a gradient of each image by itself. */
export function trainingsOf({ defences }: Readonly<Record<string, unknown>>): number {
  return 1 + (Array.isArray(defences) ? defences.length : 0);
}

/** For each size and repetition in the table of labels. */
export const labelPasses = 800;

const Sized = z.object({ runs: z.number(), batchSize: z.number(), defences: z.array(z.string()), lanes: z.number() });

export const spec = defineMethod({
  id: 'gradient-leakage',
  version: 1,
  title: 'Gradient leakage audit',
  summary: 'What one shared gradient gives away of its images and labels, and which defence really helps.',
  papers: [
    { title: 'Deep Leakage from Gradients', authors: 'Zhu, Liu, Han', venue: 'NeurIPS', year: 2019 },
    {
      title: 'iDLG: Improved Deep Leakage from Gradients',
      authors: 'Zhao, Mopuri, Bilen',
      venue: 'arXiv 2001.02610',
      year: 2020,
    },
    {
      title: 'Inverting Gradients: How easy is it to break privacy in federated learning?',
      authors: 'Geiping, Bauermeister, Dröge, Moeller',
      venue: 'NeurIPS',
      year: 2020,
    },
    {
      title: 'See through Gradients: Image Batch Recovery via GradInversion',
      authors: 'Yin, Mallya, Vahdat, Alvarez, Kautz, Molchanov',
      venue: 'CVPR',
      year: 2021,
    },
    {
      title: 'Robbing the Fed: Directly Obtaining Private Data in Federated Learning with Modified Models',
      authors: 'Fowl, Geiping, Czaja, Goldblum, Goldstein',
      venue: 'ICLR',
      year: 2022,
    },
    { title: 'R-GAP: Recursive Gradient Attack on Privacy', authors: 'Zhu, Blaschko', venue: 'ICLR', year: 2021 },
  ],
  purpose:
    'Answers what a participant of federated training gives away who shares one gradient, or the update of a few local ' +
    'steps: labels, images in closed form, images by optimisation; and what each defence costs and buys.',
  threatModel: {
    goal: 'Recover the images and labels behind one shared gradient.',
    knows: [
      'the network with its weights, and the loss: mean cross-entropy',
      'the shared gradient, or the update of a few local steps',
      'the batch size, and which defence is in use',
      'public images, where they are given',
    ],
    assumes: [
      'an honest but curious server that reads one gradient, or the update of local steps (FedAvg), and changes nothing',
      'for the imprint (A3) alone a malicious server, which puts a layer of its own in front of the network',
      'no label smoothing, soft labels, weight decay or class weights inside the gradient',
    ],
    fails: [
      'Published recoveries are for single images and untrained networks with sigmoids; trained weights cost several dB.',
      'A network that is sure of its image gives a gradient that vanished: nothing is said of it.',
      'Batch norm in training mode, ReLU with max pooling and large batches make recovery of images much worse, but seldom that of labels.',
      'That an attack fails here does not show that no attack succeeds.',
    ],
    terms: [
      ['MITRE ATLAS', 'AML.T0024 Exfiltration via AI Inference API (nearest entry; gradients are shared on purpose)'],
      ['NIST AI 100-2 E2025', 'Privacy attack: data reconstruction'],
    ],
  },
  models: {
    victim: {
      title: 'Network',
      help: 'The classifier whose gradients are shared: an ONNX file, or an architecture with fresh weights.',
      output: 'logits',
      gradients: 2,
      zoo: true,
      default: 'lenet-zhu',
    },
  },
  data: {
    images: {
      title: 'Images of the participant',
      help: 'Labelled images to make gradients of, so that recovery can be scored. Also the gallery of the identification.',
      labels: 'required',
      split: 'test',
    },
    public: {
      title: 'Public images',
      help: 'Labelled images that the attacker may know: for mean probabilities, thresholds of the imprint, mean image, and to train on where training is asked for.',
      labels: 'optional',
      optional: true,
      split: 'train',
    },
  },
  params,
  recipes: {
    preflight: {
      title: 'Look ahead',
      help: 'What can be expected of this network, and how long an audit takes; some seconds.',
      params: { onlyPreflight: true },
    },
    quick: {
      title: 'Quick look',
      help: 'iDLG on three images, labels and closed forms; about a minute.',
      params: { runs: 3, steps: 60, labelBatches: 5, weights: 'uniform' },
    },
    standard: {
      title: 'Standard audit',
      help: 'Ten images, three defences, trade-off; up to ten minutes on two cores for a network of LeNet’s size.',
      params: {
        runs: 10,
        steps: 100,
        weights: 'uniform',
        defences: ['gaussian:0.001', 'prune:0.9', 'dp-sgd:1:0.5'],
        tradeoffSteps: 200,
      },
    },
    dlg: {
      title: 'DLG as published',
      help: 'Labels and image together, L-BFGS without line search, 300 outer steps, a fresh network for each image.',
      params: {
        attack: 'dlg',
        steps: 300,
        stopEvery: 10,
        relative: false,
        weights: 'uniform',
        runs: 100,
        labelBatches: 0,
      },
    },
    idlg: {
      title: 'iDLG as published',
      help: 'Label by L1, then the image; otherwise as DLG.',
      params: {
        attack: 'idlg',
        relative: false,
        labelSource: 'L1',
        steps: 300,
        stopEvery: 10,
        weights: 'uniform',
        runs: 100,
        labelBatches: 0,
      },
    },
    'inverting-gradients': {
      title: 'Inverting Gradients as published',
      help: 'Cosine distance, total variation, signed Adam, 4,800 steps, for networks such as ConvNet; hours for large ones.',
      params: { attack: 'inverting-gradients', steps: 4800, runs: 5, labelBatches: 0 },
    },
  },
  metrics: {
    labelAccuracy: {
      title: 'Labels recovered',
      unit: 'fraction',
      better: 'lower',
      help: 'Overlap of the labels that the attack used with the true ones, no defence',
    },
    success: {
      title: 'Images recovered',
      unit: 'fraction',
      better: 'lower',
      help: 'Images with MSE ≤ 0.01, no defence',
    },
    psnr: { title: 'PSNR', unit: 'dB', better: 'lower', help: 'Mean over images, clipped, no defence' },
    ssim: { title: 'SSIM', unit: '1', better: 'lower', help: 'Mean over images, no defence' },
    identified: {
      title: 'Identified',
      unit: 'fraction',
      better: 'lower',
      help: 'Reconstructions whose nearest gallery image of the same label is the true one, no defence',
    },
    failures: {
      title: 'Failed runs',
      unit: 'fraction',
      help: 'Diverged or without a finite iterate; counted as not recovered',
    },
    closedFormExact: {
      title: 'Recovered in closed form',
      unit: 'fraction',
      better: 'lower',
      help: 'Images with MSE < 1e-6 by A1, A2 or A4',
    },
    imprinted: {
      title: 'Recovered by the imprint',
      unit: 'fraction',
      better: 'lower',
      help: 'Images with MSE < 1e-6 by A3',
    },
    bestDefendedSuccess: {
      title: 'Images recovered, best defence',
      unit: 'fraction',
      better: 'lower',
      help: 'MSE ≤ 0.01 under the defence that leaves least',
    },
    gradientNorm: { title: 'Gradient norm', unit: '1', help: 'Median over runs, no defence' },
    evaluations: { title: 'Gradient evaluations', unit: '1', help: 'Mean over runs, no defence' },
  },
  lookAhead: {
    help: 'Makes gradients of up to thirty batches and some steps of the attack: norms, losses, the speed, and what of the setting keeps published attacks from working.',
  },
  work: [
    {
      times: ['runs', 'steps', 'restarts'],
      amount: { of: ['attack', 'optimiser', 'defences'], value: evaluationsOfStep },
      batch: 1,
      costs: [{ model: 'victim', pass: 'second-order' }],
    },
    // Of a batch only the arithmetic is more.
    {
      times: ['runs', 'steps', 'restarts'],
      amount: {
        of: ['attack', 'optimiser', 'defences', 'batchSize'],
        value: (asked) => evaluationsOfStep(asked) * (Number(asked['batchSize']) - 1),
      },
      costs: [{ model: 'victim', pass: 'second-order' }],
    },
    {
      times: ['trainEpochs', 'data.public'],
      batch: 'tradeoffBatchSize',
      isAlone: true,
      costs: [{ model: 'victim', pass: 'parameter-gradient' }],
    },
    {
      times: ['tradeoffSteps', 'tradeoffBatchSize'],
      amount: { of: ['defences'], value: trainingsOf },
      batch: 8,
      costs: [{ model: 'victim', pass: 'parameter-gradient' }],
    },
    // Nine kinds of batch on two networks; drawing weights and the rules themselves take longer than the passes.
    {
      times: ['labelBatches', 'labelBatchSizes'],
      batch: 8,
      isAlone: true,
      costs: [{ model: 'victim', pass: 'parameter-gradient', count: labelPasses }],
    },
    // The look ahead: gradients of up to thirty batches, and a few steps to measure the speed.
    { times: ['runs'], batch: 1, isAlone: true, costs: [{ model: 'victim', pass: 'second-order', count: 100 }] },
  ],
  footprint: (scale) => {
    const { runs, batchSize, defences, lanes } = Sized.parse(scale.params);
    const image = imageBytes(scale, 'victim');
    const units = runs * (1 + 2 * defences.length);
    return {
      lanes: lanesOf(scale, lanes, units),
      // Images that the attacker may know, gradients, and the history of each attack.
      keptBytes: Math.min(2000 + (scale.data['public'] ?? 0), 20_000) * image + 20 * units * batchSize * image,
      batchSize,
      writtenBytes: 8 * units * batchSize * image + reportBytes,
    };
  },
  columns: ['success', 'labelAccuracy', 'psnr', 'identified', 'bestDefendedSuccess'],
});
