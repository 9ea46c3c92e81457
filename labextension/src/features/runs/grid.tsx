/** Runs beside each other, newest at the right; below each its steps. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IBackfill } from '../../api';
import { HoverCard, StateIcon, toneOf } from '../../ui';
import { type IKnown, squareText, SquareCard } from './about';
import { countOf, PARTS } from '../backfills/model';
import { type Column, heightsOf, stepOf } from './model';

/** A square: a step of a run, or with an empty `step` the run or the backfill itself. */
export interface ISquare {
  readonly kind: Column['kind'];
  readonly id: string;
  readonly step: string;
}

/** Rows are counted from the bars, which are row 0. */
interface IPlace {
  readonly row: number;
  readonly column: number;
}

/** Where an arrow key leads; `null` for other keys. A backfill has one square in all rows. */
export function placeAfter(
  key: string,
  control: boolean,
  { row, column }: IPlace,
  size: { rows: number; columns: number }
): IPlace | null {
  const last = { row: size.rows - 1, column: size.columns - 1 };
  switch (key) {
    case 'ArrowLeft':
      return { row, column: Math.max(0, column - 1) };
    case 'ArrowRight':
      return { row, column: Math.min(last.column, column + 1) };
    case 'ArrowUp':
      return { row: Math.max(0, row - 1), column };
    case 'ArrowDown':
      return { row: Math.min(last.row, row + 1), column };
    case 'Home':
      return { row: control ? 0 : row, column: 0 };
    case 'End':
      return { row: control ? last.row : row, column: last.column };
    default:
      return null;
  }
}

/** How far a backfill has come, from the bottom up. */
function BackfillBar(props: { backfill: IBackfill }): React.JSX.Element {
  return (
    <span className="jp-Pipelines-backfillBar">
      {PARTS.map(([tone, states]) => (
        <span
          key={tone}
          data-tone={tone || undefined}
          style={{ flexGrow: countOf(props.backfill, states) }}
        />
      ))}
    </span>
  );
}

export function RunGrid(props: {
  columns: readonly Column[];
  rows: readonly string[];
  /** The steps that the notebook has now. */
  steps: readonly string[];
  selected: ISquare | null;
  onSelect: (square: ISquare | null) => void;
  known: IKnown;
  now: Date;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { columns, rows, steps, selected, onSelect, known, now, trans } = props;
  const frame = React.useRef<HTMLDivElement>(null);
  const cardId = React.useId();
  // The place that Tab leads to; the newest run at first.
  const [place, setPlace] = React.useState<IPlace>({
    row: 0,
    column: Infinity
  });
  const [hovered, setHovered] = React.useState<IPlace | null>(null);
  const at: IPlace = {
    row: Math.min(place.row, rows.length),
    column: Math.min(place.column, columns.length - 1)
  };
  const newest = columns[columns.length - 1]?.id;
  React.useEffect(() => {
    // The newest is what one looks for. Not before the panel has its width.
    const frameRequest = window.requestAnimationFrame(() => {
      if (frame.current) {
        frame.current.scrollLeft = frame.current.scrollWidth;
      }
    });
    return () => {
      window.cancelAnimationFrame(frameRequest);
    };
  }, [newest, columns.length]);

  const find = ({ row, column }: IPlace): HTMLElement | null =>
    frame.current?.querySelector(
      `[data-column="${column}"][data-row="${columns[column]?.kind === 'backfill' ? 0 : row}"]`
    ) ?? null;
  const placeOf = (target: EventTarget): IPlace | null => {
    const square =
      target instanceof Element
        ? target.closest<HTMLElement>('[data-column]')
        : null;
    return (
      square && {
        row: Number(square.dataset.row),
        column: Number(square.dataset.column)
      }
    );
  };
  const pick = (picked: IPlace): void => {
    const column = columns[picked.column];
    if (column) {
      const { kind, id } = column;
      const step = kind === 'run' ? (rows[picked.row - 1] ?? '') : '';
      onSelect({ kind, id, step });
    }
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      pick(at);
      return;
    }
    if (event.key === 'Escape') {
      setHovered(null);
      onSelect(null);
      return;
    }
    const next = placeAfter(event.key, event.ctrlKey || event.metaKey, at, {
      rows: rows.length + 1,
      columns: columns.length
    });
    if (next) {
      event.preventDefault();
      setPlace(next);
      find(next)?.focus();
    }
  };
  const heights = heightsOf(columns, now);
  const square = (
    row: number,
    index: number,
    column: Column,
    step: string
  ): React.HTMLAttributes<HTMLElement> & Record<`data-${string}`, unknown> => ({
    'data-row': row,
    'data-column': index,
    'data-hovered': hovered?.column === index || undefined,
    tabIndex:
      at.column === index && (at.row === row || column.kind === 'backfill')
        ? 0
        : -1,
    'aria-label': squareText(column, step, now, trans),
    'aria-selected': selected?.id === column.id && selected.step === step,
    'aria-colindex': index + 2,
    'aria-describedby':
      hovered?.column === index && hovered.row === row ? cardId : undefined,
    style: { gridColumn: index + 2, gridRow: row + 1 }
  });
  const about = hovered && columns[hovered.column];
  return (
    <div
      className="jp-Pipelines-runFrame"
      ref={frame}
      onScroll={() => {
        setHovered(null);
      }}
    >
      <div
        role="grid"
        className="jp-Pipelines-runGrid"
        aria-label={trans.__('Runs and their steps, the newest last')}
        aria-colcount={columns.length + 1}
        aria-rowcount={rows.length + 1}
        style={
          {
            '--jp-pipelines-columns': columns.length,
            '--jp-pipelines-rows': rows.length
          } as React.CSSProperties
        }
        onKeyDown={onKeyDown}
        onClick={event => {
          const picked = placeOf(event.target);
          if (picked) {
            setPlace(picked);
            pick(picked);
          }
        }}
        onPointerOver={event => {
          setHovered(placeOf(event.target));
        }}
        onPointerLeave={() => {
          setHovered(null);
        }}
        onFocus={event => {
          const focused = placeOf(event.target);
          // By the keyboard: a click shows the detail anyway.
          if (focused && event.target.matches(':focus-visible')) {
            setHovered(focused);
          }
        }}
        onBlur={() => {
          setHovered(null);
        }}
      >
        <div role="row" className="jp-Pipelines-runRow">
          <div
            role="columnheader"
            className="jp-Pipelines-runCorner"
            aria-colindex={1}
            style={{ gridColumn: 1, gridRow: 1 }}
          >
            {trans.__('Run')}
          </div>
          {columns.map((column, index) => (
            <div
              key={column.id}
              role="columnheader"
              className="jp-Pipelines-runHead"
              data-kind={column.kind}
              {...square(0, index, column, '')}
              {...(column.kind === 'backfill'
                ? {
                    style: {
                      gridColumn: index + 2,
                      gridRow: `1 / span ${rows.length + 1}`
                    }
                  }
                : {})}
            >
              {column.kind === 'run' ? (
                <>
                  <span
                    className="jp-Pipelines-runBar"
                    data-tone={toneOf(column.run.state)}
                    style={{ height: `${3 + 33 * (heights[index] ?? 0)}px` }}
                  />
                  <StateIcon
                    state={column.run.state}
                    trans={trans}
                    decorative
                  />
                </>
              ) : (
                <>
                  <BackfillBar backfill={column.backfill} />
                  <StateIcon
                    state={column.backfill.state}
                    trans={trans}
                    decorative
                  />
                </>
              )}
            </div>
          ))}
        </div>
        {rows.map((step, row) => (
          <div role="row" className="jp-Pipelines-runRow" key={step}>
            <div
              role="rowheader"
              className="jp-Pipelines-runStep"
              aria-colindex={1}
              data-gone={!steps.includes(step) || undefined}
              title={
                steps.includes(step)
                  ? step
                  : trans.__('%1 is no longer in the notebook', step)
              }
              style={{ gridColumn: 1, gridRow: row + 2 }}
            >
              {step}
            </div>
            {columns.map((column, index) => {
              if (column.kind === 'backfill') {
                return null;
              }
              const found = stepOf(column.run, step);
              return (
                <div
                  key={column.id}
                  role="gridcell"
                  className="jp-Pipelines-runSquare"
                  data-tone={found ? toneOf(found.state) : undefined}
                  data-state={found?.state}
                  {...square(row + 1, index, column, step)}
                >
                  {found && (
                    <StateIcon state={found.state} trans={trans} decorative />
                  )}
                </div>
              );
            })}
          </div>
        ))}
      </div>
      <HoverCard anchor={about ? find(hovered) : null} id={cardId}>
        {about && (
          <SquareCard
            column={about}
            step={rows[hovered.row - 1] ?? ''}
            known={known}
            now={now}
            trans={trans}
          />
        )}
      </HoverCard>
    </div>
  );
}
