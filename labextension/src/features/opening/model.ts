/** Places of a notebook in an address of Notebook 7. Pure. */
import { URLExt } from '@jupyterlab/coreutils';

/** Where to go in a notebook that was opened; nowhere when it is empty. */
export interface IPlace {
  /** 1-based position of a cell. */
  cell?: number;
  /** A section of the panel. */
  section?: string;
  /** A new schedule is to be made. */
  schedule?: boolean;
}

const CELL = 'pipeline-cell';
const SECTION = 'pipeline-section';
const SCHEDULE = 'pipeline-schedule';

/** Does an address name a place? */
export const MARK = new RegExp(`[?&](?:${CELL}|${SECTION}|${SCHEDULE})=`);

/** The address at which Notebook 7 shows a place of a notebook. */
export function addressOf(base: string, path: string, place: IPlace): string {
  const query = new URLSearchParams();
  if (place.cell) {
    query.set(CELL, String(place.cell));
  }
  if (place.section) {
    query.set(SECTION, place.section);
  }
  if (place.schedule) {
    query.set(SCHEDULE, 'new');
  }
  const address = URLExt.join(base, 'notebooks', URLExt.encodeParts(path));
  return query.size > 0 ? `${address}?${query}` : address;
}

/** The place that an address names. */
export function placeIn(search: string): IPlace {
  const query = new URLSearchParams(search);
  const cell = Number(query.get(CELL));
  return {
    ...(Number.isInteger(cell) && cell > 0 ? { cell } : {}),
    section: query.get(SECTION) ?? '',
    schedule: query.has(SCHEDULE)
  };
}
