/** What starts the pipeline: schedules and triggers. */
import { addIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { address, type ISchedule, type ITrigger } from '../../api';
import {
  Button,
  ErrorNotice,
  LinkButton,
  moment,
  Notice,
  Section,
  StaleNotice,
  useAction,
  useLive,
  useSignals
} from '../../ui';
import type { ISectionProps } from '../panel/context';
import { type ICardActions, ScheduleCard, TriggerCard } from './card';
import { Editor } from './editor';
import {
  draftOfSchedule,
  draftOfTrigger,
  duplicateOf,
  type IDraft,
  newDraft,
  scheduleRequest,
  triggerRequest
} from './model';
import type { ISaved } from './saving';
import { SIMPLE } from './simple';

/** What is said once something was done. */
interface IRemark {
  text: string;
  /** What to show to be copied: it is not kept anywhere. */
  secret?: string;
  undo?: () => Promise<unknown>;
}

/** The commonest, to begin with. */
function presets(props: ISectionProps): [string, Partial<IDraft>][] {
  const { trans } = props;
  return [
    [
      trans.__('Every day at 07:00'),
      { way: 'simple', simple: { ...SIMPLE, unit: 'day' } }
    ],
    [
      trans.__('Monday to Friday at 07:00'),
      { way: 'simple', simple: { ...SIMPLE, unit: 'weekday' } }
    ],
    [
      trans.__('Every hour'),
      { way: 'simple', simple: { ...SIMPLE, unit: 'hour' } }
    ]
  ];
}

function Empty(
  props: ISectionProps & { onBegin: (changes?: Partial<IDraft>) => void }
): React.JSX.Element {
  const { trans, onBegin } = props;
  return (
    <div className="jp-Pipelines-empty">
      <p>
        {trans.__(
          'No schedule yet. This notebook can run by itself, also while JupyterLab is closed:'
        )}
      </p>
      <div className="jp-Pipelines-presets">
        {presets(props).map(([label, changes]) => (
          <Button
            key={label}
            onClick={() => {
              onBegin(changes);
            }}
          >
            {label}
          </Button>
        ))}
        <LinkButton
          onClick={() => {
            onBegin({ way: 'after' });
          }}
        >
          {trans.__('After another notebook, or when a file comes…')}
        </LinkButton>
      </div>
    </div>
  );
}

/** What was done, and a way back. */
function Remark(props: {
  remark: IRemark;
  onDone: () => void;
  trans: ISectionProps['trans'];
}): React.JSX.Element {
  const { remark, onDone, trans } = props;
  const action = useAction();
  const { undo } = remark;
  const frame = React.useRef<HTMLDivElement>(null);
  // What had the focus is gone: who uses the keyboard goes on from here.
  React.useEffect(() => {
    frame.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div className="jp-Pipelines-remark" ref={frame} tabIndex={-1}>
      <Notice>
        <p>
          {remark.text}{' '}
          {undo && (
            <LinkButton
              disabled={action.busy}
              onClick={() => {
                action.start(async () => {
                  await undo();
                  onDone();
                });
              }}
            >
              {trans.__('Undo')}
            </LinkButton>
          )}
        </p>
        {remark.secret && (
          <input
            className="jp-Pipelines-input jp-mod-code"
            readOnly
            value={remark.secret}
            aria-label={trans.__('Command that sets it off')}
            onFocus={event => {
              event.target.select();
            }}
          />
        )}
        {!undo && <LinkButton onClick={onDone}>{trans.__('Close')}</LinkButton>}
        <ErrorNotice error={action.error} />
      </Notice>
    </div>
  );
}

export function Schedules(props: ISectionProps): React.JSX.Element {
  const { notebook, drafts, trans, records } = props;
  const { parameters } = props.pipeline;
  const path = notebook.notebook;
  useSignals(drafts.changed);
  const schedules = useLive(notebook.schedules);
  const triggers = useLive(notebook.triggers);
  const versions = useLive(notebook.versions);
  const [remark, setRemark] = React.useState<IRemark | null>(null);
  const draft = drafts.of(path);
  const { api } = records;

  const begin = (changes: Partial<IDraft> = {}): void => {
    setRemark(null);
    drafts.begin(path, { ...newDraft(drafts.defaults), ...changes });
  };
  const saved = ({ schedule, trigger }: ISaved): void => {
    if (trigger?.token) {
      setRemark({
        text: trans.__('Saved. Copy this now: its token is not shown again.'),
        secret: `curl -H 'Authorization: Bearer ${trigger.token}' -d '{}' ${address(api.settings.baseUrl, `triggers/${trigger.id}`)}`
      });
    } else if (schedule?.next) {
      const { zone } = schedule.schedule;
      setRemark({
        text: trans.__(
          'Saved. It runs next on %1.',
          moment(new Date(schedule.next), zone)
        )
      });
    } else {
      setRemark({ text: trans.__('Saved.') });
    }
  };

  const editing = (
    written: IDraft
  ): Pick<ICardActions, 'edit' | 'duplicate'> => ({
    edit: () => {
      setRemark(null);
      drafts.begin(path, written);
    },
    duplicate: () => {
      setRemark(null);
      drafts.begin(path, duplicateOf(written));
    }
  });
  const ofSchedule = (schedule: ISchedule): ICardActions => ({
    ...editing(draftOfSchedule(schedule, parameters)),
    pause: async paused => {
      await api.pauseSchedule(schedule.id, paused);
      await schedules.refresh();
    },
    remove: async () => {
      const removed = await api.removeSchedule(schedule.id);
      const written = duplicateOf(draftOfSchedule(removed, parameters));
      const asked = scheduleRequest(path, written, []);
      await schedules.refresh();
      setRemark({
        text: trans.__('Removed the schedule.'),
        ...(asked
          ? {
              undo: async () => {
                const when = { ...removed.schedule };
                await api.addSchedule({ ...asked, when }, written.key);
                await schedules.refresh();
              }
            }
          : {})
      });
    },
    runNow: async () => {
      await api.runSchedule(schedule.id);
      setRemark({ text: trans.__('Started a run.') });
    }
  });
  const ofTrigger = (trigger: ITrigger): ICardActions => {
    const dependent = JSON.stringify(trigger.parameters).includes('{{');
    return {
      ...editing(draftOfTrigger(trigger, parameters)),
      pause: async paused => {
        await api.pauseTrigger(trigger.id, paused);
        await triggers.refresh();
      },
      remove: async () => {
        const removed = await api.removeTrigger(trigger.id);
        const written = duplicateOf(draftOfTrigger(removed, parameters));
        const asked = triggerRequest(path, written, []);
        await triggers.refresh();
        setRemark({
          text: trans.__('Removed the trigger.'),
          undo: async () => {
            const given = removed.parameters;
            await api.addTrigger({ ...asked, parameters: given }, written.key);
            await triggers.refresh();
          }
        });
      },
      runNow: dependent
        ? null
        : async () => {
            const { version } = trigger;
            await api.submit({
              notebook: path,
              parameters: trigger.parameters,
              ...(version ? { version } : {})
            });
            setRemark({ text: trans.__('Started a run.') });
          }
    };
  };

  const cards = (schedules.value?.length ?? 0) + (triggers.value?.length ?? 0);
  const known = schedules.value !== null && triggers.value !== null;
  const isThere =
    draft?.editing &&
    [...(schedules.value ?? []), ...(triggers.value ?? [])].some(
      ({ id }) => id === draft.editing
    );
  const gone = known && !!draft?.editing && !isThere;
  const editor = draft && (
    <Editor
      {...props}
      draft={gone ? { ...draft, editing: '' } : draft}
      gone={gone}
      onSaved={saved}
      onCancel={() => {
        drafts.set(path, null);
        if (draft.touched) {
          setRemark({
            text: trans.__('Nothing was saved.'),
            undo: () => {
              drafts.begin(path, draft);
              return Promise.resolve();
            }
          });
        }
      }}
    />
  );
  const isEdited = (id: string): boolean => draft?.editing === id;
  return (
    <Section
      title={trans.__('Schedules')}
      name="schedules"
      {...(cards > 0 ? { count: cards } : {})}
      actions={
        !draft &&
        known && (
          <Button
            icon={addIcon}
            onClick={() => {
              begin();
            }}
          >
            {trans.__('Schedule')}
          </Button>
        )
      }
    >
      <StaleNotice live={schedules} trans={trans} />
      {remark && (
        <Remark
          key={remark.text}
          remark={remark}
          trans={trans}
          onDone={() => {
            setRemark(null);
          }}
        />
      )}
      {!isThere && editor}
      {!known && !schedules.error && (
        <p className="jp-Pipelines-hint">
          {trans.__('Looking for schedules…')}
        </p>
      )}
      {known && cards === 0 && !draft && <Empty {...props} onBegin={begin} />}
      <ul className="jp-Pipelines-cards">
        {schedules.value?.map(schedule =>
          isEdited(schedule.id) ? (
            <li key={schedule.id}>{editor}</li>
          ) : (
            <ScheduleCard
              key={schedule.id}
              {...ofSchedule(schedule)}
              schedule={schedule}
              versions={versions.value}
              trans={trans}
            />
          )
        )}
        {triggers.value?.map(trigger =>
          isEdited(trigger.id) ? (
            <li key={trigger.id}>{editor}</li>
          ) : (
            <TriggerCard
              key={trigger.id}
              {...ofTrigger(trigger)}
              trigger={trigger}
              versions={versions.value}
              trans={trans}
            />
          )
        )}
      </ul>
    </Section>
  );
}
