/** What is said of the service. Pure. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IService } from '../../api';

export function serviceInWords(
  service: IService | null,
  failed: boolean,
  trans: TranslationBundle
): { title: string; text: string } {
  const purpose = trans.__(
    'It runs pipelines and starts those that are scheduled, also when JupyterLab is closed.'
  );
  if (!service) {
    return {
      title: failed
        ? trans.__('The service cannot be asked')
        : trans.__('Asking for the service'),
      text: purpose
    };
  }
  switch (service.state) {
    case 'running':
      return {
        title: service.configured
          ? trans.__('A server elsewhere is used')
          : trans.__('The service is running'),
        text: purpose
      };
    case 'starting':
      return { title: trans.__('The service is starting'), text: purpose };
    case 'stopped':
      return {
        title: trans.__('The service is not running'),
        text: trans.__(
          'Schedules start nothing until it is. Running a notebook starts it.'
        )
      };
    case 'unreachable':
      return service.configured
        ? {
            title: trans.__('The server does not answer'),
            text: trans.__(
              'PREFECT_API_URL names a server that cannot be reached. See that it runs, or unset the variable and start JupyterLab again.'
            )
          }
        : {
            title: trans.__('The service does not answer'),
            text: trans.__(
              'It is there, but says nothing. Its log may tell why; `jupyter pipelines down` and `up` start it anew.'
            )
          };
  }
}
