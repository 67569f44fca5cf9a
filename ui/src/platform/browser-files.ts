import type { DropListener, Unsubscribe } from './platform';

/** Asks for files with the browser's own dialog; empty when it was closed. */
export function chooseFiles(extensions: readonly string[]): Promise<File[]> {
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = true;
  input.accept = extensions.join(',');
  // Some browsers forget an input that is not in the page while their dialog is open.
  input.hidden = true;
  document.body.append(input);
  return new Promise((resolve) => {
    const end = () => {
      input.remove();
      resolve([...(input.files ?? [])]);
    };
    input.addEventListener('change', end, { once: true });
    input.addEventListener('cancel', end, { once: true });
    input.click();
  });
}

/** Listens to files dragged over the page and hands on what they are called once uploaded. */
export function browserDrop(listener: DropListener, upload: (files: File[]) => Promise<string[]>): Unsubscribe {
  // `dragenter` and `dragleave` come for every element that is crossed; the page is left at zero.
  let depth = 0;
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
  const leave = () => {
    depth = 0;
    listener.hover(false);
  };
  const handlers = {
    dragenter(event: DragEvent) {
      if (hasFiles(event) && ++depth === 1) listener.hover(true);
    },
    dragleave(event: DragEvent) {
      if (hasFiles(event) && --depth <= 0) leave();
    },
    dragover(event: DragEvent) {
      if (hasFiles(event)) event.preventDefault();
    },
    drop(event: DragEvent) {
      if (!hasFiles(event)) return;
      event.preventDefault();
      leave();
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length > 0) listener.drop(upload(files));
    },
  };
  const entries = Object.entries(handlers) as [keyof typeof handlers, (event: DragEvent) => void][];
  for (const [name, handler] of entries) window.addEventListener(name, handler);
  return () => {
    for (const [name, handler] of entries) window.removeEventListener(name, handler);
  };
}
