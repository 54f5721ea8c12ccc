#!/usr/bin/env node
// Starts the command line under a Node that runs TypeScript: this one, or the one that npm installed with the project.
import { fileURLToPath } from 'node:url';
import { chooseNode, missingNodeMessage, projectNode, runToExit } from './node-runtime.mjs';

const main = new URL('./main.ts', import.meta.url);
const args = process.argv.slice(2);
const choice = chooseNode({ version: process.version, candidate: projectNode(import.meta.url) });

if (choice.kind === 'none') {
  process.stderr.write(`${missingNodeMessage(choice.reason, process.version)}\n`);
  process.exitCode = 1;
} else if (choice.kind === 'other') {
  process.exitCode = await runToExit(choice.binary, [fileURLToPath(main), ...args]);
} else {
  process.argv[1] = fileURLToPath(main);
  await import(main.href);
}
