import { StateDB } from '@jupyterlab/statedb';
import type { JSONObject } from '@lumino/coreutils';
import type { IParameter } from '../../api';
import { fieldOf, understand, valuesOf } from './model';
import { ParameterValues } from './values';

function parameter(schema: JSONObject, change = {}): IParameter {
  return {
    name: 'x',
    annotation: '',
    default: null,
    description: '',
    schema,
    ...change
  };
}

const DATE = { type: 'string', format: 'date' };

describe('fields', () => {
  it.each<[JSONObject, object]>([
    [
      { type: 'boolean', default: true },
      { kind: 'switch', initial: 'true' }
    ],
    [
      { type: 'integer', default: 3 },
      { kind: 'integer', initial: '3' }
    ],
    [
      { ...DATE, default: '2027-01-31' },
      { kind: 'date', initial: '2027-01-31' }
    ],
    [
      { enum: ['a', 2], default: 2 },
      { kind: 'choice', initial: '2', choices: ['a', 2] }
    ],
    [
      { anyOf: [DATE, { type: 'null' }], default: null },
      { kind: 'date', optional: true, initial: null }
    ],
    [
      { type: 'array', default: ['a'] },
      { kind: 'list', initial: '["a"]' }
    ],
    [
      { anyOf: [{ type: 'integer' }, { type: 'string' }], default: '3' },
      { kind: 'any', initial: '"3"' }
    ],
    [
      { type: 'string', format: 'duration', default: 'P1DT5400S' },
      { kind: 'duration', initial: 'P1DT1H30M' }
    ],
    [
      { type: 'string', format: 'password', writeOnly: true },
      { kind: 'secret', initial: '', computed: false }
    ],
    [{ type: 'integer' }, { kind: 'integer', computed: true }]
  ])('%j', (schema, field) => {
    expect(fieldOf(parameter(schema))).toMatchObject(field);
  });
});

describe('what is typed', () => {
  it.each<[JSONObject, string | null, object]>([
    [{ type: 'integer' }, ' 1_000 ', { value: 1000 }],
    [{ type: 'integer' }, '1.5', { problem: 'integer' }],
    [{ type: 'integer' }, '9007199254740993', { problem: 'too-large' }],
    [{ type: 'number' }, '1e3', { value: 1000 }],
    [{ type: 'number' }, 'NaN', { value: 'NaN' }],
    [{ type: 'number' }, '', { problem: 'number' }],
    [{ type: 'boolean' }, 'false', { value: false }],
    [{ type: 'string' }, ' as it is ', { value: ' as it is ' }],
    [DATE, '31.1.2027', { problem: 'date' }],
    [{ enum: ['a', 'b'] }, '"b"', { value: 'b' }],
    [{ enum: ['a', 'b'] }, '"c"', { problem: 'choice' }],
    [{ type: 'array' }, '[1, 2]', { value: [1, 2] }],
    [{ type: 'array' }, '{"a": 1}', { problem: 'list' }],
    [{ type: 'object' }, '{"a": 1}', { value: { a: 1 } }],
    [{ type: 'object' }, '{a: 1}', { problem: 'object' }],
    [{}, '3', { value: 3 }],
    [{}, 'three', { value: 'three' }],
    [{ type: 'integer' }, null, { problem: 'required' }],
    [{ anyOf: [DATE, { type: 'null' }] }, null, { value: null, problem: null }]
  ])('%j: %j', (schema, given, understood) => {
    expect(understand(fieldOf(parameter(schema)), given)).toMatchObject(
      understood
    );
  });

  it('is told for all parameters at once; what stays as it is is not sent', () => {
    const parameters = [
      parameter({ type: 'integer', default: 1 }, { name: 'a' }),
      parameter({ type: 'integer', default: 1 }, { name: 'b' }),
      parameter({ type: 'integer' }, { name: 'c', required: true }),
      parameter({ type: 'integer', default: 1 }, { name: 'd' })
    ];
    expect(valuesOf(parameters, { a: '2', b: 'x', gone: '1' })).toEqual({
      values: { a: 2 },
      problems: { b: 'integer', c: 'required' }
    });
  });
});

describe('what was filled in', () => {
  it('outlives the page, and secrets do not', async () => {
    const state = new StateDB();
    const values = new ParameterValues(state);
    await values.ready;
    values.give('a.ipynb', 'size', '5');
    values.give('a.ipynb', 'token', 'hush', true);
    values.give('b.ipynb', 'size', null);
    values.give('b.ipynb', 'other', '1');
    values.give('b.ipynb', 'other', undefined);
    expect(values.of('a.ipynb')).toEqual({ size: '5', token: 'hush' });
    const later = new ParameterValues(state);
    await later.ready;
    expect(later.of('a.ipynb')).toEqual({ size: '5' });
    expect(later.of('b.ipynb')).toEqual({ size: null });
  });

  it('goes along when a notebook is renamed', () => {
    const values = new ParameterValues(null);
    values.give('a.ipynb', 'size', '5');
    values.move('a.ipynb', 'c.ipynb');
    expect(values.of('a.ipynb')).toEqual({});
    expect(values.of('c.ipynb')).toEqual({ size: '5' });
    values.reset('c.ipynb');
    expect(values.of('c.ipynb')).toEqual({});
  });
});
