/** How parameters are filled in: what kind of field each needs, and what is meant by what is typed. Pure. */
import type { JSONObject, JSONValue } from '@lumino/coreutils';
import type { IParameter } from '../../api';
import type { AllGiven, Given } from '../../tokens';

export type Kind =
  | 'switch'
  | 'choice'
  | 'integer'
  | 'number'
  | 'text'
  | 'secret'
  | 'date'
  | 'date-time'
  | 'duration'
  | 'list'
  | 'object'
  | 'any';

/** A parameter as a field. */
export interface IParameterField {
  name: string;
  kind: Kind;
  /** May it be `None`? */
  optional: boolean;
  /** What there is to choose from; empty unless it is a choice. */
  choices: readonly JSONValue[];
  /** What is in the field at first. */
  initial: Given;
  /** Every run has to give it. */
  required: boolean;
  /** Only running the notebook tells what it is when it is not given. */
  computed: boolean;
}

/** What a parameter can follow instead of having a value, and that in words. */
export interface IBinding {
  expression: string;
  words: string;
}

/** What is meant, or what is wrong with it. */
export type Understood =
  { value: JSONValue; problem: null } | { value: null; problem: Problem };

/** What can be wrong; the words are the view's. */
export type Problem =
  | 'required'
  | 'integer'
  | 'too-large'
  | 'number'
  | 'date'
  | 'date-time'
  | 'choice'
  | 'json'
  | 'list'
  | 'object';

type Schema = JSONObject;

function membersOf(schema: Schema): Schema[] {
  return Array.isArray(schema.anyOf) ? (schema.anyOf as Schema[]) : [schema];
}

function kindOf(schemas: readonly Schema[]): Kind {
  const [only, ...others] = schemas;
  if (!only || others.length > 0) {
    return schemas.every(schema => Array.isArray(schema.enum))
      ? 'choice'
      : 'any';
  }
  if (Array.isArray(only.enum)) {
    return 'choice';
  }
  const kinds: Record<string, Kind> = {
    boolean: 'switch',
    integer: 'integer',
    number: 'number',
    array: 'list',
    object: 'object',
    string: 'text'
  };
  const formats: Record<string, Kind> = {
    date: 'date',
    'date-time': 'date-time',
    duration: 'duration',
    password: 'secret'
  };
  const { type, format } = only;
  return (
    (typeof format === 'string' ? formats[format] : undefined) ??
    (typeof type === 'string' ? kinds[type] : undefined) ??
    'any'
  );
}

/** `P0DT7200S`, as it is sent, the way people write it: `PT2H`. */
function shortDuration(text: string): string {
  const found = /^(-?)P(\d+)DT(\d+(?:\.\d+)?)S$/.exec(text);
  if (!found) {
    return text;
  }
  const [, sign = '', days = '0', all = '0'] = found;
  const hours = Math.floor(Number(all) / 3600);
  const minutes = Math.floor((Number(all) % 3600) / 60);
  const seconds = Number((Number(all) % 60).toFixed(6));
  const time = [
    hours > 0 ? `${hours}H` : '',
    minutes > 0 ? `${minutes}M` : '',
    seconds > 0 ? `${seconds}S` : ''
  ].join('');
  const day = Number(days) > 0 ? `${Number(days)}D` : '';
  return time || day ? `${sign}P${day}${time && `T${time}`}` : 'PT0S';
}

/** What is shown of a value. */
export function textOf(value: JSONValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A value as it stands in a field. */
export function givenOf(kind: Kind, value: JSONValue): Given {
  if (value === null && kind !== 'choice') {
    return null;
  }
  if (kind === 'duration' && typeof value === 'string') {
    return shortDuration(value);
  }
  const asIs = !['choice', 'any', 'list', 'object'].includes(kind);
  return typeof value === 'string' && (asIs || isPlainText(kind, value))
    ? value
    : JSON.stringify(value);
}

/** Does a text of no certain type need no quotes? It does where it would be taken for something else. */
function isPlainText(kind: Kind, text: string): boolean {
  return kind === 'any' && parsed(text) === undefined;
}

export function fieldOf(parameter: IParameter): IParameterField {
  const schema: Schema = parameter.schema ?? {};
  const all = membersOf(schema);
  const some = all.filter(member => member.type !== 'null');
  const kind = schema.format === 'password' ? 'secret' : kindOf(some);
  const choices = some.flatMap(member =>
    Array.isArray(member.enum) ? member.enum : []
  );
  // A secret's default is shown to nobody; one that is worked out is known to nobody.
  const known = 'default' in schema;
  const required = parameter.required ?? false;
  return {
    name: parameter.name,
    kind,
    optional: some.length < all.length,
    choices: kind === 'choice' ? choices : [],
    initial: known ? givenOf(kind, schema.default as JSONValue) : '',
    required,
    computed: !known && !required && kind !== 'secret'
  };
}

function parsed(text: string): JSONValue | undefined {
  try {
    return JSON.parse(text) as JSONValue;
  } catch {
    return undefined;
  }
}

function good(value: JSONValue): Understood {
  return { value, problem: null };
}

function bad(problem: Problem): Understood {
  return { value: null, problem };
}

function understandNumber(kind: Kind, text: string): Understood {
  if (['NaN', 'Infinity', '-Infinity'].includes(text) && kind === 'number') {
    return good(text);
  }
  const digits = text.replace(/(?<=\d)_(?=\d)/g, '');
  if (kind === 'integer') {
    if (!/^[+-]?\d+$/.test(digits)) {
      return bad('integer');
    }
    return Number.isSafeInteger(Number(digits))
      ? good(Number(digits))
      : bad('too-large');
  }
  const number = digits === '' ? NaN : Number(digits);
  return Number.isFinite(number) ? good(number) : bad('number');
}

function understandJson(kind: Kind, text: string): Understood {
  const value = parsed(text);
  if (kind === 'any') {
    return good(value === undefined ? text : value);
  }
  if (value === undefined) {
    return bad(kind === 'list' || kind === 'object' ? kind : 'json');
  }
  const isObject =
    value !== null && typeof value === 'object' && !Array.isArray(value);
  return (kind === 'list' ? Array.isArray(value) : isObject)
    ? good(value)
    : bad(kind === 'list' ? 'list' : 'object');
}

/** What a field's text means. The server has the last word; this is to tell while one types. */
export function understand(field: IParameterField, given: Given): Understood {
  if (given === null) {
    return field.optional || field.initial === null
      ? good(null)
      : bad('required');
  }
  const text = given.trim();
  switch (field.kind) {
    case 'switch':
      return good(text === 'true');
    case 'choice': {
      const chosen = field.choices.find(
        choice => JSON.stringify(choice) === given
      );
      return chosen === undefined ? bad('choice') : good(chosen);
    }
    case 'integer':
    case 'number':
      return understandNumber(field.kind, text);
    case 'date':
      return /^\d{4}-\d{2}-\d{2}$/.test(text) ? good(text) : bad('date');
    case 'date-time':
      return /^\d{4}-\d{2}-\d{2}/.test(text) ? good(text) : bad('date-time');
    case 'duration':
      return text === '' ? bad('required') : good(text);
    case 'text':
    case 'secret':
      return good(given);
    case 'list':
    case 'object':
    case 'any':
      return understandJson(field.kind, given);
  }
}

/** Does a text stand for what only the time or the cause of a run tells? */
export function isExpression(given: Given | undefined): given is string {
  return given?.includes('{{') === true;
}

/** The same for a text that may hold expressions: the server evaluates them, within lists and objects too. */
function understandExpression(
  field: IParameterField,
  text: string
): Understood {
  const value = parsed(text);
  const holds = ['list', 'object', 'any'].includes(field.kind);
  return good(
    holds && typeof value === 'object' && value !== null ? value : text
  );
}

/**
 * The values of a run: what is given, understood; and what is wrong, by the name of the parameter.
 *
 * With `expressions` texts that hold a `{{` are not looked at: they are evaluated when a run is due.
 */
export function valuesOf(
  parameters: readonly IParameter[],
  given: AllGiven,
  expressions = false
): { values: JSONObject; problems: Record<string, Problem> } {
  const values: JSONObject = {};
  const problems: Record<string, Problem> = {};
  for (const parameter of parameters) {
    const own = given[parameter.name];
    const field = fieldOf(parameter);
    if (own === undefined) {
      if (field.required) {
        problems[field.name] = 'required';
      }
      continue;
    }
    const { value, problem } =
      expressions && isExpression(own)
        ? understandExpression(field, own)
        : understand(field, own);
    if (problem) {
      problems[field.name] = problem;
    } else {
      values[field.name] = value;
    }
  }
  return { values, problems };
}

/** Values that are kept somewhere, as they stand in fields. */
export function writtenOf(
  values: JSONObject,
  parameters: readonly IParameter[]
): AllGiven {
  return Object.fromEntries(
    withOthers(parameters, values)
      .filter(({ name }) => name in values)
      .map(parameter => {
        const value = values[parameter.name] ?? null;
        const given =
          typeof value === 'string' && isExpression(value)
            ? value
            : givenOf(fieldOf(parameter).kind, value);
        return [parameter.name, given];
      })
  );
}

/** The notebook's parameters, and after them those that are given although it has none of that name. */
export function withOthers(
  parameters: readonly IParameter[],
  given: Readonly<Record<string, unknown>>,
  description = ''
): readonly IParameter[] {
  const known = new Set(parameters.map(({ name }) => name));
  const others = Object.keys(given).filter(name => !known.has(name));
  return [
    ...parameters,
    ...others.map(name => ({
      name,
      annotation: '',
      default: null,
      description
    }))
  ];
}

/** What is filled in, changed at one place; `undefined` leaves the parameter as the notebook has it. */
export function withGiven(
  given: AllGiven,
  name: string,
  next: Given | undefined
): AllGiven {
  const others = Object.entries(given).filter(([other]) => other !== name);
  return Object.fromEntries(
    next === undefined ? others : [...others, [name, next]]
  );
}

/** What may be written down of it: no secrets. */
export function withoutSecrets<
  T extends { parameters: AllGiven; secrets: readonly string[] }
>(draft: T): T {
  return {
    ...draft,
    parameters: Object.fromEntries(
      Object.entries(draft.parameters).filter(
        ([name]) => !draft.secrets.includes(name)
      )
    )
  };
}
