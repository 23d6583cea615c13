import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

const module = new URL('../../dist/gstreamer/capture/capture-process.js', import.meta.url).href;

/** Uses up the descriptors of a process that may have 60, frees some, and starts a capture process. */
const script = `
import { closeSync, openSync } from 'node:fs';
import { CaptureProcess } from '${module}';
const taken = [];
try { for (;;) taken.push(openSync('/dev/null')); } catch {}
for (const one of taken.splice(-Number(process.argv[1]))) closeSync(one);
const end = await new Promise((onEnd) => {
  const capture = new CaptureProcess('nosuch');
  capture.start({ onFrame() {}, onDamaged() {}, onEnd });
  capture.stream.ask(1);
});
for (const one of taken) closeSync(one);
console.log(JSON.stringify(end));
process.exit();
`;

test.each([1, 3, 5, 7, 20])(
  'reports a crash when %d free descriptors are too few to start, and starts with enough',
  (left) => {
    const args = [
      '--nofile=60',
      process.execPath,
      '--input-type=module',
      '-e',
      script,
      String(left),
    ];
    const output = execFileSync('prlimit', args, { encoding: 'utf8', timeout: 60_000 });
    const end = JSON.parse(output) as { how?: string };
    if (left < 8)
      expect(end).toMatchObject({
        kind: 'crashed',
        how: expect.stringMatching(/could not be started.*EMFILE/),
      });
    else expect(end).toMatchObject({ kind: 'failed', failure: { message: 'no element "nosuch"' } });
  },
);
