import { type Choice, choicesFor, completed, type ITagging } from './tagging';

const NOTHING: ITagging = {
  current: null,
  steps: ['load', 'clean'],
  canRename: false,
  alone: false
};

function words(choices: readonly Choice[]): string[] {
  return choices.map(choice => {
    switch (choice.kind) {
      case 'role':
        return choice.role;
      case 'none':
        return 'none';
      default:
        return `${choice.kind} ${choice.name}`;
    }
  });
}

describe('what can be chosen', () => {
  it('is everything before one types, with the offered name first', () => {
    expect(words(choicesFor('sum', false, NOTHING))).toEqual([
      'new sum',
      'step load',
      'step clean',
      'setup',
      'parameters',
      'skip'
    ]);
  });

  it('is what contains the text, and what it would be called itself', () => {
    expect(words(choicesFor('lo', true, NOTHING))).toEqual([
      'new lo',
      'step load'
    ]);
    expect(words(choicesFor('load', true, NOTHING))).toEqual(['step load']);
    expect(words(choicesFor('Load & Clean', true, NOTHING))).toEqual([
      'new load-clean'
    ]);
    expect(words(choicesFor('s', true, NOTHING))).toEqual([
      'new s',
      'setup',
      'skip'
    ]);
  });

  it('is a role where its word is written', () => {
    expect(words(choicesFor(' Setup', true, NOTHING))).toEqual(['setup']);
    expect(choicesFor('notebook', true, NOTHING)).toEqual([]);
    expect(choicesFor('42', true, NOTHING)).toEqual([]);
  });

  it('is another name for the step at its own pill', () => {
    const own: ITagging = {
      ...NOTHING,
      current: { role: 'step', name: 'load' },
      canRename: true
    };
    expect(words(choicesFor('fetch', true, own))).toEqual([
      'rename fetch',
      'new fetch'
    ]);
    // Both would do the same.
    expect(words(choicesFor('fetch', true, { ...own, alone: true }))).toEqual([
      'rename fetch'
    ]);
    expect(words(choicesFor('', true, own)).at(-1)).toBe('none');
  });
});

it('completes what begins like a step', () => {
  expect(completed(' CL', ['load', 'clean'])).toBe('clean');
  expect(completed('x', ['load', 'clean'])).toBe('x');
});
