import { bytes, duration, instant, moment, relative } from './time';

it.each([
  [0, '0 s'],
  [0.44, '0.4 s'],
  [9.96, '10 s'],
  [59.6, '1 min'],
  [80, '1 min 20 s'],
  [3599.9, '1 h'],
  [7500, '2 h 5 min'],
  [273_600, '3 d 4 h'],
  [-1, ''],
  [NaN, '']
])('%s seconds are %s', (seconds, words) => {
  expect(duration(seconds)).toBe(words);
});

it.each([
  [0, 'now'],
  [-30, '30 seconds ago'],
  [-300, '5 minutes ago'],
  [7200, 'in 2 hours'],
  [-86_400, 'yesterday'],
  [40 * 86_400, 'in 6 weeks'],
  [-400 * 86_400, '13 months ago']
])('%s seconds away is %s', (seconds, words) => {
  const now = new Date('2027-03-01T12:00:00Z');
  const then = new Date(now.getTime() + seconds * 1000);
  expect(relative(then, now, 'en')).toBe(words);
});

it('gives a time in a zone, and the year when it is another', () => {
  const time = new Date('2027-03-28T01:30:00Z');
  const options = [new Date('2027-01-01T00:00:00Z'), 'en-GB'] as const;
  expect(moment(time, 'Europe/Paris', ...options)).toBe('Sun 28 Mar, 03:30');
  expect(
    moment(time, 'UTC', new Date('2026-06-01T00:00:00Z'), 'en-GB')
  ).toContain('2027');
});

it('knows no instant for the server’s 0', () => {
  expect(instant(0)).toBeNull();
  expect(instant(1)?.getTime()).toBe(1000);
});

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1500, '1.5 kB'],
  [12_345, '12 kB'],
  [999_600, '1 MB'],
  [512_000_000, '512 MB']
])('%s bytes are %s', (count, words) => {
  expect(bytes(count)).toBe(words);
});
