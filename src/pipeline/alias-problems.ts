import { type Alias, type Document, isAlias, isMap, isScalar, isSeq, type Pair, visit } from 'yaml';

export interface AliasProblem {
  /** Offset in the text of the file. */
  readonly offset: number;
  readonly message: string;
}

/** Aliases that stand for nothing or for what they are part of, and merge keys without a map. */
export function aliasProblems(document: Document.Parsed): AliasProblem[] {
  const problems: AliasProblem[] = [];
  const report = (node: unknown, message: string) => {
    const offset = (node as { range?: readonly number[] } | null)?.range?.[0] ?? 0;
    problems.push({ offset, message });
  };
  visit(document, {
    Alias(_, alias, path) {
      const target = alias.resolve(document);
      if (!target)
        report(alias, `there is no anchor &${alias.source} before the alias *${alias.source}`);
      else if (path.includes(target))
        report(alias, `the alias *${alias.source} is part of what it stands for`);
    },
    Pair(_, pair) {
      if (!isMerge(pair)) return;
      const value = targetOf(pair.value, document);
      const sources = isSeq(value) ? value.items.map((item) => targetOf(item, document)) : [value];
      if (sources.every((source) => source === undefined || isMap(source))) return;
      report(pair.value ?? pair.key, '<< takes an alias of a map, or a list of them');
    },
  });
  return problems;
}

function isMerge({ key }: Pair): boolean {
  return isScalar(key) && key.source === '<<' && key.type === 'PLAIN';
}

/** What an alias stands for, undefined for nothing; any other node itself. */
function targetOf(node: unknown, document: Document): unknown {
  return isAlias(node) ? (node as Alias).resolve(document) : node;
}
