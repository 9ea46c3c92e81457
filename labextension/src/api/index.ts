export { Api } from './api';
export { ApiError, address, asApiError } from './request';
export * from './types';
