/** Keeping what did not change: the parts of a newer answer that equal those of the last one are the same objects. Pure. */

/** What `after` says, made of as much of `before` as is equal; what is drawn of that need not be drawn again. */
export function shared<T>(before: unknown, after: T): T {
  if (
    before === after ||
    typeof before !== 'object' ||
    typeof after !== 'object' ||
    before === null ||
    after === null
  ) {
    return after;
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    return sharedList(before, after) as T;
  }
  return Array.isArray(before) || Array.isArray(after)
    ? after
    : (sharedRecord(
        before as Record<string, unknown>,
        after as Record<string, unknown>
      ) as T);
}

/** Something was put in or taken out at one place, as a rule: what follows has moved by so many. */
function sharedList(
  before: readonly unknown[],
  after: readonly unknown[]
): readonly unknown[] {
  const moved = before.length - after.length;
  const made = after.map((one, index) => {
    const here = shared(before[index], one);
    if (moved === 0 || here === before[index]) {
      return here;
    }
    const there = shared(before[index + moved], one);
    return there === before[index + moved] ? there : here;
  });
  const same = moved === 0 && made.every((one, index) => one === before[index]);
  return same ? before : made;
}

function sharedRecord(
  before: Record<string, unknown>,
  after: Record<string, unknown>
): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  const names = Object.keys(after);
  let same = names.length === Object.keys(before).length;
  for (const name of names) {
    const one = shared(before[name], after[name]);
    made[name] = one;
    same &&= one === before[name];
  }
  return same ? before : made;
}
