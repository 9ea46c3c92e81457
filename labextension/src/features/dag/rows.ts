/** What stands where in each row, so that few arrows cross and most are straight. Pure. */

type Link = readonly [number, number];

const SWEEPS = 6;

/** What is linked to each thing in the row above it, and in the row below it. */
function linked(links: readonly Link[]): {
  above: Map<number, number[]>;
  below: Map<number, number[]>;
} {
  const above = new Map<number, number[]>();
  const below = new Map<number, number[]>();
  const add = (map: Map<number, number[]>, key: number, one: number): void => {
    const known = map.get(key);
    if (known) {
      known.push(one);
    } else {
      map.set(key, [one]);
    }
  };
  for (const [upper, lower] of links) {
    add(below, upper, lower);
    add(above, lower, upper);
  }
  return { above, below };
}

/** How many arrows cross between rows; counted pair by pair in each gap, which is quick enough for what is drawn. */
function crossings(
  rows: readonly number[][],
  below: ReadonlyMap<number, number[]>
): number {
  const position = positionsOf(rows);
  let count = 0;
  for (const row of rows) {
    // The ends of the arrows in the order of their beginnings: each pair that stands the wrong way round crosses.
    const ends = row.flatMap(one =>
      (below.get(one) ?? [])
        .map(end => position.get(end) ?? 0)
        .sort((a, b) => a - b)
    );
    for (let index = 1; index < ends.length; index++) {
      for (let earlier = 0; earlier < index; earlier++) {
        if ((ends[earlier] ?? 0) > (ends[index] ?? 0)) {
          count += 1;
        }
      }
    }
  }
  return count;
}

function positionsOf(rows: readonly number[][]): Map<number, number> {
  const positions = new Map<number, number>();
  for (const row of rows) {
    row.forEach((one, index) => positions.set(one, index));
  }
  return positions;
}

/** The rows in an order in which few arrows cross; where nothing else counts, it stays as it was. */
export function ordered(
  rows: readonly (readonly number[])[],
  links: readonly Link[]
): number[][] {
  const { above, below } = linked(links);
  let current = rows.map(row => [...row]);
  let best = current;
  let fewest = crossings(best, below);
  for (let sweep = 0; sweep < SWEEPS && fewest > 0; sweep++) {
    const down = sweep % 2 === 0;
    const neighbours = down ? above : below;
    const next = current.map(row => [...row]);
    const order = next.map((_, index) => index);
    for (const at of down ? order : order.reverse()) {
      const row = next[at] ?? [];
      const other = next[down ? at - 1 : at + 1] ?? [];
      const position = new Map(other.map((one, index) => [one, index]));
      const weights = new Map(
        row.map((one, index) => {
          const places = (neighbours.get(one) ?? []).map(
            near => position.get(near) ?? 0
          );
          const mean = places.reduce((sum, place) => sum + place, 0);
          // What has no neighbour stays about where it is.
          return [
            one,
            places.length > 0
              ? mean / places.length
              : (index / row.length) * other.length
          ];
        })
      );
      row.sort((a, b) => (weights.get(a) ?? 0) - (weights.get(b) ?? 0));
    }
    current = next;
    const count = crossings(current, below);
    if (count < fewest) {
      fewest = count;
      best = current;
    }
  }
  return best;
}

/**
 * Places in one row as near as can be to where they are wanted, with their order and distances kept.
 *
 * It is a least-squares problem with the order as its constraint: neighbours that come too near are pooled.
 */
function fitted(
  wanted: readonly number[],
  distances: readonly number[]
): number[] {
  const offsets: number[] = [0];
  distances.forEach((distance, index) => {
    offsets.push((offsets[index] ?? 0) + distance);
  });
  const pools: { sum: number; count: number }[] = [];
  wanted.forEach((place, index) => {
    let pool = { sum: place - (offsets[index] ?? 0), count: 1 };
    for (;;) {
      const last = pools.at(-1);
      if (!last || last.sum / last.count <= pool.sum / pool.count) {
        break;
      }
      pools.pop();
      pool = { sum: last.sum + pool.sum, count: last.count + pool.count };
    }
    pools.push(pool);
  });
  return pools
    .flatMap(({ sum, count }) => new Array<number>(count).fill(sum / count))
    .map((place, index) => place + (offsets[index] ?? 0));
}

/** Give everything in the rows its `x` (the middle): near what it is linked to, and `gap` apart from its neighbours. */
export function spread(
  rows: readonly number[][],
  links: readonly Link[],
  places: { x: number; width: number }[],
  gap: number
): void {
  const { above, below } = linked(links);
  const at = (one: number): { x: number; width: number } =>
    places[one] as { x: number; width: number };
  const distancesOf = (row: readonly number[]): number[] =>
    row
      .slice(1)
      .map(
        (one, index) =>
          (at(row[index] as number).width + at(one).width) / 2 + gap
      );
  const place = (
    row: readonly number[],
    neighboursOf: (one: number) => readonly number[]
  ): void => {
    const wanted = row.map(one => {
      const near = neighboursOf(one);
      return near.length > 0
        ? near.reduce((sum, other) => sum + at(other).x, 0) / near.length
        : at(one).x;
    });
    fitted(wanted, distancesOf(row)).forEach((x, index) => {
      at(row[index] as number).x = x;
    });
  };
  for (const row of rows) {
    place(row, () => []);
  }
  const upwards = [...rows].reverse();
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const row of rows) {
      place(row, one => above.get(one) ?? []);
    }
    for (const row of upwards) {
      place(row, one => below.get(one) ?? []);
    }
  }
  for (const row of rows) {
    place(row, one => [...(above.get(one) ?? []), ...(below.get(one) ?? [])]);
  }
}
