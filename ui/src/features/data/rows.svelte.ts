import type { Row } from '../../contract/Row';
import type { RowPage } from '../../contract/RowPage';

/** Rows asked for at once. */
export const pageSize = 200;

/** Pages kept in memory; the ones asked for last stay. */
const pagesKept = 40;

/** Rows that tell how long the values of each column are. */
const firstRows = 20;

/** The rows of a file that match, fetched page by page as they come into view. */
export class RowStore {
  columns = $state.raw<readonly string[]>([]);
  /** The first rows, also when they are far out of sight: the widths of the columns follow from them. */
  first = $state.raw<readonly Row[]>([]);
  /** Rows that match in all; `null` until the first page is here. */
  total = $state<number | null>(null);
  error = $state.raw<unknown>(null);
  /** Tells those who look at rows that others are here. */
  #arrivals = $state(0);
  #pages = new Map<number, readonly Row[]>();
  #asked = new Set<number>();
  #needed: readonly number[] = [0];
  /** Answers to what was asked before a reload are not wanted. */
  #reloads = 0;
  readonly #fetch: (offset: number, limit: number) => Promise<RowPage>;

  constructor(fetch: (offset: number, limit: number) => Promise<RowPage>) {
    this.#fetch = fetch;
  }

  /** The row at a place among those that match; `undefined` while it is on its way. */
  at(index: number): Row | undefined {
    void this.#arrivals;
    return this.#pages.get(Math.floor(index / pageSize))?.[index % pageSize];
  }

  /** Fetches the pages of these rows unless they are here. */
  need(first: number, end: number): void {
    const pages: number[] = [];
    for (let page = Math.floor(first / pageSize); page * pageSize < Math.max(end, 1); page++) pages.push(page);
    this.#needed = pages;
    for (const page of pages) if (!this.#asked.has(page)) void this.#load(page);
  }

  /** The rows at these places, fetched where they are not here; none when that fails, with the error told. */
  async between(first: number, end: number): Promise<Row[]> {
    const rows: Row[] = [];
    try {
      for (let page = Math.floor(first / pageSize); page * pageSize < end; page++) {
        const here = this.#pages.get(page) ?? (await this.#fetch(page * pageSize, pageSize)).rows;
        rows.push(...here.filter((_, at) => page * pageSize + at >= first && page * pageSize + at < end));
      }
      return rows;
    } catch (error) {
      this.error = error;
      return [];
    }
  }

  /** Fetches what is in view again; what was there stays until the new is here. */
  async reload(): Promise<void> {
    this.#reloads += 1;
    this.#asked.clear();
    for (const page of this.#pages.keys()) if (!this.#needed.includes(page)) this.#pages.delete(page);
    await Promise.all(this.#needed.map((page) => this.#load(page)));
  }

  async #load(page: number): Promise<void> {
    const reloads = this.#reloads;
    this.#asked.add(page);
    try {
      const { columns, rows, total } = await this.#fetch(page * pageSize, pageSize);
      if (reloads !== this.#reloads) return;
      this.#keep(page, rows);
      this.columns = columns;
      if (page === 0) this.first = rows.slice(0, firstRows);
      this.total = total;
      this.error = null;
    } catch (error) {
      if (reloads !== this.#reloads) return;
      this.#asked.delete(page);
      this.error = error;
    }
  }

  #keep(page: number, rows: readonly Row[]): void {
    this.#pages.delete(page);
    this.#pages.set(page, rows);
    for (const old of this.#pages.keys()) {
      if (this.#pages.size <= pagesKept) break;
      if (this.#needed.includes(old)) continue;
      this.#pages.delete(old);
      this.#asked.delete(old);
    }
    this.#arrivals += 1;
  }
}
