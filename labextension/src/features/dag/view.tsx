/** The graph of steps as an SVG that follows the theme, and can be used from the keyboard. */
import { ReactWidget } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type {
  IDiagnostic,
  IEdge,
  IPipeline,
  IStepBrief,
  Severity
} from '../../api';
import type { ICompiler, IRecords } from '../../tokens';
import {
  duration,
  StateIcon,
  stepStyle,
  useClock,
  useLive,
  useShared,
  useSignals,
  wordOf
} from '../../ui';
import { ranges, stepOfCell } from '../panel/model';
import { lastStates, type StepStates, tookOf } from '../steps/model';
import { useInSight } from './in-sight';
import { draw, type IArrow, type IBox, neighbour, pathOf } from './model';

export interface IDagProps {
  pipeline: IPipeline;
  /** The step to be emphasised; its neighbours are shown as such. */
  selected: string;
  /** How each step went last. */
  states?: StepStates;
  /** What is known of a value besides its name: its size. */
  describe?: (value: string) => string;
  onPick: (step: string) => void;
  trans: TranslationBundle;
}

/** The worst that is known about each step. */
function severities(
  diagnostics: readonly IDiagnostic[]
): Map<string, Severity> {
  const worst = new Map<string, Severity>();
  for (const { step, severity } of diagnostics) {
    if (step && severity !== 'info' && worst.get(step) !== 'error') {
      worst.set(step, severity);
    }
  }
  return worst;
}

/** All reasons of an arrow, one a line; values with what is known of them. */
function reasonsOf(
  reasons: readonly IEdge[],
  describe: IDagProps['describe']
): string {
  return reasons
    .map(({ kind, name, explanation }) => {
      const more = kind === 'value' ? describe?.(name) : '';
      return more ? `${explanation}\n   ${name}: ${more}` : explanation;
    })
    .join('\n');
}

const Arrow = React.memo(function Arrow(props: {
  arrow: IArrow;
  emphasised: boolean;
  marker: string;
  describe: IDagProps['describe'];
}): React.JSX.Element {
  const { arrow, emphasised, marker, describe } = props;
  const path = pathOf(arrow.points);
  const classes = ['jp-Pipelines-arrow'];
  if (!arrow.certain) {
    classes.push('jp-mod-possible');
  }
  if (emphasised) {
    classes.push('jp-mod-selected');
  }
  return (
    <g
      className={classes.join(' ')}
      data-source={arrow.source}
      data-target={arrow.target}
    >
      <path d={path} markerEnd={`url(#${marker})`} />
      {arrow.label && (
        <text
          x={arrow.labelAt.x}
          y={arrow.labelAt.y}
          dominantBaseline="central"
          textAnchor="middle"
          aria-hidden="true"
        >
          {arrow.label}
        </text>
      )}
      <path d={path} className="jp-Pipelines-arrowTarget">
        <title>{reasonsOf(arrow.reasons, describe)}</title>
      </path>
    </g>
  );
});

/** Below a step's name: how long it took, or is taking; else where it is. */
function Below(props: {
  state: IStepBrief | undefined;
  place: string;
}): React.JSX.Element {
  const { state, place } = props;
  const running = state?.state === 'running';
  const now = useClock(running ? 1000 : 3_600_000);
  const took = state ? tookOf(state, now) : null;
  return <>{took === null ? place : duration(took)}</>;
}

const Box = React.memo(function Box(props: {
  box: IBox;
  selected: boolean;
  severity: Severity | undefined;
  state: IStepBrief | undefined;
  label: string;
  place: string;
  reachable: boolean;
  onPick: (step: string) => void;
  onFocus: (step: string) => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { box, selected, severity, state, label, place, trans } = props;
  const { reachable, onPick, onFocus } = props;
  const left = state ? 28 : 12;
  return (
    <g
      className="jp-Pipelines-box"
      style={stepStyle(box.index)}
      data-step={box.name}
      data-severity={severity}
      data-state={state?.state}
      aria-current={selected ? 'step' : undefined}
      aria-label={label}
      role="button"
      tabIndex={reachable ? 0 : -1}
      transform={`translate(${box.x} ${box.y})`}
      onClick={() => {
        onPick(box.name);
      }}
      onFocus={() => {
        onFocus(box.name);
      }}
      onKeyDown={event => {
        if (event.key === 'Enter' || event.key === ' ') {
          event.preventDefault();
          onPick(box.name);
        }
      }}
    >
      <title>{label}</title>
      <rect width={box.width} height={box.height} rx={6} />
      {state && (
        <g transform={`translate(8 ${(box.height - 14) / 2})`}>
          <StateIcon state={state.state} trans={trans} decorative />
        </g>
      )}
      <text className="jp-Pipelines-boxName" x={left} y={15}>
        {box.label}
      </text>
      <text className="jp-Pipelines-boxMore" x={left} y={28}>
        <Below state={state} place={place} />
      </text>
      {severity && (
        <path
          className="jp-Pipelines-boxProblem"
          transform={`translate(${box.width - 9} -6)`}
          d="M7 0 14 13H0zM6.300 4.500h1.400v4H6.300zm0 5h1.400v1.500H6.300z"
          fillRule="evenodd"
        />
      )}
    </g>
  );
});

/** Where a step is, in as many letters as there is room for. */
function placeOf(cells: readonly number[], trans: TranslationBundle): string {
  const place = ranges(cells);
  return place.length > 7
    ? trans._n('%1 cell', '%1 cells', cells.length)
    : trans._n('cell %2', 'cells %2', cells.length, place);
}

/** A number of its own for each graph on the page: an SVG's ids are the whole document's. */
let markers = 0;

function useDrawing(pipeline: IPipeline): ReturnType<typeof draw> {
  // Most edits do not touch what is drawn; and those that do, little of it.
  const names = useShared(pipeline.steps.map(step => step.name));
  const { edges } = pipeline;
  return useShared(React.useMemo(() => draw(names, edges), [names, edges]));
}

/** What a step is called to screen readers: what it waits for, how it went, whether something is wrong. */
function labelsOf(
  { steps, edges }: Pick<IPipeline, 'steps' | 'edges'>,
  states: StepStates | undefined,
  worst: ReadonlyMap<string, Severity>,
  trans: TranslationBundle
): Map<string, string> {
  const before = new Map<string, Set<string>>();
  for (const { source, target } of edges) {
    before.set(target, (before.get(target) ?? new Set()).add(source));
  }
  return new Map(
    steps.map(({ name }) => {
      const sources = [...(before.get(name) ?? [])];
      const state = states?.get(name);
      const severity = worst.get(name);
      const parts = [
        sources.length > 0
          ? trans.__('Step %1, after %2', name, sources.join(', '))
          : trans.__('Step %1', name),
        state ? wordOf(state.state, trans) : '',
        severity === 'error'
          ? trans.__('has an error')
          : severity
            ? trans.__('has a warning')
            : ''
      ];
      return [name, parts.filter(part => part !== '').join('; ')];
    })
  );
}

export const Dag = React.memo(function Dag(
  props: IDagProps
): React.JSX.Element | null {
  const { pipeline, selected, states, describe, onPick, trans } = props;
  const drawing = useDrawing(pipeline);
  const { diagnostics } = pipeline;
  const worst = React.useMemo(() => severities(diagnostics), [diagnostics]);
  const [marker] = React.useState(() => `jp-Pipelines-arrowhead-${++markers}`);
  const [focused, setFocused] = React.useState('');
  const frame = React.useRef<SVGSVGElement>(null);
  const pick = React.useRef(onPick);
  pick.current = onPick;
  const onBoxPick = React.useCallback((step: string) => {
    pick.current(step);
  }, []);
  const { steps, edges } = pipeline;
  const labels = React.useMemo(
    () => labelsOf({ steps, edges }, states, worst, trans),
    [steps, edges, states, worst, trans]
  );
  const { boxes } = drawing;
  if (boxes.length === 0) {
    return null;
  }
  const cells = new Map(pipeline.steps.map(step => [step.name, step.cells]));
  // Where the Tab key leads; arrow keys go on from there.
  const known = (name: string): boolean => boxes.some(box => box.name === name);
  const reachable = known(focused)
    ? focused
    : known(selected)
      ? selected
      : (boxes[0]?.name ?? '');
  const onKeyDown = (event: React.KeyboardEvent): void => {
    if (/^(?:Arrow\w+|Home|End)$/.test(event.key)) {
      event.preventDefault();
      const next = neighbour(boxes, reachable, event.key);
      frame.current
        ?.querySelector<SVGGElement>(`[data-step="${CSS.escape(next)}"]`)
        ?.focus();
    }
  };
  return (
    <>
      <svg
        ref={frame}
        className="jp-Pipelines-dag"
        role="group"
        aria-label={trans.__('Graph of the steps')}
        viewBox={`0 -4 ${drawing.width} ${drawing.height + 4}`}
        style={
          {
            '--jp-pipelines-width': `${drawing.width}px`
          } as React.CSSProperties
        }
        onKeyDown={onKeyDown}
      >
        <defs>
          <marker
            id={marker}
            className="jp-Pipelines-arrowhead"
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="6"
            markerHeight="6"
            orient="auto"
          >
            <path d="M0 0.5L8 4L0 7.5z" />
          </marker>
        </defs>
        {drawing.arrows.map(arrow => (
          <Arrow
            key={`${arrow.source}\n${arrow.target}`}
            arrow={arrow}
            emphasised={selected === arrow.source || selected === arrow.target}
            marker={marker}
            describe={describe}
          />
        ))}
        {boxes.map(box => (
          <Box
            key={box.name}
            box={box}
            selected={box.name === selected}
            severity={worst.get(box.name)}
            state={states?.get(box.name)}
            label={labels.get(box.name) ?? ''}
            place={placeOf(cells.get(box.name) ?? [], trans)}
            reachable={box.name === reachable}
            onPick={onBoxPick}
            onFocus={setFocused}
            trans={trans}
          />
        ))}
      </svg>
      {drawing.simplified && (
        <p className="jp-Pipelines-hint">
          {trans.__('Too many steps to draw the arrows while you type.')}
        </p>
      )}
    </>
  );
});

interface IGraphProps {
  compiler: ICompiler;
  records: IRecords;
  onPick: (step: string) => void;
  trans: TranslationBundle;
}

function LiveDag(
  props: IGraphProps & { pipeline: IPipeline; path: string }
): React.JSX.Element {
  const { compiler, records, path, pipeline, onPick, trans } = props;
  const runs = useLive(records.of(path).runs).value;
  const states = React.useMemo(() => lastStates(runs ?? []), [runs]);
  const selected = stepOfCell(pipeline, compiler.current.activeCell);
  const frame = useInSight(selected);
  return (
    <div ref={frame}>
      <Dag
        pipeline={pipeline}
        selected={selected}
        states={states}
        onPick={onPick}
        trans={trans}
      />
    </div>
  );
}

function Graph(props: IGraphProps): React.JSX.Element {
  const { compiler, trans } = props;
  useSignals(compiler.changed);
  const { pipeline, notebook } = compiler.current;
  if (!notebook || !pipeline || pipeline.steps.length === 0) {
    return (
      <p className="jp-Pipelines-hint">
        {trans.__('Open a notebook with tagged cells to see its steps.')}
      </p>
    );
  }
  const path = notebook.context.localPath;
  return <LiveDag key={path} {...props} pipeline={pipeline} path={path} />;
}

/** The graph alone, as large as the main area. */
export class GraphWidget extends ReactWidget {
  constructor(private readonly _props: IGraphProps) {
    super();
    this.addClass('jp-Pipelines-graph');
  }

  protected override render(): React.JSX.Element {
    return <Graph {...this._props} />;
  }
}
