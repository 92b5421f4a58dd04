/** What a webhook answers: an AdmissionReview of admission.k8s.io/v1. */
export interface AdmissionAnswer {
  readonly apiVersion: 'admission.k8s.io/v1';
  readonly kind: 'AdmissionReview';
  readonly response: AdmissionResponse;
}

export interface AdmissionResponse {
  /** That of the request; empty where none could be read. */
  readonly uid: string;
  readonly allowed: boolean;
  /** Why not. */
  readonly status?: RefusalStatus;
}

export interface RefusalStatus {
  readonly status: 'Failure';
  readonly code: 403 | 422;
  readonly reason: 'Forbidden' | 'Invalid';
  /** Words of ours, at most 1 024 characters. */
  readonly message: string;
}

/** Why an object is refused. `forbidden`: somebody could allow it. `invalid`: nobody could. */
export interface Refusal {
  readonly kind: 'forbidden' | 'invalid';
  readonly message: string;
}

export function allow(uid: string): AdmissionAnswer {
  return answer({ uid, allowed: true });
}

const longestMessage = 1_024;

export function refuse(uid: string, { kind, message }: Refusal): AdmissionAnswer {
  const isForbidden = kind === 'forbidden';
  const status: RefusalStatus = {
    status: 'Failure',
    code: isForbidden ? 403 : 422,
    reason: isForbidden ? 'Forbidden' : 'Invalid',
    message: message.length > longestMessage ? `${message.slice(0, longestMessage - 1)}…` : message,
  };
  return answer({ uid, allowed: false, status });
}

function answer(response: AdmissionResponse): AdmissionAnswer {
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response };
}
