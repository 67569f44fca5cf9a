import type { ProjectSummary } from '../../contract/ProjectSummary';
import type { MessageKey } from '../../messages/messages.svelte';

/** How far a project is, as a badge says it. */
export interface Standing {
  tone: 'neutral' | 'accent' | 'good' | 'warn' | 'bad';
  words: MessageKey;
}

/** How a project stands: the last verdict where there is one. */
export function standingOf({ state, outcome }: ProjectSummary): Standing {
  switch (state) {
    case 'unreadable':
      return { tone: 'bad', words: 'home_state_unreadable' };
    case 'training':
      return { tone: 'accent', words: 'home_state_training' };
    case 'stopped':
      return { tone: 'warn', words: 'home_state_stopped' };
    case 'judged':
      if (outcome === 'better') return { tone: 'good', words: 'home_outcome_better' };
      if (outcome === 'worse') return { tone: 'bad', words: 'home_outcome_worse' };
      return { tone: 'neutral', words: 'home_outcome_cannot_tell' };
    case 'ready':
      return { tone: 'accent', words: 'home_state_ready' };
    case 'empty':
      return { tone: 'neutral', words: 'home_state_empty' };
  }
}
