import { createClassifier, httpFault, type HttpHeaders } from '@kollect/core/authoring';

/** What was thrown, as an error of the sink: an answer by its status and Retry-After, and nothing of what it says. */
export const classify = createClassifier({
  sinkType: 'webhook',
  server: 'the receiver',
  specPath: 'spec.webhook',
  read: ({ status, headers }) =>
    typeof status === 'number' ? { shown: [`HTTP ${status}`], status, headers: headers as HttpHeaders } : {},
  rules: [({ status, headers = {} }) => (status === undefined ? undefined : httpFault({ status, headers }))],
});
