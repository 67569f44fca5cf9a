import type { LucideProps } from '@lucide/svelte';
import type { Component } from 'svelte';

/** A component of @lucide/svelte: `import Play from '@lucide/svelte/icons/play'`. */
export type Icon = Component<LucideProps>;
