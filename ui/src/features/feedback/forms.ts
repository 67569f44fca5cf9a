import type { FeedbackForm } from '../../contract/FeedbackForm';
import type { FeedbackStats } from '../../contract/FeedbackStats';

/** What votes can be turned into, with the rows that they give. */
export const forms: readonly { form: FeedbackForm; rows: (stats: FeedbackStats) => number }[] = [
  { form: 'preference', rows: (stats) => stats.pairs },
  { form: 'unpaired', rows: (stats) => stats.unpaired },
  { form: 'examples', rows: (stats) => stats.edits },
];
