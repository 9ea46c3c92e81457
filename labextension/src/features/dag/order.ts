/** What follows from "waits for": which arrows are needed, and in which row each step stands. Pure; steps are numbers. */

type Pair = readonly [number, number];

function targetsOf(count: number, pairs: readonly Pair[]): number[][] {
  const targets: number[][] = Array.from({ length: count }, () => []);
  for (const [source, target] of pairs) {
    targets[source]?.push(target);
  }
  return targets;
}

/** The steps so that each comes after what it waits for; those on a cycle, and behind it, are left out. */
function sorted(count: number, pairs: readonly Pair[]): number[] {
  const targets = targetsOf(count, pairs);
  const waiting = new Int32Array(count);
  for (const [, target] of pairs) {
    waiting[target] = (waiting[target] ?? 0) + 1;
  }
  const order: number[] = [];
  for (let step = 0; step < count; step++) {
    if (waiting[step] === 0) {
      order.push(step);
    }
  }
  for (const step of order) {
    for (const target of targets[step] ?? []) {
      waiting[target] = (waiting[target] ?? 0) - 1;
      if (waiting[target] === 0) {
        order.push(target);
      }
    }
  }
  return order;
}

/**
 * The pairs without those that others imply: when b waits for a, and c for b, an arrow from a to c tells nothing new.
 * Pairs on a cycle are all kept.
 */
export function necessary(
  count: number,
  pairs: readonly Pair[]
): [number, number][] {
  const targets = targetsOf(count, pairs);
  const order = sorted(count, pairs);
  // A bit for each step that is reached, so that thousands of pairs are a matter of milliseconds.
  const words = Math.ceil(count / 32);
  const reached = new Uint32Array(count * words);
  for (const step of order.reverse()) {
    for (const target of targets[step] ?? []) {
      for (let word = 0; word < words; word++) {
        reached[step * words + word] =
          (reached[step * words + word] ?? 0) |
          (reached[target * words + word] ?? 0);
      }
      const at = step * words + (target >> 5);
      reached[at] = (reached[at] ?? 0) | (1 << (target & 31));
    }
  }
  const reaches = (from: number, to: number): boolean =>
    ((reached[from * words + (to >> 5)] ?? 0) & (1 << (to & 31))) !== 0;
  const onCycle = new Set(Array.from({ length: count }, (_, step) => step));
  for (const step of order) {
    onCycle.delete(step);
  }
  return pairs
    .filter(
      ([source, target]) =>
        onCycle.has(source) ||
        !(targets[source] ?? []).some(
          other => other !== target && reaches(other, target)
        )
    )
    .map(([source, target]) => [source, target]);
}

/** The row of each step: below all that it waits for, and no lower than that. Cycles are cut where the notebook goes back. */
export function ranksOf(count: number, pairs: readonly Pair[]): number[] {
  const whole = sorted(count, pairs).length === count;
  const used = whole
    ? pairs
    : pairs.filter(([source, target]) => source < target);
  const targets = targetsOf(count, used);
  const ranks = new Array<number>(count).fill(0);
  for (const step of sorted(count, used)) {
    for (const target of targets[step] ?? []) {
      ranks[target] = Math.max(ranks[target] ?? 0, (ranks[step] ?? 0) + 1);
    }
  }
  return ranks;
}
