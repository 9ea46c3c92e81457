/** In the status bar: is the service alive? */
import { showPopup } from '@jupyterlab/statusbar';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { PipelineState } from '../../api';
import type { IRecords } from '../../tokens';
import { StateIcon, useLive } from '../../ui';
import { useHeard } from '../running/heard';
import { serviceInWords } from './model';

interface IProps {
  records: IRecords;
  trans: TranslationBundle;
  onClick: () => void;
}

function Item(props: IProps): React.JSX.Element {
  const { records, trans, onClick } = props;
  const { value: service, error } = useLive(records.service);
  const heard = useHeard(records);
  const state: PipelineState =
    !heard || error || !service
      ? service || error
        ? 'offline'
        : 'draft'
      : service.state === 'running'
        ? 'active'
        : service.state === 'starting'
          ? 'running'
          : 'offline';
  const { title } = serviceInWords(service, error !== null, trans);
  const words = heard ? title : trans.__('The Jupyter server is not heard');
  return (
    <button
      type="button"
      className="jp-Pipelines-status"
      data-service={service?.state}
      aria-haspopup="dialog"
      aria-label={trans.__('Pipelines: %1', words)}
      title={words}
      onClick={onClick}
    >
      <StateIcon state={state} trans={trans} decorative />
      <span>{trans.__('Pipelines')}</span>
    </button>
  );
}

export class ServiceStatus extends ReactWidget {
  constructor(
    private readonly _records: IRecords,
    private readonly _trans: TranslationBundle
  ) {
    super();
  }

  /** Open what is known of the service; loaded when it is first wanted. */
  async open(): Promise<void> {
    const { ServiceDetails } = await import('./view');
    const body = ReactWidget.create(
      <ServiceDetails records={this._records} trans={this._trans} />
    );
    body.addClass('jp-Pipelines-popup');
    showPopup({ body, anchor: this, align: 'left', hasDynamicSize: true });
    body.node.tabIndex = -1;
    body.node.focus();
  }

  protected override render(): React.JSX.Element {
    return (
      <Item
        records={this._records}
        trans={this._trans}
        onClick={() => {
          void this.open();
        }}
      />
    );
  }
}
