import { createClassifier, type Fault } from '@kollect/core/authoring';

const faults: readonly (Fault & { readonly codes: string })[] = [
  { codes: 'EACCES EPERM EROFS', code: 'PERMISSION_DENIED', what: 'The file system does not let this process write' },
  { codes: 'ENOSPC EDQUOT EMFILE ENFILE', code: 'OVERLOADED', what: 'The file system has no room left' },
  { codes: 'ENOENT ENOTDIR EISDIR ENAMETOOLONG', code: 'NOT_FOUND', what: 'Something else is where the directory was' },
  { codes: 'EXDEV ENOTSUP ENOSYS EMLINK', code: 'SPEC_INVALID', what: 'The file system has no hard links' },
];

/** Errors of the file system as those of the sink. Their messages hold paths of the host, and are not shown. */
export const classify = createClassifier({
  sinkType: 'file',
  server: 'the file system',
  specPath: 'spec.file',
  read: ({ code }) => ({ shown: typeof code === 'string' ? [code] : [] }),
  rules: [({ shown: [code = ''] }) => faults.find(({ codes }) => codes.split(' ').includes(code))],
});
