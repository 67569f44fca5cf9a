/** A stretch of a text. */
export interface Stretch {
  text: string;
  /** Whether the other text lacks these words. */
  differs: boolean;
}

/** Texts of more words than this are not compared: the table would be too large for a glance. */
const mostWords = 1500;

/**
 * Cuts `text` into stretches that `other` has in the same order, and stretches that it lacks: a
 * longest common subsequence of words, case and white space aside. As in the report that Rust
 * writes, but for Chinese, where words are taken from a dictionary and not sign by sign.
 */
export function compareWords(text: string, other: string): Stretch[] {
  const pieces = split(text);
  const ours = pieces.filter(isWord).map(lower);
  const theirs = split(other).filter(isWord).map(lower);
  const shared = sharedWords(ours, theirs);
  const stretches: Stretch[] = [];
  let word = 0;
  for (const piece of pieces) {
    const last = stretches.at(-1);
    // White space belongs to whatever it follows.
    const differs = isWord(piece) ? !shared[word++] : (last?.differs ?? false);
    if (last?.differs === differs) last.text += piece;
    else stretches.push({ text: piece, differs });
  }
  return releaseTrailingSpace(stretches);
}

const segmenter = new Intl.Segmenter(undefined, { granularity: 'word' });

function split(text: string): string[] {
  return [...segmenter.segment(text)].map((piece) => piece.segment);
}

function isWord(piece: string): boolean {
  return piece.trim() !== '';
}

function lower(piece: string): string {
  return piece.toLowerCase();
}

/** For each of our words whether it lies on a longest common subsequence with theirs. */
function sharedWords(ours: string[], theirs: string[]): boolean[] {
  if (ours.length > mostWords || theirs.length > mostWords) return ours.map(() => true);
  const width = theirs.length + 1;
  // lengths[i * width + j]: longest common subsequence of ours[i..] and theirs[j..].
  const lengths = new Uint16Array((ours.length + 1) * width);
  const length = (i: number, j: number) => lengths[i * width + j]!;
  for (let i = ours.length - 1; i >= 0; i--) {
    for (let j = theirs.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        ours[i] === theirs[j] ? length(i + 1, j + 1) + 1 : Math.max(length(i + 1, j), length(i, j + 1));
    }
  }
  const shared = ours.map(() => false);
  for (let i = 0, j = 0; i < ours.length && j < theirs.length;) {
    if (ours[i] === theirs[j]) {
      shared[i] = true;
      i++;
      j++;
    } else if (length(i + 1, j) >= length(i, j + 1)) i++;
    else j++;
  }
  return shared;
}

/** Moves white space at the end of a differing stretch out of it, so that it is not marked. */
function releaseTrailingSpace(stretches: Stretch[]): Stretch[] {
  const released: Stretch[] = [];
  const add = (text: string, differs: boolean) => {
    const last = released.at(-1);
    if (text === '') return;
    if (last?.differs === differs) last.text += text;
    else released.push({ text, differs });
  };
  for (const { text, differs } of stretches) {
    const kept = differs ? text.trimEnd() : text;
    add(kept, differs);
    add(text.slice(kept.length), false);
  }
  return released;
}
