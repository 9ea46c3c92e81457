/** Times and durations as people write them. Pure. */

/** `4 s`, `1 min 20 s`, `2 h 5 min`, `3 d 4 h`; below a second `0.4 s`. */
export function duration(seconds: number): string {
  if (!(seconds >= 0) || !Number.isFinite(seconds)) {
    return '';
  }
  if (seconds < 9.95) {
    return `${seconds < 0.05 ? 0 : Number(seconds.toFixed(1))} s`;
  }
  const whole = Math.round(seconds);
  const units: [number, string][] = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's']
  ];
  const at = units.findIndex(([size]) => whole >= size);
  const parts: string[] = [];
  let rest = whole;
  for (const [size, unit] of units.slice(at, at + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) {
      parts.push(`${count} ${unit}`);
    }
  }
  return parts.join(' ');
}

const STEPS: [number, Intl.RelativeTimeFormatUnit, number][] = [
  [45, 'second', 1],
  [45 * 60, 'minute', 60],
  [22 * 3600, 'hour', 3600],
  [14 * 86_400, 'day', 86_400],
  [60 * 86_400, 'week', 7 * 86_400],
  [548 * 86_400, 'month', 30.44 * 86_400],
  [Infinity, 'year', 365.25 * 86_400]
];

/** `5 minutes ago`, `in 2 hours`, `now`. */
export function relative(
  time: Date,
  now: Date = new Date(),
  locale?: string
): string {
  const seconds = (time.getTime() - now.getTime()) / 1000;
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  if (Math.abs(seconds) < 5) {
    return format.format(0, 'second');
  }
  const [, unit, size] = STEPS.find(
    ([limit]) => Math.abs(seconds) < limit
  ) as (typeof STEPS)[number];
  return format.format(Math.round(seconds / size), unit);
}

/** Date and time, in a zone or that of the browser: `Mon 23 Nov, 07:00`, with the year when it is another. */
export function moment(
  time: Date,
  zone?: string,
  now: Date = new Date(),
  locale?: string
): string {
  const options: Intl.DateTimeFormatOptions = {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23'
  };
  if (zone) {
    options.timeZone = zone;
  }
  if (time.getFullYear() !== now.getFullYear()) {
    options.year = 'numeric';
  }
  return new Intl.DateTimeFormat(locale, options).format(time);
}

/** Seconds since the epoch, as the server gives them; `null` for its 0. */
export function instant(seconds: number): Date | null {
  return seconds > 0 ? new Date(seconds * 1000) : null;
}

/** `12 kB`, `3.4 MB`; powers of a thousand. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const shown =
    unit === 0 || value >= 99.5
      ? Math.round(value)
      : Number(value.toPrecision(2));
  return `${shown} ${units[unit] ?? ''}`;
}
