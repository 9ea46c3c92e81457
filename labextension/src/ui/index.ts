export { Button, IconButton, LinkButton } from './buttons';
export { useClock } from './clock';
export {
  Choices,
  Field,
  type IFieldAttributes,
  Part,
  Select,
  Switch
} from './field';
export {
  type IAction,
  useAction,
  useLive,
  useNow,
  useShared,
  useSignals
} from './hooks';
export { HoverCard } from './hover-card';
export { ErrorNotice, Message, Notice, StaleNotice } from './notice';
export { useRovingFocus } from './roving';
export { Section } from './section';
export {
  type AnyState,
  StateChip,
  StateIcon,
  type Tone,
  ToneIcon,
  toneIconNode,
  toneOf,
  wordOf,
  wordOfPipeline
} from './state';
export { stepColour, stepStyle } from './steps';
export { bytes, duration, instant, moment, relative } from './time';
