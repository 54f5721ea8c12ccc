import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WorkbenchError } from '../core/base/errors.ts';
import { tokenParameter } from '../core/contract/http.ts';
import { exitCodes } from './exit-codes.ts';
import { debugFlag, helpFlag, jsonFlag, workspaceFlag } from './flags.ts';
import { wholeNumber } from './request.ts';
import type { Surroundings, Verb } from './verb.ts';
import { withWorkspace } from './workspace.ts';

const usualPort = 8765;
const builtInterface = fileURLToPath(new URL('../out/renderer/', import.meta.url));

export const serve: Verb = {
  name: 'serve',
  summary: 'Open the window in a browser, here or through a tunnel.',
  help: {
    title: 'palimpsest serve: the window in a browser, on this machine or through a tunnel.',
    usage: ['palimpsest serve [flags]'],
    examples: [
      ['here', 'palimpsest serve'],
      [
        'from another machine: there, then open the address that it prints here',
        'ssh -L 8765:127.0.0.1:8765 WORKSTATION',
      ],
    ],
    text: [
      'Answers on 127.0.0.1 only. The address holds a token that opens one window, once; an open window can make ' +
        'addresses for others. Runs go on when windows close. Ctrl-C stops the running one at a safe point: it can be ' +
        'resumed.',
    ],
    groups: [
      {
        title: 'Flags',
        flags: [
          {
            name: 'port',
            value: 'NUMBER',
            help: `Port to listen on; 0 takes any free one. Default: ${usualPort}, or a free one where it is taken.`,
          },
          { name: 'interface', value: 'DIR', help: 'The built interface. Default: the one that npm start builds.' },
          workspaceFlag,
          jsonFlag,
          debugFlag,
          helpFlag,
        ],
      },
    ],
  },
  positionals: [],
  run: (args, here) =>
    withWorkspace(args, here, async (workspace) => {
      const { openService } = await import('../core/service/service.ts');
      const { createAccess } = await import('./serve-access.ts');
      const { sessionFile } = await import('./serve-sessions.ts');
      const { createHttpServer } = await import('./serve-http.ts');
      const { openInterface } = await import('../core/service/interface-files.ts');
      const asked = wholeNumber(args, 'port', 0, 65_535);
      const folder = args.text('interface');
      const staticFile = openInterface(folder === undefined ? builtInterface : resolve(here.cwd, folder), 'http');
      const access = createAccess(sessionFile(workspace.dir, here.now));
      let port = 0;
      const address = (): string => `http://127.0.0.1:${port}/#${tokenParameter}=${access.token()}`;
      const service = openService({
        workspace,
        specs: here.specs,
        now: here.now,
        elapsed: here.elapsed,
        cwd: here.cwd,
        invite: address,
        ...(here.launch ? { launch: here.launch } : {}),
      });
      const server = createHttpServer({ service, access, staticFile });
      const stopped = untilInterrupted(here);
      try {
        port = await listen(server, asked);
        const url = address();
        if (args.isOn('json')) here.terminal.write(`${JSON.stringify({ url, port, workspace: workspace.dir })}\n`);
        else here.terminal.write(`${url}\n`);
        here.terminal.note(`Open this address in a browser. Workspace: ${workspace.dir}\nCtrl-C ends.\n`);
        await stopped;
        here.terminal.note('Ending. A run that is being computed stops at a safe point and can be resumed.\n');
      } finally {
        server.close();
        server.closeAllConnections();
        await service.close();
      }
      return exitCodes.ok.code;
    }),
};

/** The port asked for, or the usual one, or where that is taken any. @throws USAGE when the one asked for is taken */
async function listen(server: Server, asked: number | undefined): Promise<number> {
  for (const port of asked === undefined ? [usualPort, 0] : [asked]) {
    try {
      server.listen({ host: '127.0.0.1', port, exclusive: true });
      await once(server, 'listening');
      return portOf(server.address());
    } catch (thrown) {
      if (asked !== undefined || port === 0) throw cannotListen(port, thrown);
    }
  }
  throw cannotListen(usualPort, undefined);
}

const portOf = (address: AddressInfo | string | null): number =>
  typeof address === 'object' && address !== null ? address.port : 0;

function cannotListen(port: number, cause: unknown): WorkbenchError {
  return new WorkbenchError('USAGE', `Cannot listen on port ${port} of 127.0.0.1`, {
    hint: 'Another program may have it: choose another one with --port, or 0 for any.',
    cause,
  });
}

function untilInterrupted(here: Surroundings): Promise<void> {
  const interrupted = Promise.withResolvers<void>();
  const end = here.onInterrupt(() => {
    interrupted.resolve();
    end();
  });
  return interrupted.promise;
}
