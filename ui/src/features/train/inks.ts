/** Names of colours (app.css) for the lines of the chart and for what explains them. */
export const inks = {
  /** Of the runs that are shown, in their order. */
  runs: ['accent', 'coral', 'gold', 'muted', 'danger'],
  /** Of the validation loss of a single run; of several it is dashed in the run's own colour. */
  validation: 'jade',
} as const;

/** As many runs can be told apart in one chart. */
export const mostRuns = inks.runs.length;

/** The same colours as grounds, spelled out so that Tailwind finds them. */
export const grounds = ['bg-accent', 'bg-coral', 'bg-gold', 'bg-muted', 'bg-danger'] as const;
