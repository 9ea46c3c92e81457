/** Where the graph's boxes and arrows go. Pure, so that it can be tested without a browser. */
import { graphlib, layout } from '@dagrejs/dagre';
import type { IEdge } from '../../api';

export interface IPoint {
  x: number;
  y: number;
}

/** A step's box; `x` and `y` are its upper left corner. */
export interface IBox extends IPoint {
  name: string;
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
}

export interface IDrawing {
  width: number;
  height: number;
  boxes: IBox[];
  arrows: IArrow[];
  /** Too many steps to be placed while one types: they stand in one column, without arrows. */
  simplified: boolean;
}

// dagre takes 80 ms for 50 steps, and a second or two for 200.
const MOST_STEPS = 120;
const LONGEST_LABEL = 22;
const CHARACTER = 6.9;
const BOX_HEIGHT = 26;
const GAP = 14;
const MARGIN = 4;

/** A name that fits a box: long ones lose their middle, where they differ least. */
export function shorten(name: string): string {
  const characters = Array.from(name);
  if (characters.length <= LONGEST_LABEL) {
    return name;
  }
  const half = (LONGEST_LABEL - 1) / 2;
  return `${characters.slice(0, Math.ceil(half)).join('')}…${characters.slice(-Math.floor(half)).join('')}`;
}

/** Edges between known, different steps, one per pair. */
function mergeEdges(
  names: ReadonlySet<string>,
  edges: readonly IEdge[]
): Map<string, IEdge[]> {
  const merged = new Map<string, IEdge[]>();
  for (const edge of edges) {
    if (
      edge.source !== edge.target &&
      names.has(edge.source) &&
      names.has(edge.target)
    ) {
      const key = JSON.stringify([edge.source, edge.target]);
      merged.set(key, [...(merged.get(key) ?? []), edge]);
    }
  }
  return merged;
}

function boxFor(name: string): IBox {
  const label = shorten(name);
  const width = Math.max(
    56,
    Math.round(Array.from(label).length * CHARACTER) + 22
  );
  return { name, label, x: 0, y: 0, width, height: BOX_HEIGHT };
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

/**
 * The pairs without those that others imply: when b waits for a, and c for b, an arrow from a to c tells nothing new.
 * Pairs on a cycle are all kept.
 */
function withoutImplied(pairs: readonly [string, string][]): Set<string> {
  const targets = new Map<string, string[]>();
  for (const [source, target] of pairs) {
    targets.set(source, [...(targets.get(source) ?? []), target]);
  }
  const reaches = (from: string, to: string, seen: Set<string>): boolean =>
    (targets.get(from) ?? []).some(next => {
      if (next === to) {
        return true;
      }
      if (seen.has(next)) {
        return false;
      }
      seen.add(next);
      return reaches(next, to, seen);
    });
  const kept = pairs.filter(([source, target]) => {
    const others = (targets.get(source) ?? []).filter(next => next !== target);
    return !others.some(
      next =>
        reaches(next, target, new Set([source])) &&
        !reaches(next, source, new Set())
    );
  });
  return new Set(kept.map(pair => JSON.stringify(pair)));
}

/** Move everything so that nothing lies outside: dagre leads some arrows round the outermost boxes, and beyond. */
function fit(drawing: IDrawing): void {
  const { boxes, arrows } = drawing;
  const xs = [
    ...boxes.flatMap(box => [box.x, box.x + box.width]),
    ...arrows.flatMap(arrow => arrow.points.map(point => point.x))
  ];
  const left = Math.min(...xs) - MARGIN;
  drawing.width = Math.max(...xs) + MARGIN - left;
  for (const box of boxes) {
    box.x -= left;
  }
  for (const arrow of arrows) {
    arrow.points = arrow.points.map(({ x, y }) => ({ x: x - left, y }));
  }
}

/** Boxes of one row that stand in another order than in the notebook, less those that stand in the same. */
function disorder(boxes: readonly IBox[]): number {
  let count = 0;
  boxes.forEach((box, index) => {
    for (const later of boxes.slice(index + 1)) {
      if (Math.abs(later.y - box.y) < 1) {
        count += later.x < box.x ? 1 : -1;
      }
    }
  });
  return count;
}

/** Turn the drawing round its middle axis: dagre knows no order within a row, readers expect the notebook's. */
function mirror(drawing: IDrawing): void {
  for (const box of drawing.boxes) {
    box.x = drawing.width - box.x - box.width;
  }
  for (const arrow of drawing.arrows) {
    arrow.points = arrow.points.map(({ x, y }) => ({
      x: drawing.width - x,
      y
    }));
  }
}

/** Place the steps from top to bottom. Arrows that others imply are left out. */
export function draw(
  stepNames: readonly string[],
  edges: readonly IEdge[]
): IDrawing {
  // dagre throws on an empty id, and gives an infinite size for an empty graph.
  const names = new Set(stepNames.filter(name => name !== ''));
  const boxes = [...names].map(boxFor);
  if (boxes.length === 0) {
    return { width: 0, height: 0, boxes, arrows: [], simplified: false };
  }
  if (boxes.length > MOST_STEPS) {
    return column(boxes);
  }
  const graph = new graphlib.Graph();
  graph.setGraph({
    rankdir: 'TB',
    nodesep: GAP,
    ranksep: 30,
    marginx: MARGIN,
    marginy: MARGIN
  });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { name, width, height } of boxes) {
    graph.setNode(name, { width, height });
  }
  const merged = mergeEdges(names, edges);
  const pairs = [...merged.keys()].map(
    key => JSON.parse(key) as [string, string]
  );
  const drawn = withoutImplied(pairs);
  for (const key of merged.keys()) {
    const [source, target] = JSON.parse(key) as [string, string];
    if (drawn.has(key)) {
      graph.setEdge(source, target);
    } else {
      merged.delete(key);
    }
  }
  layout(graph);
  for (const box of boxes) {
    const placed = graph.node(box.name) as IPoint;
    box.x = placed.x - box.width / 2;
    box.y = placed.y - box.height / 2;
  }
  const size = graph.graph() as { width: number; height: number };
  const drawing: IDrawing = {
    width: size.width,
    height: size.height,
    boxes,
    simplified: false,
    arrows: [...merged].map(([key, reasons]) => {
      const [source, target] = JSON.parse(key) as [string, string];
      const { points } = graph.edge(source, target) as { points: IPoint[] };
      const certain = reasons.some(reason => reason.certain);
      return { source, target, points, reasons, certain };
    })
  };
  fit(drawing);
  if (disorder(boxes) > 0) {
    mirror(drawing);
  }
  return drawing;
}

/** An arrow's points as the `d` of an SVG path, with soft corners. */
export function pathOf(points: readonly IPoint[]): string {
  const [first, ...rest] = points;
  const last = rest.at(-1);
  if (!first || !last) {
    return '';
  }
  let path = `M${first.x} ${first.y}`;
  for (let index = 0; index < rest.length - 1; index++) {
    const corner = rest[index] as IPoint;
    const next = rest[index + 1] as IPoint;
    const end =
      index === rest.length - 2
        ? next
        : { x: (corner.x + next.x) / 2, y: (corner.y + next.y) / 2 };
    path += `Q${corner.x} ${corner.y} ${end.x} ${end.y}`;
  }
  return rest.length === 1 ? `${path}L${last.x} ${last.y}` : path;
}
