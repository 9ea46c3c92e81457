/** What the browser of the warehouse says of its tables. Pure. */
import type { IPipelineSummary, ITable } from '../../api';

const PLAIN = /^[a-z_][a-z0-9_]*$/;
/** The schema that a name without one means. */
const MAIN = 'main';

/** A name as it is written in SQL. */
export function quoted(name: string): string {
  return PLAIN.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** How a table is named in SQL. */
export function sqlName({
  schema,
  name
}: Pick<ITable, 'schema' | 'name'>): string {
  return schema === MAIN ? quoted(name) : `${quoted(schema)}.${quoted(name)}`;
}

/** Whether a name has all the words of a search in it. */
export function hasWords(name: string, wanted: string): boolean {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  return words.every(word => name.toLowerCase().includes(word));
}

/** The tables whose names have all these words in them, by their schemas. */
export function bySchema(
  tables: readonly ITable[],
  wanted = ''
): [string, ITable[]][] {
  const groups = new Map<string, ITable[]>();
  for (const table of tables) {
    if (hasWords(`${table.schema}.${table.name}`, wanted)) {
      groups.set(table.schema, [...(groups.get(table.schema) ?? []), table]);
    }
  }
  return [...groups];
}

/** `1,234`, `1.2M`: counts are about right, and there is little room. */
export function countText(rows: number, locale?: string): string {
  const options: Intl.NumberFormatOptions =
    rows < 10_000 ? {} : { notation: 'compact', maximumSignificantDigits: 3 };
  return new Intl.NumberFormat(locale, options).format(rows);
}

/** The pipeline that builds a table, the one that ran last where there are several. */
export function producerOf(
  { schema, name }: Pick<ITable, 'schema' | 'name'>,
  pipelines: readonly IPipelineSummary[]
): IPipelineSummary | null {
  const names = [`${schema}.${name}`, ...(schema === MAIN ? [name] : [])].map(
    one => one.toLowerCase()
  );
  const ranAt = (one: IPipelineSummary): number =>
    one.last_runs[0]?.started ?? 0;
  const found = pipelines
    .filter(({ tables_written: written = [] }) =>
      written.some(table => names.includes(table.toLowerCase()))
    )
    .sort((a, b) => ranAt(b) - ranAt(a));
  return found[0] ?? null;
}
