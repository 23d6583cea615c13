import { type Document, isMap, isNode, isScalar, isSeq } from 'yaml';

/** Where the value (or the key) at `path` stands, or the nearest thing around it that is there. */
export function offsetOf(
  document: Document,
  path: readonly (string | number)[],
  key: boolean,
): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const [depth, part] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === part);
      if (!pair) return offset;
      const keyStart = isNode(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
      const last = depth === path.length - 1;
      const valueStart = isNode(pair.value) ? (pair.value.range?.[0] ?? keyStart) : keyStart;
      // A block below its key starts lines further down: the key is where people look.
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
