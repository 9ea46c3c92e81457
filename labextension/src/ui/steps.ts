/** Each step has a colour of its own, the same wherever it is shown: cells, graph, lists, runs. */
import type { CSSProperties } from 'react';

/** How many `--jp-pipelines-step-<n>` there are. */
const HUES = 10;

/**
 * The colour of the `index`-th step of a pipeline (0-based, in the notebook's order), as a CSS value.
 *
 * As text it can be read on the theme's backgrounds, and on a tint of itself (`jp-Pipelines-tinted`). Neighbours differ.
 */
export function stepColour(index: number): string {
  return index < 0
    ? 'var(--jp-pipelines-quiet)'
    : `var(--jp-pipelines-step-${index % HUES})`;
}

/** For an element whose styles use `--jp-pipelines-step`, such as those of the class `jp-Pipelines-tinted`. */
export function stepStyle(index: number): CSSProperties {
  return { '--jp-pipelines-step': stepColour(index) } as CSSProperties;
}
