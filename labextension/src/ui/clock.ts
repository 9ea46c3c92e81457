import * as React from 'react';

/** The time, again every so many milliseconds while the component is shown: for durations that grow. */
export function useClock(every: number): Date {
  const [now, setNow] = React.useState(() => new Date());
  React.useEffect(() => {
    setNow(new Date());
    const timer = window.setInterval(() => {
      setNow(new Date());
    }, every);
    return () => {
      window.clearInterval(timer);
    };
  }, [every]);
  return now;
}
