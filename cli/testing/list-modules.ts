import { writeSync } from 'node:fs';
import { registerHooks } from 'node:module';

/** For `node --import`: says on file descriptor 3 which modules the process has loaded, one URL a line. */
registerHooks({
  load(url, context, next) {
    writeSync(3, `${url}\n`);
    return next(url, context);
  },
});
