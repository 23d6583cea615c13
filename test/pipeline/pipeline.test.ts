import { describe, expect, it } from 'vitest';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { discard } from '../../src/sinks/discard.ts';
import { slow, ticker } from '../support/parts.ts';

function queues(live: boolean, queue?: { limit?: number; whenFull?: 'block' | 'drop-newest' }) {
  const operator = slow({});
  const pipeline = definePipeline({
    source: ticker({ live }),
    operators: [queue ? { operator, queue } : operator],
    sinks: [{ sink: discard(), operators: [operator] }],
  });
  const [branch] = pipeline.branches;
  return {
    operator: pipeline.operators[0]?.queue,
    branch: branch?.queue,
    inBranch: branch?.operators[0]?.queue,
  };
}

const block = { limit: 1, whenFull: 'block' };
const newest = { limit: 1, whenFull: 'drop-oldest' };

describe('default queues', () => {
  it('block behind a source that can wait', () => {
    expect(queues(false)).toEqual({ operator: block, branch: block, inBranch: block });
  });

  it('keep the newest frame between a live source and an operator', () => {
    expect(queues(true)).toEqual({ operator: newest, branch: block, inBranch: block });
  });

  it('are overridden by single options', () => {
    expect(queues(true, { limit: 3 }).operator).toEqual({ limit: 3, whenFull: 'drop-oldest' });
    expect(queues(true, { whenFull: 'block' }).operator).toEqual(block);
    expect(queues(false, { whenFull: 'drop-newest' }).operator).toEqual({
      limit: 1,
      whenFull: 'drop-newest',
    });
  });
});
