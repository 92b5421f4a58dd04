/** A problem that the user can solve: its message says what is wrong and what to do, and is shown without a stack. */
export class UserError extends Error {
  override readonly name = 'UserError';
}
