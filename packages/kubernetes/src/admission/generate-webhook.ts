import { SinkError } from '@kollect/core';
import { anObject, checkOptions, oneOf, required, someText, type OptionKind } from '@kollect/core/authoring';
import type { AdmissionObject } from './generate-policy.ts';
import { allResources, matchConditions } from './match-conditions.ts';

export interface WebhookConfigurationOptions {
  /** Where the handler listens, `https://…`: for a server outside of the cluster. */
  readonly url?: string;
  /** Or the Service before it. */
  readonly service?: WebhookService;
  /** The authority of its certificate, PEM. Left out where something else writes it, such as cert-manager, or where it is a public one. */
  readonly caBundle?: string;
  /** Default `Fail`: without an answer nothing is made or changed; deletions never ask. */
  readonly failurePolicy?: 'Fail' | 'Ignore';
  /** Name of the configuration. Default `kollect-sinks`. */
  readonly name?: string;
}

export interface WebhookService {
  readonly namespace: string;
  readonly name: string;
  /** Default `/`. */
  readonly path?: string;
  /** Default 443. */
  readonly port?: number;
}

const timeoutSeconds = 5;

/** A ValidatingWebhookConfiguration that asks a server with `createAdmissionHandler` about our resources alone. Throws SPEC_INVALID. */
export function generateWebhookConfiguration(
  options: WebhookConfigurationOptions,
): AdmissionObject<'ValidatingWebhookConfiguration'> {
  const {
    url,
    service,
    caBundle,
    failurePolicy = 'Fail',
    name = 'kollect-sinks',
  } = checkOptions<WebhookConfigurationOptions>(
    options,
    { url: someText, service: anObject, caBundle: pem, failurePolicy: oneOf('Fail', 'Ignore'), name: someText },
    { of: 'The options of generateWebhookConfiguration' },
  );
  const bundle = caBundle === undefined ? {} : { caBundle: Buffer.from(caBundle).toString('base64') };
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name },
    webhooks: [
      {
        name: 'resources.admission.kollect.dev',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        timeoutSeconds,
        failurePolicy,
        matchConditions,
        rules: [allResources],
        clientConfig: { ...serverOf(url, service), ...bundle },
      },
    ],
  };
}

const pem: OptionKind = {
  expected: 'certificates as PEM',
  accepts: (value) => typeof value === 'string' && value.includes('-----BEGIN CERTIFICATE-----'),
};

function serverOf(url: string | undefined, service: WebhookService | undefined): object {
  if ((url === undefined) === (service === undefined)) throw invalid('give one of url and service');
  if (url === undefined) return { service: readService(service) };
  if (!URL.canParse(url) || new URL(url).protocol !== 'https:' || /[@?#]/u.test(url))
    throw invalid('url: expected https://host/path, without a user and a query');
  return { url };
}

function readService(service: WebhookService | undefined): WebhookService {
  const port: OptionKind = {
    expected: 'a port, 1 to 65535',
    accepts: (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535,
  };
  return checkOptions<WebhookService>(
    service,
    { namespace: required(someText), name: required(someText), path: someText, port },
    { of: 'The service of generateWebhookConfiguration' },
  );
}

function invalid(problem: string): SinkError {
  return new SinkError('SPEC_INVALID', `The options of generateWebhookConfiguration: ${problem}.`, {
    operation: 'create',
  });
}
