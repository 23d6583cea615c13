/** Corners [x, y] in their order; the last is joined to the first. */
export type Outline = readonly (readonly [number, number])[];

/** What is wrong with the outline of a zone: two of its sides cross, or it encloses nothing. */
export function outlineProblem(corners: Outline): string | undefined {
  const sides = corners.map(
    (from, i) => [from, corners[(i + 1) % corners.length] ?? from] as const,
  );
  const crosses = sides.some(([a, b], i) => sides.some(([c, d], j) => j > i && cross(a, b, c, d)));
  if (crosses) return 'has sides that cross: give the corners in their order around the zone';
  const twice = sides.reduce((sum, [[x, y], [u, v]]) => sum + x * v - u * y, 0);
  if (Math.abs(twice) < 1e-9) return 'encloses nothing: its corners are on one line';
  return undefined;
}

type Point = Outline[number];

/** True if the two sides have an inner point of both in common. */
function cross(a: Point, b: Point, c: Point, d: Point): boolean {
  return turn(a, b, c) * turn(a, b, d) < 0 && turn(c, d, a) * turn(c, d, b) < 0;
}

/** Above 0 where the third point is on one side of the line through the others, below on the other side. */
function turn([ax, ay]: Point, [bx, by]: Point, [x, y]: Point): number {
  return (bx - ax) * (y - ay) - (by - ay) * (x - ax);
}
