import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openLoopback, whyNoNamespace, type Loopback } from './loopback.ts';
import { openServed, openServedIn } from './open.ts';
import { describeExample } from './specs/example.ts';

const reason = whyNoNamespace();

if (reason === undefined) {
  describe('with nothing but the loopback', () => {
    let loopback: Loopback;
    before(async () => {
      loopback = await openLoopback();
    });
    after(async () => loopback?.close());

    describeExample('in a browser', async () => openServedIn(loopback));

    it('nothing of it has tried to leave the machine', () => assert.equal(loopback.triedToLeave(), 0));
  });
} else {
  console.log(`Tested with the network that there is: no namespace without one can be made here (${reason}).`);
  describeExample('in a browser', openServed);
}
