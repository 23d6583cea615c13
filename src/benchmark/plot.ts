import { schemeTableau10 } from 'd3-scale-chromatic';
import type { PipelineBench } from './pipeline-bench.ts';
import type { Measured } from './statistics.ts';

/** The parts of a frame's CPU time, in the order of the stages. */
export function cpuParts({ cpuMsPerFrame: cpu }: PipelineBench): [string, Measured][] {
  const parts: [string, Measured][] = [
    ['capture process', cpu.capture],
    ['main thread: frame transfer, event loop', cpu.mainThread],
    ...Object.entries(cpu.stages).map(([name, ms]): [string, Measured] => [
      `main thread: ${name}`,
      ms,
    ]),
    ['inference threads', cpu.inference],
    ['ZeroMQ threads', cpu.zeromq],
    ['other threads: encoders, compiler, garbage collection', cpu.otherThreads],
    ['output processes', cpu.output],
  ];
  return parts.filter(([, { max }]) => max > 0);
}

const width = 720;
const barHeight = 40;
const lineHeight = 20;
const margin = 16;

/** Marks a plot as ours, so that a later one may replace it. */
export const plotMark = '<!-- depthline bench -->';

/** One bar, as long as the CPU time of a frame, with its parts in colours: an SVG picture. */
export function cpuPlot(result: PipelineBench): string {
  const parts = cpuParts(result).map(([what, { median }]) => ({ what, ms: Math.max(0, median) }));
  const total = parts.reduce((sum, { ms }) => sum + ms, 0);
  const scale = (width - 2 * margin) / total;
  let x = margin;
  const bars: string[] = [];
  const legend: string[] = [];
  for (const [i, { what, ms }] of parts.entries()) {
    const colour = schemeTableau10[i % schemeTableau10.length];
    const y = 2 * margin + barHeight + 30 + i * lineHeight;
    bars.push(
      `<rect x="${x.toFixed(1)}" y="40" width="${(ms * scale).toFixed(1)}" height="${barHeight}" fill="${colour}"/>`,
    );
    legend.push(
      `<rect x="${margin}" y="${y - 10}" width="12" height="12" fill="${colour}"/><text x="${margin + 20}" y="${y}">${ms.toFixed(3)} ms  ${escaped(what)}</text>`,
    );
    x += ms * scale;
  }
  const height = 2 * margin + barHeight + 30 + parts.length * lineHeight + margin;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="13">
${plotMark}
<rect width="100%" height="100%" fill="white"/>
<text x="${margin}" y="26">${escaped(result.pipeline)}: ${total.toFixed(2)} ms of CPU time per frame</text>
${[...bars, ...legend].join('\n')}
</svg>
`;
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}
