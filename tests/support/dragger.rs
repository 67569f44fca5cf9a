//! A program to drag files from, as a file manager offers them.

use std::path::Path;

use gtk::gdk::{DragAction, ModifierType};
use gtk::prelude::*;
use gtk::{EventBox, Label, Window, WindowType};

/// Where its window lies on the screen, in pixels: left, top, width, height.
pub const PLACE: (i32, i32, i32, i32) = (1300, 20, 200, 100);

/// What its window is called.
pub const TITLE: &str = "A file to drag";

/// Shows the window and offers one file or folder to be dragged, until the process is ended.
pub fn offer(path: &Path) {
    gtk::init().unwrap();
    let (left, top, width, height) = PLACE;
    // A popup is placed by itself, whether there is a window manager or not.
    let window = Window::new(WindowType::Popup);
    window.set_title(TITLE);
    window.set_default_size(width, height);
    window.move_(left, top);
    let handle = EventBox::new();
    handle.add(&Label::new(Some(TITLE)));
    handle.drag_source_set(ModifierType::BUTTON1_MASK, &[], DragAction::COPY);
    handle.drag_source_add_uri_targets();
    let address = gtk::glib::filename_to_uri(path, None).unwrap();
    handle.connect_drag_data_get(move |_, _, data, _, _| {
        assert!(data.set_uris(&[&address]), "the address was not taken");
    });
    window.add(&handle);
    window.show_all();
    gtk::main();
}
