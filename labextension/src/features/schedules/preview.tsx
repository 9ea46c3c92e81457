/** What a schedule is going to do, before it is saved. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { JSONValue } from '@lumino/coreutils';
import * as React from 'react';
import {
  type Api,
  type ApiError,
  asApiError,
  type IPreview,
  type IScheduleSpec
} from '../../api';
import { moment, relative } from '../../ui';
import { textOf } from '../parameters/model';
import { browserZone } from './model';

/** Milliseconds without a key until the server is asked. */
const PAUSE = 200;
const SHOWN = 5;

export interface IPreviewed {
  /** The last good answer; it stays while another is on its way, or cannot be had. */
  readonly preview: IPreview | null;
  readonly error: ApiError | null;
  readonly pending: boolean;
}

/** The next runs of what is being written, `null` when that says no time yet; asked for again when the server is heard again. */
export function usePreview(
  api: Api,
  spec: IScheduleSpec | null,
  heard: boolean
): IPreviewed {
  const [state, setState] = React.useState<IPreviewed>({
    preview: null,
    error: null,
    pending: spec !== null
  });
  const asked = spec && JSON.stringify(spec);
  const first = React.useRef(true);
  React.useEffect(() => {
    if (!asked) {
      setState(last => ({ ...last, error: null, pending: false }));
      return;
    }
    const abort = new AbortController();
    setState(last => ({ ...last, pending: true }));
    const timer = window.setTimeout(
      () => {
        const when = JSON.parse(asked) as IScheduleSpec;
        api.previewSchedule({ when, count: SHOWN }, abort.signal).then(
          preview => {
            setState({ preview, error: null, pending: false });
          },
          (error: unknown) => {
            if (!abort.signal.aborted) {
              setState(last => ({
                ...last,
                error: asApiError(error),
                pending: false
              }));
            }
          }
        );
      },
      first.current ? 0 : PAUSE
    );
    first.current = false;
    return () => {
      window.clearTimeout(timer);
      abort.abort();
    };
  }, [api, asked, heard]);
  return state;
}

/** What a parameter is going to be in the runs that were asked for. */
export function valuesIn({ preview }: IPreviewed, name: string): JSONValue[] {
  return (preview?.times ?? []).flatMap(({ parameters }) =>
    parameters && name in parameters ? [parameters[name] ?? null] : []
  );
}

/** The days of a data window, the last one included: `22 Nov 2026`, `16 – 22 Nov 2026`. */
export function windowDays(
  window: { start: string; end: string },
  zone: string
): string {
  const start = new Date(window.start);
  const end = new Date(new Date(window.end).getTime() - 1);
  const long = end.getTime() - start.getTime() > 2 * 3600 * 1000;
  return new Intl.DateTimeFormat(undefined, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    ...(long ? {} : { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
    timeZone: zone
  }).formatRange(start, end);
}

/** What the reader's clock shows then, with the day where that is another; empty when all is the same. */
export function clockHere(time: Date, zone: string, here: string): string {
  const [there, mine] = [moment(time, zone), moment(time, here)];
  if (there === mine) {
    return '';
  }
  const clock = /\d+:\d+.*$/;
  return there.replace(clock, '') === mine.replace(clock, '')
    ? (clock.exec(mine)?.[0] ?? mine)
    : mine;
}

/** Of what the server tells of a change of the clocks: is anything else than one expects? */
export function isSurprise(change: string): boolean {
  return !/: (?:no effect|it goes on every [^:]*)$/.test(change);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What else is to be known of a run, in a line. */
function More(props: {
  clock: string;
  data: string;
  values: readonly string[];
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { clock, data, values, trans } = props;
  const words = [
    ...(clock ? [trans.__('%1 where you are', clock)] : []),
    ...(data ? [trans.__('data of %1', data)] : [])
  ].join(' · ');
  return words || values.length > 0 ? (
    <p className="jp-Pipelines-hint">
      {words}
      {values.map((value, index) => (
        <React.Fragment key={value}>
          {(words || index > 0) && ' · '}
          <code>{value}</code>
        </React.Fragment>
      ))}
    </p>
  ) : null;
}

export function NextRuns(props: {
  previewed: IPreviewed;
  /** Parameters whose values depend on the time. */
  dependent: readonly string[];
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { previewed, dependent, trans } = props;
  const { preview, error, pending } = previewed;
  if (!preview) {
    return pending ? (
      <p className="jp-Pipelines-hint">
        {trans.__('Working out the next runs…')}
      </p>
    ) : null;
  }
  const zone = preview.schedule.zone ?? 'UTC';
  // What is said of a run that is shown is not said again.
  const said = preview.times.flatMap(each => each.notes);
  const odd = preview.clock_changes
    .filter(isSurprise)
    .filter(change => !said.some(note => change.endsWith(note)));
  return (
    <section
      className="jp-Pipelines-nextRuns"
      aria-label={trans.__('Next runs')}
      data-stale={error !== null || undefined}
      aria-busy={pending}
    >
      <h5>
        {trans._n('The next run', 'The next %1 runs', preview.times.length)}
      </h5>
      <ol>
        {preview.times.map((each, index) => {
          const time = new Date(each.time);
          return (
            <li key={each.time}>
              <div className="jp-Pipelines-nextRun">
                <time dateTime={each.time}>{moment(time, zone)}</time>
                {index === 0 && (
                  <span className="jp-Pipelines-hint">{relative(time)}</span>
                )}
              </div>
              <More
                clock={clockHere(time, zone, browserZone())}
                data={each.window ? windowDays(each.window, zone) : ''}
                values={dependent.flatMap(name =>
                  each.parameters && name in each.parameters
                    ? [`${name} = ${textOf(each.parameters[name] ?? null)}`]
                    : []
                )}
                trans={trans}
              />
              {each.notes.map(note => (
                <p key={note} className="jp-Pipelines-surprise">
                  {capital(note)}
                </p>
              ))}
            </li>
          );
        })}
      </ol>
      {odd.map(change => (
        <p key={change} className="jp-Pipelines-surprise">
          {capital(change)}
        </p>
      ))}
      {!preview.clock_changes.some(isSurprise) && said.length === 0 && (
        <p className="jp-Pipelines-hint">
          {trans.__('Daylight saving changes nothing about it.')}
        </p>
      )}
    </section>
  );
}
