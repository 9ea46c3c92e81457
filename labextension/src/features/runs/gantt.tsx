/** The steps of a run along time, to choose one of. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IRun, IRunStep } from '../../api';
import { duration, StateIcon, toneOf, wordOf } from '../../ui';
import { lengthText } from './about';
import { timelineOf } from './timeline';

const percent = (share: number): string => `${(100 * share).toFixed(3)}%`;

export function Gantt(props: {
  run: IRun;
  steps: readonly IRunStep[];
  selected: string;
  onPick: (step: string) => void;
  now: Date;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { run, steps, selected, onPick, now, trans } = props;
  const { bars, ticks } = timelineOf(run, steps, now);
  const list = React.useRef<HTMLOListElement>(null);
  const current = Math.max(
    0,
    steps.findIndex(step => step.name === selected)
  );
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const to = {
      ArrowUp: current - 1,
      ArrowDown: current + 1,
      Home: 0,
      End: steps.length - 1
    }[event.key];
    const step = to === undefined ? undefined : steps[to];
    if (to !== undefined && step) {
      event.preventDefault();
      onPick(step.name);
      list.current?.querySelectorAll('button')[to]?.focus();
    }
  };
  return (
    <div className="jp-Pipelines-gantt">
      <ol
        ref={list}
        onKeyDown={onKeyDown}
        aria-label={trans.__('Steps along time')}
      >
        {bars.map(({ step, start, width }, index) => (
          <li key={step.name}>
            <button
              type="button"
              tabIndex={index === current ? 0 : -1}
              aria-pressed={step.name === selected}
              aria-label={`${step.name}, ${wordOf(step.state, trans)}, ${lengthText(step, now)}`}
              onClick={() => {
                onPick(step.name);
              }}
            >
              <span className="jp-Pipelines-ganttName">
                <StateIcon state={step.state} trans={trans} decorative />
                <span title={step.name}>{step.name}</span>
              </span>
              <span className="jp-Pipelines-ganttTrack">
                {ticks.map(tick => (
                  <i
                    key={tick.seconds}
                    style={{ insetInlineStart: percent(tick.at) }}
                  />
                ))}
                {step.started > 0 && (
                  <span
                    className="jp-Pipelines-ganttBar"
                    data-tone={toneOf(step.state)}
                    data-state={step.state}
                    style={{
                      insetInlineStart: percent(start),
                      width: percent(width)
                    }}
                  />
                )}
                <span
                  className="jp-Pipelines-ganttLength"
                  style={
                    start + width > 0.85
                      ? { insetInlineEnd: percent(1 - start) }
                      : { insetInlineStart: percent(start + width) }
                  }
                >
                  <span>
                    {step.started > 0
                      ? lengthText(step, now)
                      : wordOf(step.state, trans)}
                  </span>
                </span>
              </span>
            </button>
          </li>
        ))}
      </ol>
      <div className="jp-Pipelines-ganttAxis" aria-hidden="true">
        {ticks.map(tick => (
          <span
            key={tick.seconds}
            style={{ insetInlineStart: percent(tick.at) }}
          >
            {duration(tick.seconds)}
          </span>
        ))}
      </div>
    </div>
  );
}
