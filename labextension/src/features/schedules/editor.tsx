/** The form in which a schedule or trigger is written. Whatever is in it is kept until it is saved or given up. */
import { UUID } from '@lumino/coreutils';
import * as React from 'react';
import { ApiError, type IParameter } from '../../api';
import {
  Button,
  Choices,
  ErrorNotice,
  Field,
  Notice,
  useAction,
  useLive
} from '../../ui';
import type { ISectionProps } from '../panel/context';
import { isExpression } from '../parameters/model';
import { useHeard } from '../running/heard';
import {
  browserZone,
  type IDraft,
  isTrigger,
  missingIn,
  partOf,
  specOf,
  type Way
} from './model';
import { Bounds, Parameters, Policies, Runs } from './options';
import { NextRuns, usePreview, valuesIn } from './preview';
import { type ISaved, publishes, saveDraft } from './saving';
import {
  After,
  Cron,
  Interval,
  type IPartProps,
  OnEvent,
  Simple
} from './when';

function messageOf({ message, fix }: ApiError): string {
  return fix ? `${message} ${fix}` : message;
}

/** All zones there are, the reader's own first. */
function zones(): string[] {
  return [
    ...new Set([browserZone(), 'UTC', ...Intl.supportedValuesOf('timeZone')])
  ];
}

function Zone(props: IPartProps): React.JSX.Element {
  const { draft, change, problemOf, trans } = props;
  const listed = React.useId();
  const known = React.useMemo(zones, []);
  return (
    <Field label={trans.__('Time zone')} problem={problemOf('zone')}>
      {field => (
        <>
          <input
            {...field}
            type="text"
            list={listed}
            className="jp-Pipelines-input"
            spellCheck={false}
            autoComplete="off"
            value={draft.zone}
            onFocus={event => {
              event.target.select();
            }}
            onChange={event => {
              change({ zone: event.target.value });
            }}
            onBlur={() => {
              if (!draft.zone.trim()) {
                change({ zone: browserZone() });
              }
            }}
          />
          <datalist id={listed}>
            {known.map(zone => (
              <option key={zone} value={zone} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

function When(
  props: IPartProps & { pipelines: readonly string[]; words: string }
): React.JSX.Element {
  switch (props.draft.way) {
    case 'simple':
      return <Simple {...props} />;
    case 'cron':
      return <Cron {...props} />;
    case 'interval':
      return <Interval {...props} />;
    case 'after':
      return <After {...props} />;
    case 'event':
      return <OnEvent {...props} />;
  }
}

/** What is wrong, and where: what was refused when it was saved, what the preview says, what is not filled in. */
function useProblems(
  draft: IDraft,
  parameters: readonly IParameter[],
  refused: unknown,
  previewed: ApiError | null,
  tried: boolean
): { problemOf: (part: string) => string; rest: unknown } {
  const errors = [refused, previewed].filter(
    (each): each is ApiError => each instanceof ApiError
  );
  const missing = tried ? missingIn(draft, parameters) : '';
  const problemOf = (part: string): string => {
    const found = errors.find(error => partOf(error.field, draft) === part);
    return found ? messageOf(found) : missing === part ? 'missing' : '';
  };
  const rest = errors.find(error => partOf(error.field, draft) === '');
  return {
    problemOf,
    rest: rest ?? (refused instanceof ApiError ? null : refused)
  };
}

export function Editor(
  props: ISectionProps & {
    draft: IDraft;
    /** What is changed here was removed meanwhile. */
    gone: boolean;
    onSaved: (saved: ISaved) => void;
    onCancel: () => void;
  }
): React.JSX.Element {
  const { draft, drafts, notebook, records, trans, onSaved } = props;
  const { parameters } = props.pipeline;
  const form = React.useRef<HTMLFormElement>(null);
  const [tried, setTried] = React.useState(false);
  const saving = useAction();
  const versions = useLive(notebook.versions);
  const pipelines = useLive(records.pipelines);
  const trigger = isTrigger(draft);
  const spec = specOf(draft, parameters);
  const heard = useHeard(records);
  const previewed = usePreview(records.api, trigger ? null : spec, heard);
  const { problemOf, rest } = useProblems(
    draft,
    parameters,
    saving.error,
    previewed.error,
    tried
  );

  const focus = (selector: string): void => {
    const target = form.current?.querySelector<HTMLElement>(selector);
    target?.focus();
    target?.scrollIntoView({ block: 'nearest' });
  };
  React.useEffect(() => {
    if (drafts.takeFocus(notebook.notebook)) {
      const section = form.current?.closest('details.jp-Pipelines-section');
      section?.setAttribute('open', '');
      form.current?.scrollIntoView({ block: 'nearest' });
      focus('[data-first]');
    }
  });
  const { error: refused, clear } = saving;
  React.useEffect(() => {
    if (refused) {
      focus('[aria-invalid]');
    }
  }, [refused]);
  // That the server did not answer is over.
  const unanswered = refused instanceof ApiError && refused.status === 0;
  React.useEffect(() => {
    if (heard && unanswered) {
      clear();
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps -- when it is heard again, not when it fails to answer
  }, [heard]);

  const change = (changes: Partial<IDraft>): void => {
    saving.clear();
    drafts.set(notebook.notebook, {
      ...draft,
      ...changes,
      key: UUID.uuid4(),
      touched: true
    });
  };
  const save = (): void => {
    setTried(true);
    if (missingIn(draft, parameters)) {
      window.setTimeout(() => {
        focus('[aria-invalid]');
      });
      return;
    }
    saving.start(async () => {
      const saved = await saveDraft(draft, {
        ...props,
        api: records.api,
        parameters
      });
      drafts.set(notebook.notebook, null);
      onSaved(saved);
    });
  };

  const all: [Way, string][] = [
    ['simple', trans.__('Simple')],
    ['cron', trans.__('Cron')],
    ['interval', trans.__('Interval')],
    ['after', trans.__('After')],
    ['event', trans.__('Event')]
  ];
  const ways = all.filter(
    ([way]) =>
      !draft.editing ||
      isTrigger({ ...draft, way }) === (draft.editingKind === 'trigger')
  );
  const part: IPartProps = { draft, change, problemOf, trans };
  const known = (pipelines.value ?? [])
    .map(each => each.notebook)
    .filter(path => path !== notebook.notebook);
  const dependent = Object.entries(draft.parameters)
    .filter(([, given]) => isExpression(given))
    .map(([name]) => name);
  const title = draft.editing
    ? trans.__('Change the schedule')
    : trans.__('New schedule');
  return (
    <form
      ref={form}
      className="jp-Pipelines-form jp-Pipelines-editor"
      aria-label={title}
      noValidate
      onSubmit={event => {
        event.preventDefault();
        save();
      }}
    >
      <h4>{title}</h4>
      {props.gone && (
        <Notice tone="warning">
          <p>
            {trans.__('It was removed meanwhile. Saving makes it once more.')}
          </p>
        </Notice>
      )}
      <Choices
        label={trans.__('What starts it')}
        value={draft.way}
        choices={ways}
        onChange={way => {
          change({ way });
        }}
      />
      <When {...part} pipelines={known} words={cronWords(draft, previewed)} />
      {!trigger && <Zone {...part} />}
      {!trigger && (
        <NextRuns previewed={previewed} dependent={dependent} trans={trans} />
      )}
      <Parameters
        {...part}
        parameters={parameters}
        next={name => (trigger ? [] : valuesIn(previewed, name))}
      />
      {!trigger && <Bounds {...part} />}
      <Policies {...part} />
      <Runs {...part} versions={versions.value} />
      <ErrorNotice error={rest} />
      {publishes(draft, notebook) && (
        <p className="jp-Pipelines-hint">
          {trans.__(
            'Saving publishes the notebook as its first version: that is what runs, whatever you edit later.'
          )}
        </p>
      )}
      <div className="jp-Pipelines-formEnd">
        <Button kind="primary" submit disabled={saving.busy}>
          {saving.busy ? trans.__('Saving…') : trans.__('Save')}
        </Button>
        <Button disabled={saving.busy} onClick={props.onCancel}>
          {trans.__('Cancel')}
        </Button>
      </div>
    </form>
  );
}

/** A cron expression in words, without its zone: that has a field of its own. */
function cronWords(
  draft: IDraft,
  { preview, error, pending }: ReturnType<typeof usePreview>
): string {
  return draft.way === 'cron' && preview && !error && !pending
    ? preview.words.replace(/ \([^()]*\)$/, '')
    : '';
}
