/**
 * Something that was asked for and comes later: what came, what went wrong, whether it is still
 * awaited. Asking again keeps the old value until the new one is here; the latest question wins.
 */
export class Asked<T> {
  value = $state.raw<T | null>(null);
  error = $state.raw<unknown>(null);
  waiting = $state(false);
  #latest = 0;

  /** Waits for an answer. Never throws: what went wrong is in `error`. */
  async ask(question: () => Promise<T>): Promise<T | null> {
    const mine = ++this.#latest;
    this.waiting = true;
    this.error = null;
    try {
      const value = await question();
      if (mine === this.#latest) this.value = value;
      return value;
    } catch (error) {
      if (mine === this.#latest) this.error = error;
      return null;
    } finally {
      if (mine === this.#latest) this.waiting = false;
    }
  }

  /** Forgets everything, also what is still on its way. */
  clear(): void {
    this.#latest += 1;
    this.value = null;
    this.error = null;
    this.waiting = false;
  }
}
