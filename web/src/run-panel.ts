import type { RunStats } from '../../src/core/run-stats.ts';
import { element } from './element.ts';
import { FailingStages } from './failing-stages.ts';
import {
  cameraFailed,
  dropTexts,
  ledgerRow,
  ofCamera,
  otherCameras,
  runSentence,
  stateText,
} from './run-words.ts';

/** What the run has counted: the ledger of each branch, and the state of each stage. */
export class RunPanel {
  /** Of each camera that was shown. */
  readonly #failing = new Map<string | undefined, FailingStages>();

  /** @param camera whose part of it is shown, of a run of several */
  show(all: RunStats, camera: string | undefined): void {
    const stats = ofCamera(all, camera);
    const others = otherCameras(all, camera);
    const failing = this.#failing.get(camera) ?? new FailingStages();
    this.#failing.set(camera, failing);
    failing.update(stats.stages);
    const sentence = cameraFailed(all, camera) ?? runSentence(stats, failing.failures);
    element('run-state').textContent = [sentence, ...others].join(' ');
    fill(
      'ledger',
      stats.branches.map((branch) => ledgerRow(branch)),
    );
    const drops = dropTexts(stats.branches);
    const list = element('drops');
    keep(list, drops.length, () => document.createElement('li'));
    for (const [i, text] of drops.entries()) (list.children[i] as Element).textContent = text;
    list.hidden = drops.length === 0;
    const rows = stats.stages.map((stage) => [
      stage.stage,
      stateText(stage),
      String(stage.inside),
      String(stage.left),
    ]);
    fill('stages', rows);
    for (const [i, { state }] of stats.stages.entries())
      (element('stages').querySelectorAll('tbody tr')[i] as HTMLElement).dataset.state = state;
  }
}

/** Cells stay as they are, so that a reader of the table does not lose its place. */
function fill(table: string, rows: readonly (readonly string[])[]): void {
  const body = element(table).querySelector('tbody') as HTMLElement;
  keep(body, rows.length, () => document.createElement('tr'));
  for (const [i, cells] of rows.entries()) {
    const row = body.children[i] as HTMLElement;
    keep(row, cells.length, () => document.createElement(row.children.length === 0 ? 'th' : 'td'));
    row.children[0]?.setAttribute('scope', 'row');
    for (const [j, text] of cells.entries()) (row.children[j] as Element).textContent = text;
  }
}

function keep(parent: HTMLElement, count: number, make: () => HTMLElement): void {
  while (parent.children.length > count) parent.lastElementChild?.remove();
  while (parent.children.length < count) parent.append(make());
}
