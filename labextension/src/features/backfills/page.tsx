/** A backfill in the main area: filled in beside what it would do, and then how far it has come. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import * as React from 'react';
import {
  ApiError,
  asApiError,
  type IBackfillDetail,
  type IBackfillWindow,
  type IParameter
} from '../../api';
import { CommandIDs, type IRecords } from '../../tokens';
import {
  Button,
  ErrorNotice,
  LinkButton,
  Message,
  Notice,
  StaleNotice,
  StateChip,
  StateIcon,
  useAction,
  useLive
} from '../../ui';
import {
  BackfillActions,
  ProgressBar,
  Remarks,
  useBackfill,
  Windows
} from './detail';
import { BackfillForm, hasField } from './form';
import {
  countOf,
  EXPRESSION,
  fateOf,
  ignoresWindows,
  type IDraft,
  isFilledIn,
  newDraft,
  progressText,
  requestOf,
  windowText,
  withWindow
} from './model';

/** What was filled in and not sent yet, by notebook. */
export interface IDrafts {
  load(notebook: string): Promise<IDraft | null>;
  save(notebook: string, draft: IDraft | null): void;
}

export interface IBackfillPageOptions {
  records: IRecords;
  commands: CommandRegistry;
  drafts: IDrafts;
  /** The parameters that a notebook declares. */
  parametersOf: (notebook: string) => Promise<IParameter[]>;
  trans: TranslationBundle;
}

type IPageProps = IBackfillPageOptions & {
  notebook: string;
  onStarted: (id: string) => void;
};

const PAUSE = 300; // milliseconds

interface IPreviewState {
  /** The last good one; it stays while a newer one is on its way. */
  preview: IBackfillDetail | null;
  error: ApiError | null;
  pending: boolean;
}

/** What the draft would do, asked for at every pause in filling in. */
function usePreview(
  props: IPageProps,
  draft: IDraft,
  parameters: readonly IParameter[] | null
): IPreviewState {
  const { records, notebook, trans } = props;
  const [state, setState] = React.useState<IPreviewState>({
    preview: null,
    error: null,
    pending: true
  });
  React.useEffect(() => {
    const same = parameters && ignoresWindows(draft, parameters);
    if (same || !parameters || !isFilledIn(draft, parameters, trans)) {
      const error = same
        ? new ApiError(
            trans.__('All windows would run with the same parameters.'),
            trans.__(
              'Give one of them the window of its run, such as `%1`.',
              EXPRESSION
            )
          )
        : null;
      setState(before => ({ ...before, error, pending: false }));
      return;
    }
    setState(before => ({ ...before, pending: true }));
    const abort = new AbortController();
    const timer = window.setTimeout(() => {
      records.api
        .previewBackfill(requestOf(notebook, draft, parameters), abort.signal)
        .then(
          preview => {
            setState({ preview, error: null, pending: false });
          },
          (error: unknown) => {
            if (!abort.signal.aborted) {
              setState(({ preview }) => ({
                preview,
                error: asApiError(error),
                pending: false
              }));
            }
          }
        );
    }, PAUSE);
    return () => {
      window.clearTimeout(timer);
      abort.abort();
    };
  }, [records, notebook, draft, parameters, trans]);
  return state;
}

/** What the run of a window is given, on one line. */
function Given(props: {
  parameters: IBackfillWindow['parameters'];
}): React.JSX.Element {
  const text = Object.entries(props.parameters)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(', ');
  return <code title={text}>{text}</code>;
}

function Preview(props: {
  state: IPreviewState;
  trans: TranslationBundle;
}): React.JSX.Element {
  // What is wrong is said in the form.
  const { preview, error, pending } = props.state;
  const { trans } = props;
  const open = preview ? countOf(preview, ['waiting']) : 0;
  return (
    <section
      className="jp-Pipelines-preview"
      aria-label={trans.__('What it would do')}
      aria-busy={pending}
    >
      <h3>{trans.__('What it would do')}</h3>
      {error && (
        <p className="jp-Pipelines-hint">
          {preview
            ? trans.__('Below is what it would have done before.')
            : trans.__('Nothing, until the form is put right.')}
        </p>
      )}
      {!preview && !error && (
        <p className="jp-Pipelines-hint">
          {pending
            ? trans.__('Working out the windows …')
            : trans.__('Fill in the range to see the windows.')}
        </p>
      )}
      {preview && (
        <>
          <p role="status">
            {trans._n('%1 window', '%1 windows', preview.size)}
            {' · '}
            {trans._n('%1 run', '%1 runs', open)}
            {preview.size > open &&
              ` · ${trans.__('%1 done before', preview.size - open)}`}
          </p>
          {preview.notes.map(note => (
            <Notice key={note}>
              <Message text={note} />
            </Notice>
          ))}
          <ol
            className="jp-Pipelines-windows"
            tabIndex={0}
            aria-label={trans.__('Windows, in the order in which they run')}
          >
            {preview.windows.map(window => (
              <li key={window.key} data-state={window.state}>
                <StateIcon state={window.state} trans={trans} decorative />
                <span>{windowText(window, preview.window)}</span>
                <Given parameters={window.parameters} />
                <span className="jp-Pipelines-place">
                  {fateOf(window, trans)}
                </span>
              </li>
            ))}
            {preview.size > preview.windows.length && (
              <li className="jp-Pipelines-hint">
                {trans.__('and %1 more', preview.size - preview.windows.length)}
              </li>
            )}
          </ol>
        </>
      )}
    </section>
  );
}

function Wizard(props: IPageProps): React.JSX.Element {
  const { notebook, records, drafts, parametersOf, onStarted, trans } = props;
  const [draft, setDraft] = React.useState<IDraft | null>(null);
  const [parameters, setParameters] = React.useState<IParameter[] | null>(null);
  const reading = useAction();
  const starting = useAction();
  const schedules = useLive(records.of(notebook).schedules);
  const { start: read } = reading;
  const load = React.useCallback(() => {
    read(async () => {
      const [kept, declared] = await Promise.all([
        drafts.load(notebook),
        parametersOf(notebook)
      ]);
      setParameters(declared);
      setDraft(kept ?? withWindow(newDraft(), declared));
    });
  }, [read, drafts, parametersOf, notebook]);
  React.useEffect(load, [load]);
  const [blank] = React.useState(newDraft);
  const state = usePreview(props, draft ?? blank, draft ? parameters : null);
  const change = (made: Partial<IDraft>): void => {
    const next = { ...(draft ?? blank), ...made };
    setDraft(next);
    drafts.save(notebook, next);
  };
  if (reading.error) {
    return (
      <ErrorNotice error={reading.error}>
        <LinkButton onClick={load}>{trans.__('Try again')}</LinkButton>
      </ErrorNotice>
    );
  }
  if (!draft || !parameters) {
    return (
      <p className="jp-Pipelines-hint" role="status">
        {trans.__('Reading the notebook …')}
      </p>
    );
  }
  const { preview, error, pending } = state;
  const open = preview ? countOf(preview, ['waiting']) : 0;
  const ready =
    preview !== null &&
    open > 0 &&
    !error &&
    !pending &&
    isFilledIn(draft, parameters, trans);
  return (
    <div className="jp-Pipelines-wizard">
      <form
        onSubmit={event => {
          event.preventDefault();
          if (!ready) {
            return;
          }
          starting.start(async () => {
            const made = await records.api.addBackfill(
              requestOf(notebook, draft, parameters)
            );
            if (!made.id) {
              throw new ApiError(
                trans.__('All of these windows have been done meanwhile.')
              );
            }
            drafts.save(notebook, null);
            void records.of(notebook).backfills.refresh();
            onStarted(made.id);
          });
        }}
      >
        <BackfillForm
          draft={draft}
          onChange={change}
          error={error}
          preview={preview}
          parameters={parameters}
          schedules={schedules.value ?? []}
          trans={trans}
        />
        {error && !hasField(error, draft, parameters) && (
          <ErrorNotice error={error} />
        )}
        <div className="jp-Pipelines-formEnd">
          <Button kind="primary" submit disabled={!ready || starting.busy}>
            {preview && open === 0
              ? trans.__('Nothing is left to run')
              : trans._n('Run %1 window', 'Run %1 windows', open)}
          </Button>
          <LinkButton
            onClick={() => {
              setDraft(withWindow(newDraft(), parameters));
              drafts.save(notebook, null);
            }}
          >
            {trans.__('Begin anew')}
          </LinkButton>
        </div>
        <ErrorNotice error={starting.error} />
      </form>
      <Preview state={state} trans={trans} />
    </div>
  );
}

function Progress(
  props: IBackfillPageOptions & { id: string; onNew: () => void }
): React.JSX.Element {
  const { id, records, commands, onNew, trans } = props;
  const live = useBackfill(records, id);
  const backfill = live.value;
  return (
    <>
      <StaleNotice live={live} trans={trans} />
      {backfill && (
        <div className="jp-Pipelines-backfillProgress">
          <div className="jp-Pipelines-pageTitle">
            <span role="status">
              <StateChip state={backfill.state} trans={trans} />
            </span>
            <span>{progressText(backfill, trans)}</span>
          </div>
          <ProgressBar backfill={backfill} trans={trans} />
          <Remarks backfill={backfill} trans={trans} />
          <BackfillActions
            live={live}
            backfill={backfill}
            records={records}
            trans={trans}
          />
          <Windows
            backfill={backfill}
            trans={trans}
            onPick={run => {
              void commands.execute(CommandIDs.openRun, { run });
            }}
          />
          <LinkButton onClick={onNew}>
            {trans.__('Ask for another backfill')}
          </LinkButton>
        </div>
      )}
    </>
  );
}

/** Shows the form, or with an id how far that backfill has come. */
export class BackfillWidget extends ReactWidget {
  constructor(
    readonly notebook: string,
    backfill: string,
    private readonly _options: IBackfillPageOptions
  ) {
    super();
    this._backfill = backfill;
    this.addClass('jp-Pipelines-page');
  }

  /** The id of the backfill that is shown; empty for the form. */
  get backfill(): string {
    return this._backfill;
  }

  set backfill(id: string) {
    if (id !== this._backfill) {
      this._backfill = id;
      this.changed.emit();
      this.update();
    }
  }

  readonly changed = new Signal<this, void>(this);

  protected override render(): React.JSX.Element {
    const { trans } = this._options;
    return (
      <>
        <h2>{trans.__('Backfill of %1', this.notebook)}</h2>
        {this._backfill ? (
          <Progress
            {...this._options}
            key={this._backfill}
            id={this._backfill}
            onNew={() => {
              this.backfill = '';
            }}
          />
        ) : (
          <Wizard
            {...this._options}
            notebook={this.notebook}
            onStarted={id => {
              this.backfill = id;
            }}
          />
        )}
      </>
    );
  }

  private _backfill: string;
}
