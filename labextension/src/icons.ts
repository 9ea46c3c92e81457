import { LabIcon } from '@jupyterlab/ui-components';

/** Three steps: one, and the two that wait for it. */
const PIPELINE = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">
  <g class="jp-icon3" fill="#616161">
    <rect x="5.25" y="1" width="5.5" height="4.5" rx="1.25"/>
    <rect x="1" y="10.5" width="5.5" height="4.5" rx="1.25"/>
    <rect x="9.5" y="10.5" width="5.5" height="4.5" rx="1.25"/>
    <path d="M7.4 5.5v1.9H3.75A.6.6 0 0 0 3.15 8v2.5h1.2V8.6h7.3v1.9h1.2V8a.6.6 0 0 0-.6-.6H8.6V5.5z"/>
  </g>
</svg>`;

export const pipelineIcon = new LabIcon({
  name: 'jupyter-pipelines:pipeline',
  svgstr: PIPELINE
});

/** Arrows outwards: the graph with all the room there is. */
const GRAPH = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">
  <path class="jp-icon3" fill="#616161" d="M9 2h5v5h-1.5V4.56L9.78 7.28 8.72 6.22l2.72-2.72H9zM2 9h1.5v2.44l2.72-2.72 1.06 1.06-2.72 2.72H7V14H2z"/>
</svg>`;

export const graphIcon = new LabIcon({
  name: 'jupyter-pipelines:graph',
  svgstr: GRAPH
});

/** A clock. */
const SCHEDULE = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">
  <path class="jp-icon3" fill="#616161" d="M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm0 1.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM7.25 4.5v3.9l3.1 1.9.75-1.25-2.35-1.4V4.500z"/>
</svg>`;

export const scheduleIcon = new LabIcon({
  name: 'jupyter-pipelines:schedule',
  svgstr: SCHEDULE
});

/** A drum, as databases are drawn. */
const WAREHOUSE = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">
  <path class="jp-icon3" fill="#616161" d="M8 1C4.700 1 2 2.100 2 3.500v9C2 13.900 4.700 15 8 15s6-1.100 6-2.500v-9C14 2.100 11.300 1 8 1zm0 1.500c2.900 0 4.500.8 4.500 1.100S10.900 4.700 8 4.700s-4.500-.8-4.500-1.100S5.100 2.500 8 2.500zm4.500 10c0 .2-1.600 1-4.500 1s-4.500-.8-4.500-1V10c1.100.6 2.700.9 4.500.9s3.400-.3 4.500-.9zm0-4c0 .2-1.600 1-4.500 1s-4.500-.8-4.500-1V5.400c1.100.5 2.700.8 4.500.8s3.400-.3 4.500-.8z"/>
</svg>`;

export const warehouseIcon = new LabIcon({
  name: 'jupyter-pipelines:warehouse',
  svgstr: WAREHOUSE
});
