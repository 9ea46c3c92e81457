/** What differs between two versions of a notebook, cell by cell. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { ChangeKind, IChange, IVersionDiff } from '../../api';
import { isEmpty, lineOf } from './model';

function kindInWords(kind: ChangeKind, trans: TranslationBundle): string {
  const words: Record<ChangeKind, string> = {
    added: trans.__('added'),
    removed: trans.__('removed'),
    changed: trans.__('changed'),
    moved: trans.__('moved')
  };
  return words[kind];
}

function Lines(props: {
  lines: readonly string[];
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { lines, trans } = props;
  if (lines.length === 0) {
    return null;
  }
  const words = { added: trans.__('added:'), removed: trans.__('removed:') };
  return (
    <pre className="jp-Pipelines-diffLines">
      {lines.map((line, index) => {
        const { kind, text } = lineOf(line);
        return (
          <div key={index} data-kind={kind}>
            {(kind === 'added' || kind === 'removed') && (
              <span className="jp-Pipelines-forReaders">{words[kind]} </span>
            )}
            {kind === 'gap' ? '⋯' : text || ' '}
          </div>
        );
      })}
    </pre>
  );
}

/** `name: before → after`, one per line. */
function Changes(props: {
  changes: readonly IChange[];
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { changes, trans } = props;
  if (changes.length === 0) {
    return null;
  }
  return (
    <dl className="jp-Pipelines-changes">
      {changes.map(({ name, before, after }) => (
        <React.Fragment key={name}>
          <dt>{name}</dt>
          <dd>
            {before === null ? (
              <em>{trans.__('none')}</em>
            ) : (
              <del>{before}</del>
            )}
            <span aria-hidden="true"> → </span>
            {after === null ? <em>{trans.__('none')}</em> : <ins>{after}</ins>}
          </dd>
        </React.Fragment>
      ))}
    </dl>
  );
}

function Part(props: {
  title: string;
  kind?: ChangeKind;
  place?: string;
  children: React.ReactNode;
}): React.JSX.Element {
  return (
    <section className="jp-Pipelines-diffPart" data-kind={props.kind}>
      <h3>
        {props.place && (
          <span className="jp-Pipelines-place">{props.place}</span>
        )}
        {props.title}
      </h3>
      {props.children}
    </section>
  );
}

function Cell(props: {
  cell: IVersionDiff['cells'][number];
  trans: TranslationBundle;
  onPick?: ((cell: number) => void) | undefined;
}): React.JSX.Element {
  const { cell, trans, onPick } = props;
  const { kind, before, after, moved, first_line } = cell;
  const number = after ?? before ?? 0;
  const place =
    moved && before !== null && after !== null
      ? trans.__('Cell %1, before %2', after, before)
      : trans.__('Cell %1', number);
  // Roles say what tags say, in our words.
  const marks = cell.marks.some(({ name }) => name === 'role')
    ? cell.marks.filter(({ name }) => name !== 'tags')
    : cell.marks;
  return (
    <Part
      kind={kind}
      place={place}
      title={
        moved && kind === 'changed'
          ? trans.__('changed and moved')
          : kindInWords(kind, trans)
      }
    >
      <Changes changes={marks} trans={trans} />
      {cell.lines.length > 0 ? (
        <Lines lines={cell.lines} trans={trans} />
      ) : (
        <pre className="jp-Pipelines-diffLines">
          <div data-kind="same">{first_line || ' '}</div>
        </pre>
      )}
      {onPick && after !== null && (
        <button
          type="button"
          className="jp-Pipelines-link"
          onClick={() => {
            onPick(after);
          }}
        >
          {trans.__('Go to the cell')}
        </button>
      )}
    </Part>
  );
}

export function Diff(props: {
  diff: IVersionDiff;
  trans: TranslationBundle;
  /** Where cells of the newer side can be gone to. */
  onPick?: ((cell: number) => void) | undefined;
}): React.JSX.Element {
  const { diff, trans, onPick } = props;
  if (isEmpty(diff)) {
    return (
      <p className="jp-Pipelines-hint">
        {trans.__('There is no difference between the two.')}
      </p>
    );
  }
  const lists: [string, IChange[]][] = [
    [trans.__('Parameters'), diff.parameters],
    [trans.__('Settings of the notebook'), diff.options],
    [trans.__('Environment'), diff.environment]
  ];
  return (
    <div className="jp-Pipelines-diff">
      {diff.cells.map((cell, index) => (
        <Cell key={index} cell={cell} trans={trans} onPick={onPick} />
      ))}
      {diff.files.map(({ path, kind, lines }) => (
        <Part
          key={path}
          kind={kind}
          place={path}
          title={kindInWords(kind, trans)}
        >
          <Lines lines={lines} trans={trans} />
        </Part>
      ))}
      {lists.map(
        ([title, changes]) =>
          changes.length > 0 && (
            <Part key={title} title={title}>
              <Changes changes={changes} trans={trans} />
            </Part>
          )
      )}
    </div>
  );
}
