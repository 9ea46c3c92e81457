/** States of runs, steps and pipelines: an icon that is told apart by its shape, a colour, and a word. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type {
  BackfillState,
  IBackfillWindow,
  PipelineState,
  RunState,
  StepState
} from '../api';

export type AnyState =
  | RunState
  | StepState
  | PipelineState
  | BackfillState
  | IBackfillWindow['state'];

/** What kind of state it is: each has a shape and a colour (`--jp-pipelines-<tone>`). */
export type Tone = 'good' | 'bad' | 'busy' | 'waiting' | 'warning' | 'quiet';

export function toneOf(state: AnyState): Tone {
  switch (state) {
    case 'completed':
    case 'reused':
    case 'active':
    case 'done':
      return 'good';
    case 'failed':
    case 'crashed':
    case 'refused':
    case 'timed-out':
    case 'failing':
      return 'bad';
    case 'running':
      return 'busy';
    case 'pending':
    case 'waiting':
      return 'waiting';
    case 'late':
    case 'will-fail':
    case 'offline':
    case 'stopped':
      return 'warning';
    case 'cancelled':
    case 'skipped':
    case 'paused':
    case 'draft':
      return 'quiet';
  }
}

export function wordOf(state: AnyState, trans: TranslationBundle): string {
  const words: Record<AnyState, string> = {
    pending: trans.__('Waiting'),
    running: trans.__('Running'),
    completed: trans.__('Completed'),
    failed: trans.__('Failed'),
    cancelled: trans.__('Cancelled'),
    crashed: trans.__('Crashed'),
    reused: trans.__('Reused'),
    skipped: trans.__('Skipped'),
    'timed-out': trans.__('Timed out'),
    refused: trans.__('Refused'),
    draft: trans.__('Draft'),
    active: trans.__('Active'),
    paused: trans.__('Paused'),
    failing: trans.__('Failing'),
    late: trans.__('Late'),
    'will-fail': trans.__('Will fail'),
    offline: trans.__('Offline'),
    stopped: trans.__('Stopped'),
    waiting: trans.__('Waiting'),
    done: trans.__('Done before')
  };
  return words[state];
}

/** A pipeline's state in a word: what has run well is no mere draft, though nothing of it is published. */
export function wordOfPipeline(
  state: PipelineState,
  last: RunState | undefined,
  trans: TranslationBundle
): string {
  return state === 'draft' && last === 'completed'
    ? trans.__('Not published')
    : wordOf(state, trans);
}

// Drawn in a box of 16; each is known by its shape alone.
const SHAPES: Record<Tone, string> = {
  good: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm3.7 5.1-4.3 5.2-3-2.7.9-1 2 1.7L10.6 5.2z',
  bad: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm3 9-1 1-2-2-2 2-1-1 2-2-2-2 1-1 2 2 2-2 1 1-2 2z',
  busy: 'M8 1a7 7 0 1 0 7 7h-2a5 5 0 1 1-5-5z',
  waiting:
    'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm0 1.800a5.2 5.2 0 1 1 0 10.400A5.2 5.2 0 0 1 8 2.800zM7.2 4.500v4l2.9 1.7.75-1.25-2.15-1.300V4.500z',
  warning:
    'M8 1 .5 14.500h15zm-.8 5h1.600v4.200H7.200zm0 5.200h1.600v1.600H7.200z',
  quiet:
    'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm0 1.800a5.2 5.2 0 1 1 0 10.400A5.2 5.2 0 0 1 8 2.800zM5 7.200h6v1.600H5z'
};

/** The shape of a tone, to be filled. */
export function ToneIcon(props: {
  tone: Tone;
  state?: AnyState;
  /** For screen readers, and the pointer; none where a word stands beside it. */
  word?: string;
}): React.JSX.Element {
  const { tone, state, word } = props;
  return (
    <svg
      className="jp-Pipelines-stateIcon"
      data-tone={tone}
      data-state={state}
      viewBox="0 0 16 16"
      // Within a drawing, styles do not size it.
      width={14}
      height={14}
      {...(word
        ? { role: 'img', 'aria-label': word }
        : { 'aria-hidden': true })}
    >
      {word && <title>{word}</title>}
      <path
        className={tone === 'busy' ? 'jp-Pipelines-turning' : undefined}
        d={SHAPES[tone]}
      />
    </svg>
  );
}

/** The same outside of React. */
export function toneIconNode(tone: Tone): SVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'jp-Pipelines-stateIcon');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  svg.dataset.tone = tone;
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', SHAPES[tone]);
  if (tone === 'busy') {
    path.setAttribute('class', 'jp-Pipelines-turning');
  }
  svg.append(path);
  return svg;
}

/** The state without a word; screen readers get the word. */
export function StateIcon(props: {
  state: AnyState;
  trans: TranslationBundle;
  /** Say nothing to screen readers: a word stands beside it. */
  decorative?: boolean;
}): React.JSX.Element {
  const { state, trans, decorative } = props;
  return (
    <ToneIcon
      tone={toneOf(state)}
      state={state}
      word={decorative ? '' : wordOf(state, trans)}
    />
  );
}

/** Icon and word. */
export function StateChip(props: {
  state: AnyState;
  /** Where it is not the state's own. */
  word?: string;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { state, word, trans } = props;
  return (
    <span className="jp-Pipelines-chip" data-tone={toneOf(state)}>
      <StateIcon state={state} trans={trans} decorative />
      {word ?? wordOf(state, trans)}
    </span>
  );
}
