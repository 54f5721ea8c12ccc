// What the logs of long runs of DLG and iDLG say, against iDLG's Table 1 and Figure 1, while the runs go on too.
// node bench/leakage-log.ts FILE…, files as --log of `npm run bench -- --leakage` writes them
import { readFileSync } from 'node:fs';
import { logTable, pairedText, readLog } from './leakage-summary.ts';

const files = process.argv.slice(2);
if (files.length === 0) {
  process.stderr.write('Name the logs: node bench/leakage-log.ts FILE…\n');
  process.exitCode = 2;
} else {
  // A line that is being written has no end yet.
  const whole = (text: string): string => text.slice(0, text.lastIndexOf('\n') + 1);
  const logs = readLog(files.map((file) => whole(readFileSync(file, 'utf8'))).join(''));
  const [dlg, idlg] = (['dlg', 'idlg'] as const).map((attack) => logs.find((log) => log.attack === attack));
  process.stdout.write(`${logTable(logs)}\n${dlg && idlg ? `\n${pairedText(dlg, idlg)}\n` : ''}`);
}
