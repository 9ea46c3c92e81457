/** The graph of steps as an SVG that follows the theme, and can be used from the keyboard. */
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IEdge, IPipeline, Severity } from '../../api';
import type { ICompiler } from '../../tokens';
import type { StepStates } from '../steps/model';
import { draw, type IArrow, type IBox, pathOf } from './model';

export interface IDagProps {
  pipeline: IPipeline;
  /** The step to be emphasised; its neighbours are shown as such. */
  selected: string;
  states?: StepStates;
  onPick: (step: string) => void;
  trans: TranslationBundle;
}

/** All reasons of an arrow, one a line. */
function reasonsOf(reasons: readonly IEdge[]): string {
  return reasons.map(reason => reason.explanation).join('\n');
}

/** The worst that is known about each step. */
function severities(pipeline: IPipeline): Map<string, Severity> {
  const worst = new Map<string, Severity>();
  for (const { step, severity } of pipeline.diagnostics) {
    if (step && severity !== 'info' && worst.get(step) !== 'error') {
      worst.set(step, severity);
    }
  }
  return worst;
}

function Arrow(props: {
  arrow: IArrow;
  selected: string;
  marker: string;
}): React.JSX.Element {
  const { arrow, selected, marker } = props;
  const path = pathOf(arrow.points);
  const classes = ['jp-Pipelines-arrow'];
  if (!arrow.certain) {
    classes.push('jp-mod-possible');
  }
  if (selected === arrow.source || selected === arrow.target) {
    classes.push('jp-mod-selected');
  }
  return (
    <g
      className={classes.join(' ')}
      data-source={arrow.source}
      data-target={arrow.target}
    >
      <path d={path} markerEnd={`url(#${marker})`} />
      <path d={path} className="jp-Pipelines-arrowTarget">
        <title>{reasonsOf(arrow.reasons)}</title>
      </path>
    </g>
  );
}

function Box(props: {
  box: IBox;
  selected: boolean;
  severity: Severity | undefined;
  label: string;
  onPick: (step: string) => void;
}): React.JSX.Element {
  const { box, selected, severity, label, onPick } = props;
  const onKeyDown = (event: React.KeyboardEvent): void => {
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      onPick(box.name);
    }
  };
  return (
    <g
      className="jp-Pipelines-box"
      data-step={box.name}
      data-severity={severity}
      aria-current={selected ? 'step' : undefined}
      aria-label={label}
      role="button"
      tabIndex={0}
      transform={`translate(${box.x} ${box.y})`}
      onClick={() => {
        onPick(box.name);
      }}
      onKeyDown={onKeyDown}
    >
      <title>{label}</title>
      <rect width={box.width} height={box.height} rx={5} />
      <text
        x={box.width / 2}
        y={box.height / 2}
        dominantBaseline="central"
        textAnchor="middle"
      >
        {box.label}
      </text>
    </g>
  );
}

/** A number of its own for each graph on the page: an SVG's ids are the whole document's. */
let markers = 0;

export function Dag(props: IDagProps): React.JSX.Element | null {
  const { pipeline, selected, onPick, trans } = props;
  // Placing is the dear part, and most edits do not touch it.
  const shape = JSON.stringify([
    pipeline.steps.map(step => step.name),
    pipeline.edges
  ]);
  const drawing = React.useMemo(() => {
    const [names, edges] = JSON.parse(shape) as [string[], IEdge[]];
    return draw(names, edges);
  }, [shape]);
  const worst = React.useMemo(() => severities(pipeline), [pipeline]);
  const [marker] = React.useState(() => `jp-Pipelines-arrowhead-${++markers}`);
  if (drawing.boxes.length === 0) {
    return null;
  }
  const describe = (name: string): string => {
    const before = [
      ...new Set(
        pipeline.edges
          .filter(edge => edge.target === name)
          .map(edge => edge.source)
      )
    ];
    return before.length > 0
      ? trans.__('Step %1, after %2', name, before.join(', '))
      : trans.__('Step %1', name);
  };
  return (
    <>
      <svg
        className="jp-Pipelines-dag"
        role="group"
        aria-label={trans.__('Graph of the steps')}
        viewBox={`0 0 ${drawing.width} ${drawing.height}`}
        style={
          {
            '--jp-pipelines-width': `${drawing.width}px`
          } as React.CSSProperties
        }
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
            selected={selected}
            marker={marker}
          />
        ))}
        {drawing.boxes.map(box => (
          <Box
            key={box.name}
            box={box}
            selected={box.name === selected}
            severity={worst.get(box.name)}
            label={describe(box.name)}
            onPick={onPick}
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
}

/** The graph alone, as large as the main area. */
export class GraphWidget extends ReactWidget {
  constructor(
    private readonly _compiler: ICompiler,
    private readonly _onPick: (step: string) => void,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Pipelines-graph');
  }

  protected override render(): React.JSX.Element {
    return (
      <UseSignal signal={this._compiler.changed}>
        {() => {
          const { pipeline, activeCell } = this._compiler.current;
          if (!pipeline || pipeline.steps.length === 0) {
            return (
              <p className="jp-Pipelines-hint">
                {this._trans.__(
                  'Open a notebook with tagged cells to see its steps.'
                )}
              </p>
            );
          }
          const selected =
            pipeline.steps.find(step => step.cells.includes(activeCell))
              ?.name ?? '';
          return (
            <Dag
              pipeline={pipeline}
              selected={selected}
              onPick={this._onPick}
              trans={this._trans}
            />
          );
        }}
      </UseSignal>
    );
  }
}
