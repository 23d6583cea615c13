import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type YAMLMap } from 'yaml';

/** Offset of the value (or the key) at `path`, or of the closest enclosing node that exists. */
export function offsetOf(
  document: Document,
  path: readonly (string | number)[],
  key: boolean,
): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const [depth, part] of path.entries()) {
    node = resolved(node, document);
    if (isMap(node)) {
      const pair = pairOf(node, part, document);
      if (!pair) return offset;
      const keyStart = isNode(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
      const last = depth === path.length - 1;
      const valueStart = isNode(pair.value) ? (pair.value.range?.[0] ?? keyStart) : keyStart;
      // A block starts on a line below its key; the key is the better position.
      offset = (last && key) || !isScalar(pair.value) ? keyStart : valueStart;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[part as number];
      if (isNode(node)) offset = node.range?.[0] ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

/** The node that an alias refers to: problems are reported at the anchor. */
function resolved(node: unknown, document: Document): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

/** The pair of a key in a map, or in a map that is merged into it by `<<`. */
function pairOf(
  map: YAMLMap,
  key: unknown,
  document: Document,
): YAMLMap['items'][number] | undefined {
  const own = map.items.find((item) => isScalar(item.key) && item.key.value === key);
  if (own) return own;
  const merges = map.items.filter((item) => isScalar(item.key) && item.key.source === '<<');
  const sources = merges.flatMap(({ value }) => {
    const source = resolved(value, document);
    return isSeq(source) ? source.items.map((item) => resolved(item, document)) : [source];
  });
  for (const source of sources) {
    const found = isMap(source) ? pairOf(source, key, document) : undefined;
    if (found) return found;
  }
  return undefined;
}
