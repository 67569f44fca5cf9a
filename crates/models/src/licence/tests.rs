#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::table::KNOWN;
use super::*;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn the_readme_says_licence_and_languages() {
    let folder = folder(&[(
        "README.md",
        "---\nlicense: apache-2.0\nlanguage:\n- en\n- zh\n- multilingual\n- pt_BR\n---\n# Model\n",
    )]);
    let said = of_folder(folder.path());
    assert_eq!(said.licence.id.as_deref(), Some("Apache-2.0"));
    assert_eq!(
        (said.licence.commercial_use, said.licence.redistribution),
        (Some(true), Some(true))
    );
    assert_eq!(said.languages, ["en", "zh", "pt-BR"]);
}

#[test]
fn other_means_that_the_name_stands_elsewhere() {
    let named = folder(&[("README.md", "---\nlicense: other\nlicense_name: qwen-research\n---\n")]);
    let licence = of_folder(named.path()).licence;
    assert_eq!(
        (licence.id.as_deref(), licence.commercial_use),
        (Some("qwen-research"), Some(false))
    );

    let text = "LLAMA 3.2 COMMUNITY LICENSE AGREEMENT\nLlama 3.2 Version Release Date: September 25, 2024\n";
    let beside = folder(&[
        ("README.md", "---\nlicense: other\nlicense_name: house-rules\n---\n"),
        ("LICENSE.txt", text),
    ]);
    assert_eq!(of_folder(beside.path()).licence.id.as_deref(), Some("llama3.2"));

    let unknown = folder(&[("README.md", "---\nlicense: other\nlicense_name: house-rules\n---\n")]);
    let licence = of_folder(unknown.path()).licence;
    assert_eq!((licence.id.as_deref(), licence.commercial_use), (Some("house-rules"), None));
}

#[test]
fn a_folder_that_says_nothing_is_not_judged() {
    let empty = folder(&[]);
    let said = of_folder(empty.path());
    assert_eq!(said, Statement { licence: unstated(), languages: Vec::new() });
    assert_eq!(said.licence.id, None);
}

#[test]
fn texts_are_recognised_by_their_beginning() {
    let cases = [
        (
            "                                 Apache License\n                           Version 2.0, January 2004\n",
            "Apache-2.0",
        ),
        (
            "MIT License\n\nCopyright (c) 2024\n\nPermission is hereby granted, free of charge, to any person obtaining a copy\nof this",
            "MIT",
        ),
        ("# **Gemma Terms of Use**\nLast modified: February 21, 2024", "gemma"),
        ("LLAMA 2 COMMUNITY LICENSE AGREEMENT", "llama2"),
        ("META LLAMA 3 COMMUNITY LICENSE AGREEMENT", "llama3"),
        (
            "Qwen RESEARCH LICENSE AGREEMENT\n\nQwen RESEARCH LICENSE AGREEMENT Release Date",
            "qwen-research",
        ),
        (
            "                    GNU AFFERO GENERAL PUBLIC LICENSE\n                       Version 3, 19 November 2007",
            "AGPL-3.0",
        ),
        ("Attribution-NonCommercial 4.0 International\n\n=====", "CC-BY-NC-4.0"),
        ("DEEPSEEK LICENSE AGREEMENT\nVersion 1.0, 23 October 2023", "deepseek"),
    ];
    for (text, id) in cases {
        assert_eq!(from_text(text), Some(id), "{text}");
    }
    assert_eq!(from_text("All rights reserved."), None);
}

#[test]
fn every_known_licence_is_found_by_each_of_its_names_and_judged() {
    for known in KNOWN {
        for tag in known.tags {
            let found = licence(&tag.to_uppercase());
            assert_eq!(found.id.as_deref(), Some(known.tags[0]), "{tag}");
            assert!(
                found.commercial_use.is_some() && found.summary.ends_with('.'),
                "{tag}: {}",
                found.summary
            );
            assert!(
                found.summary.len() < 240 && !found.summary.contains('\n'),
                "{tag}: {}",
                found.summary
            );
        }
    }
}

#[test]
fn families_of_the_spdx_list_are_judged_by_their_terms() {
    let terms = |id: &str| {
        let licence = licence(id);
        (licence.commercial_use, licence.redistribution)
    };
    assert_eq!(terms("cc-by-4.0"), (Some(true), Some(true)));
    assert_eq!(terms("cc-by-nc-4.0"), (Some(false), Some(true)));
    assert_eq!(terms("cc-by-nc-nd-4.0"), (Some(false), Some(false)));
    assert_eq!(terms("cc-by-sa-3.0"), (Some(true), Some(true)));
    assert_eq!(terms("cc0-1.0"), (Some(true), Some(true)));
    assert_eq!(terms("bsd-3-clause"), (Some(true), Some(true)));
    assert_eq!(terms("gpl-3.0"), (Some(true), Some(true)));
    assert_eq!(terms("Apache-2.0 OR MIT"), (Some(true), Some(true)));
    assert_eq!(terms("Apache-2.0 AND CC-BY-NC-4.0"), (Some(false), Some(true)));
    assert_eq!(terms("somebody's own"), (None, None));
    assert_eq!(licence("  "), unstated());
}

#[test]
fn summaries_read_well() {
    let mut lines = String::new();
    for id in [
        "Apache-2.0",
        "MIT",
        "gemma",
        "llama2",
        "llama3",
        "llama3.2",
        "llama4",
        "qwen",
        "qwen-research",
        "deepseek",
        "openrail",
        "cc-by-nc-4.0",
        "cc-by-nc-nd-4.0",
        "cc-by-sa-4.0",
        "cc0-1.0",
        "gpl-3.0",
        "isc",
        "house-rules",
        "",
    ] {
        let shown = licence(id);
        lines += &format!("{}: {}\n", shown.id.as_deref().unwrap_or("(none)"), shown.summary);
    }
    insta::assert_snapshot!(lines);
}
