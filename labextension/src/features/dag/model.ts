/**
 * Where the graph's boxes, arrows and labels go: in rows from top to bottom, by what each step waits for.
 *
 * Pure, and quick enough to be done at every key: 300 steps take some ten milliseconds.
 */
import type { IEdge } from '../../api';
import { ordered, spread } from './rows';
import { necessary, ranksOf } from './order';

export interface IPoint {
  x: number;
  y: number;
}

/** A step's box; `x` and `y` are its upper left corner. */
export interface IBox extends IPoint {
  name: string;
  /** Its position in the notebook's order, from 0. */
  index: number;
  label: string;
  width: number;
  height: number;
}

/** One arrow for all the reasons why `target` runs after `source`. */
export interface IArrow {
  source: string;
  target: string;
  points: IPoint[];
  reasons: IEdge[];
  certain: boolean;
  /** The values that flow, in few words; its middle is at `labelAt`. */
  label: string;
  labelAt: IPoint;
}

export interface IDrawing {
  width: number;
  height: number;
  boxes: IBox[];
  arrows: IArrow[];
  /** Too many steps to be placed while one types: they stand in one column, without arrows. */
  simplified: boolean;
}

const MOST_STEPS = 400;
// Of arrows through rows: what takes the time.
const MOST_PASSES = 12_000;
const LONGEST_NAME = 22;
const LONGEST_LABEL = 16;
const BOX_HEIGHT = 36;
const LABEL_HEIGHT = 14;
const GAP = 12;
const MARGIN = 4;

/** A name that fits a box: long ones lose their middle, where they differ least. */
export function shorten(name: string, longest = LONGEST_NAME): string {
  const characters = Array.from(name);
  if (characters.length <= longest) {
    return name;
  }
  const half = (longest - 1) / 2;
  return `${characters.slice(0, Math.ceil(half)).join('')}…${characters.slice(-Math.floor(half)).join('')}`;
}

/** The values and tables that flow, as many as there is room for: `numbers +2`. Empty where nothing does. */
export function labelOf(reasons: readonly IEdge[]): string {
  const names = [
    ...new Set(
      reasons
        .filter(({ kind }) => kind === 'value' || kind === 'table')
        .map(({ name }) => name)
    )
  ];
  const [first] = names;
  if (first === undefined) {
    return '';
  }
  const all = names.join(', ');
  return all.length <= LONGEST_LABEL || names.length === 1
    ? shorten(all, LONGEST_LABEL)
    : `${shorten(first, LONGEST_LABEL - 3)} +${names.length - 1}`;
}

/** Edges between known, different steps, by the positions of the two. */
function mergeEdges(
  positions: ReadonlyMap<string, number>,
  edges: readonly IEdge[]
): Map<string, [number, number, IEdge[]]> {
  const merged = new Map<string, [number, number, IEdge[]]>();
  for (const edge of edges) {
    const source = positions.get(edge.source);
    const target = positions.get(edge.target);
    if (source === undefined || target === undefined || source === target) {
      continue;
    }
    const key = `${source} ${target}`;
    const known = merged.get(key);
    if (known) {
      known[2].push(edge);
    } else {
      merged.set(key, [source, target, [edge]]);
    }
  }
  return merged;
}

function boxFor(name: string, index: number): IBox {
  const label = shorten(name);
  // Room for the name or the places of its cells, and for the icon of its state.
  const width = Math.max(92, Math.round(Array.from(label).length * 6.9) + 40);
  return { name, index, label, x: 0, y: 0, width, height: BOX_HEIGHT };
}

function column(boxes: IBox[]): IDrawing {
  boxes.forEach((box, row) => {
    box.x = MARGIN;
    box.y = MARGIN + row * (BOX_HEIGHT + GAP / 2);
  });
  return {
    width: Math.max(0, ...boxes.map(box => box.width)) + 2 * MARGIN,
    height: boxes.length * (BOX_HEIGHT + GAP / 2) + MARGIN,
    boxes,
    arrows: [],
    simplified: true
  };
}

/** Something in a row: a box, or where an arrow passes between boxes; the first such place of an arrow has its label. */
interface IPlace {
  width: number;
  height: number;
  /** The middle. */
  x: number;
}

/** Place the steps from top to bottom. Arrows that others imply are left out. */
export function draw(
  stepNames: readonly string[],
  edges: readonly IEdge[]
): IDrawing {
  const names = [...new Set(stepNames.filter(name => name !== ''))];
  const boxes = names.map(boxFor);
  if (boxes.length === 0) {
    return { width: 0, height: 0, boxes, arrows: [], simplified: false };
  }
  if (boxes.length > MOST_STEPS) {
    return column(boxes);
  }
  const positions = new Map(names.map((name, index) => [name, index]));
  const merged = mergeEdges(positions, edges);
  const pairs = [...merged.values()].map(
    ([source, target]) => [source, target] as [number, number]
  );
  const kept = necessary(names.length, pairs);
  const ranks = ranksOf(names.length, kept);
  const passes = kept.reduce(
    (sum, [source, target]) =>
      sum + 2 * Math.abs((ranks[target] ?? 0) - (ranks[source] ?? 0)),
    0
  );
  if (passes > MOST_PASSES) {
    return column(boxes);
  }

  // Rows of boxes are even, those between them odd: there arrows pass, and have their labels.
  const places: IPlace[] = boxes.map(({ width, height }) => ({
    width,
    height,
    x: 0
  }));
  const rows: number[][] = [];
  const put = (row: number, place: number): void => {
    (rows[row] ??= []).push(place);
  };
  ranks.forEach((rank, place) => {
    put(2 * rank, place);
  });
  const links: [number, number][] = [];
  const routes = kept.map(([source, target]) => {
    const reasons = merged.get(`${source} ${target}`)?.[2] ?? [];
    const label = labelOf(reasons);
    const first = 2 * (ranks[source] ?? 0) + 1;
    const last = 2 * (ranks[target] ?? 0) - 1;
    const through: number[] = [];
    for (let row = first; row <= last; row++) {
      const labelled = row === first && label !== '';
      const place =
        places.push({
          width: labelled ? Math.round(label.length * 5.8) + 10 : 2,
          height: labelled ? LABEL_HEIGHT : 2,
          x: 0
        }) - 1;
      put(row, place);
      through.push(place);
    }
    const all = [source, ...through, target];
    all.slice(1).forEach((place, index) => {
      if (through.length > 0) {
        links.push([all[index] ?? 0, place]);
      }
    });
    return { source, target, reasons, label, through };
  });

  const lines = ordered(rows, links);
  spread(lines, links, places, GAP);
  const left = Math.min(...places.map(({ x, width }) => x - width / 2));
  const right = Math.max(...places.map(({ x, width }) => x + width / 2));
  const tops: number[] = [];
  let y = MARGIN;
  lines.forEach((_, row) => {
    tops.push(y);
    y += row % 2 === 0 ? BOX_HEIGHT + 6 : LABEL_HEIGHT + 11;
  });
  const bottom = (tops[lines.length - 1] ?? 0) + BOX_HEIGHT + MARGIN;
  const across = (place: number): number =>
    (places[place]?.x ?? 0) - left + MARGIN;
  for (const box of boxes) {
    box.x = across(box.index) - box.width / 2;
    box.y = tops[2 * (ranks[box.index] ?? 0)] ?? 0;
  }
  const arrows = routes.map(
    ({ source, target, reasons, label, through }): IArrow => {
      const from = boxes[source] as IBox;
      const to = boxes[target] as IBox;
      const start = { x: across(source), y: from.y + BOX_HEIGHT };
      const end = { x: across(target), y: to.y };
      const first = 2 * (ranks[source] ?? 0) + 1;
      const middle = through.flatMap((place, index) => {
        const x = across(place);
        const top = tops[first + index] ?? 0;
        // Straight down between boxes, whose row it would else cut through in a curve.
        return index % 2 === 0
          ? [{ x, y: top + LABEL_HEIGHT / 2 }]
          : [
              { x, y: top },
              { x, y: top + BOX_HEIGHT }
            ];
      });
      return {
        source: from.name,
        target: to.name,
        points: [start, ...middle, end],
        reasons,
        certain: reasons.some(reason => reason.certain),
        // One that leads back up lies on another, whose label is there.
        label: middle.length > 0 ? label : '',
        labelAt: middle[0] ?? {
          x: (start.x + end.x) / 2,
          y: (start.y + end.y) / 2
        }
      };
    }
  );
  return {
    width: right - left + 2 * MARGIN,
    height: bottom,
    boxes,
    arrows,
    simplified: false
  };
}

/** An arrow's points as the `d` of an SVG path: straight down through each, curved in between. */
export function pathOf(points: readonly IPoint[]): string {
  const [first, ...rest] = points;
  if (!first || rest.length === 0) {
    return '';
  }
  let path = `M${round(first.x)} ${round(first.y)}`;
  let from = first;
  for (const to of rest) {
    const half = round((to.y - from.y) / 2);
    path +=
      Math.abs(to.x - from.x) < 0.5
        ? `L${round(to.x)} ${round(to.y)}`
        : `C${round(from.x)} ${round(from.y + half)} ${round(to.x)} ${round(to.y - half)} ${round(to.x)} ${round(to.y)}`;
    from = to;
  }
  return path;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The box that an arrow key leads to; the same where there is none in that direction. */
export function neighbour(
  boxes: readonly IBox[],
  name: string,
  key: string
): string {
  const from = boxes.find(box => box.name === name);
  if (!from) {
    return name;
  }
  if (key === 'Home' || key === 'End') {
    return (key === 'Home' ? boxes[0] : boxes.at(-1))?.name ?? name;
  }
  const middle = (box: IBox): number => box.x + box.width / 2;
  const along = key === 'ArrowLeft' || key === 'ArrowRight';
  const sign = key === 'ArrowLeft' || key === 'ArrowUp' ? -1 : 1;
  const ahead = (box: IBox): number =>
    sign * (along ? middle(box) - middle(from) : box.y - from.y);
  const aside = (box: IBox): number =>
    Math.abs(along ? box.y - from.y : middle(box) - middle(from));
  const candidates = boxes
    .filter(box => ahead(box) > 1 && (!along || aside(box) < 1))
    .sort((a, b) => ahead(a) - ahead(b) || aside(a) - aside(b));
  return candidates[0]?.name ?? name;
}
