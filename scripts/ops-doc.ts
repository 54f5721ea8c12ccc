import type { RuleEntry } from '../core/autodiff/rule.ts';
import type { RuleCase } from '../core/autodiff/rules/case.ts';

const intro = `# Operators and their gradients

<!-- made by scripts/generate-ops-doc.ts from core/autodiff/rules; do not edit -->

Operators of the standard ONNX set, as of opset 21; files of other opsets are lifted to it first. Gradients are made of
operators of this table, so they can be differentiated again. Each use that is listed is checked against difference
quotients on the CPU, at first and second order. An operator that is not listed is refused by name when it lies on the
way to a gradient.
`;

/** The text of docs/ops.md. */
export function opsDoc(entries: readonly RuleEntry[], cases: readonly RuleCase[]): string {
  const differentiable = entries.filter((entry) => entry.kind === 'differentiable');
  const estimated = entries.filter((entry) => entry.kind === 'straight-through');
  const zero = entries.filter((entry) => entry.kind === 'zero');
  const rows = differentiable.map(({ op }) => {
    const uses = cases.filter((c) => c.op === op);
    const types = [...new Set(uses.map((c) => c.dtype ?? 'float64'))].sort().join(', ');
    return `| ${op} | ${uses.length > 0 ? '2' : 'none'} | ${types} | ${uses.map((c) => c.name).join('; ')} |`;
  });
  return [
    intro,
    `## Differentiable: ${differentiable.length}\n`,
    '| Operator | Checked to order | Checked in | Uses checked |',
    '|---|---|---|---|',
    ...rows,
    '',
    `## Straight through: ${estimated.length}\n`,
    `Rounding is looked through, values that were cut off get nothing: ${estimated.map(({ op }) => op).join(', ')}. Other`,
    'quantised operators are rewritten into these: QLinearConv, QLinearMatMul, ConvInteger, MatMulInteger,',
    'DynamicQuantizeLinear, and of the domain com.microsoft, which onnxruntime’s quantisation writes, QGemm, QLinearAdd,',
    'QLinearMul, QLinearConcat, QLinearGlobalAveragePool, QLinearAveragePool, QLinearSigmoid, QLinearLeakyRelu and',
    'QLinearSoftmax. The gradient is that of PyTorch’s fake quantisation, not a limit of difference quotients; scales and zero',
    'points count as constants (docs/adr/0010-quantised-models-in-real-numbers.md).',
    '',
    `## Gradient declared to be zero: ${zero.length}\n`,
    '| Operator | Why |',
    '|---|---|',
    ...zero.map((entry) => `| ${entry.op} | ${entry.kind === 'zero' ? entry.reason : ''} |`),
    '',
    '## Where a slope jumps\n',
    'Gradients at kinks are those of PyTorch; core/autodiff/conventions.ort.test.ts states each of them and checks it.',
    '',
  ].join('\n');
}
