import { createClassifier, type Fault } from '@kollect/core/authoring';

const denied: Fault = {
  code: 'PERMISSION_DENIED',
  what: 'The file system does not let this process write',
  remedy: 'Let its user write into the directory, on a file system with hard links.',
};
const full: Fault = { code: 'OVERLOADED', what: 'There is no room left', remedy: 'Free space, or raise the limits.' };
const missing: Fault = { code: 'NOT_FOUND', what: 'The directory is not there, or something else is in its place' };
const unfit: Fault = { code: 'SPEC_INVALID', what: 'The file system has no hard links', remedy: 'Use one with them.' };

const faults: readonly (readonly [codes: string, fault: Fault])[] = [
  ['EACCES EPERM EROFS', denied],
  ['ENOSPC EDQUOT EMFILE ENFILE', full],
  ['ENOENT ENOTDIR EISDIR ELOOP ENAMETOOLONG', missing],
  ['EXDEV ENOTSUP ENOSYS EMLINK', unfit],
];

/** Errors of the file system as those of the sink. Their messages hold paths of the host, and are not shown. */
export const classify = createClassifier({
  sinkType: 'file',
  server: 'the file system',
  specPath: 'spec.file',
  read: ({ code }) => ({ shown: typeof code === 'string' ? [code] : [] }),
  rules: [({ shown: [code = ''] }) => faults.find(([codes]) => codes.split(' ').includes(code))?.[1]],
});
