/** What every benchmark is asked on the command line. */
export interface BenchOptions {
  /** Numbers of items, ascending; absent where the benchmark chooses. */
  readonly sizes: readonly number[] | undefined;
  /** One JSON object a line instead of tables. */
  readonly json: boolean;
  /** Measured rounds; absent where the benchmark chooses by size. */
  readonly rounds: number | undefined;
  /** Names of the cases to measure; absent for all. */
  readonly cases: readonly string[] | undefined;
}
