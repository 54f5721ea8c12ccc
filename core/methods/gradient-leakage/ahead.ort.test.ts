import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { tinyShapesSet } from '../../data/synthetic.ts';
import { catalogue } from '../catalogue.ts';
import { registry } from '../registry.ts';
import { plainContext, storeSet, temporaryFolder } from '../testing/drive.ts';
import { lookAhead } from './ahead.ts';
import { spec } from './spec.ts';

const dir = temporaryFolder({ after });
const images = await storeSet(dir, 'images', tinyShapesSet(2, 80, [1, 12, 12]));

const ahead = (params: object) =>
  lookAhead({
    ...plainContext(1),
    params: spec.params.parse({ runs: 2, steps: 4, lanes: 1, ...params }),
    models: { victim: { kind: 'zoo', architecture: 'lenet-zhu' } },
    data: { images },
  });

describe('the look ahead of a leakage audit', () => {
  it('measures norms and the speed, and finds nothing to mind in the papers’ own setting', async () => {
    const { checks, facts, likelyMs } = await ahead({ weights: 'uniform' });
    assert.ok(likelyMs !== null && likelyMs > 0);
    assert.match(facts.find(([name]) => name === 'Network')?.[1] ?? '', /^lenet-zhu: 1 × 12 × 12, 4 classes/);
    const good = checks.find(({ isGood }) => isGood);
    assert.match(good?.finding ?? '', /No gradient of 2 vanished/);
    assert.match(good?.measured ?? '', /^norms [\d.e-]+ to [\d.e-]+, median/);
  });

  it('warns of what keeps attacks from working, with figure, threshold and what to do', async () => {
    const { checks, facts } = await ahead({ batchSize: 16, labelChoice: 'repeated', trainEpochs: 2 });
    const large = checks.find(({ finding }) => finding.startsWith('A batch of 16 is large'));
    assert.deepEqual([large?.isGood, large?.measured, large?.threshold], [false, '16 images', 'more than 8']);
    assert.match(large?.advice ?? '', /batches of up to 8/);
    assert.ok(checks.some(({ finding }) => finding.startsWith('The weights are trained')));
    assert.ok(facts.some(([name, value]) => name === 'Measured' && value.startsWith('before the training')));
  });

  it('is there for every method that declares one, and for no other', () => {
    for (const { id, lookAhead: declared } of catalogue) {
      assert.equal(registry[id]?.lookAhead !== undefined, declared !== undefined, id);
    }
  });
});
