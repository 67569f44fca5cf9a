import type { Download } from '../contract/Download';
import type { ModelEntry } from '../contract/ModelEntry';
import type { Platform } from '../platform';
import { Asked } from './asked.svelte';
import { isComplete, withDownload } from './fold';

/** The base models, kept up to date while they are fetched. */
export class Models {
  readonly list = new Asked<ModelEntry[]>();
  readonly #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  get all(): readonly ModelEntry[] {
    return this.list.value ?? [];
  }

  byId(id: string): ModelEntry | undefined {
    return this.all.find((model) => model.id === id);
  }

  /** Asks for the list again. */
  async load(): Promise<void> {
    await this.list.ask(async () => (await this.#platform.call({ request: 'models' })).models);
  }

  /** Starts or continues fetching; how it goes comes as events. */
  async fetch(model: string): Promise<void> {
    await this.#platform.call({ request: 'download_model', model });
  }

  async pause(model: string): Promise<void> {
    await this.#platform.call({ request: 'pause_download', model });
  }

  /** Takes a folder or file of this machine into the list. */
  async add(path: string): Promise<ModelEntry> {
    const { model } = await this.#platform.call({ request: 'add_model', path });
    this.list.value = [model, ...this.all.filter((other) => other.id !== model.id)];
    return model;
  }

  /** Takes in news of a download. */
  hear(download: Download): void {
    if (this.list.value === null) return;
    this.list.value = withDownload(this.list.value, download);
    // What is known about a model is only known when all of it is there.
    if (isComplete(download)) void this.load();
  }
}
