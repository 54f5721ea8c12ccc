import { shortestCommand } from '../cli/help.ts';
import type { MethodSpec } from '../core/methods/define.ts';
import { describeShape, kebabCase, paramFields, type ParamField } from '../core/methods/parameters.ts';
import { formatValue } from '../core/methods/param-text.ts';
import { threatRows } from '../core/report/facts.ts';

const begin = '<!-- generated from spec.ts by scripts/generate-method-docs.ts: begin -->';
const end = '<!-- generated: end -->';

/** Replaces the generated part of a page; what people wrote around it stays. */
export function docsWithGenerated(page: string, generated: string, title: string): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  const block = `${begin}\n\n${generated}\n${end}`;
  if (from === -1 || to === -1) return `${page.trim() || `# ${title}`}\n\n${block}\n`;
  return page.slice(0, from) + block + page.slice(to + end.length);
}

/** Everything that a method's declaration says, as Markdown. */
export function methodMarkdown(spec: MethodSpec): string {
  const fields = paramFields(spec);
  const isBasic = (field: ParamField): boolean => (field.ui.group ?? 'basic') === 'basic';
  const sections = [
    spec.summary,
    spec.purpose,
    `\`\`\`sh\n${shortestCommand(spec)}\n\`\`\``,
    threatMarkdown(spec),
    section(
      'Papers',
      spec.papers.map((paper) => `- ${paper.authors}: *${paper.title}*. ${paper.venue}, ${paper.year}.`).join('\n'),
    ),
    section('Models', modelTable(spec)),
    section('Data', dataTable(spec)),
    section('Recipes', recipeList(spec)),
    section('Parameters', paramTable(fields.filter(isBasic))),
    section('Advanced parameters', paramTable(fields.filter((field) => !isBasic(field)))),
    section('Metrics', metricTable(spec)),
    `Version ${spec.version} of the parameters.`,
  ];
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}

function threatMarkdown({ threatModel }: MethodSpec): string {
  if (!threatModel) return '';
  return section(
    'Threat model',
    table(
      ['', ''],
      threatRows(threatModel).map(([name, texts]) => [`**${name}**`, texts.join('; ')]),
    ),
  );
}

const section = (title: string, text: string): string => (text === '' ? '' : `## ${title}\n\n${text}`);

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const cell = (text: string): string => text.replaceAll('|', String.raw`\|`).replaceAll(/\s*\n\s*/g, ' ');
const code = (text: string): string => `\`${text}\``;

function modelTable(spec: MethodSpec): string {
  const declared = Object.entries(spec.models).filter(([, { entryOf }]) => entryOf === undefined);
  const rows = declared.map(([role, need]) => [
    code(`--${kebabCase(role)}`),
    `**${need.title}.** ${need.help}${need.several === undefined ? '' : ` Up to ${need.several}: the flag is given again, or as ${code(`--${kebabCase(role)}2`)} and so on.`}`,
    need.zoo ? 'ONNX file or architecture' : 'ONNX file',
    ['none', 'first order', 'second order'][need.gradients] ?? '',
    need.default === undefined ? (need.optional ? 'optional' : 'required') : code(need.default),
  ]);
  return table(['Flag', 'Model', 'Takes', 'Derivatives asked of it', 'Default'], rows);
}

function dataTable(spec: MethodSpec): string {
  const rows = Object.entries(spec.data).map(([role, need]) => [
    code(`--${kebabCase(role)}`),
    `**${need.title}.** ${need.help}`,
    need.labels,
    code(need.split ?? 'all'),
    need.optional ? 'optional' : 'required',
  ]);
  return table(['Flag', 'Data', 'Labels', 'Split', ''], rows);
}

function recipeList(spec: MethodSpec): string {
  const fields = new Map(paramFields(spec).map((field) => [field.name, field]));
  const rows = Object.entries(spec.recipes).map(([name, recipe]) => [
    code(`--recipe ${name}`),
    `**${recipe.title}.** ${recipe.help}`,
    Object.entries(recipe.params)
      .map(([key, value]) => {
        const field = fields.get(key);
        return code(`--${kebabCase(key)} ${field ? formatValue(field.shape, value) : JSON.stringify(value)}`);
      })
      .join(', '),
  ]);
  return table(['Flag', 'What it is', 'Sets'], rows);
}

function paramTable(fields: readonly ParamField[]): string {
  const rows = fields.map(({ flag, fallback, shape, required, ui }) => [
    code(shape.kind === 'boolean' ? `--[no-]${flag}` : `--${flag}`),
    `**${ui.title}.** ${ui.help ?? ''}`.trim(),
    ui.unit === undefined || ui.unit === '1' ? '' : ui.unit,
    describeShape(shape),
    fallback === undefined ? (required ? 'required' : '') : code(formatValue(shape, fallback)),
    ui.source ?? '',
  ]);
  return table(['Flag', 'Meaning', 'Unit', 'Values', 'Default', 'Where the default comes from'], rows);
}

function metricTable(spec: MethodSpec): string {
  const rows = Object.entries(spec.metrics).map(([name, metric]) => [
    code(name),
    metric.title,
    metric.unit === '1' ? '' : metric.unit,
    metric.better ?? '',
    metric.help ?? '',
  ]);
  return table(['Name', 'Metric', 'Unit', 'Better', 'Measured on'], rows);
}
