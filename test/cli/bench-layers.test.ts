import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { depthline, workplace } from '../support/cli.ts';
import { fixtureModel } from '../support/models.ts';

/** A folder as training/latency.py writes it, around a model of one float32 [1, 3, 6, 8] input. */
function layers(list: unknown = [{ file: '0000.onnx', kind: 'conv', inputs: 3 }]): string {
  const cwd = workplace();
  mkdirSync(join(cwd, 'layers'));
  copyFileSync(fixtureModel('planar'), join(cwd, 'layers', '0000.onnx'));
  writeFileSync(join(cwd, 'layers', 'layers.json'), JSON.stringify(list));
  return cwd;
}

const quick = ['--rounds', '2', '--round-ms', '1'];

describe('depthline bench-layers', () => {
  it('adds the time of every layer to its description', async () => {
    const { code, stdout } = await depthline(['bench-layers', 'layers', ...quick], {
      cwd: layers(),
    });
    expect(code).toBe(0);
    const table = JSON.parse(stdout);
    expect(table.threads).toBe(1);
    expect(table.version).toMatch(/^\d+\.\d+\.\d+/);
    const [layer] = table.layers;
    expect(layer).toMatchObject({ file: '0000.onnx', kind: 'conv', inputs: 3 });
    expect(layer.minMs).toBeGreaterThan(0);
    expect(layer.ms).toBeGreaterThanOrEqual(layer.minMs);
    expect(layer.ms).toBeLessThanOrEqual(layer.maxMs);
  });

  it('writes the table to a file', async () => {
    const cwd = layers();
    const { code, stdout } = await depthline(
      ['bench-layers', 'layers', ...quick, '--out', 'latency.json'],
      { cwd },
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(JSON.parse(readFileSync(join(cwd, 'latency.json'), 'utf8')).layers).toHaveLength(1);
  });

  it.each([
    [
      'a folder that is not there',
      ['nowhere'],
      layers,
      2,
      /^there is no file nowhere\/layers\.json; .*training\/latency\.py/,
    ],
    ['another list', ['layers'], () => layers([{ ms: 1 }]), 2, /layers\.json.*no list of layers/],
    ['a missing layer', ['layers'], () => layers([{ file: 'x.onnx' }]), 1, /x\.onnx/],
    ['no rounds', ['layers', '--rounds', '0'], layers, 2, /at least 1/],
    [
      'a missing place, before it measures',
      ['x', '--out', 'no/t.json'],
      layers,
      1,
      /^cannot write no\/t\.json: there is no folder .*\/no; create it\n$/,
    ],
  ])('refuses %s', async (_, args, make, code, message) => {
    const finished = await depthline(['bench-layers', ...args], { cwd: make() });
    expect(finished.stderr).toMatch(message);
    expect(finished.stderr).not.toMatch(/^\s+at |ENOENT/m);
    expect(finished.code).toBe(code);
  });
});
