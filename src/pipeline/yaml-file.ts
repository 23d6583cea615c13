import { type Document, LineCounter, parseDocument, type YAMLError } from 'yaml';
import { reason } from '../core/errors.ts';
import { readable } from '../core/printable.ts';
import { aliasProblems } from './alias-problems.ts';
import { isMapping, type Mapping } from './file-schema.ts';
import type { Problem } from './pipeline.ts';
import { offsetOf } from './yaml-position.ts';

/** A problem with its position in the file; lines and columns count from 1. */
export interface FileProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** The YAML of a pipeline file: its value and its problems, each with a position. */
export class YamlFile {
  readonly #file: string;
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed;
  readonly #problems = new Map<string, FileProblem>();

  /** @param file its path, for problems */
  constructor(text: string, file: string) {
    this.#file = file;
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      merge: true,
      // The library would print its own warnings.
      logLevel: 'error',
    });
  }

  /** In the order of the file. */
  get problems(): FileProblem[] {
    return [...this.#problems.values()].toSorted((a, b) => a.line - b.line || a.column - b.column);
  }

  /** The top-level map with aliases and merge keys resolved; nothing if there are problems. */
  read(): Mapping | undefined {
    for (const error of this.#document.errors) this.#reportAt(error.pos[0], yamlProblem(error));
    if (this.#problems.size > 0) return undefined;
    let value: unknown;
    try {
      for (const { offset, message } of aliasProblems(this.#document))
        this.#reportAt(offset, message);
      if (this.#problems.size > 0) return undefined;
      value = this.#document.toJS();
    } catch (error) {
      this.#reportAt(0, notYaml(reason(error)));
      return undefined;
    }
    if (isMapping(value)) return value;
    this.#reportAt(
      0,
      value === null
        ? 'the file is empty; a pipeline needs at least "source" and "sinks"'
        : 'a pipeline file is a map with "source", "operators" and "sinks"',
    );
    return undefined;
  }

  /** A problem in a shared anchor is reported once. */
  report(problem: Problem): void {
    const { path, key = false, message } = problem;
    const name = path.at(-1);
    this.#reportAt(
      offsetOf(this.#document, path, key),
      key || typeof name !== 'string' ? message : `${name}: ${message}`,
    );
  }

  #reportAt(offset: number, message: string): void {
    const { line, col } = this.#lines.linePos(offset);
    const problem = {
      file: this.#file,
      line: Math.max(1, line),
      column: Math.max(1, col),
      message: readable(message),
    };
    this.#problems.set(`${problem.line}:${problem.column}:${problem.message}`, problem);
  }
}

function yamlProblem({ code, message }: YAMLError): string {
  return code === 'MULTIPLE_DOCS'
    ? 'a second YAML document starts here; a file holds one pipeline, so move this one to its own file'
    : notYaml(message);
}

function notYaml(message: string): string {
  const deep = message.startsWith('Maximum call stack');
  return `not valid YAML: ${deep ? 'it is nested too deeply' : message}`;
}
