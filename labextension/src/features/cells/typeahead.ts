/** What is typed before the field is there that it is meant for. */

/** What was typed; and the key that ended it, if one did. */
export interface ITyped {
  text: string;
  /** All of it is selected: what is typed next takes its place. */
  selected: boolean;
  end: 'Enter' | 'Escape' | null;
}

/** Keeps keys until the field takes them: the notebook would do what each of them stands for, and cut a cell for an x. */
export class Typeahead {
  constructor() {
    // JupyterLab listens at the document.
    window.addEventListener('keydown', this, true);
    this._timer = window.setTimeout(() => {
      this.stop();
    }, PATIENCE);
  }

  /** What was typed by now; what comes after goes where the focus is. */
  take(): ITyped {
    this.stop();
    return { text: this._text, selected: this._selected, end: this._end };
  }

  /** There will be no field. */
  stop(): void {
    window.clearTimeout(this._timer);
    window.removeEventListener('keydown', this, true);
  }

  handleEvent(event: KeyboardEvent): void {
    const isChord = event.ctrlKey || event.metaKey || event.altKey;
    const key = isChord ? chord(event) : event.key;
    if (this._end !== null ? key : this._type(key)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }

  /** Is this a key for the field? */
  private _type(key: string): boolean {
    if (key === SELECT_ALL) {
      this._selected = true;
      return true;
    }
    const isText = key.length === 1;
    if (this._selected && (isText || key === 'Backspace')) {
      this._text = key === 'Backspace' ? '' : key;
      this._selected = false;
    } else if (isText) {
      this._text += key;
    } else if (key === 'Backspace') {
      this._text = this._text.slice(0, -1);
    } else if (key === 'Enter' || key === 'Escape') {
      this._end = key;
    } else {
      return false;
    }
    return true;
  }

  private readonly _timer: number;
  private _end: ITyped['end'] = null;
  private _text = '';
  private _selected = false;
}

const SELECT_ALL = 'select all';

/** What a chord does in a field; empty for those that are for the application. */
function chord({ key, altKey }: KeyboardEvent): string {
  return key.toLowerCase() === 'a' && !altKey ? SELECT_ALL : '';
}

/** Milliseconds; a field that is not there by then will not come. */
const PATIENCE = 3000;
