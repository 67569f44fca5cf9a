//! Compiles the window's capabilities, configuration and files into the program.

fn main() {
    println!("cargo:rerun-if-changed=src-tauri/capabilities");
    let window = std::path::Path::new("ui/dist/index.html");
    if !window.is_file() {
        println!("cargo:rerun-if-changed=ui/dist");
        println!(
            "cargo:error=ui/dist/index.html is missing: run `cargo xtask setup`, which builds the window"
        );
        std::process::exit(1);
    }
    let attributes = tauri_build::Attributes::new()
        .capabilities_path_pattern("./src-tauri/capabilities/**/*")
        // Naming the commands makes each need a permission of its own.
        .app_manifest(tauri_build::AppManifest::new().commands(&[
            "rpc",
            "events",
            "pick_files",
            "pick_folder",
            "pick_new_file",
            "reveal",
            "open_page",
            "notify",
            "zoom",
            "show_menu",
            "set_theme",
        ]));
    if let Err(error) = tauri_build::try_build(attributes) {
        println!("cargo:error={error:#}");
        std::process::exit(1);
    }
}
