import { describe, expect, it } from 'vitest';
import { addressOf, MARK, placeIn } from './model';

describe('a place in an address', () => {
  it('is found again', () => {
    const address = addressOf('/base/', 'a b/ä#1.ipynb', {
      cell: 12,
      section: 'runs'
    });
    const { pathname, search } = new URL(address, 'http://host');
    expect(decodeURIComponent(pathname)).toBe('/base/notebooks/a b/ä#1.ipynb');
    expect(address).toMatch(MARK);
    expect(placeIn(search)).toEqual({
      cell: 12,
      section: 'runs',
      schedule: false
    });
    const other = addressOf('/', 'a.ipynb', { schedule: true });
    expect(placeIn(other.slice(other.indexOf('?'))).schedule).toBe(true);
  });

  it('is nowhere when none is named, or none that can be', () => {
    expect(addressOf('/', 'a.ipynb', {})).not.toMatch(MARK);
    expect(placeIn('?pipeline-cell=-3').cell).toBeUndefined();
    expect(placeIn('?pipeline-cell=x').cell).toBeUndefined();
  });
});
