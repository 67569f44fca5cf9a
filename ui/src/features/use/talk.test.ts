import { describe, expect, it } from 'vitest';

import type { Request } from '../../contract/Request';
import { fakePlatform, type Answers } from '../../platform/fake';
import { AppState } from '../../state/app.svelte';
import { talkOf, type Asked } from './talk.svelte';

type Chat = Extract<Request, { request: 'chat' }>;
const run = { kind: 'run', run: 'run-1', epoch: null } as const;
const both: Asked = { base: { kind: 'base' }, run };

function begin(answers: Answers = {}) {
  const platform = fakePlatform({ chat: () => {}, stop_chat: () => {}, ...answers });
  const talk = talkOf(new AppState(platform), 'p');
  const chats = () => platform.asked.filter((request): request is Chat => request.request === 'chat');
  const say = (side: 'base' | 'run', text: string) => {
    const { chat } = chats()
      .filter((one) => one.model.kind === side)
      .at(-1)!;
    platform.tell({ event: 'chat_piece', chat, text });
    platform.tell({ event: 'chat_ended', chat, tokens: 4, seconds: 0.5, fault: null });
  };
  return { platform, talk, chats, say };
}

describe('a conversation', () => {
  it('goes to both, and each is told only what it said itself', async () => {
    const { talk, chats, say } = begin();
    await talk.ask('Hello?', both, false);
    expect(talk.isBusy).toBe(true);
    say('base', 'I am base.');
    say('run', 'I am trained.');
    expect(talk.isBusy).toBe(false);
    expect(talk.turns[0]!.answers.run).toMatchObject({ text: 'I am trained.', state: 'done', tokens: 4, seconds: 0.5 });
    await talk.ask('And now?', both, false);
    const [base, tuned] = chats().slice(2);
    expect(base!.messages.map((message) => message.content)).toEqual(['Hello?', 'I am base.', 'And now?']);
    expect(tuned!.messages.map((message) => message.content)).toEqual(['Hello?', 'I am trained.', 'And now?']);
  });

  it('tells nothing of what was before when each question stands alone', async () => {
    const { talk, chats, say } = begin();
    await talk.ask('One', { run }, true);
    say('run', 'positive');
    await talk.ask('Two', { run }, true);
    expect(chats()[1]!.messages).toEqual([{ role: 'user', content: 'Two' }]);
  });

  it('shows who could not answer, and asks again', async () => {
    let broken = true;
    const chat = ({ model }: Chat) => {
      if (broken && model.kind === 'run') throw { code: 'models.device', message: 'Lost.', params: {} };
    };
    const { talk, say } = begin({ chat });
    await talk.ask('Hello?', both, false);
    expect(talk.turns[0]!.answers.run).toMatchObject({ state: 'failed', error: { fault: { code: 'models.device' } } });
    expect(talk.turns[0]!.answers.base!.state).toBe('awaited');
    broken = false;
    await talk.again(1, 'run', false);
    say('run', 'Here.');
    expect(talk.turns[0]!.answers.run).toMatchObject({ state: 'done', text: 'Here.', error: null });
  });

  it('stops: later words are not shown, but what it cost is', async () => {
    const { talk, say, platform } = begin();
    await talk.ask('Hello?', { run }, false);
    await talk.stop();
    expect(platform.asked.at(-1)!.request).toBe('stop_chat');
    say('run', 'too late');
    expect(talk.turns[0]!.answers.run).toMatchObject({ state: 'stopped', text: '', tokens: 4 });
  });

  it('begins anew and forgets what is still on its way', async () => {
    const { talk, say } = begin();
    await talk.ask('Hello?', { run }, false);
    await talk.clear();
    say('run', 'too late');
    expect(talk.turns).toEqual([]);
  });
});
