/** The field in which a dialog asks for the name of a step. */
import type { Dialog } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';

/** A text field that offers names; what it is opened with is selected, so that typing replaces it. */
export class NameField extends Widget implements Dialog.IBodyWidget {
  constructor(options: NameField.IOptions) {
    super();
    this.addClass('jp-Input-Dialog');
    const label = document.createElement('label');
    label.textContent = options.label;
    label.htmlFor = this._input.id = 'jp-Pipelines-nameOfStep';
    const list = document.createElement('datalist');
    list.id = 'jp-Pipelines-namesOfSteps';
    for (const name of options.names) {
      list.append(new Option(name));
    }
    this._input.value = options.text;
    this._input.spellcheck = false;
    // The dialog gives it the focus when it opens.
    this._input.addEventListener(
      'focus',
      () => {
        this._input.select();
      },
      { once: true }
    );
    this._input.setAttribute('list', list.id);
    this.node.append(label, this._input, list);
  }

  getValue(): string {
    return this._input.value.trim();
  }

  private readonly _input = document.createElement('input');
}

export namespace NameField {
  export interface IOptions {
    label: string;
    /** The name it is opened with. */
    text: string;
    /** Names to offer. */
    names: readonly string[];
  }
}
