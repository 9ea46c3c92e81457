/** The steps: as a graph, and as a list that says the same; live while a run goes on. */
import * as React from 'react';
import { graphIcon } from '../../icons';
import { CommandIDs } from '../../tokens';
import { IconButton, Section, useLive } from '../../ui';
import { Dag } from '../dag/view';
import type { ISectionProps } from '../panel/context';
import { stepOfCell } from '../panel/model';
import { StepList } from './list';
import { lastStates } from './model';

export function Steps(props: ISectionProps): React.JSX.Element | null {
  const { pipeline, compiler, notebook, commands, trans } = props;
  const runs = useLive(notebook.runs).value;
  const states = React.useMemo(() => lastStates(runs ?? []), [runs]);
  if (pipeline.steps.length === 0) {
    return null;
  }
  const selected = stepOfCell(pipeline, compiler.current.activeCell);
  const goToStep = (name: string): void => {
    const step = pipeline.steps.find(candidate => candidate.name === name);
    void commands.execute(CommandIDs.goToCell, { cell: step?.cells[0] ?? 0 });
  };
  const shared = { pipeline, selected, states, onPick: goToStep, trans };
  return (
    <Section
      title={trans.__('Steps')}
      name="steps"
      count={pipeline.steps.length}
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
      <div className="jp-Pipelines-dagFrame">
        <Dag {...shared} />
      </div>
      <StepList {...shared} />
    </Section>
  );
}
