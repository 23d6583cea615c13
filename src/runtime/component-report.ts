/** What a component adds to the summary of its run. */
export interface ComponentReport {
  readonly name: string;
  readonly report: () => Record<string, unknown>;
}
