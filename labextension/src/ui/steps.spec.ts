import { stepColour } from './steps';

it('gives each step a colour, its neighbours another', () => {
  expect(stepColour(0)).toBe('var(--jp-pipelines-step-0)');
  expect(stepColour(13)).toBe('var(--jp-pipelines-step-3)');
  for (let index = 0; index < 40; index++) {
    expect(stepColour(index)).not.toBe(stepColour(index + 1));
  }
});

it('gives no step’s colour to what is none', () => {
  expect(stepColour(-1)).toBe('var(--jp-pipelines-quiet)');
});
