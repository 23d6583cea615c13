import { join } from 'node:path';
import { makeFolder } from '../core/make-folder.ts';
import { medianScale } from '../depth/metrics.ts';
import { requireOwn, writeOwn } from '../files/own-file.ts';
import { sinkError } from '../files/write-problem.ts';
import type { DepthEstimator } from '../inference/estimator.ts';
import {
  type Comparison,
  compare,
  type FrameResult,
  type ModelResult,
  type SetResult,
} from './evaluate.ts';
import {
  largestError,
  type ReportPictures,
  rangeOf,
  renderReportPictures,
  scaleColors,
} from './report-pictures.ts';
import { type RgbdOptions, type RgbdPair, readRgbd } from './rgbd-folder.ts';
import { comparisonRows, figure, figures, milliseconds, notes } from './tables.ts';

/** Stands in both files, so that a later report knows them. */
const generator = 'depthline eval';

/** A result, and the files of its frames. */
export interface ReportedSet {
  readonly result: SetResult;
  readonly pairs: readonly RgbdPair[];
}

export interface ReportInput {
  /** The command that repeats these figures. */
  readonly command: string;
  readonly sets: readonly ReportedSet[];
  readonly estimators: readonly DepthEstimator[];
  readonly rgbd: RgbdOptions;
}

/**
 * Writes `index.html`, which holds its pictures and needs no server, and `results.json`. Those of an
 * earlier report are replaced, other files of these names are not.
 *
 * @returns path of the page
 * @throws DepthlineError `SINK` if they cannot be written
 */
export async function writeReport(directory: string, input: ReportInput): Promise<string> {
  const sections: string[] = [];
  for (const set of input.sets) sections.push(await setSection(set, input));
  const page = join(directory, 'index.html');
  const sets = input.sets.map(({ result }) => result);
  const results = { generator, command: input.command, sets };
  try {
    await makeFolder(directory);
    await writeOwn(page, html(input.command, sections), generator);
    await writeOwn(
      join(directory, 'results.json'),
      `${JSON.stringify(results, null, 2)}\n`,
      generator,
    );
  } catch (error) {
    throw sinkError(directory, error);
  }
  return page;
}

/**
 * Refuses before an evaluation what `writeReport` would refuse after it.
 *
 * @throws DepthlineError `SINK`
 */
export async function requireReportPlace(directory: string): Promise<void> {
  try {
    for (const name of ['index.html', 'results.json'])
      await requireOwn(join(directory, name), generator);
  } catch (error) {
    throw sinkError(directory, error);
  }
}

async function setSection(set: ReportedSet, input: ReportInput): Promise<string> {
  const { result } = set;
  const chosen = chooseFrames(result);
  const shown: string[] = [];
  for (const { title, frame } of chosen) shown.push(await frameSection(title, frame, set, input));
  return `<h2>${escaped(result.set)}</h2>
<p>${result.frames} frames.</p>
${comparisonTable(result)}
${notes(result)
  .map((note) => `<p class="note">${escaped(note)}</p>`)
  .join('\n')}
${shown.join('\n')}
<details><summary>Every frame</summary>
${frameTable(result)}
</details>`;
}

/** Best, median and worst frame of the first model, by the error that counts for it. */
export function chooseFrames({ models }: SetResult): { title: string; frame: string }[] {
  const [first] = models;
  if (!first) return [];
  const kind = first.relative ? 'scaled' : 'errors';
  const ranked = first.frames
    .filter((frame) => frame[kind])
    .toSorted((a, b) => (a[kind]?.absRel ?? 0) - (b[kind]?.absRel ?? 0));
  const picks = [
    ['Best', 0],
    ['Median', ranked.length >> 1],
    ['Worst', ranked.length - 1],
  ] as const;
  const taken = new Set<string>();
  return picks.flatMap(([title, index]) => {
    const frame = ranked[index]?.frame;
    if (frame === undefined || taken.has(frame)) return [];
    taken.add(frame);
    return [{ title, frame }];
  });
}

async function frameSection(
  title: string,
  frame: string,
  { pairs, result }: ReportedSet,
  { estimators, rgbd }: ReportInput,
): Promise<string> {
  const seq = pairs.findIndex(({ name }) => name === frame);
  const image = await readRgbd(pairs[seq] as RgbdPair, seq, rgbd);
  const rows: string[] = [];
  for (const [index, estimator] of estimators.entries()) {
    const comparison = await compare(estimator, image, rgbd);
    const model = result.models[index];
    const shown = model?.relative ? scaled(comparison) : comparison;
    const pictures = await renderReportPictures(shown, rangeOf(comparison.truth));
    const row = model?.frames.find((candidate) => candidate.frame === frame);
    if (model) rows.push(pictureRow(model, row, pictures));
  }
  return `<h3>${title}: ${escaped(frame)}</h3>\n${rows.join('\n')}`;
}

/** Relative depth, as large in the median as the truth: without that it has no metres to show. */
function scaled(comparison: Comparison): Comparison {
  const { depth, truth } = comparison;
  const scale = medianScale(depth.data, truth.data);
  return { ...comparison, depth: { ...depth, data: depth.data.map((value) => value * scale) } };
}

function pictureRow(
  { model: name, relative }: Pick<ModelResult, 'model' | 'relative'>,
  row: FrameResult | undefined,
  pictures: ReportPictures,
): string {
  const model = relative ? `${name}, median-scaled` : name;
  const { range } = pictures;
  const picture = (source: string, caption: string, below: string) =>
    `<figure><figcaption>${escaped(caption)}</figcaption><img width="${pictures.width}" height="${pictures.height}" src="${source}" alt="${escaped(`${model}: ${caption}`)}">${below}</figure>`;
  const metres = scale('depth', `${range.min.toFixed(1)} m`, `${range.max.toFixed(1)} m`);
  const errors = relative ? row?.scaled : row?.errors;
  const facts = `δ1 ${figure(errors?.delta1)}, RMSE ${figure(errors?.rmse)} m, AbsRel ${figure(errors?.absRel)}`;
  return `<p>${escaped(model)}: ${facts}</p>
<div class="panels">
${picture(pictures.picture, 'model input', '')}
${picture(pictures.truth, 'truth', metres)}
${picture(pictures.prediction, 'prediction', metres)}
${picture(pictures.error, 'absolute relative error', scale('error', '0', `${largestError} and more`))}
</div>`;
}

function scale(kind: 'depth' | 'error', low: string, high: string): string {
  return `<div class="scale ${kind}"></div><div class="ends"><span>${low}</span><span>${high}</span></div>`;
}

/** Bold is the best of each column, among rows of one kind. */
function comparisonTable(result: SetResult): string {
  const [head = [], ...rows] = comparisonRows(result);
  const count = result.models.length;
  const groups = [rows.slice(0, count), rows.slice(count)];
  const body = groups.flatMap((group) =>
    group.map((cells) => {
      const marked = cells.map((cell, column) => {
        const best = count > 1 && cell !== '–' && isBest(cell, column, group);
        return `<td>${best ? `<b>${escaped(cell)}</b>` : escaped(cell)}</td>`;
      });
      return `<tr>${marked.join('')}</tr>`;
    }),
  );
  return `<table><tr>${head.map((cell) => `<th>${escaped(cell)}</th>`).join('')}</tr>
${body.join('\n')}</table>`;
}

function isBest(cell: string, column: number, group: readonly (readonly string[])[]): boolean {
  if (column === 0) return false;
  const values = group
    .map((cells) => Number(cells[column]))
    .filter((value) => !Number.isNaN(value));
  const high = figures[column - 1]?.better === 'high';
  return Number(cell) === (high ? Math.max(...values) : Math.min(...values));
}

function frameTable({ models }: SetResult): string {
  const head = ['frame', 'model', ...figures.map(({ title }) => title), 'δ1 scaled', 'ms'];
  const rows = models[0]?.frames.flatMap((_, index) =>
    models.map((model) => {
      const { frame, errors, scaled, ms } = model.frames[index] as FrameResult;
      return [
        frame,
        model.model,
        ...figures.map(({ key }) => (model.relative ? '–' : figure(errors?.[key]))),
        figure(scaled?.delta1),
        milliseconds(ms),
      ];
    }),
  );
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  return `<table>${line(head, 'th')}\n${(rows ?? []).map((cells) => line(cells, 'td')).join('\n')}</table>`;
}

function html(command: string, sections: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="generator" content="${generator}">
<meta name="viewport" content="width=device-width">
<title>Depth evaluation</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; max-width: 72rem; color: #222; background: #fff }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 1rem 0 }
th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid #ddd }
th:first-child, td:first-child { text-align: left }
.panels { display: flex; flex-wrap: wrap; gap: 1rem; margin-bottom: 1.5rem }
figure { margin: 0 } figcaption { font-size: 13px; color: #555 } img { display: block }
.scale { height: 10px; margin-top: 4px }
.depth { background: linear-gradient(to right, ${scaleColors('depth')}) }
.error { background: linear-gradient(to right, ${scaleColors('error')}) }
.ends { display: flex; justify-content: space-between; font-size: 12px; color: #555 }
.note { color: #a33 } code { background: #f2f2f2; padding: .1rem .3rem }
</style>
<h1>Depth evaluation</h1>
<p><code>${escaped(command)}</code></p>
<p>δ1, δ2, δ3: share of pixels within a factor of 1.25, 1.25², 1.25³ of the truth (more is better);
the other figures are errors (less is better). Grey pixels of depth are invalid; where the
error is not known it is black.</p>
${sections.join('\n')}
</html>
`;
}

function escaped(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (character) => entities[character] as string);
}
