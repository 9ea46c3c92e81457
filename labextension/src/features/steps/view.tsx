/** The steps: as a graph, and as a list that says the same; live while a run goes on. */
import * as React from 'react';
import { graphIcon } from '../../icons';
import { CommandIDs } from '../../tokens';
import { IconButton, Section, useLive, useSignals } from '../../ui';
import { useInSight } from '../dag/in-sight';
import { Dag } from '../dag/view';
import type { ISectionProps } from '../panel/context';
import { stepOfCell } from '../panel/model';
import { inWords } from '../values/model';
import { StepList } from './list';
import { lastStates } from './model';

export function Steps(props: ISectionProps): React.JSX.Element | null {
  const { pipeline, compiler, notebook, liveValues, commands, trans } = props;
  useSignals(liveValues.changed, compiler.changed);
  const { values } = liveValues;
  const runs = useLive(notebook.runs).value;
  const states = React.useMemo(() => lastStates(runs ?? []), [runs]);
  // What the kernel holds by now, and whether it can be handed over.
  const describe = React.useCallback(
    (name: string): string => {
      const value = values.get(name);
      if (!value) {
        return '';
      }
      return value.carried
        ? inWords(value)
        : trans.__('%1; cannot be carried: %2', inWords(value), value.reason);
    },
    [values, trans]
  );
  const selected = stepOfCell(pipeline, compiler.current.activeCell);
  const frame = useInSight(selected);
  const { steps } = pipeline;
  const goToStep = React.useCallback(
    (name: string): void => {
      const step = steps.find(candidate => candidate.name === name);
      void commands.execute(CommandIDs.goToCell, { cell: step?.cells[0] ?? 0 });
    },
    [steps, commands]
  );
  if (steps.length === 0) {
    return null;
  }
  const shared = {
    pipeline,
    selected,
    states,
    describe,
    onPick: goToStep,
    trans
  };
  return (
    <Section
      title={trans.__('Steps')}
      name="steps"
      count={steps.length}
      actions={
        <IconButton
          icon={graphIcon}
          label={trans.__('Open the graph in a tab')}
          onClick={() => {
            void commands.execute(CommandIDs.openGraph);
          }}
        />
      }
    >
      <div ref={frame} className="jp-Pipelines-dagFrame">
        <Dag {...shared} />
      </div>
      <StepList {...shared} />
    </Section>
  );
}
