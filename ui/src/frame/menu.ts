import { language, languages, message, messageIn, speak } from '../messages/messages.svelte';
import type { MenuGroup, MenuItem, SystemItem } from '../platform';
import { addedFiles, createFromFiles } from '../state/actions';
import type { AppState } from '../state/app.svelte';
import { places } from '../state/route';
import { setTheme, theme, themes } from '../state/theme.svelte';
import { beginTour } from '../state/tour.svelte';
import { largerOrSmaller } from './zoom';

/** What an entry of the menu does, by its id. */
type Actions = Map<string, () => void | Promise<void>>;

/** What systems of a kind expect in a menu. */
export type System = 'mac' | 'windows' | 'linux';

/** Which system the window runs on, as its browser engine says. */
export function systemOf(agent: string): System {
  if (agent.includes('Mac OS')) return 'mac';
  return agent.includes('Windows') ? 'windows' : 'linux';
}

/** Shows the menu of the window, in the language and for the place of the moment. */
export async function showMenu(app: AppState, system = systemOf(navigator.userAgent)): Promise<void> {
  const actions: Actions = new Map();
  const groups = menuOf(app, system, actions);
  try {
    await app.platform.menu(groups, (id) => void choose(id));
  } catch (error) {
    app.toasts.fault(error);
  }

  async function choose(id: string) {
    // The system has turned an entry off that was on; what is chosen stays so.
    if (isOn(groups, id)) return void showMenu(app, system);
    try {
      await actions.get(id)?.();
    } catch (error) {
      app.toasts.fault(error);
    }
  }
}

function isOn(groups: readonly MenuGroup[], id: string): boolean {
  return groups.some(({ items }) => items.some((item) => item.kind === 'action' && item.id === id && item.checked));
}

function menuOf(app: AppState, system: System, actions: Actions): MenuGroup[] {
  const item = (id: string, label: string, does: () => void | Promise<void>, more: Partial<Entry> = {}): MenuItem => {
    actions.set(id, does);
    return { kind: 'action', id, label, key: null, enabled: true, checked: null, ...more };
  };
  const inProject = app.route.page === 'project';
  const quit = item('quit', message('menu_quit'), () => undefined, { key: 'CmdOrCtrl+Q' });

  const file: MenuItem[] = [
    item('new', message('menu_new'), () => app.nameNew(), { key: 'CmdOrCtrl+N' }),
    item('files', message('menu_files'), () => fromFiles(app), { key: 'CmdOrCtrl+O' }),
    item('tour', message('menu_tour'), () => beginTour(app)),
  ];
  const go: MenuItem[] = [
    item('home', message('frame_home'), () => app.goHome(), { key: 'CmdOrCtrl+Shift+H', enabled: inProject }),
    separator,
    ...places.map((place, at) =>
      item(`go.${place}`, message(`step_${place}`), () => app.goToStep(place), { key: `CmdOrCtrl+${at + 1}`, enabled: inProject }),
    ),
  ];
  // The page itself knows the keys for these: an entry that took them too would count them twice.
  const view: MenuItem[] = [
    item('larger', message('menu_larger'), () => largerOrSmaller(app, 1)),
    item('smaller', message('menu_smaller'), () => largerOrSmaller(app, -1)),
    item('own', message('menu_own_size'), () => largerOrSmaller(app, 0)),
    separator,
    ...themes.map((one) => item(`theme.${one}`, message(`frame_theme_${one}`), () => setTheme(one), { checked: theme() === one })),
    separator,
    ...languages.map((one) => item(`language.${one}`, messageIn(one, 'language_name'), () => speak(one), { checked: language() === one })),
  ];
  const about = its('about', { name: 'Sanbao' });

  if (system === 'mac') {
    const sanbao = [about, separator, its('services'), separator, its('hide', { name: 'Sanbao' }), its('hide_others'), its('show_all'), separator, quit];
    return [{ label: 'Sanbao', items: sanbao }, { label: message('menu_file'), items: file }, edit(), ...common(view, go)];
  }
  // On Linux the system has nothing that would edit a page's text; the keys and a right click do.
  const editing = system === 'windows' ? [edit()] : [];
  return [
    { label: message('menu_file'), items: [...file, separator, quit] },
    ...editing,
    ...common(view, go),
    { label: message('menu_help'), items: [about] },
  ];
}

type Entry = Extract<MenuItem, { kind: 'action' }>;

const separator: MenuItem = { kind: 'separator' };

/** Something that the system does by itself. */
function its(does: SystemItem, params?: Record<string, string>): MenuItem {
  return { kind: 'system', does, label: message(`menu_${does}`, params) };
}

function edit(): MenuGroup {
  const items = [its('undo'), its('redo'), separator, its('cut'), its('copy'), its('paste'), its('select_all')];
  return { label: message('menu_edit'), items };
}

function common(view: MenuItem[], go: MenuItem[]): MenuGroup[] {
  return [
    { label: message('menu_view'), items: view },
    { label: message('menu_go'), items: go },
  ];
}

async function fromFiles(app: AppState): Promise<void> {
  const paths = await app.platform.pickFiles({ extensions: addedFiles });
  if (paths.length > 0) await createFromFiles(app, paths);
}
