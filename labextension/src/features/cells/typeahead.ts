/** What is typed before the field is there that it is meant for. */

/** What was typed; and the key that ended it, if one did. */
export interface ITyped {
  text: string;
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
    return { text: this._text, end: this._end };
  }

  /** There will be no field. */
  stop(): void {
    window.clearTimeout(this._timer);
    window.removeEventListener('keydown', this, true);
  }

  handleEvent(event: KeyboardEvent): void {
    const { key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (this._end === null) {
      if (key === 'Enter' || key === 'Escape') {
        this._end = key;
      } else if (key === 'Backspace') {
        this._text = this._text.slice(0, -1);
      } else if (key.length === 1) {
        this._text += key;
      } else {
        return;
      }
    }
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  private readonly _timer: number;
  private _end: ITyped['end'] = null;
  private _text = '';
}

/** Milliseconds; a field that is not there by then will not come. */
const PATIENCE = 3000;
