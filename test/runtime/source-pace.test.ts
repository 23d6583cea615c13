import { describe, expect, it } from 'vitest';
import { Gate } from '../../src/core/gate.ts';
import { StageLedger } from '../../src/runtime/ledger.ts';
import { SourcePace } from '../../src/runtime/source-pace.ts';
import { StageWatch, watchedStages } from '../../src/runtime/stage-watch.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';

/** A source that the test drives, and what a look says of it. */
function watched() {
  const clock = new VirtualClock();
  const gate = new Gate();
  const ledger = new StageLedger('source');
  const pace = new SourcePace(clock, gate);
  const watch = new StageWatch(watchedStages(ledger, [], []), gate, pace, clock.now());
  const frames = async (n: number, everyMs: number) => {
    for (let i = 0; i < n; i++) {
      await clock.advance(everyMs);
      ledger.entered++;
      ledger.left++;
      pace.emitted();
    }
  };
  const state = () => watch.look(clock.now())[0];
  return { clock, gate, frames, state };
}

describe('the state of a source', () => {
  it('is stalled within 2 s, although nobody has looked before', async () => {
    const { clock, frames, state } = watched();
    await frames(100, 33);
    expect(state()).toMatchObject({ state: 'running', quietMs: 0 });
    await clock.advance(1500);
    expect(state()).toMatchObject({ state: 'waiting', quietMs: 1500 });
    await clock.advance(1);
    expect(state()).toMatchObject({ state: 'stalled', quietMs: 1501 });
  });

  it('is stalled at the start when no frame comes', async () => {
    const { clock, state } = watched();
    await clock.advance(1501);
    expect(state()).toMatchObject({ state: 'stalled', quietMs: 1501 });
  });

  it('is patient with a source that is slow as a rule', async () => {
    const { clock, frames, state } = watched();
    await frames(10, 1000);
    await clock.advance(5000);
    expect(state()).toMatchObject({ state: 'waiting' });
    await clock.advance(1);
    expect(state()).toMatchObject({ state: 'stalled' });
  });

  it('does not count time in which nobody asked for a frame', async () => {
    const { clock, gate, frames, state } = watched();
    await frames(30, 33);
    gate.hold('a subscriber');
    await clock.advance(3_600_000);
    expect(state()).toMatchObject({ state: 'blocked' });
    gate.release('a subscriber');
    expect(state()).toMatchObject({ state: 'running', quietMs: 0 });
    await frames(30, 33);
    await clock.advance(1501);
    expect(state()).toMatchObject({ state: 'stalled' });
  });

  it('forgets an outage', async () => {
    const { clock, frames, state } = watched();
    await frames(300, 33);
    await clock.advance(600_000);
    await frames(150, 33);
    await clock.advance(1501);
    expect(state()).toMatchObject({ state: 'stalled' });
  });
});
