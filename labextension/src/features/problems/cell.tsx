/** What is wrong with one cell, below its editor: there it moves nothing that one is typing. */
import { caretDownIcon, ReactWidget } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IDiagnostic } from '../../api';
import type { ICompiler } from '../../tokens';
import { IconButton, LinkButton, Message, ToneIcon } from '../../ui';
import { FixButtons, toneOfSeverity, wordOfSeverity } from './problem';

export interface ICellProblemsProps {
  problems: readonly IDiagnostic[];
  compiler: ICompiler;
  onPick: (line: number) => void;
  trans: TranslationBundle;
}

/** So many are seen before one asks for all. */
const MOST = 3;

function CellProblem(
  props: Omit<ICellProblemsProps, 'problems'> & { problem: IDiagnostic }
): React.JSX.Element {
  const { problem, compiler, onPick, trans } = props;
  const { severity, message, fix, location, fixes = [] } = problem;
  const [open, setOpen] = React.useState(false);
  const more = fix !== '' || fixes.length > 1;
  return (
    <li data-tone={toneOfSeverity(severity)} data-open={open || undefined}>
      <ToneIcon
        tone={toneOfSeverity(severity)}
        word={wordOfSeverity(severity, trans)}
      />
      <div className="jp-Pipelines-cellProblemText">
        <p title={open ? undefined : message.replace(/`/g, '')}>
          <Message text={message} />
        </p>
        {open && fix && (
          <p className="jp-Pipelines-fix">
            <Message text={fix} />
          </p>
        )}
        {open && <FixButtons problem={problem} compiler={compiler} />}
      </div>
      {location && (
        <LinkButton
          onClick={() => {
            onPick(location.line);
          }}
        >
          {trans.__('line %1', location.line)}
        </LinkButton>
      )}
      {!open && <FixButtons problem={problem} compiler={compiler} most={1} />}
      {more && (
        <IconButton
          icon={caretDownIcon}
          label={open ? trans.__('Less') : trans.__('What to do')}
          aria-expanded={open}
          onClick={() => {
            setOpen(!open);
          }}
        />
      )}
    </li>
  );
}

function CellProblems(props: ICellProblemsProps): React.JSX.Element {
  const { problems, trans } = props;
  const [all, setAll] = React.useState(false);
  const shown = all ? problems : problems.slice(0, MOST);
  return (
    <ul aria-label={trans.__('Problems of this cell')}>
      {shown.map(problem => (
        <CellProblem
          key={`${problem.code} ${problem.message}`}
          {...props}
          problem={problem}
        />
      ))}
      {shown.length < problems.length && (
        <li>
          <LinkButton
            onClick={() => {
              setAll(true);
            }}
          >
            {trans._n('%1 more', '%1 more', problems.length - shown.length)}
          </LinkButton>
        </li>
      )}
    </ul>
  );
}

export class CellProblemsWidget extends ReactWidget {
  constructor(private _props: ICellProblemsProps) {
    super();
    this.addClass('jp-Pipelines-cellProblems');
    this.node.dataset.lmSuppressShortcuts = 'true';
  }

  set problems(problems: readonly IDiagnostic[]) {
    this._props = { ...this._props, problems };
    this.update();
  }

  protected override render(): React.JSX.Element {
    return <CellProblems {...this._props} />;
  }
}
