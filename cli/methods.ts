import { exitCodes } from './exit-codes.ts';
import { debugFlag, helpFlag, jsonFlag } from './flags.ts';
import { commandOf } from './help.ts';
import { wrap } from './terminal.ts';
import type { Verb } from './verb.ts';

export const methods: Verb = {
  name: 'methods',
  summary: 'List the methods.',
  help: {
    title: 'palimpsest methods: what can be run.',
    usage: ['palimpsest methods [flags]'],
    examples: [['all flags of one method', 'palimpsest help METHOD']],
    groups: [{ title: 'Flags', flags: [jsonFlag, debugFlag, helpFlag] }],
  },
  positionals: [],
  async run(args, { terminal, specs }) {
    if (args.isOn('json')) {
      const shown = specs.map((spec) => {
        const { id, version, title, summary, purpose, papers } = spec;
        return { id, version, title, summary, purpose, papers, command: commandOf(spec) };
      });
      terminal.write(`${JSON.stringify({ methods: shown })}\n`);
      return exitCodes.ok.code;
    }
    const width = Math.max(60, Math.min(terminal.columns, 100));
    const blocks = specs.map((spec) =>
      [commandOf(spec), ...wrap(`${spec.title}: ${spec.summary}`, width - 4).map((line) => `    ${line}`)].join('\n'),
    );
    terminal.write(`${blocks.join('\n\n')}\n`);
    return exitCodes.ok.code;
  },
};
