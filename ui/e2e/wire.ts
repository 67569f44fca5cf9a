import type { Page } from '@playwright/test';

import type { Event } from '../src/contract/Event';
import type { Fault } from '../src/contract/Fault';
import type { Reply } from '../src/contract/Reply';
import type { Request } from '../src/contract/Request';

type Name = Request['request'];

/** What happens to a kind of request on its way, instead of what the server would do. */
type Mishap = (reply: () => Promise<Reply>) => Promise<{ status: number; body: unknown } | null>;

async function between(page: Page, name: Name, mishap: Mishap): Promise<void> {
  await page.route('**/rpc', async (route) => {
    const { request } = route.request().postDataJSON() as Request;
    if (request !== name) return route.fallback();
    const answer = await mishap(async () => (await (await route.fetch()).json()) as Reply);
    // Without an answer the page waits for as long as it is open.
    if (answer) await route.fulfill({ status: answer.status, json: answer.body });
  });
}

/** Lets the page wait for the replies to a kind of request. */
export async function hold(page: Page, name: Name): Promise<void> {
  await between(page, name, async () => null);
}

/** Refuses a kind of request. */
export async function refuse(page: Page, name: Name, fault: Fault): Promise<void> {
  await between(page, name, async () => ({ status: 422, body: fault }));
}

/** Changes the server's replies to a kind of request: for what takes a network, or luck, to happen. */
export async function amend<N extends Name>(page: Page, name: N, change: (reply: Extract<Reply, { reply: N }>) => void): Promise<void> {
  await between(page, name, async (reply) => {
    const body = (await reply()) as Extract<Reply, { reply: N }>;
    change(body);
    return { status: 200, body };
  });
}

/** Answers a kind of request in the server's place: for what people would have to do for hours. */
export async function answer<N extends Name>(
  page: Page,
  name: N,
  make: (request: Extract<Request, { request: N }>) => Omit<Extract<Reply, { reply: N }>, 'reply'>,
): Promise<void> {
  await page.route('**/rpc', async (route) => {
    const request = route.request().postDataJSON() as Request;
    if (request.request !== name) return route.fallback();
    await route.fulfill({ json: { reply: name, ...make(request as Extract<Request, { request: N }>) } });
  });
}

interface Listening extends Window {
  events?: EventSource;
}

/** Lets `tell` speak on the page's stream of events; before the page is opened. */
export async function listen(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const Source = window.EventSource;
    window.EventSource = class extends Source {
      constructor(...address: ConstructorParameters<typeof EventSource>) {
        super(...address);
        (window as Listening).events = this;
      }
    };
  });
}

/** Tells the page an event that takes a desktop, or luck, to happen. */
export async function tell(page: Page, event: Event): Promise<void> {
  await page.evaluate((data) => {
    (window as Listening).events?.dispatchEvent(new MessageEvent('message', { data }));
  }, JSON.stringify(event));
}
