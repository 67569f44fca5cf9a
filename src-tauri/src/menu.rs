//! The menu. What it holds is told by the page, which has the words and knows what can be done.

use std::sync::{Mutex, PoisonError};

use sanbao_contract::Fault;
use serde::Deserialize;
use tauri::ipc::Channel;
use tauri::menu::{
    AboutMetadata, CheckMenuItem, Menu, MenuEvent, MenuItem, MenuItemKind, PredefinedMenuItem,
    Submenu,
};
use tauri::{AppHandle, Manager, State, Wry};

/// The id of the entry that closes the window, which asks what is to become of a run.
const QUIT: &str = "quit";

/// One of the menus beside each other.
#[derive(Debug, Deserialize)]
pub struct Group {
    label: String,
    items: Vec<Item>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Item {
    Separator,
    /// The system does it by itself.
    System {
        does: Does,
        label: String,
    },
    /// The page is told of it.
    Action {
        id: String,
        label: String,
        /// With which keys it is chosen, as `CmdOrCtrl+N`.
        key: Option<String>,
        enabled: bool,
        /// For one that is on or off.
        checked: Option<bool>,
    },
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Does {
    About,
    Services,
    Hide,
    HideOthers,
    ShowAll,
    Undo,
    Redo,
    Cut,
    Copy,
    Paste,
    SelectAll,
}

/// The menu there is; none until the page has told of one.
#[derive(Default)]
pub struct Shown(Mutex<Option<Heard>>);

struct Heard {
    menus: Vec<Submenu<Wry>>,
    /// Who hears what is chosen.
    page: Channel<String>,
}

/// Shows the menu. One that holds the same entries as before is changed where it stands, so that
/// nothing flickers.
#[tauri::command]
pub fn show_menu(
    app: AppHandle,
    shown: State<'_, Shown>,
    groups: Vec<Group>,
    chosen: Channel<String>,
) -> Result<(), Fault> {
    let mut shown = shown.0.lock().unwrap_or_else(PoisonError::into_inner);
    let before = shown.take().map(|heard| heard.menus).filter(|menus| holds(menus, &groups));
    let menus = match before {
        Some(menus) => change(&menus, &groups).map(|()| menus),
        None => build(&app, &groups),
    };
    let menus = menus
        .map_err(|error| Fault::new("desktop.menu", format!("the menu is missing: {error}")))?;
    *shown = Some(Heard { menus, page: chosen });
    Ok(())
}

/// Tells the page what was chosen.
pub fn chosen(app: &AppHandle, event: MenuEvent) {
    let id = event.id().as_ref();
    if id == QUIT {
        if let Some(window) = app.get_webview_window("main") {
            // A window that cannot be closed can be asked again.
            let _ = window.close();
        }
        return;
    }
    let shown = app.state::<Shown>();
    if let Some(Heard { page, .. }) = &*shown.0.lock().unwrap_or_else(PoisonError::into_inner) {
        // A page that is just being loaded again hears of the next choice.
        let _ = page.send(id.to_owned());
    }
}

fn build(app: &AppHandle, groups: &[Group]) -> tauri::Result<Vec<Submenu<Wry>>> {
    let menu = Menu::new(app)?;
    let mut menus = Vec::with_capacity(groups.len());
    for group in groups {
        let submenu = Submenu::new(app, &group.label, true)?;
        for item in &group.items {
            match item {
                Item::Separator => submenu.append(&PredefinedMenuItem::separator(app)?)?,
                Item::System { does, label } => submenu.append(&does.item(app, label)?)?,
                Item::Action { id, label, key, enabled, checked: None } => {
                    let key = key.as_deref();
                    submenu.append(&MenuItem::with_id(app, id, label, *enabled, key)?)?;
                }
                Item::Action { id, label, key, enabled, checked: Some(checked) } => {
                    let key = key.as_deref();
                    let item = CheckMenuItem::with_id(app, id, label, *enabled, *checked, key)?;
                    submenu.append(&item)?;
                }
            }
        }
        menu.append(&submenu)?;
        menus.push(submenu);
    }
    app.set_menu(menu)?;
    Ok(menus)
}

/// Whether these are the menus, whatever their entries are called. The name of a menu itself does
/// not change on Linux once it is shown.
fn holds(menus: &[Submenu<Wry>], groups: &[Group]) -> bool {
    let is = |(there, item): (&MenuItemKind<Wry>, &Item)| match item {
        Item::Action { id, .. } => there.id() == id,
        _ => matches!(there, MenuItemKind::Predefined(_)),
    };
    menus.len() == groups.len()
        && menus.iter().zip(groups).all(|(menu, group)| {
            let items = menu.items().unwrap_or_default();
            menu.text().is_ok_and(|text| text == group.label)
                && items.len() == group.items.len()
                && items.iter().zip(&group.items).all(is)
        })
}

/// Puts words and states onto the entries there are.
fn change(menus: &[Submenu<Wry>], groups: &[Group]) -> tauri::Result<()> {
    for (menu, group) in menus.iter().zip(groups) {
        for (there, item) in menu.items()?.iter().zip(&group.items) {
            match (there, item) {
                (MenuItemKind::Predefined(there), Item::System { label, .. }) => {
                    there.set_text(label)?;
                }
                (MenuItemKind::MenuItem(there), Item::Action { label, enabled, .. }) => {
                    there.set_text(label)?;
                    there.set_enabled(*enabled)?;
                }
                (MenuItemKind::Check(there), Item::Action { label, enabled, checked, .. }) => {
                    there.set_text(label)?;
                    there.set_enabled(*enabled)?;
                    there.set_checked(checked.unwrap_or_default())?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

impl Does {
    fn item(self, app: &AppHandle, label: &str) -> tauri::Result<PredefinedMenuItem<Wry>> {
        let label = Some(label);
        match self {
            Self::About => PredefinedMenuItem::about(app, label, Some(about(app))),
            Self::Services => PredefinedMenuItem::services(app, label),
            Self::Hide => PredefinedMenuItem::hide(app, label),
            Self::HideOthers => PredefinedMenuItem::hide_others(app, label),
            Self::ShowAll => PredefinedMenuItem::show_all(app, label),
            Self::Undo => PredefinedMenuItem::undo(app, label),
            Self::Redo => PredefinedMenuItem::redo(app, label),
            Self::Cut => PredefinedMenuItem::cut(app, label),
            Self::Copy => PredefinedMenuItem::copy(app, label),
            Self::Paste => PredefinedMenuItem::paste(app, label),
            Self::SelectAll => PredefinedMenuItem::select_all(app, label),
        }
    }
}

fn about(app: &AppHandle) -> AboutMetadata<'static> {
    let package = app.package_info();
    AboutMetadata {
        name: Some("Sanbao 三宝".to_owned()),
        version: Some(package.version.to_string()),
        license: app.config().bundle.license.clone(),
        icon: app.default_window_icon().cloned().map(tauri::image::Image::to_owned),
        ..AboutMetadata::default()
    }
}
