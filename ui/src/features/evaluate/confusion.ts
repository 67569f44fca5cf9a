import type { Confusion } from '../../contract/Confusion';

/** Labels drawn at most; the rarest beyond are put together. */
export const mostLabels = 12;

/** The most frequent labels in their order, the others together as one. */
export function condensed({ labels, counts }: Confusion, others: (number: number) => string): Confusion {
  if (labels.length <= mostLabels) return { labels, counts };
  const rows = counts.map(sum);
  const kept = labels
    .map((_, label) => label)
    .sort((a, b) => rows[b]! - rows[a]! || a - b)
    .slice(0, mostLabels - 1)
    .sort((a, b) => a - b);
  const place = (label: number) => (kept.includes(label) ? kept.indexOf(label) : kept.length);
  const together = Array.from({ length: mostLabels }, () => Array.from({ length: mostLabels }, () => 0));
  counts.forEach((line, truth) =>
    line.forEach((number, answer) => {
      together[place(truth)]![place(answer)]! += number;
    }),
  );
  return { labels: [...kept.map((label) => labels[label]!), others(labels.length - kept.length)], counts: together };
}

/** Each cell as a share of its row: of all rows of that true label. */
export function shares({ counts }: Confusion): number[][] {
  return counts.map((line) => {
    const all = sum(line);
    return line.map((number) => (all > 0 ? number / all : 0));
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, number) => all + number, 0);
}
